import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { lookStyle, readOwnerFiles, termsFor } from '../../captive-portal/owner-look.ts';

const folder = mkdtempSync(join(tmpdir(), 'look-'));
t.teardown(() => rmSync(folder, { recursive: true }));

t.test('no folder, or one that is not there, has nothing and is no problem', (t) => {
  t.match(readOwnerFiles({}), { terms: new Map(), problems: [] });
  const missing = readOwnerFiles({ folder: join(folder, 'missing') });
  t.match(missing, { problems: [] });
  t.equal(termsFor(missing, 'en'), undefined);
  t.end();
});

t.test('logo and terms are taken, what cannot be used is named, everything else is left alone', (t) => {
  const put = (name: string, content: string | Buffer) => writeFileSync(join(folder, name), content);
  put('logo.png', Buffer.from([0x89, 0x50]));
  put('terms.txt', ' Be kind. \n');
  put('terms.ar.txt', 'كن لطيفًا');
  put('terms.xx.txt', '?');
  put('notes.txt', 'not ours');
  const files = readOwnerFiles({ folder });
  t.equal(files.logo?.type, 'image/png');
  t.equal(termsFor(files, 'ar'), 'كن لطيفًا');
  t.equal(termsFor(files, 'ru'), 'Be kind.');
  t.strictSame(files.problems, ['terms.xx.txt: the page has no such language']);
  put('logo.png', Buffer.alloc(65_537));
  put('terms.ar.txt', 'x'.repeat(8_193));
  const large = readOwnerFiles({ folder });
  t.equal(large.logo, undefined);
  t.equal(termsFor(large, 'ar'), 'Be kind.');
  t.strictSame(large.problems, [
    'logo.png: must have at most 65536 bytes, has 65537',
    'terms.ar.txt: must have at most 8192 bytes, has 8193',
    'terms.xx.txt: the page has no such language',
  ]);
  t.end();
});

t.test("colours are the owner's in the scheme they are for, and the page's own in the other", (t) => {
  t.equal(lookStyle({}), '');
  const light = lookStyle({ colour: '#8a1c4a' });
  t.match(light, '@media (prefers-color-scheme:light){:root{--accent:#8a1c4a;--accent-soft:#');
  t.notMatch(light, 'dark');
  t.match(lookStyle({ colourDark: '#ff9ec4' }), '@media (prefers-color-scheme:dark){:root{--accent:#ff9ec4;');
  t.end();
});
