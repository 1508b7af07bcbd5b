import t from 'tap';
import { MAX_OPENS_PER_MAC_PER_HOUR } from '../../../agent/core/limits.ts';
import type { DeskResult } from '../../../agent/ports.ts';
import type { OpenRequest } from '../../../protocol/open-wire.ts';
import { AgentScene, settled } from '../../support/agent-scene.ts';
import { LAPTOP, NOW_S, PHONE, PHONE_IP, WLAN0 } from '../core/support/story.ts';

async function opened(scene = new AgentScene()): Promise<{ scene: AgentScene; request: OpenRequest }> {
  const request = scene.openRequest();
  const result = await scene.desk.open(PHONE, request);
  if (!result.ok) throw new Error(`open refused: ${result.reason}, expected ${result.expected}, got ${result.got}`);
  return { scene, request };
}

function salt(n: number) {
  return { salt: `0x${n.toString(16).padStart(64, '0')}` as const };
}

function reasonOf(result: DeskResult): string {
  return result.ok ? 'ok' : result.reason;
}

t.test('a guest opens with what its page signs, and is served what it paid for', async (t) => {
  const { scene, request } = await opened();
  t.match(scene.desk.view(PHONE), {
    phase: 'active',
    isOnline: true,
    creditUnits: 1_050n,
    chargedUnits: 50n,
    depositUnits: 10_000n,
    bytesRemaining: 100_000_000n,
    channelId: request.voucher.channelId,
  });
  t.match(scene.enforcer.plans.at(-1)?.grants, [
    { limitBytes: 100_000_000n, stations: [{ mac: PHONE, port: WLAN0, addresses: [PHONE_IP] }], isOnline: true },
  ]);
});

t.test('channel and session are durable together before the deposit is sent', async (t) => {
  const { scene } = await opened();
  const { calls } = scene.line;
  const stored = calls.indexOf('journal.commit channel session open');
  t.ok(stored >= 0 && stored < calls.indexOf('chain.relayOpen'), calls.join(', '));
});

t.test('the deposit is what the chain says: a guest that opened with less before is refused', async (t) => {
  const scene = new AgentScene();
  const request = scene.openRequest();
  const channel = { deposit: 1_000n, claimed: 0n, exitAt: 0n, isClosed: false };
  scene.chain.channels.set(request.voucher.channelId, channel);
  t.match(await scene.desk.open(PHONE, request), { reason: 'chain-refused', got: /holds 1000 units/ });
  t.equal(scene.desk.view(PHONE).creditUnits, 0n);
  scene.chain.channels.set(request.voucher.channelId, { ...channel, deposit: 2_000n });
  t.match(await scene.desk.open(PHONE, request), { ok: true, view: { depositUnits: 2_000n } });
});

t.test('a channel that the guest is already leaving on chain is not opened', async (t) => {
  const scene = new AgentScene();
  const request = scene.openRequest();
  scene.chain.channels.set(request.voucher.channelId, {
    deposit: 10_000n,
    claimed: 0n,
    exitAt: NOW_S,
    isClosed: false,
  });
  t.equal(reasonOf(await scene.desk.open(PHONE, request)), 'chain-refused');
});

t.test('an open that the journal cannot hold is not relayed, leaves nothing, and can be asked for again', async (t) => {
  const scene = new AgentScene();
  scene.journal.failure = new Error('disk full');
  const request = scene.openRequest();
  t.match(await scene.desk.open(PHONE, request), { reason: 'not-selling', got: 'disk full' });
  t.notOk(scene.line.calls.includes('chain.relayOpen'));
  t.equal(scene.desk.view(PHONE).isOnline, false);
  scene.journal.failure = undefined;
  await scene.driver.commit([{ kind: 'session-forgotten', sessionId: 99 }]);
  t.equal(reasonOf(await scene.desk.open(PHONE, request)), 'ok');
});

