/**
 * The real intake (segments, SQLite, caches) against a model that judges everything in order and looks everything up in a list:
 * concurrent posts of several routers, out of order and again and again, lies and clones, keys revoked meanwhile, disks that
 * fill, processes that die between the log and the store, torn ends, stores made anew. Room for one or two in each cache.
 *
 * INTAKE_MODEL_RUNS=1000 INTAKE_MODEL_SEED=1 looks longer.
 */
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { catchUp } from '../../fleet/catch-up.ts';
import { correctClock } from '../../fleet/correct-clock.ts';
import type { KnownDevice } from '../../fleet/device-standing.ts';
import type { FleetTx } from '../../fleet/fleet-store.ts';
import { type JudgeDeps, judgePending, type Pending } from '../../fleet/judge-batch.ts';
import { judgeEvidence, judgeOrigin } from '../../fleet/judge-proof.ts';
import { encodeLogEntry } from '../../fleet/proof-entry.ts';
import { type IntakeResult, type IntakeStep, ProofIntake } from '../../fleet/proof-intake.ts';
import { type LogPosition, type ProofLog, ProofLogError } from '../../fleet/proof-log.ts';
import { SegmentLog } from '../../fleet/segment-log.ts';
import { SqliteStore } from '../../fleet/sqlite-store.ts';
import type { Address } from '../../protocol/address.ts';
import { decodeProofUpload, type ProofUpload } from '../../protocol/traffic-proof-wire.ts';
import { VERDICTS } from '../../protocol/verdict.ts';
import { DEPLOYMENT, digestOf, NOW_S } from './fake-router.ts';
import { PlainStore } from './plain-store.ts';
import { type Dice, diceOf, PROOFS, pick, type Variants, type World, worldOf } from './routers-by-dice.ts';
import { loseStore, rememberStore, tearLog } from './storage-damage.ts';
import { recovering, verifying } from './two-recoveries.ts';
import '../support/own-testdir.ts';

const RUNS = Number(process.env['INTAKE_MODEL_RUNS'] ?? 12);
const SEED = Number(process.env['INTAKE_MODEL_SEED'] ?? 6);
const ROUTERS = 4;
const STEPS = 14;
const LATE_AFTER_S = 37n * 86_400n;

class Run {
  readonly #directory: string;
  readonly #dice: Dice;
  readonly #worlds: readonly World[];
  readonly #standing = new Map<Address, KnownDevice>();
  readonly #plain = new PlainStore();
  readonly #expectedFrames: Uint8Array[] = [];
  readonly #sent: Uint8Array[] = [];
  readonly #counts: Map<string, number>;
  #nowS = NOW_S;
  #isFull = false;
  #deathAt: IntakeStep | undefined;
  #log!: SegmentLog;
  #store!: SqliteStore;
  #intake!: ProofIntake;

  constructor(directory: string, worlds: readonly World[], dice: Dice, counts: Map<string, number>) {
    this.#directory = directory;
    this.#dice = dice;
    this.#worlds = worlds;
    this.#counts = counts;
    for (const { device } of worlds) {
      if (dice(4) > 0) this.#standing.set(device, { isRevoked: false, linkBytesPerS: 8n + BigInt(dice(60)) });
    }
  }

