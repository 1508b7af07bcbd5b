/**
 * I1-I4 as properties: whatever guests, kernel and chain do in whatever order, against a kernel that honours its quotas.
 */
import fc from 'fast-check';
import t from 'tap';
import { accountOf } from '../../../agent/core/account.ts';
import { enforcementPlan } from '../../../agent/core/enforcement.ts';
import { handle } from '../../../agent/core/handle.ts';
import { judgeVoucher } from '../../../agent/core/judge-voucher.ts';
import { totalBytes } from '../../../agent/core/meter.ts';
import type { CounterReading, Mac, SessionId } from '../../../agent/core/model.ts';
import { openShares } from '../../../agent/core/open-shares.ts';
import { channelOfSession, emptyState, sessionOfMac } from '../../../agent/core/state.ts';
import type { Hex } from '../../../protocol/hex.ts';
import { LAPTOP, NOW_S, PHONE, Story, testChannel, testConfig, testVoucher } from './support/story.ts';

const MACS: readonly Mac[] = [PHONE, LAPTOP];

type Step =
  | { readonly kind: 'trial' | 'open' | 'leave' | 'chain' | 'deplete' | 'prove'; readonly who: number }
  | { readonly kind: 'voucher'; readonly who: number; readonly amount: bigint }
  | { readonly kind: 'traffic'; readonly who: number; readonly bytes: bigint }
  | { readonly kind: 'wait'; readonly ms: number };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom('trial', 'open', 'leave', 'chain', 'deplete', 'prove'), who: fc.nat(1) }),
  fc.record({ kind: fc.constant('voucher' as const), who: fc.nat(1), amount: fc.bigInt(0n, 12_000n) }),
  fc.record({ kind: fc.constant('traffic' as const), who: fc.nat(1), bytes: fc.bigInt(0n, 200_000_000n) }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(20_000) }),
) as fc.Arbitrary<Step>;

const anyTariff = fc.record({ unitsPerMb: fc.bigInt(0n, 50n), unitsPerMinute: fc.bigInt(0n, 500n) });

/** The kernel: lets bytes pass up to the limit of the plan it was given last, and counts them. */
class Kernel {
  readonly #limits = new Map<SessionId, bigint>();
  readonly #passed = new Map<SessionId, bigint>();