t.test('an open stays pending while the chain is away, and the same request completes it', async (t) => {
  const scene = new AgentScene();
  const request = scene.openRequest();
  scene.line.failAt(1, 'answer-lost', (call) => call === 'chain.relayOpen');
  t.equal(reasonOf(await scene.desk.open(PHONE, request)), 'chain-unreachable');
  t.equal(scene.desk.view(PHONE).phase, 'pending');
  t.equal(scene.desk.view(PHONE).creditUnits, 0n, 'no credit before the deposit is seen');
  const other = scene.openRequest({ deposit: 5_000n, firstAmount: 2_000n });
  t.equal(reasonOf(await scene.desk.open(PHONE, other)), 'config-mismatch');
  const forged = { ...request, deposit: 10_000_000n };
  t.equal(reasonOf(await scene.desk.open(PHONE, forged)), 'bad-signature');
  t.match(await scene.desk.open(PHONE, request), { ok: true, view: { phase: 'active', depositUnits: 10_000n } });
});

t.test('a deposit that the chain refuses ends the attempt', async (t) => {
  const scene = new AgentScene();
  scene.chain.refusal = 'transfer amount exceeds balance';
  t.match(await scene.desk.open(PHONE, scene.openRequest()), {
    reason: 'chain-refused',
    got: 'transfer amount exceeds balance',
  });
  t.equal(scene.desk.view(PHONE).isOnline, false);
});

t.test('of two opens of one device at once only one is relayed', async (t) => {
  const scene = new AgentScene();
  const requests = [1, 2, 3].map((n) => scene.openRequest(salt(n)));
  const results = await Promise.all(requests.map((request) => scene.desk.open(PHONE, request)));
  t.strictSame(results.map(reasonOf).sort(), ['already-open', 'already-open', 'ok']);
  t.equal(scene.line.calls.filter((call) => call === 'chain.relayOpen').length, 1);
  t.equal(scene.driver.state.sessions.size, 1);
});

t.test('signatures are checked after everything that is cheap', async (t) => {
  const scene = new AgentScene();
  const signature = `0x${'11'.repeat(64)}` as const;
  const request = scene.openRequest();
  const worthless = { ...request, voucher: { ...request.voucher, signature }, quote: { ...request.quote, signature } };
  t.equal(reasonOf(await scene.desk.open(PHONE, { ...worthless, deposit: 5n })), 'deposit-too-small');
  t.equal(reasonOf(await scene.desk.open(PHONE, worthless)), 'bad-quote');
  t.equal(reasonOf(await scene.desk.open(PHONE, { ...worthless, quote: request.quote })), 'bad-signature');
  const authorization = { ...request.authorization, signature };
  t.match(await scene.desk.open(PHONE, { ...request, authorization }), {
    reason: 'bad-signature',
    expected: /deposit authorised/,
  });
  t.strictSame(scene.line.calls, [], 'no edge was asked for any of them');
});

t.test('each refusal of an open has its reason', async (t) => {
  const scene = new AgentScene();
  const good = scene.openRequest();
  const refusalOf = async (request: OpenRequest) => reasonOf(await scene.desk.open(PHONE, request));
  const stranger = '0x00000000000000000000000000000000000000ee' as const;
  t.equal(await refusalOf({ ...good, quote: { ...good.quote, device: stranger } }), 'bad-quote');
  t.equal(await refusalOf({ ...good, config: { ...good.config, payee: stranger } }), 'config-mismatch');
  t.equal(await refusalOf({ ...good, voucher: { ...good.voucher, amount: 10n } }), 'voucher-below-open-fee');
  scene.clock.ms += 700_000;
  t.equal(await refusalOf(good), 'quote-expired');
  scene.clock.isSynced = false;
  t.match(await scene.desk.open(PHONE, good), { reason: 'not-selling', got: /clock is not set/ });
  scene.clock.isSynced = true;
  scene.notSelling = 'flow offload';
  t.match(await scene.desk.open(PHONE, good), { reason: 'not-selling', got: 'flow offload' });
  scene.notSelling = undefined;
  scene.neighbours.failure = new Error('no such device');
  t.match(await scene.desk.open(PHONE, scene.openRequest()), { reason: 'not-selling', got: /neighbour table/ });
});

t.test('one device may have only so many opens relayed in an hour', async (t) => {
  const scene = new AgentScene();
  for (let n = 1; n <= MAX_OPENS_PER_MAC_PER_HOUR; n++) {
    t.equal(reasonOf(await scene.desk.open(PHONE, scene.openRequest(salt(n)))), 'ok');
    await scene.desk.leave(PHONE);
    await settled();
  }
  t.equal(reasonOf(await scene.desk.open(PHONE, scene.openRequest(salt(99)))), 'too-many-opens');
});

