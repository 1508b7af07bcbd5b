/** All texts in all languages: for the server and the tests. The page gets only its own, inside its HTML. */
import type { LanguageCode } from './language.ts';
import { ENGLISH, type Strings } from './strings.ts';
import { ARABIC } from './texts-ar.ts';
import { SPANISH } from './texts-es.ts';
import { FILIPINO } from './texts-fil.ts';
import { FRENCH } from './texts-fr.ts';
import { HINDI } from './texts-hi.ts';
import { INDONESIAN } from './texts-id.ts';
import { PORTUGUESE } from './texts-pt.ts';
import { RUSSIAN } from './texts-ru.ts';
import { CHINESE } from './texts-zh.ts';

// The API's problem texts stay on the router.
const { problems: _, ...english } = ENGLISH;

export const TRANSLATIONS: Readonly<Record<LanguageCode, Strings>> = {
  en: english,
  zh: CHINESE,
  es: SPANISH,
  pt: PORTUGUESE,
  fr: FRENCH,
  ar: ARABIC,
  hi: HINDI,
  id: INDONESIAN,
  fil: FILIPINO,
  ru: RUSSIAN,
};
