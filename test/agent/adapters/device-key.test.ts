import { chmodSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { assertSigns, deviceSigner, loadOrCreateKey } from '../../../agent/adapters/device-key.ts';
import { hexFromBytes } from '../../../protocol/hex.ts';
import { keccak256Text } from '../../../protocol/keccak.ts';
import { addressFromSecretKey, recoverSigner, signDigest } from '../../../protocol/signature.ts';
import '../../support/own-testdir.ts';

t.test('a key is made once, for its owner alone, and read back after that', (t) => {
  const directory = join(t.testdir(), 'keys');
  const path = join(directory, 'device.key');
  const key = loadOrCreateKey(path);
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal(readFileSync(path, 'utf8'), `${hexFromBytes(key)}\n`);
  t.strictSame(loadOrCreateKey(path), key);
  t.strictSame(readdirSync(directory), ['device.key'], 'nothing else is left behind');
  t.notSame(loadOrCreateKey(join(directory, 'gas.key')), key);
  t.end();
});

t.test('the signer signs as the address it names', (t) => {
  const path = join(t.testdir(), 'device.key');
  const signer = deviceSigner(path);
  const digest = keccak256Text('anything');
  t.equal(signer.address, addressFromSecretKey(loadOrCreateKey(path)));
  t.equal(recoverSigner(digest, signer.sign(digest)), signer.address);
  t.end();
});

t.test('a key that others may read is refused with what to do', (t) => {
  const path = join(t.testdir(), 'device.key');
  loadOrCreateKey(path);
  for (const mode of [0o640, 0o604, 0o660, 0o601]) {
    chmodSync(path, mode);
    t.throws(() => loadOrCreateKey(path), {
      code: 'KEY_READABLE_BY_OTHERS',
      message: new RegExp(`has mode ${mode.toString(8)}, expected 600.*chmod 600`),
    });
  }
  t.end();
});

t.test('a file that is no key is refused and left as it is', (t) => {
  const path = join(t.testdir(), 'device.key');
  for (const text of ['', '0x12\n', `0x${'00'.repeat(32)}\n`, `0x${'ff'.repeat(32)}\n`, `${'ab'.repeat(32)}\n`]) {
    writeFileSync(path, text, { mode: 0o600 });
    t.throws(() => loadOrCreateKey(path), { code: 'KEY_MALFORMED', message: /Restore it from a backup/ });
    t.equal(readFileSync(path, 'utf8'), text);
  }
  t.end();
});

t.test('a link or a directory in the place of the key is refused', (t) => {
  const directory = t.testdir({ 'real.key': '' });
  symlinkSync(join(directory, 'real.key'), join(directory, 'link.key'));
  t.throws(() => loadOrCreateKey(join(directory, 'link.key')), { code: 'KEY_UNREADABLE' });
  t.throws(() => loadOrCreateKey(directory), { code: 'KEY_UNREADABLE' });
  t.throws(() => loadOrCreateKey(join(directory, 'real.key', 'device.key')), { code: 'KEY_UNREADABLE' });
  t.end();
});

t.test('a signer whose signatures are not its own fails the self-check', (t) => {
  const key = loadOrCreateKey(join(t.testdir(), 'device.key'));
  const address = `0x${'11'.repeat(20)}` as const;
  t.throws(() => assertSigns({ address, sign: (digest) => signDigest(digest, key) }, 'device.key'), {
    code: 'KEY_SELF_CHECK',
    message: /expected 0x1111/,
  });
  t.throws(() => assertSigns({ address, sign: () => `0x${'00'.repeat(64)}` }, 'device.key'), {
    message: /signs as nobody/,
  });
  t.end();
});
