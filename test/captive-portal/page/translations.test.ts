import t from 'tap';
import { LANGUAGES, languageFrom, languageOfTag } from '../../../captive-portal/page/language.ts';
import { ADVICE_OF, adviceText, ENGLISH, filled } from '../../../captive-portal/page/strings.ts';
import { TRANSLATIONS } from '../../../captive-portal/page/translations.ts';

/** "pay.add" -> text, of every text. */
function texts(tree: object, path = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of Object.entries(tree)) {
    if (typeof value === 'string') found.set(path + name, value);
    else for (const [key, text] of texts(value as object, `${path}${name}.`)) found.set(key, text);
  }
  return found;
}

const placeholders = (text: string) => (text.match(/\{[a-z]+\}/g) ?? []).sort();
const english = texts(TRANSLATIONS.en);
/** Symbols and words that are the same in some languages; anything else that is equal was forgotten. */
const SAME = /^unit\.|^(live\.(pause|transaction)|pay\.code)$/;

for (const { code } of LANGUAGES) {
  t.test(`${code} has every text, whole, with the same placeholders`, (t) => {
    const own = texts(TRANSLATIONS[code]);
    t.strictSame([...own.keys()].sort(), [...english.keys()].sort());
    for (const [key, text] of own) {
      t.strictSame(placeholders(text), placeholders(english.get(key) ?? ''), key);
      if (text.trim() !== text || text === '') t.fail(`${key} is empty or has spaces at its ends`);
      if (code !== 'en' && text === english.get(key) && !SAME.test(key)) t.fail(`${key} was not translated: ${text}`);
    }
    t.end();
  });
}

t.test('scripts are those of the language', (t) => {
  const letters = {
    zh: /\p{Script=Han}/u,
    ar: /\p{Script=Arabic}/u,
    hi: /\p{Script=Devanagari}/u,
    ru: /\p{Script=Cyrillic}/u,
  };
  for (const [code, pattern] of Object.entries(letters)) {
    for (const [key, text] of texts(TRANSLATIONS[code as keyof typeof letters])) {
      if (!key.startsWith('unit.')) t.match(text, pattern, `${code} ${key}`);
    }
  }
  t.end();
});

t.test('every refusal comes to an advice that says what to do, in every language', (t) => {
  t.strictSame(Object.keys(ADVICE_OF).sort(), Object.keys(ENGLISH.problems).sort());
  t.strictSame(
    [...new Set(Object.values(ADVICE_OF))].sort(),
    Object.keys(ENGLISH.advice).sort(),
    'and none is left over',
  );
  for (const [name, text] of Object.entries(ENGLISH.advice)) {
    t.ok(text.length <= 130, name);
    t.ok(text.split('. ').length >= 2 || /: |, then|Enter your/.test(text), `${name} says what to do`);
  }
  t.equal(adviceText('a-reason-of-next-year', TRANSLATIONS.ru), TRANSLATIONS.ru.advice.internal);
  t.end();
});

t.test('placeholders are filled, unknown ones stay', (t) => {
  t.equal(filled('{data} for {money}', { data: '2 MB', money: '1 SSP' }), '2 MB for 1 SSP');
  t.equal(filled('{data}', {}), '{data}');
  t.end();
});

t.test('the browser decides on the language, by quality, then by order', (t) => {
  const cases: readonly (readonly [string | undefined, string])[] = [
    [undefined, 'en'],
    ['', 'en'],
    ['de-DE,de;q=0.9', 'en'],
    ['pt-BR,pt;q=0.9,en;q=0.8', 'pt'],
    ['zh-Hant-TW', 'zh'],
    ['en;q=0.3, ar-EG;q=0.9', 'ar'],
    ['de, fr;q=0.5, ru;q=0.5', 'fr'],
    ['ru;q=0, hi;q=0.1', 'hi'],
    ['tl-PH', 'fil'],
    ['fil-PH', 'fil'],
    ['in-ID', 'id'],
    ['*', 'en'],
    [';;q=,,\u0000', 'en'],
    [`${'x,'.repeat(5_000)}ru`, 'en'],
  ];
  for (const [header, code] of cases) t.equal(languageFrom(header).code, code, JSON.stringify(header)?.slice(0, 60));
  t.equal(languageOfTag('ES-419')?.code, 'es');
  t.equal(languageOfTag('xx'), undefined);
  t.end();
});
