import { appendFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { passFile } from '../../../agent/adapters/pass-file.ts';
import type { StoredPass } from '../../../agent/ports.ts';
import '../../support/own-testdir.ts';

const pass = (serial: number): StoredPass => ({
  serial,
  address: `0x${serial.toString(16).padStart(40, '0')}`,
  units: 50_000n,
  madeS: 1_700_000_000n,
});

t.test('passes are on disk, readable by the owner alone, the last line of each counts', (t) => {
  const path = `${t.testdir({})}/state/passes.jsonl`;
  t.strictSame(passFile(path).all(), []);
  const book = passFile(path);
  book.store([pass(1), pass(2)]);
  book.store([{ ...pass(1), tx: `0x${'7e'.repeat(32)}` }]);
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.strictSame(passFile(path).all(), [{ ...pass(1), tx: `0x${'7e'.repeat(32)}` }, pass(2)]);
  t.strictSame(book.all(), passFile(path).all());
  t.end();
});

t.test('a line that a power cut left half is dropped and spoils no other', (t) => {
  const path = `${t.testdir({})}/passes.jsonl`;
  passFile(path).store([pass(1)]);
  const whole = readFileSync(path, 'utf8');
  appendFileSync(path, '{"serial":2,"addr');
  const book = passFile(path);
  t.strictSame(book.all(), [pass(1)]);
  t.equal(readFileSync(path, 'utf8'), whole);
  book.store([pass(2)]);
  t.strictSame(passFile(path).all(), [pass(1), pass(2)]);
  t.end();
});

t.test('a number is given once, also where the file is an old copy or gone', (t) => {
  const path = `${t.testdir({})}/passes.jsonl`;
  t.equal(passFile(path).lastSerial(), 0);
  passFile(path).store([pass(1), pass(2)]);
  const copy = readFileSync(path);
  const book = passFile(path);
  book.store([pass(3)]);
  book.store([{ ...pass(1), tx: `0x${'7e'.repeat(32)}` }]);
  t.equal(book.lastSerial(), 3);
  writeFileSync(path, copy);
  t.equal(passFile(path).lastSerial(), 3);
  rmSync(path);
  t.equal(passFile(path).lastSerial(), 3);
  writeFileSync(path, copy);
  rmSync(`${path}.mark`);
  t.equal(passFile(path).lastSerial(), 2, 'of before there was a mark');
  t.end();
});

t.test('any other damage is told, with the line', (t) => {
  const path = `${t.testdir({})}/passes.jsonl`;
  passFile(path).store([pass(1)]);
  appendFileSync(path, 'nonsense\n');
  t.throws(() => passFile(path).all(), { message: /line 2 of .* is no pass/ });
  appendFileSync(path, '{"serial":0}\n');
  t.throws(() => passFile(path).all(), { message: /line 2/ });
  t.throws(() => passFile(t.testdir({})).all(), { message: /cannot be read/ });
  t.end();
});
