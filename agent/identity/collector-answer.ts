/** What a collector answered, as far as it can be believed before it is checked: JSON perhaps, and words for the owner. */

/** Of the collector's own words, so much is shown. */
const MAX_SHOWN = 300;

/** Undefined if it is no JSON. */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Printable, and not without end: it goes to a terminal. */
export function shown(text: string): string {
  return text.slice(0, MAX_SHOWN).replace(/[^\x20-\x7e]/g, '?');
}
