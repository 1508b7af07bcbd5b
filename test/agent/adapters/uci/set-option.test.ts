import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { replaceFile, withOption } from '../../../../agent/adapters/uci/set-option.ts';
import '../../../support/own-testdir.ts';

const FILE = `# mine
config agent 'agent'
	option enabled '1'

config price 'price'
	# what a megabyte costs
	option per_mb '0.1'
	option min_deposit '1'
`;
const set = (text: string, option: string, value: string) => withOption(text, { section: 'price', option, value });

t.test('one line changes, comments and everything else stay', (t) => {
  t.equal(set(FILE, 'per_mb', '0.25'), FILE.replace("per_mb '0.1'", "per_mb '0.25'"));
  t.end();
});

t.test('an option that is not there yet stands first in its section', (t) => {
  const expected = FILE.replace("config price 'price'\n", "config price 'price'\n\toption per_minute '0.5'\n");
  t.equal(set(FILE, 'per_minute', '0.5'), expected);
  t.end();
});

t.test('a section that is not there yet is added at the end', (t) => {
  const added = "\nconfig price 'price'\n\toption per_mb '1'\n";
  t.equal(set('', 'per_mb', '1'), added);
  t.equal(set("config agent 'agent'", 'per_mb', '1'), `config agent 'agent'\n${added}`);
  t.end();
});

t.test('of an option that is set twice the one that counts is changed', (t) => {
  const twice = "config price\n\toption per_mb '1'\n\toption per_mb '2'\n";
  t.equal(set(twice, 'per_mb', '3'), "config price\n\toption per_mb '1'\n\toption per_mb '3'\n");
  t.end();
});

t.test('what cannot be changed line by line is left alone', (t) => {
  t.equal(set("config price; option per_mb '1'\n", 'per_mb', '2'), undefined);
  t.equal(set("config price\n\toption per_mb 'a\nb'\n", 'per_mb', '2'), undefined, 'a value over two lines');
  t.equal(set("config price 'unclosed\n", 'per_mb', '2'), undefined);
  t.end();
});

t.test('a value with quotes is read back as it was given', (t) => {
  t.match(set(FILE, 'per_mb', "it's"), "option per_mb 'it'\\''s'");
  t.end();
});

t.test('a file is replaced as a whole, with its mode, and nothing is left beside it', (t) => {
  const folder = t.testdir({ shareagent: 'old' });
  const path = join(folder, 'shareagent');
  chmodSync(path, 0o640);
  replaceFile(path, 'new', join(folder, 'pending'));
  t.equal(readFileSync(path, 'utf8'), 'new');
  t.equal(statSync(path).mode & 0o777, 0o640);
  t.same(readdirSync(folder), ['shareagent']);
  t.throws(() => replaceFile(join(folder, 'missing'), 'x', join(folder, 'pending')), { code: 'ENOENT' });
  writeFileSync(path, 'kept');
  t.throws(() => replaceFile(join(folder, 'shareagent', 'x'), 'x', join(folder, 'pending')), { code: 'ENOTDIR' });
  t.equal(readFileSync(path, 'utf8'), 'kept');
  t.end();
});
