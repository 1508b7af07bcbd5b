import t from 'tap';
import type { DeskResult } from '../../../agent/ports.ts';
import type { OpenRequest } from '../../../protocol/open-wire.ts';
import { signVoucher } from '../../../protocol/voucher.ts';
import { AgentScene } from '../../support/agent-scene.ts';
import { LAPTOP, PHONE } from '../core/support/story.ts';

const STRANGER_KEY = new Uint8Array(32).fill(5);

async function opened(): Promise<{ scene: AgentScene; request: OpenRequest }> {
  const scene = new AgentScene();
  const request = scene.openRequest();
  const result = await scene.desk.open(PHONE, request);
  if (!result.ok) throw new Error(`open refused: ${result.reason}`);
  return { scene, request };
}

function reasonOf(result: DeskResult): string {
  return result.ok ? 'ok' : result.reason;
}

t.test('a voucher is durable before the quota is raised', async (t) => {
  const { scene, request } = await opened();
  scene.line.calls.length = 0;
  const result = await scene.desk.voucher(PHONE, scene.voucher(request, 2_050n));
  t.match(result, { ok: true, view: { creditUnits: 2_050n, bytesRemaining: 200_000_000n } });
  t.strictSame(scene.line.calls, ['journal.commit voucher', 'enforcer.reconcile']);
});

t.test('a voucher that cannot be stored gives no credit', async (t) => {
  const { scene, request } = await opened();
  scene.journal.failure = new Error('disk full');
  t.match(await scene.desk.voucher(PHONE, scene.voucher(request, 2_050n)), {
    reason: 'storage-failed',
    got: 'disk full',
  });
  t.equal(scene.desk.view(PHONE).creditUnits, 1_050n);
  t.equal(scene.enforcer.installed.get(1)?.limit, 100_000_000n);
  t.match(scene.desk.quote(), { notSelling: /journal cannot be written/ });
});

t.test('a voucher whose signature cannot be checked gives no credit, and may be sent again', async (t) => {
  const { scene, request } = await opened();
  const voucher = scene.voucher(request, 2_050n);
  scene.verifier.failure = new Error('the verifying thread died');
  t.match(await scene.desk.voucher(PHONE, voucher), { reason: 'not-checked', got: /thread died/ });
  const other = scene.openRequest({ salt: `0x${'07'.repeat(32)}` });
  t.equal(reasonOf(await scene.desk.open(LAPTOP, other)), 'not-checked');
  t.equal(scene.journal.storedAmount(request.voucher.channelId), 1_050n);
  scene.verifier.failure = undefined;
  t.equal(reasonOf(await scene.desk.voucher(PHONE, voucher)), 'ok');
});

t.test('a guest that leaves while its signature is being checked pays no more', async (t) => {
  const { scene, request } = await opened();
  const sessionId = scene.driver.state.sessionByMac.get(PHONE) as number;
  scene.verifier.meanwhile = () => scene.driver.dispatch({ kind: 'session-left', sessionId, reason: 'guest-left' });
  t.match(reasonOf(await scene.desk.voucher(PHONE, scene.voucher(request, 2_050n))), 'channel-not-open');
  t.equal(scene.journal.storedAmount(request.voucher.channelId), 1_050n);
});

t.test('vouchers of one channel at once are served one by one and the highest is kept', async (t) => {
  const { scene, request } = await opened();
  const amounts = [2_000n, 4_000n, 3_000n, 5_000n, 1_500n];
  const results = await Promise.all(amounts.map((amount) => scene.desk.voucher(PHONE, scene.voucher(request, amount))));
  t.strictSame(results.map(reasonOf), ['ok', 'ok', 'amount-not-increasing', 'ok', 'amount-not-increasing']);
  t.equal(scene.desk.view(PHONE).creditUnits, 5_000n);
  t.equal(scene.journal.storedAmount(request.voucher.channelId), 5_000n);
  t.equal(scene.enforcer.installed.get(1)?.limit, 495_000_000n);
});

t.test('each refusal of a voucher has its reason', async (t) => {
  const { scene, request } = await opened();
  const { desk } = scene;
  const { channelId } = request.voucher;
  const stranger = signVoucher(scene.deployment, { channelId, amount: 2_050n, ackBytes: 0n }, STRANGER_KEY);
  t.equal(reasonOf(await desk.voucher(PHONE, stranger)), 'bad-signature');
  const unknown = { ...stranger, channelId: `0x${'ab'.repeat(32)}` as const };
  t.equal(reasonOf(await desk.voucher(PHONE, unknown)), 'unknown-channel');
  t.equal(reasonOf(await desk.voucher(LAPTOP, scene.voucher(request, 2_050n))), 'not-your-channel');
  t.match(await desk.voucher(PHONE, scene.voucher(request, 900n)), {
    reason: 'amount-not-increasing',
    lastVoucher: { amount: 1_050n },
  });
  t.equal(reasonOf(await desk.voucher(PHONE, scene.voucher(request, 10_001n))), 'amount-above-deposit');
  t.equal(reasonOf(await desk.voucher(PHONE, scene.voucher(request, 2_050n, 1n))), 'ack-above-metered');
  t.equal(reasonOf(await desk.voucher(PHONE, request.voucher)), 'ok', 'the last one again is no error');
  scene.clock.unixS += 86_000n;
  t.equal(reasonOf(await desk.voucher(PHONE, scene.voucher(request, 2_050n))), 'channel-draining');
  scene.clock.unixS -= 86_000n;
  await desk.leave(PHONE);
  t.equal(reasonOf(await desk.voucher(PHONE, scene.voucher(request, 2_050n))), 'channel-not-open');
});

t.test(
  'a voucher that arrives when the kernel refuses stays durable, and counts once the kernel is back',
  async (t) => {
    const { scene, request } = await opened();
    scene.line.failAt(1, 'refused', (call) => call === 'enforcer.reconcile');
    t.equal(reasonOf(await scene.desk.voucher(PHONE, scene.voucher(request, 2_050n))), 'not-selling');
    t.equal(scene.journal.storedAmount(request.voucher.channelId), 2_050n);
    t.match(await scene.desk.voucher(PHONE, scene.voucher(request, 3_050n)), { ok: true });
    t.equal(scene.enforcer.installed.get(1)?.limit, 300_000_000n);
  },
);
