import t from 'tap';
import { probeNft } from '../../../../agent/adapters/nft/probe.ts';

t.test('where nothing can be tried the probe says why, and does not throw', async (t) => {
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = '/proc/nowhere';
  t.teardown(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  });
  t.match(await probeNft(), [{ name: 'version', ok: false, detail: /^not tried: ENOENT/, fix: /TMPDIR/ }]);
});

t.test('an nft that is not there is the one thing said', async (t) => {
  t.match(await probeNft('/nowhere/nft'), [{ name: 'version', ok: false, detail: /^cannot be run/ }]);
  t.equal((await probeNft('/nowhere/nft')).length, 1);
});
