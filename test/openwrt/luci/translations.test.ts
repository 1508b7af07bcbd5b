/** Every language of the LuCI pages is complete and fits the texts; po2lmo and msgfmt check it too where they are. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { LANGUAGES } from '../../../tools/build-package-luci.ts';
import { lmoHash, lmoOf, type Message, readPo } from '../../../tools/package/lmo.ts';
import { toolFrom } from '../package/support/spec.ts';
import { APP_DIRECTORY, appText } from './support/app-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'po-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const template = appText('po/templates/shareagent.pot');
/** Context and original as they stand in the template, escapes and all. */
const wanted = [...template.matchAll(/(?:msgctxt "(.*)"\n)?msgid "(.+)"/g)].map(([, context = '', text = '']) =>
  JSON.stringify([context, text.replace(/\\(.)/g, '$1')]),
);
const keyOf = ({ context = '', original }: Message): string => JSON.stringify([context, original]);
const places = (text: string): readonly string[] => text.match(/%(?:\d+\$)?[a-z%]/g) ?? [];
const poPath = (language: string): string => fileURLToPath(new URL(`po/${language}/shareagent.po`, APP_DIRECTORY));

t.test('what is in the package is what is translated', (t) => {
  const folders = readdirSync(new URL('po/', APP_DIRECTORY)).filter((name) => name !== 'templates');
  t.same(folders.sort(), Object.keys(LANGUAGES).sort());
  t.ok(wanted.length > 300);
  // LuCI cuts these off before it looks, and po2lmo does not.
  t.same(
    wanted.filter((key) => /^\["[^"]*"," | {2}| "\]$/.test(key)),
    [],
    'no text with a space at its end',
  );
  t.end();
});

for (const language of Object.keys(LANGUAGES)) {
  const { pluralForms, messages } = readPo(readFileSync(poPath(language), 'utf8'));

  t.test(`${language}: every text has a translation, with the same things to fill in, in the same order`, (t) => {
    t.same(messages.map(keyOf), wanted, 'texts as in the template');
    for (const { original, translation } of messages) {
      t.same(places(translation), places(original), original);
      t.equal(translation.trim(), translation, original);
      t.notMatch(translation, /[<>]/, 'no markup');
      // What is typed in stays what it is.
      for (const [word] of original.matchAll(
        /br-guest|portal\.lan|#[0-9a-f]{6}|https?:\/\/|logread -e \w+|0x|\/etc\/\S+/g,
      )) {
        t.ok(translation.includes(word.replace(/\.$/, '')), `${word} in ${translation}`);
      }
    }
    t.match(pluralForms, /^nplurals=\d; plural=.+;$/);
    t.end();
  });

  t.test(`${language}: LuCI finds each by its hash`, (t) => {
    const lmo = lmoOf({ pluralForms, messages });
    const index = lmo.subarray(lmo.readUInt32BE(lmo.length - 4), lmo.length - 4);
    const found = new Map<number, string>();
    for (let at = 0; at < index.length; at += 16) {
      const [key, , offset, length] = [0, 4, 8, 12].map((field) => index.readUInt32BE(at + field)) as [
        number,
        number,
        number,
        number,
      ];
      t.ok(at === 0 || key > index.readUInt32BE(at - 16), 'sorted, each once');
      found.set(key, lmo.toString('utf8', offset, offset + length));
    }
    t.equal(found.get(0), pluralForms);
    for (const { context, original, translation } of messages) {
      const shown = found.get(lmoHash(Buffer.from(context === undefined ? original : `${context}\u0001${original}`)));
      t.equal(shown ?? original, translation);
    }
    t.end();
  });

  const msgfmt = toolFrom('MSGFMT', 'msgfmt');
  t.test(`${language}: msgfmt finds no fault`, { skip: msgfmt === undefined && 'no msgfmt here (MSGFMT)' }, (t) => {
    const checked = ['--check-format', '--check-domain', '-o', '/dev/null', poPath(language)];
    t.doesNotThrow(() => execFileSync(msgfmt ?? '', checked, { stdio: 'pipe' }));
    t.end();
  });

  const po2lmo = toolFrom('PO2LMO', 'po2lmo');
  t.test(
    `${language}: po2lmo writes the same bytes`,
    { skip: po2lmo === undefined && 'no po2lmo here (PO2LMO)' },
    (t) => {
      const out = join(folder, `${language}.lmo`);
      execFileSync(po2lmo ?? '', [poPath(language), out]);
      t.ok(readFileSync(out).equals(lmoOf({ pluralForms, messages })));
      t.end();
    },
  );
}

t.test('the hash is LuCI’s', (t) => {
  // From po2lmo and from sfh() in LuCI's cbi.js, for each number of odd bytes, the last of them above 127 too.
  const known = {
    '': 0,
    a: 0x115ea782,
    ab: 0x516b8b44,
    abc: 0xd2be198a,
    abcd: 0xdad8b8db,
    aé: 0xe3d9c55b,
    'ab€': 0x3c71342a,
  };
  for (const [text, hash] of Object.entries(known)) t.equal(lmoHash(Buffer.from(text)), hash, text);
  t.end();
});

t.test('a file that is not whole is refused, with the entry', (t) => {
  const head = 'msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=1; plural=0;\\n"\n';
  t.match(readPo(`${head}\nmsgid "A \\"b\\""\nmsgstr "C"\n`).messages, [{ original: 'A "b"', translation: 'C' }]);
  t.throws(() => readPo(`${head}\nmsgid "A"\nmsgstr ""\n`), /not translated.*msgid "A"/s);
  t.throws(() => readPo(`${head}\n#, fuzzy\nmsgid "A"\nmsgstr "B"\n`), /not translated, or not on one line/);
  t.throws(() => readPo('msgid "A"\nmsgstr "B"\n'), /begins with a header/);
  t.end();
});
