/** A wrong clock, over the real HTTP path: marked in the proof, put right later, and then judged by the time that it was. */
import t from 'tap';
import { isClockCorrectionSigned } from '../../../protocol/clock-statement.ts';
import { GENESIS_PREV } from '../../../protocol/traffic-proof.ts';
import { Uplink } from '../../support/uplink.ts';

t.test('no clock and nobody to ask: seconds of the run, which count for the day that NTP tells later', async (t) => {
  const uplink = new Uplink(t);
  uplink.mayAsk = true;
  uplink.isTimeSecret = true;
  const { clock } = uplink.scene;
  const trueS = clock.unixS;
  await uplink.use('collector');
  uplink.scene.restart();
  await uplink.buy();
  clock.isSynced = false;
  clock.unixS = 60n;
  uplink.collectorS = trueS + 1000n;
  for (let i = 0; i < 3; i++) await uplink.interval();
  t.strictSame([...new Set(uplink.receipts())], ['clock-unsynced']);
  t.strictSame(uplink.corrections, [], 'nothing is said that nobody knows');
  clock.unixS = trueS;
  clock.isSynced = true;
  for (let i = 0; i < 3; i++) await uplink.interval();
  t.match(uplink.corrections, [{ fromSeq: 0n, bootS: trueS, statement: GENESIS_PREV }]);
  const proofs = uplink.scene.journal.proofs(10);
  t.equal(proofs.at(-1)?.proof.clockState, 0n);
  t.equal(proofs[0]?.proof.clockState, 1n);
  t.strictSame([...new Set(uplink.receipts())], ['valid'], 'the owner sees the verdict of now');
  t.strictSame([...new Set(uplink.verdicts()?.map((line) => line.split(' ')[1]))], ['valid']);
});

t.test('a clock of another decade: contradicted by the collector, undated, then valid by its statement', async (t) => {
  const uplink = new Uplink(t);
  uplink.mayAsk = true;
  const { clock } = uplink.scene;
  const offS = clock.unixS;
  uplink.collectorS = offS;
  await uplink.use('collector');
  uplink.scene.restart();
  clock.unixS += 10n * 365n * 86_400n;
  await uplink.buy();
  const startMs = clock.ms;
  for (let i = 0; i < 3; i++) {
    uplink.collectorS = offS + BigInt(Math.floor((clock.ms - startMs) / 1000)) + 60n;
    await uplink.interval();
  }
  const proofs = uplink.scene.journal.proofs(10);
  t.ok(proofs.length >= 2);
  t.ok(
    proofs.every(({ proof }) => proof.clockState === 0n && proof.endS < 10_000n),
    'marked, with seconds of the run',
  );
  t.ok(uplink.corrections.length > 0);
  const { chainId, registry } = uplink.scene.config.chain;
  t.ok(uplink.corrections.every((one) => isClockCorrectionSigned({ chainId, registry }, one)));
  t.ok(
    uplink.corrections.every(({ statement }) => statement !== GENESIS_PREV),
    'each names the statement',
  );
  t.strictSame([...new Set(uplink.receipts())], ['valid'], 'the owner sees the verdict of now');
  t.strictSame([...new Set(uplink.verdicts()?.map((line) => line.split(' ')[1]))], ['valid']);
});
