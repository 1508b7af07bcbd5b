/**
 * Whatever two routers and a guest do, in whatever order, with the link cut, answers lost, messages replayed and agents killed: no more bytes pass
 * than were paid for, at most one router serves, and in the end the chain pays exactly what was carried.
 */
import fc from 'fast-check';
import t from 'tap';
import { settled } from '../../support/agent-scene.ts';
import { LAPTOP } from '../core/support/story.ts';
import { answered, type Router, TwoRouters } from './support/two-routers.ts';

const STEPS = ['move', 'carry', 'pay', 'cut', 'lose', 'heal', 'kill', 'look', 'leave', 'replay'] as const;
const anyStep = fc.record({
  what: fc.constantFrom(...STEPS, 'move' as const, 'move' as const, 'carry' as const),
  at: fc.constantFrom('a' as const, 'b' as const),
  megabytes: fc.bigInt({ min: 1n, max: 70n }),
});
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

/** 10 units per MB, and 50 to open. */
const paidBytes = (units: bigint): bigint => ((units - 50n) * 1_000_000n) / 10n;
const charge = (bytes: bigint): bigint => 50n + (bytes * 10n + 999_999n) / 1_000_000n;

/** An old hand-over, shown again where the channel has been forgotten since: chance would take long to find it. */
const REVIVAL: Step[] = (['move', 'carry', 'leave', 'look', 'replay', 'move', 'carry'] as const).map((what) => ({
  what,
  at: 'b',
  megabytes: 60n,
}));

class Walk {
  readonly world = new TwoRouters();
  /** The most that any router has acknowledged. */
  acknowledged = 1_050n;
  #request!: Awaited<ReturnType<Router['paid']>>;

  get id() {
    return this.#request.voucher.channelId;
  }

  get carried(): bigint {
    return this.world.a.carried + this.world.b.carried;
  }

  async begin(): Promise<void> {
    this.#request = await this.world.a.paid();
  }

  async step({ what, at, megabytes }: Step): Promise<void> {
    const router = this.world[at];
    const { link } = this.world;
    if (what === 'move') await this.#move(router);
    if (what === 'carry') router.download(megabytes * 1_000_000n);
    if (what === 'pay') await this.#pay(router, megabytes * 10n);
    if (what === 'leave') await router.desk.leave(LAPTOP);
    if (what === 'look') await router.watch.look();
    if (what === 'replay') await this.#replay(router);
    if (what === 'cut') link.isUp = false;
    if (what === 'lose') link.losesAnswers = true;
    if (what === 'heal') this.#heal();
    if (what === 'kill') {
      router.restart();
      await router.driver.reconciled();
    }
    await router.sample();
  }

  /** Everything works again, the guest is gone, and every router has had the time it needs. */
  async end(): Promise<void> {
    this.#heal();
    const { a, b } = this.world;
    for (let round = 0; round < 4; round++) {
      for (const router of [b, a]) {
        await router.driver.reconciled();
        const session = router.driver.state.sessionByChannel.get(this.id);
        if (session !== undefined)
          router.driver.dispatch({ kind: 'session-left', sessionId: session, reason: 'guest-left' });
        await router.sample();
        await router.watch.look();
        await settled();
      }
    }
  }

  serving(): readonly Router[] {
    return [this.world.a, this.world.b].filter(({ enforcer }) => enforcer.installed.size > 0);
  }

  #heal(): void {
    this.world.link.isUp = true;
    this.world.link.losesAnswers = false;
  }

  /** All that ever went over the link, once more. */
  async #replay(router: Router): Promise<void> {
    const { asked, brought, given } = this.world.link;
    for (const carried of [...given, ...brought]) await router.lent.take(carried);
    for (const query of asked) await router.lent.give(query);
  }

  async #move(router: Router): Promise<void> {
    const answer = await answered(router, LAPTOP).catch(() => undefined);
    if (answer !== undefined) await router.desk.attach(LAPTOP, answer);
  }

  /** A voucher for so much more, shown to one router; the same amount may be shown to the other as well. */
  async #pay(router: Router, units: bigint): Promise<void> {
    const amount = this.acknowledged + units > 10_000n ? 10_000n : this.acknowledged + units;
    const result = await router.desk.voucher(LAPTOP, router.voucher(this.#request, amount));
    if (result.ok && amount > this.acknowledged) this.acknowledged = amount;
  }
}

// 5 s of work, however long a busy machine takes over them.
t.setTimeout(180_000);
t.test('any walk of a guest between two routers, with partitions and crashes', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { minLength: 4, maxLength: 14 }), async (steps) => {
      const walk = new Walk();
      await walk.begin();
      for (const step of steps) {
        await walk.step(step);
        if (walk.carried > paidBytes(walk.acknowledged)) throw new Error(`${walk.carried} bytes after ${step.what}`);
        if (walk.serving().length > 1) throw new Error(`both serve after ${step.what}`);
      }
      await walk.end();
      const paid = walk.world.a.paidOut.get(walk.id);
      if (paid !== charge(walk.carried)) throw new Error(`paid out ${paid}, carried ${walk.carried} bytes`);
      if (walk.world.b.paidOut.size > 0) throw new Error('the visitor claimed');
    }),
    { numRuns: 40, seed: 4_711, examples: [[REVIVAL]] },
  );
  t.pass('no walk breaks it');
});
