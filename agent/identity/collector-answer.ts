/** What a collector answered, as far as it is shown to the owner. */

/** Of the collector's own words, so much is shown. */
const MAX_SHOWN = 300;

/** Printable, and not without end: it goes to a terminal. */
export function shown(text: string): string {
  return text.slice(0, MAX_SHOWN).replace(/[^\x20-\x7e]/g, '?');
}
