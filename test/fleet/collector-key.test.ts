import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadOrCreateCollectorKey } from '../../fleet/collector-key.ts';
import { addressFromSecretKey } from '../../protocol/signature.ts';
import '../support/own-testdir.ts';

t.test('the key is made once, for its owner alone', (t) => {
  const path = join(t.testdir(), 'keys', 'collector.key');
  const key = loadOrCreateCollectorKey(path);
  t.equal(key.address, addressFromSecretKey(key.secretKey));
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.strictSame(loadOrCreateCollectorKey(path), key);
  t.end();
});

t.test('a key that others may read, or that is none, is refused', (t) => {
  const path = join(t.testdir(), 'collector.key');
  loadOrCreateCollectorKey(path);
  chmodSync(path, 0o644);
  t.throws(() => loadOrCreateCollectorKey(path), { message: /has mode 644, expected 600/ });
  chmodSync(path, 0o600);
  for (const text of ['', 'key', `0x${'00'.repeat(32)}`]) {
    writeFileSync(path, text);
    t.throws(() => loadOrCreateCollectorKey(path), { message: /must be one line of 0x and 64 hex digits/ });
  }
  t.throws(() => loadOrCreateCollectorKey(`${path}${'x'.repeat(300)}`), { code: 'ENAMETOOLONG' });
  t.end();
});