t.test('a deposit that the payer promised to make is not relayed instead: its gas was not asked for', async (t) => {
  const scene = new AgentScene();
  const request = scene.openRequest();
  const { authorization: _, ...terms } = request;
  t.match(await scene.desk.open(PHONE, { ...terms, pull: true }), { ok: true, view: { phase: 'pending' } });
  t.match(await scene.desk.open(PHONE, request), { ok: false, reason: 'already-open', got: 'one to be relayed' });
  t.match(await scene.desk.open(PHONE, { ...terms, pull: true }), { ok: true }, 'asked again');
  const { channelId: id } = request.voucher;
  t.same(scene.desk.deposit(PHONE), { channelId: id, config: request.config, units: 1_050n });
  t.equal(scene.desk.deposit(LAPTOP), undefined, 'nobody else is told');
  const paid = new AgentScene();
  await paid.desk.open(PHONE, paid.openRequest());
  t.equal(paid.desk.deposit(PHONE), undefined, 'nothing is waited for');
  t.notOk(scene.line.calls.includes('chain.relayOpen'));
  t.same(scene.driver.state.opens, []);
});

t.test('a trial is granted once, also when asked for twice at once', async (t) => {
  const scene = new AgentScene();
  const results = await Promise.all([scene.desk.startTrial(PHONE), scene.desk.startTrial(PHONE)]);
  t.strictSame(results.map(reasonOf).sort(), ['already-open', 'ok']);
  t.equal(scene.driver.state.sessions.size, 1);
  t.match(scene.desk.view(PHONE), { phase: 'trial', isOnline: true, bytesRemaining: 1_000_000n });
  t.equal(scene.journal.load().trials[0]?.usedBytes, 1_000_000n);
  await scene.desk.leave(PHONE);
  t.equal(reasonOf(await scene.desk.startTrial(PHONE)), 'trial-used');
});

t.test('a trial that cannot be stored is taken back', async (t) => {
  const scene = new AgentScene();
  scene.journal.failure = new Error('disk full');
  t.equal(reasonOf(await scene.desk.startTrial(PHONE)), 'not-selling');
  await scene.driver.reconciled();
  t.equal(scene.enforcer.installed.size, 0);
  t.equal(reasonOf(await scene.desk.startTrial(PHONE)), 'not-selling', 'and no other is begun');
});

t.test('a trial becomes the paid session, without a cut', async (t) => {
  const scene = new AgentScene();
  await scene.desk.startTrial(PHONE);
  await opened(scene);
  t.match(scene.desk.view(PHONE), { phase: 'active', bytesRemaining: 101_000_000n });
  t.equal(scene.driver.state.sessions.size, 1);
});

t.test('a guest that leaves is charged what it used, and the rest comes back', async (t) => {
  const { scene } = await opened();
  scene.download(10_000_000n);
  t.equal(reasonOf(await scene.desk.leave(PHONE)), 'ok');
  await settled();
  t.match(scene.chain.claims, [{ units: 150n }]);
  t.match(scene.desk.view(PHONE), { phase: 'settled', isOnline: false, refund: { units: 9_850n } });
  t.equal(reasonOf(await scene.desk.leave(LAPTOP)), 'unknown-guest');
});

t.test('the same signed quote is handed out until half of its life is over or the clock was set back', (t) => {
  const scene = new AgentScene();
  const first = scene.quote();
  scene.clock.ms += 200_000;
  t.equal(scene.quote(), first);
  scene.clock.ms += 200_000;
  const second = scene.quote();
  t.not(second, first);
  scene.clock.unixS -= 100_000n;
  t.ok(scene.quote().validUntil < second.validUntil);
  t.end();
});

t.test('a guest is whoever the neighbour table says, and watches only itself', async (t) => {
  const { scene, request } = await opened();
  t.equal(await scene.desk.identify(PHONE_IP), PHONE);
  t.equal(await scene.desk.identify('10.0.0.99'), undefined);
  t.equal(await scene.desk.identify('; reboot'), undefined);
  const seen: bigint[] = [];
  const stop = scene.desk.watch(PHONE, ({ creditUnits }) => void seen.push(creditUnits));
  await scene.desk.voucher(PHONE, scene.voucher(request, 2_050n));
  stop();
  await scene.desk.voucher(PHONE, scene.voucher(request, 3_050n));
  t.equal(seen.at(-1), 2_050n);
});
