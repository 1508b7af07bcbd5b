/** A guest who changes addresses for ever: what is remembered stays small, and no byte is lost or counted twice. */
import fc from 'fast-check';
import t from 'tap';
import { UsageBook } from '../../../../agent/adapters/nft/usage-book.ts';
import { addReadings, type Metered, totalBytes } from '../../../../agent/core/meter.ts';
import type { CounterKey, CounterReading, SessionGrant } from '../../../../agent/core/model.ts';
import { grant, station } from '../../../support/nft-grants.ts';

const PHONE = 'aa:bb:cc:00:00:01';
const keyOf = (n: number): CounterKey => `down:fd00::${(n + 1).toString(16)}`;
const NEW: Metered = { usage: { downBytes: 0n, upBytes: 0n, onlineMs: 0 }, counters: new Map() };

/** The core's meter, the adapter's book, and a kernel that has counters only for bound addresses. */
class Meter {
  #metered = NEW;
  #stored = NEW;
  #book = new UsageBook();
  readonly #kernel = new Map<CounterKey, { base: bigint; counted: bigint }>();
  #pending: CounterReading[] = [];
  #bound: readonly number[] = [];
  passed = 0n;

  bind(n: number): void {
    this.#bound = [...this.#bound.filter((other) => other !== n), n].slice(-3);
  }

  unbind(n: number): void {
    this.#bound = this.#bound.filter((other) => other !== n);
  }

  pass(n: number, bytes: bigint): void {
    const counter = this.#kernel.get(keyOf(n));
    if (counter === undefined) return;
    counter.counted += bytes;
    this.passed += bytes;
  }

  read(): void {
    const readings = this.#readings();
    this.#book.note(readings);
    this.#take(readings);
  }

  /** As the enforcer does it; `fails`: the kernel was changed, yet nobody is told. */
  reconcile(fails: boolean): void {
    const plan = this.plan();
    const wanted = new Set(this.#bound.map(keyOf));
    const lost = [...this.#kernel.keys()].filter((key) => !wanted.has(key));
    this.#book.note(this.#readings());
    for (const key of lost) this.#kernel.delete(key);
    this.#pending.push(...lost.map((key) => this.#book.reading(1, key)));
    for (const key of wanted) {
      if (this.#kernel.has(key)) continue;
      this.#kernel.set(key, { base: this.#book.baseOf(plan, key).bytes, counted: 0n });
    }
    if (fails) return;
    const retired = this.#book.retire([plan], (_, key) => this.#kernel.has(key));
    const readings = [...this.#pending, ...retired];
    this.#pending = [];
    // A plan that is older than what was just handed out still has the true total.
    if (this.#book.usedBytes(plan) !== this.passed) throw new Error(`${this.#book.usedBytes(plan)} of ${this.passed}`);
    this.#take(readings);
  }

  /** The agent starts again from its last row; the kernel goes on. */
  restart(): void {
    this.#metered = this.#stored;
    this.#book = new UsageBook();
    this.#pending = [];
    this.#book.note(this.#readings());
  }

  plan(): SessionGrant {
    const { usage, counters } = this.#metered;
    return grant(
      1,
      [
        station(
          PHONE,
          this.#bound.map((n) => keyOf(n).slice(5)),
        ),
      ],
      { usedBytes: totalBytes(usage), counters },
    );
  }

  get counted(): bigint {
    return totalBytes(this.#metered.usage);
  }

  get remembered(): number {
    return this.#metered.counters.size;
  }

  get usedByBook(): bigint {
    return this.#book.usedBytes(this.plan());
  }

  #take(readings: readonly CounterReading[]): void {
    this.#metered = addReadings(this.#metered, readings);
    if (readings.some(({ isLast }) => isLast === true)) this.#stored = this.#metered;
  }

  #readings(): CounterReading[] {
    return [...this.#kernel].map(([key, { base, counted }]) => ({
      sessionId: 1,
      key,
      bytes: base + counted,
      packets: 0n,
    }));
  }
}

type Step =
  | { readonly kind: 'bind' | 'unbind'; readonly n: number }
  | { readonly kind: 'pass'; readonly n: number; readonly bytes: bigint }
  | { readonly kind: 'reconcile'; readonly fails: boolean }
  | { readonly kind: 'read' | 'restart' };

function run(steps: readonly Step[]): Meter {
  const meter = new Meter();
  for (const step of steps) {
    if (step.kind === 'bind') meter.bind(step.n);
    else if (step.kind === 'unbind') meter.unbind(step.n);
    else if (step.kind === 'pass') meter.pass(step.n, step.bytes);
    else if (step.kind === 'reconcile') meter.reconcile(step.fails);
    else if (step.kind === 'read') meter.read();
    // The row is a step behind only in what the kernel still has: a stop of the agent alone loses nothing.
    else {
      meter.reconcile(false);
      meter.restart();
    }
  }
  meter.reconcile(false);
  meter.read();
  return meter;
}

const address = fc.nat(7);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom('bind' as const, 'unbind' as const), n: address }),
  fc.record({ kind: fc.constant('pass' as const), n: address, bytes: fc.bigInt({ min: 0n, max: 1n << 40n }) }),
  fc.record({ kind: fc.constant('reconcile' as const), fails: fc.boolean() }),
  fc.record({ kind: fc.constantFrom('read' as const, 'restart' as const) }),
);

t.test('whatever is bound, unbound, read and restarted: every byte counts once', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const meter = run(steps);
      return meter.counted === meter.passed && meter.usedByBook === meter.passed;
    }),
    { numRuns: 600, seed: 1 },
  );
  t.end();
});

t.test('a thousand addresses one after another leave no more than are bound', (t) => {
  const meter = new Meter();
  for (let n = 0; n < 1_000; n++) {
    meter.bind(n);
    meter.reconcile(n % 7 === 0);
    meter.pass(n, 100n);
    meter.read();
  }
  meter.reconcile(false);
  t.equal(meter.counted, 100_000n);
  // Three are bound, and the phone's own is never read here.
  t.ok(meter.remembered <= 4, `${meter.remembered} are remembered`);
  t.end();
});

t.test('a counter that comes again in a plan of before goes on where it was', (t) => {
  const book = new UsageBook();
  const old = grant(1, [], { usedBytes: 5n, counters: new Map([[keyOf(1), 5n]]) });
  book.note([{ sessionId: 1, key: keyOf(1), bytes: 9n, packets: 2n }]);
  t.same(
    book.retire([old], () => false),
    [{ sessionId: 1, key: keyOf(1), bytes: 9n, packets: 2n, isLast: true }],
  );
  t.same(book.baseOf(old, keyOf(1)), { sessionId: 1, bytes: 9n, packets: 2n });
  t.equal(book.usedBytes(old), 9n);
  const next = grant(1, [], { usedBytes: 9n });
  t.same(book.baseOf(next, keyOf(1)), { sessionId: 1, bytes: 0n, packets: 0n });
  t.equal(book.usedBytes(next), 9n);
  t.end();
});
