import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { setPriceInFile } from '../../../../agent/adapters/uci/price-file.ts';
import '../../../support/own-testdir.ts';

const FILE = "config price 'price'\n\toption per_mb '0.1'\n\toption per_minute '0' # no time price\n";

t.test('a price in units is written in SSP, as the owner would', (t) => {
  const path = join(t.testdir({ shareagent: FILE }), 'shareagent');
  t.same(setPriceInFile(path, { unitsPerMb: 2_500n }), { ok: true });
  t.equal(readFileSync(path, 'utf8'), FILE.replace("'0.1'", "'0.25'"));
  t.same(setPriceInFile(path, { unitsPerMb: 1n, unitsPerMinute: 20_000n }), { ok: true });
  t.match(readFileSync(path, 'utf8'), /option per_mb '0\.0001'\n\toption per_minute '2'/);
  t.end();
});

t.test('a price that would make the configuration wrong is refused, and the file stays', (t) => {
  const path = join(t.testdir({ shareagent: FILE }), 'shareagent');
  const free = setPriceInFile(path, { unitsPerMb: 0n });
  t.match(free, { ok: false, reason: 'refused', message: /everything would be free/ });
  t.match(setPriceInFile(path, { unitsPerMinute: 10n ** 15n }), {
    ok: false,
    reason: 'refused',
    message: /per_minute/,
  });
  t.equal(readFileSync(path, 'utf8'), FILE);
  t.end();
});

t.test('a line that cannot be changed by itself is refused with a way out', (t) => {
  const path = join(t.testdir({ shareagent: "config price; option per_mb '1'\n" }), 'shareagent');
  t.match(setPriceInFile(path, { unitsPerMb: 1n }), { ok: false, reason: 'refused', message: /change it with uci/ });
  t.end();
});

t.test('a file that is not there or cannot be written is forbidden, and says what to do', (t) => {
  const result = setPriceInFile(join(t.testdir({}), 'missing'), { unitsPerMb: 1n });
  t.match(result, { ok: false, reason: 'forbidden', message: /ENOENT.*set the price with uci/ });
  t.end();
});
