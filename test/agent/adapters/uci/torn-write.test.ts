/** The configuration written where it lies: whenever it is cut off, the next reader finds one whole text. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { mendTornFile, writeInPlace } from '../../../../agent/adapters/uci/torn-write.ts';
import '../../../support/own-testdir.ts';

const OLD = "config price 'price'\n\toption per_mb '0.1'\n";
const NEW = "config price 'price'\n\toption per_mb '0.25'\n\toption per_minute '1'\n";

function folder(t: Test) {
  const root = t.testdir({ shareagent: OLD, state: {} });
  const [path, pending] = [join(root, 'shareagent'), join(root, 'state/pending')];
  return { path, pending, text: () => readFileSync(path, 'utf8') };
}

t.test('a write that goes through leaves nothing to mend, and the file is the same inode with its mode', (t) => {
  const { path, pending, text } = folder(t);
  chmodSync(path, 0o664);
  writeInPlace(path, NEW, pending);
  t.equal(text(), NEW);
  t.notOk(existsSync(pending));
  t.end();
});

t.test('cut off after any number of bytes, the next reader finishes it', (t) => {
  const { path, pending, text } = folder(t);
  fc.assert(
    fc.property(fc.nat(NEW.length), fc.nat(64), (length, zeros) => {
      writeFileSync(pending, NEW);
      writeFileSync(path, NEW);
      truncateSync(path, length);
      // As flash gives a block that was allocated and not written.
      truncateSync(path, length + zeros);
      mendTornFile(path, pending);
      return text().replace(/\0+$/, '') === NEW && !existsSync(pending);
    }),
  );
  t.end();
});

t.test('cut off before the first byte the old text stands; what the owner wrote since stays', (t) => {
  const { path, pending, text } = folder(t);
  for (const found of [OLD, "config price 'price'\n\toption per_mb '7'\n"]) {
    writeFileSync(path, found);
    writeFileSync(pending, NEW);
    mendTornFile(path, pending);
    t.equal(text(), found);
    t.notOk(existsSync(pending), 'and it is forgotten');
  }
  mendTornFile(path, pending);
  mendTornFile(join(path, 'no-folder'), pending);
  t.end();
});

t.test('without a place for the pending text nothing is begun; a file that refuses leaves nothing pending', (t) => {
  const { path, pending, text } = folder(t);
  t.throws(() => writeInPlace(path, NEW, join(pending, 'no-folder/pending')), { code: 'ENOENT' });
  t.equal(text(), OLD);
  t.throws(() => writeInPlace(join(path, '..', 'state'), NEW, pending), { code: 'EISDIR' });
  t.end();
});

t.test(
  'root mends as well, so what lies there as pending is taken only if it is a plain file of the folder’s owner',
  (t) => {
    const { path, pending, text } = folder(t);
    const secret = join(path, '..', 'secret');
    writeFileSync(secret, 'root:HASH');
    const planted: Readonly<Record<string, () => void>> = {
      'a link': () => symlinkSync(secret, pending),
      'another name of a file': () => linkSync(secret, pending),
      'a pipe, which would never end': () => execFileSync('mkfifo', [pending]),
      'a folder': () => mkdirSync(pending),
      'more than a configuration can be': () => writeFileSync(pending, 'x'.repeat(1 << 21)),
    };
    for (const [what, plant] of Object.entries(planted)) {
      execFileSync('rm', ['-rf', pending]);
      plant();
      writeFileSync(path, '');
      mendTornFile(path, pending);
      t.equal(text(), '', what);
    }
    t.equal(readFileSync(secret, 'utf8'), 'root:HASH');
    t.end();
  },
);

t.test(
  'nor is a file that another user than the folder’s made',
  { skip: process.getuid?.() !== 0 && 'root only' },
  (t) => {
    const { path, pending, text } = folder(t);
    for (const [owner, expected] of [
      ['12345', ''],
      ['0', NEW],
    ] as const) {
      writeFileSync(pending, NEW);
      writeFileSync(path, '');
      execFileSync('chown', [owner, pending]);
      mendTornFile(path, pending);
      t.equal(text(), expected, owner);
    }
    t.end();
  },
);