  get #deps(): JudgeDeps {
    return {
      deployment: DEPLOYMENT,
      devices: (address) => this.#standing.get(address),
      nowS: () => this.#nowS,
      lateAfterS: LATE_AFTER_S,
    };
  }

  async open(): Promise<void> {
    const dice = this.#dice;
    const delay = diceOf(dice(1000));
    const directory = join(this.#directory, 'log');
    this.#log = await SegmentLog.open({ directory, segmentBytes: 2000 + dice(20_000) });
    this.#store = new SqliteStore(join(this.#directory, 'store.db'), 1 + dice(5));
    await catchUp(this.#store, this.#log);
    const log: ProofLog = {
      append: (payload) => this.#log.append(payload),
      appendAll: async (payloads) => {
        // Dice of its own: when the log is asked hangs on the disk.
        for (let i = delay(3); i > 0; i--) await turn();
        if (this.#isFull && payloads.length > 0) throw new ProofLogError('the disk is full', { code: 'LOG_FULL' });
        return await this.#log.appendAll(payloads);
      },
      frames: (after) => this.#log.frames(after),
      segments: (after) => this.#log.segments(after),
      read: (ref) => this.#log.read(ref),
      end: () => this.#log.end(),
      close: () => this.#log.close(),
    };
    this.#intake = new ProofIntake({
      ...this.#deps,
      log,
      store: this.#store,
      recover: verifying(1 + dice(3)),
      recoverGuest: verifying(1 + dice(3)),
      monotonicMs: () => 0,
      limits: { device: { perS: 1, burst: 1e9 }, stranger: { perS: 1, burst: 1e9 } },
      onFailure: () => undefined,
      atStep: (step) => {
        if (step !== this.#deathAt) return;
        throw new Error(`died when ${step}`);
      },
    });
  }

  /** Also what a kill, a power cut and a lost store leave. */
  async reopen(isKilled = false): Promise<void> {
    const loseUncommitted = isKilled ? rememberStore(this.#directory) : () => undefined;
    await this.close();
    loseUncommitted();
    if (this.#dice(3) === 0) tearLog(this.#directory, this.#dice);
    if (this.#dice(3) === 0) loseStore(this.#directory);
    await this.open();
  }

  async close(): Promise<void> {
    await this.#log.close();
    this.#store.close();
  }

  async step(): Promise<void> {
    const what = this.#dice(12);
    this.#nowS += BigInt(this.#dice(3) === 0 ? this.#dice(20) * 86_400 : 1);
    if (what < 6) await this.#post(true);
    else if (what < 8) await this.#post(false);
    else if (what === 8) await this.#die();
    else if (what === 9) await this.reopen();
    else if (what === 10) await this.#correctClock();
    else this.#changeStanding();
  }

  /** In the order of their numbers for the most part, with holes, replays and lies. */
  #bodies(): readonly Uint8Array[] {
    const dice = this.#dice;
    const count = 1 + dice(9);
    return Array.from({ length: count }, () => {
      const again = this.#sent.at(-1 - dice(12));
      if (again !== undefined && dice(4) === 0) return again;
      const { variants, device } = pick(dice, this.#worlds);
      const next = Number(this.#plain.chain(device).nextSeq);
      const at = dice(3) > 0 ? next + dice(2) : dice(variants.length);
      const choices = variants[Math.min(at, variants.length - 1)] as Variants;
      const body = dice(4) > 0 ? choices[0] : pick(dice, choices);
      this.#sent.push(body);
      return body;
    });
  }

  /** All in one turn are one transaction; else some wait while others are written. */
  async #post(isOneTurn: boolean): Promise<void> {
    const dice = this.#dice;
    this.#isFull = isOneTurn && dice(6) === 0;
    const posted: { readonly pending: Pending | undefined; readonly result: Promise<IntakeResult> }[] = [];
    const bodies = [...this.#bodies()];
    while (bodies.length > 0) {
      const group = bodies.splice(0, 1 + dice(3));
      const pendings = group.map((body) => this.#pendingOf(body));
      const results = group.length === 1 ? [this.#intake.take(group[0] as Uint8Array, 'there')] : this.#bulk(group);
      for (const [i, result] of results.entries()) {
        result.catch(() => undefined);
        posted.push({ pending: pendings[i], result });
      }
      if (!isOneTurn) for (let i = dice(4); i > 0; i--) await turn();
    }
    if (isOneTurn && dice(5) === 0) this.#changeStanding();
    const settled = await Promise.allSettled(posted.map(({ result }) => result));
    this.#isFull = false;
    for (const [i, outcome] of settled.entries()) {
      const { pending } = posted[i] as (typeof posted)[number];
      if (outcome.status === 'rejected') t.match(outcome.reason, { code: 'LOG_FULL' });
      else if (pending === undefined) t.match(outcome.value, { ok: false, reason: 'malformed' });
      else t.strictSame(outcome.value, { ok: true, ...(await this.#judgedBy(pending)) });
    }
  }

  #bulk(bodies: readonly Uint8Array[]): readonly Promise<IntakeResult>[] {
    const all = this.#intake.takeAll(bodies, 'there');
    return bodies.map(async (_, i) => ((await all) as readonly IntakeResult[])[i] as IntakeResult);
  }

  /** What was written before the process died counts, though nobody was told. */
  async #die(): Promise<void> {
    const step = pick<IntakeStep>(this.#dice, ['judged', 'durable', 'committed']);
    this.#deathAt = step;
    const bodies = this.#bodies();
    const pendings = bodies.map((body) => this.#pendingOf(body)).filter((pending) => pending !== undefined);
    const settled = await Promise.allSettled(bodies.map((body) => this.#intake.take(body, 'there')));
    this.#deathAt = undefined;
    const sound = settled.filter((it) => it.status === 'fulfilled' && it.value.ok);
    t.equal(sound.length, 0, 'nothing was acknowledged');
    if (step !== 'judged') for (const pending of pendings) await this.#judgedBy(pending);
    await this.reopen(true);
  }

  async #correctClock(): Promise<void> {
    const { device } = pick(this.#dice, this.#worlds);
    const from = this.#dice(PROOFS);
    const fromSeq = BigInt(from);
    const toSeq = BigInt(from + this.#dice(PROOFS - from));
    const statement = `0x${'00'.repeat(32)}` as const;
    const correction = { device, fromSeq, toSeq, bootS: NOW_S - BigInt(this.#dice(90) * 86_400), statement };
    await this.#intake.correctClock(correction);
    await correctClock(correction, this.#plain, this.#deps, async (entry) => {
      this.#plain.apply(entry);
      this.#expectedFrames.push(encodeLogEntry(entry));
      return await Promise.resolve();
    });
    this.#plain.commit();
  }

  #changeStanding(): void {
    const { device } = pick(this.#dice, this.#worlds);
    const known = this.#standing.get(device);
    if (known === undefined) this.#standing.set(device, { isRevoked: false, linkBytesPerS: 30n });
    else this.#standing.set(device, { ...known, isRevoked: this.#dice(3) === 0 });
  }

  #pendingOf(body: Uint8Array): Pending | undefined {
    const decoded = decodeProofUpload(body);
    if (!decoded.ok) return undefined;
    const upload: ProofUpload = decoded.value;
    const context = { deployment: DEPLOYMENT, recover: recovering };
    const origin = judgeOrigin(upload, { ...context, device: this.#standing.get(upload.proof.device) });
    const evidence = origin ?? judgeEvidence(upload, context) ?? 'sound';
    const result = { digest: '0x', verdict: 'gap', receivedS: 0n, missing: [] } as const;
    return { body, upload, digest: digestOf(upload), origin, evidence, result };
  }

  async #judgedBy(pending: Pending): Promise<Pending['result']> {
    this.#expectedFrames.push(...(await judgePending([pending], this.#plain, this.#deps)));
    this.#plain.commit();
    const { verdict } = pending.result;
    this.#counts.set(verdict, (this.#counts.get(verdict) ?? 0) + 1);
    return pending.result;
  }

  /** All that the real one knows, and all that its log holds. */
  async compare(what: string): Promise<void> {
    for (const { device } of this.#worlds) {
      const rows = this.#store.verdicts(device, 0n, 1000).map(({ id: _, ...row }) => row);
      t.strictSame(rows, this.#plain.verdicts(device), `${what}: verdicts of ${device}`);
      const held = async (tx: Pick<FleetTx, 'held'>) =>
        await Promise.all(Array.from({ length: PROOFS }, async (_, i) => (await tx.held(device, BigInt(i)))?.verdict));
      t.strictSame(await this.#store.tx(held), await held(this.#plain), `${what}: held of ${device}`);
      t.strictSame(this.#store.chain(device), this.#plain.chain(device), `${what}: chain of ${device}`);
    }
    const ids = this.#worlds.flatMap(({ device, variants }) =>
      variants.flatMap(([body]) => {
        const decoded = decodeProofUpload(body);
        return decoded.ok && decoded.value.proof.device === device
          ? decoded.value.leaves.map((it) => it.channelId)
          : [];
      }),
    );
    const channels = await this.#store.tx(async (tx) => await tx.channels(ids));
    t.strictSame(channels, await this.#plain.channels(ids), `${what}: channels`);
    const logged: string[] = [];
    let end: LogPosition = { segment: 0, offset: 0 };
    for await (const { payload, position } of this.#log.frames()) {
      logged.push(Buffer.from(payload).toString('base64'));
      end = position;
    }
    const expected = this.#expectedFrames.map((frame) => Buffer.from(frame).toString('base64'));
    t.strictSame(logged, expected, `${what}: log`);
    if (logged.length > 0) t.strictSame(this.#store.position(), end, `${what}: position`);
  }
}

t.test('the intake says, keeps and counts what a plain model does', { timeout: 30_000 + RUNS * 2000 }, async (t) => {
  const worlds = Array.from({ length: 2 * ROUTERS }, (_, i) =>
    worldOf(`router ${i} of ${SEED}`, diceOf(SEED * 1000 + i)),
  );
  const counts = new Map<string, number>();
  for (let i = 0; i < RUNS; i++) {
    const seed = SEED * 1_000_000 + i;
    const dice = diceOf(seed);
    const from = dice(ROUTERS + 1);
    const run = new Run(t.testdir({}), worlds.slice(from, from + ROUTERS), dice, counts);
    await run.open();
    for (let step = 0; step < STEPS; step++) await run.step();
    await run.compare(`seed ${seed}`);
    await run.reopen();
    await run.compare(`seed ${seed}, opened again`);
    await run.close();
    if (!t.passing()) break;
  }
  // A duplicate is told with its first verdict; the wrong acknowledgement has a test of its own (arrival-order.test.ts).
  for (const verdict of VERDICTS.filter((it) => it !== 'duplicate' && it !== 'bytes-below-ack')) {
    t.ok((counts.get(verdict) ?? 0) > 0, `${verdict}: ${counts.get(verdict) ?? 0}`);
  }
});
