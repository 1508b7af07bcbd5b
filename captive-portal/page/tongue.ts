/** The language of this page: the router put its texts into the HTML; the guest's own region of it decides on numbers. */
import type { Strings } from './strings.ts';
import type { Tongue } from './wording.ts';

const code = document.documentElement.lang;

export const STRINGS: Strings = JSON.parse(document.getElementById('texts')?.textContent ?? '{}') as Strings;
export const TONGUE: Tongue = { strings: STRINGS, locale: locale() };

/** "pt-BR" for a Brazilian's page in "pt"; some webviews report tags that Intl refuses. */
function locale(): string {
  try {
    const own = (navigator.languages ?? []).find((tag) => tag.toLowerCase().split('-')[0] === code) ?? code;
    return new Intl.NumberFormat(own).resolvedOptions().locale;
  } catch {
    return code;
  }
}