  reconcile(story: Story): void {
    const { grants } = enforcementPlan(story.state, story.config, story.nowMs);
    this.#limits.clear();
    for (const grant of grants) this.#limits.set(grant.sessionId, grant.limitBytes);
    story.send({ kind: 'reconciled', served: new Set(this.#limits.keys()), counters: this.readings() });
  }

  carry(id: SessionId, bytes: bigint): void {
    const passed = this.#passed.get(id) ?? 0n;
    const room = (this.#limits.get(id) ?? 0n) - passed;
    if (room > 0n) this.#passed.set(id, passed + (bytes < room ? bytes : room));
  }

  readings(): CounterReading[] {
    return [...this.#passed].map(([sessionId, bytes]) => ({ sessionId, key: 'down:10.0.0.9', bytes, packets: 0n }));
  }
}

let opened = 0;

function play(story: Story, kernel: Kernel, step: Step, tariff: { unitsPerMb: bigint; unitsPerMinute: bigint }): void {
  if (step.kind === 'wait') {
    story.wait(step.ms);
    return;
  }
  const mac = MACS[step.who] as Mac;
  const session = sessionOfMac(story.state, mac);
  const channel = session === undefined ? undefined : channelOfSession(story.state, session);
  const isRunning = session !== undefined && session.ended === undefined;
  switch (step.kind) {
    case 'trial':
      if (!isRunning) story.send({ kind: 'trial-started', mac, bytes: 1_000_000n, dayS: 0n });
      return;
    case 'open':
      if (!(isRunning && channel !== undefined)) {
        const id: Hex = `0x${(++opened).toString(16).padStart(64, '0')}`;
        story.send({
          kind: 'channel-opening',
          mac,
          channel: testChannel({ id, tariff, voucher: testVoucher(1_050n, id) }),
        });
      }
      return;
    case 'chain':
      if (channel?.phase === 'pending')
        story.send({ kind: 'channel-confirmed', channelId: channel.id, deposit: 10_000n });
      if (channel?.phase === 'closing' && channel.closeUnits !== undefined) {
        story.send({ kind: 'channel-closed', channelId: channel.id, units: channel.closeUnits, tx: channel.id });
      }
      return;
    case 'voucher': {
      if (channel === undefined) return;
      const voucher = testVoucher(step.amount, channel.id);
      const judgement = judgeVoucher(story.state, mac, voucher, { nowS: NOW_S, marginSeconds: 600 });
      if (judgement.ok && !judgement.isRepeat) story.send({ kind: 'vouchers-stored', vouchers: [voucher] });
      return;
    }
    case 'traffic':
      if (session !== undefined) kernel.carry(session.id, step.bytes);
      story.send({ kind: 'counters-read', counters: kernel.readings() });
      return;
    case 'leave':
      if (session !== undefined) story.send({ kind: 'session-left', sessionId: session.id, reason: 'guest-left' });
      return;
    case 'deplete':
      if (session !== undefined) story.send({ kind: 'depleted', sessionId: session.id });
      return;
    case 'prove': {
      const marks = openShares(story.state).map(
        ({ session: { id, usage, proven }, units }) =>
          [id, { downBytes: usage.downBytes, upBytes: usage.upBytes, units: proven.units + units }] as const,
      );
      const seq = story.state.proofs.nextSeq;
      story.send({ kind: 'proof-stored', seq, digest: `0x${'dd'.repeat(32)}`, endS: NOW_S, proven: new Map(marks) });
      return;
    }
    default:
      step satisfies never;
  }
}

function assertInvariants(story: Story, before: ReadonlyMap<Hex, bigint>): void {
  for (const session of story.state.sessions.values()) {
    const channel = channelOfSession(story.state, session);
    const account = accountOf(session, channel);
    const where = `session ${session.id} in ${channel?.phase}`;
    if (account.chargedUnits > account.creditUnits)
      throw new Error(`I1: ${where} charged ${account.chargedUnits} of ${account.creditUnits}`);
    const isPaid = channel !== undefined && channel.phase !== 'pending' && channel.phase !== 'failed';
    if (!isPaid && totalBytes(session.usage) > session.trialBytes)
      throw new Error(`I1: ${where} passed more than its trial`);
    if (channel === undefined) continue;
    if (isPaid && channel.voucher.amount > channel.deposit) throw new Error(`I2: ${where} voucher above the deposit`);
    if (channel.voucher.amount < (before.get(channel.id) ?? 0n)) throw new Error(`I2: ${where} voucher fell`);
    if ((channel.closeUnits ?? 0n) > channel.voucher.amount) throw new Error(`${where} closes above its voucher`);
    const proven = session.proven.units;
    if (channel.phase === 'settled' && proven > (channel.closeUnits ?? 0n))
      throw new Error(`${where} proved more than it charged`);
  }
}

t.test('charged never exceeds credit, vouchers never fall, and replay gives the same state', (t) => {
  fc.assert(
    fc.property(anyTariff, fc.array(anyStep, { minLength: 5, maxLength: 60 }), (tariff, steps) => {
      const story = new Story(testConfig());
      const kernel = new Kernel();
      for (const step of steps) {
        const before = new Map([...story.state.channels].map(([id, { voucher }]) => [id, voucher.amount]));
        play(story, kernel, step, tariff);
        kernel.reconcile(story);
        assertInvariants(story, before);
      }
      const replayed = story.events.reduce(
        (state, event) => handle(state, event, story.config).state,
        emptyState(1_000, NOW_S),
      );
      t.same(replayed, story.state) || t.fail('I4: replay differs');
    }),
    { numRuns: 150, seed: 20_261_122 },
  );
  t.end();
});
