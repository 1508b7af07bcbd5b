/** The languages of the guest's page, and which of them a browser wants. No DOM, no Node. */

/** `name` is the language's own; codes are BCP 47. */
export const LANGUAGES = [
  { code: 'en', name: 'English', direction: 'ltr' },
  { code: 'zh', name: '中文', direction: 'ltr' },
  { code: 'es', name: 'Español', direction: 'ltr' },
  { code: 'pt', name: 'Português', direction: 'ltr' },
  { code: 'fr', name: 'Français', direction: 'ltr' },
  { code: 'ar', name: 'العربية', direction: 'rtl' },
  { code: 'hi', name: 'हिन्दी', direction: 'ltr' },
  { code: 'id', name: 'Bahasa Indonesia', direction: 'ltr' },
  { code: 'fil', name: 'Filipino', direction: 'ltr' },
  { code: 'ru', name: 'Русский', direction: 'ltr' },
] as const;

export type Language = (typeof LANGUAGES)[number];
export type LanguageCode = Language['code'];

const FALLBACK: Language = LANGUAGES[0];
/** Other codes of a language of ours: Tagalog is what Filipino is a standard of, "in" the old code of Indonesian. */
const ALIASES: Readonly<Record<string, LanguageCode>> = { tl: 'fil', in: 'id' };
/** Browsers send a handful; the rest of a longer list is not read. */
const MAX_RANGES = 32;

/** The language a code or tag stands for ("pt-BR" -> pt), or undefined. */
export function languageOfTag(tag: string): Language | undefined {
  const base = tag.trim().toLowerCase().split('-')[0] ?? '';
  const code = ALIASES[base] ?? base;
  return LANGUAGES.find((language) => language.code === code);
}

/**
 * The best language for an Accept-Language header: the highest quality of one that we have, the first of equals, else English.
 * @see RFC 9110 section 12.5.4
 */
export function languageFrom(acceptLanguage: string | undefined): Language {
  const ranges = (acceptLanguage ?? '').split(',', MAX_RANGES).map((range) => {
    const [tag = '', ...parameters] = range.split(';');
    const quality = parameters.map((text) => /^\s*q=([01](?:\.\d{0,3})?)\s*$/i.exec(text)?.[1]).find(Boolean);
    return { language: languageOfTag(tag), quality: quality === undefined ? 1 : Number(quality) };
  });
  const best = ranges.filter(({ language, quality }) => language !== undefined && quality > 0);
  return best.sort((a, b) => b.quality - a.quality)[0]?.language ?? FALLBACK;
}
