/** A collector that lost proofs, over the real HTTP path: it names what is missing, and the router sends it again. */
import t from 'tap';
import { missingFrom } from '../../../agent/adapters/uploader.ts';
import { Uplink } from '../../support/uplink.ts';

t.test('what a collector lost is sent again when it asks, and all is valid on both sides', async (t) => {
  const uplink = new Uplink(t);
  await uplink.use('first');
  uplink.scene.restart();
  await uplink.buy();
  for (let i = 0; i < 4; i++) await uplink.interval();
  t.strictSame(uplink.verdicts(), ['0 valid', '1 valid', '2 valid', '3 valid']);
  uplink.uploads.length = 0;
  await uplink.use('empty');
  uplink.scene.restart();
  await uplink.scene.driver.reconciled();
  await uplink.interval();
  t.strictSame(uplink.verdicts(), ['0 valid', '1 valid', '2 valid', '3 valid', '4 valid']);
  t.strictSame(uplink.receipts(), ['valid', 'valid', 'valid', 'valid', 'valid'], 'the owner sees no gap either');
  t.equal(uplink.uploads[0], 'gap', 'the gap was real');
  t.ok(uplink.scene.events().includes('proofs-sent-again'));
  const before = uplink.uploads.length;
  await uplink.pass();
  await uplink.interval();
  t.equal(uplink.uploads.length, before + 1, 'and that was it');
});

t.test('an agent that dies before the gap is filled goes on after its start', async (t) => {
  const uplink = new Uplink(t);
  await uplink.use('first');
  uplink.scene.restart();
  await uplink.buy();
  for (let i = 0; i < 3; i++) await uplink.interval();
  await uplink.use('empty');
  const real = uplink.scene.uploader;
  let left = 2;
  uplink.scene.uploader = {
    upload: async (body) => (left-- > 0 && real ? await real.upload(body) : { ok: false, message: 'the line is cut' }),
  };
  uplink.scene.restart();
  await uplink.scene.driver.reconciled();
  await uplink.interval();
  t.strictSame(uplink.verdicts(), ['3 gap']);
  uplink.plugIn();
  uplink.scene.restart();
  await uplink.pass();
  t.strictSame(uplink.verdicts(), ['0 valid', '1 valid', '2 valid', '3 valid']);
  t.strictSame(uplink.receipts(), ['valid', 'valid', 'valid', 'valid']);
});

t.test('what the journal keeps no longer is told, and not asked for without end', async (t) => {
  const uplink = new Uplink(t);
  await uplink.use('first');
  uplink.scene.restart();
  await uplink.buy();
  for (let i = 0; i < 3; i++) await uplink.interval();
  const { journal } = uplink.scene;
  const body = journal.proofBody.bind(journal);
  journal.proofBody = (seq) => (seq === 1n ? undefined : body(seq));
  await uplink.use('empty');
  uplink.scene.restart();
  await uplink.scene.driver.reconciled();
  await uplink.interval();
  t.strictSame(uplink.verdicts()?.slice(0, 2), ['0 valid', '2 gap']);
  t.ok(uplink.scene.events().includes('missing-proofs-not-kept'));
  const before = uplink.uploads.length;
  for (let i = 0; i < 3; i++) await uplink.pass();
  t.equal(uplink.uploads.length, before);
});

t.test('a collector that always lacks something is fed once, and only what was sent before', async (t) => {
  const uplink = new Uplink(t);
  await uplink.use('first');
  const honest = uplink.scene;
  honest.restart();
  await uplink.buy();
  for (let i = 0; i < 3; i++) await uplink.interval();
  let uploads = 0;
  const real = honest.uploader;
  honest.uploader = {
    upload: async (bytes) => {
      uploads += 1;
      const answer = await (real as NonNullable<typeof real>).upload(bytes);
      if (!answer.ok) return answer;
      const receipt = { ...answer.receipt, verdict: 'gap' as const };
      return { ok: true, receipt, missing: [{ from: 0n, to: 4_000_000_000n }] };
    },
  };
  honest.restart();
  await honest.driver.reconciled();
  await uplink.interval();
  for (let i = 0; i < 5; i++) await uplink.pass();
  t.ok(uploads <= 16, `${uploads} uploads`);
});

t.test('the header is read strictly', (t) => {
  t.strictSame(missingFrom('3-5,9'), [
    { from: 3n, to: 5n },
    { from: 9n, to: 9n },
  ]);
  t.strictSame(missingFrom('5-3, x, -1, 1e9, 99999999999, '), []);
  t.equal(missingFrom(Array.from({ length: 500 }, (_, i) => i).join(',')).length, 64);
  t.end();
});
