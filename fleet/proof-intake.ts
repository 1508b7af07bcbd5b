/**
 * Uploads from bytes to verdicts. What depends on nothing on file (decoding, signatures) is done as an upload comes; then
 * uploads wait for their turn, are judged in order of arrival, and made durable together: one sync of the log and one
 * transaction of the store for as many as came while the ones before were written.
 */
import type { ClockCorrection } from '../protocol/clock-statement.ts';
import type { Hex } from '../protocol/hex.ts';
import { recoverSigner } from '../protocol/signature.ts';
import type { ProofUpload } from '../protocol/traffic-proof-wire.ts';
import { correctClock } from './correct-clock.ts';
import type { FleetStore, MissingRange } from './fleet-store.ts';
import { hexOf } from './hex-of.ts';
import { DEFAULT_LIMITS, type IntakeLimits } from './intake-limits.ts';
import { type JudgeDeps, judgePending, type Pending } from './judge-batch.ts';
import { judgeEvidence, judgeOrigin, type Recover } from './judge-proof.ts';
import { encodeLogEntry } from './proof-entry.ts';
import { type ProofLog, ProofLogError } from './proof-log.ts';
import { RateLimiter } from './rate-limit.ts';
import { sourceOf } from './registry-limits.ts';
import { type Shard, shardOf } from './shard.ts';
import { UploadHasher } from './upload-hashes.ts';
import { readProofUpload } from './upload-reader.ts';

export type IntakeDeps = JudgeDeps & {
  readonly log: ProofLog;
  /** Caught up with the log. */
  readonly store: FleetStore;
  /** Of devices' signatures; of guests' too without `recoverGuest`. */
  readonly recover?: Recover;
  readonly recoverGuest?: Recover;
  /** Which devices are served here, where several processes share the work. */
  readonly shard?: Shard;
  /** Milliseconds that never go back. */
  readonly monotonicMs: () => number;
  readonly limits?: Partial<IntakeLimits>;
  /** Called once when log or store cannot go on. A restart reads from the log what the store has not taken up. */
  readonly onFailure: (error: unknown) => void;
  /** A test ends the process here. */
  readonly atStep?: (step: IntakeStep) => void;
};

export type IntakeStep = 'judged' | 'durable' | 'committed';

export type Taken = {
  readonly ok: true;
  readonly digest: Hex;
  readonly verdict: Pending['result']['verdict'];
  readonly receivedS: bigint;
  /** What the router should send, if its proof came out of order. */
  readonly missing: readonly MissingRange[];
};

export type Refused = { readonly ok: false } & (
  | { readonly reason: 'malformed'; readonly path: string; readonly expected: string; readonly got: string }
  | { readonly reason: 'too-many'; readonly retryAfterS: number }
  /** Another shard keeps this device's chain. */
  | { readonly reason: 'elsewhere'; readonly shard: number }
  /** No room for more uploads in memory. */
  | { readonly reason: 'busy' }
  /** Log or store cannot go on; see IntakeDeps.onFailure. */
  | { readonly reason: 'failed' }
);

export type IntakeResult = Taken | Refused;

/** Bounds the time of one transaction, and with it how long a late-comer waits. */
const MAX_BATCH = 512;
const MAX_BATCH_BYTES = 2 * 1024 * 1024;
/** Some hundred signatures, checked in ten milliseconds; then others have their turn. */
const BYTES_PER_TURN = 32 * 1024;
/** An upload uses up one token for every so many bytes that it begins, or twenty signatures: a thousand sessions are no one proof. */
const TOKEN_BYTES = 8 * 1024;

const ALL = '';

/** Uploads that came together: one of a router, or some of a relay's. */
type Waiting = { readonly pendings: readonly Pending[]; readonly settle: (error?: unknown) => void };

export class ProofIntake {
  readonly #deps: IntakeDeps;
  readonly #limits: IntakeLimits;
  readonly #devices: RateLimiter;
  readonly #strangers: RateLimiter;
  readonly #allStrangers: RateLimiter;
  readonly #hasher: UploadHasher;
  readonly #queue: Waiting[] = [];
  #waiting = 0;
  #waitingBytes = 0;
  #working: Promise<void> | undefined;
  #hasFailed = false;

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
    this.#hasher = new UploadHasher(deps.deployment);
    this.#limits = { ...DEFAULT_LIMITS, ...deps.limits };
    this.#devices = new RateLimiter(this.#limits.device);
    this.#strangers = new RateLimiter(this.#limits.stranger);
    this.#allStrangers = new RateLimiter(this.#limits.allStrangers, 1);
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** @throws ProofLogError if the upload could not be made durable; nothing was acknowledged then */
  async take(body: Uint8Array, ip: string): Promise<IntakeResult> {
    if (this.#hasFailed) return { ok: false, reason: 'failed' };
    if (!this.#hasRoom(1, body.length)) return { ok: false, reason: 'busy' };
    return await this.#holding(1, body.length, async () => {
      const checked = this.#check(body, sourceOf(ip));
      if ('ok' in checked) return checked;
      await this.#judged([checked]);
      return { ok: true, ...checked.result };
    });
  }

  /** Several uploads in the order of their arrival, all in memory at once; 'busy' or 'failed' stands for all of them. */
  async takeAll(bodies: readonly Uint8Array[], ip: string): Promise<readonly IntakeResult[] | Refused> {
    const bytes = bodies.reduce((sum, { length }) => sum + length, 0);
    if (this.#hasFailed) return { ok: false, reason: 'failed' };
    if (!this.#hasRoom(bodies.length, bytes)) return { ok: false, reason: 'busy' };
    return await this.#holding(bodies.length, bytes, async () => {
      const checked: (Pending | Refused)[] = [];
      const waits: Promise<void>[] = [];
      let group: Pending[] = [];
      let unchecked = BYTES_PER_TURN;
      const source = sourceOf(ip);
      for (const body of bodies) {
        if (unchecked <= 0) {
          waits.push(this.#judged(group));
          // Awaited below; one that fails while others are checked is no unhandled rejection.
          waits.at(-1)?.catch(() => undefined);
          group = [];
          await new Promise((resolve) => setImmediate(resolve));
          unchecked = BYTES_PER_TURN;
        }
        unchecked -= body.length;
        const one = this.#check(body, source);
        checked.push(one);
        if (!('ok' in one)) group.push(one);
      }
      waits.push(this.#judged(group));
      await Promise.all(waits);
      return checked.map((one) => ('ok' in one ? one : { ok: true, ...one.result }));
    });
  }

  /** A correction that the device has signed (correct-clock.ts); durable and judged by when this resolves. */
  async correctClock(correction: ClockCorrection): Promise<void> {
    const { log, store } = this.#deps;
    try {
      if (this.#hasFailed) throw new ProofLogError('the collector has failed', { code: 'LOG_FAILED' });
      await store.tx(async (tx) => {
        const frames: Uint8Array[] = [];
        await correctClock(correction, tx, this.#deps, async (entry) => {
          await tx.apply(entry);
          frames.push(encodeLogEntry(entry));
        });
        const last = (await log.appendAll(frames)).at(-1);
        if (last !== undefined) await tx.setPosition(last);
      });
    } catch (error) {
      if (!(error instanceof ProofLogError && error.code === 'LOG_FULL')) this.#fail(error);
      throw error;
    }
  }

  #hasRoom(count: number, bytes: number): boolean {
    // One request always fits an empty collector.
    if (this.#waiting === 0) return true;
    return this.#waiting + count <= this.#limits.waiting && this.#waitingBytes + bytes <= this.#limits.waitingBytes;
  }

  async #holding<T>(count: number, bytes: number, work: () => Promise<T>): Promise<T> {
    this.#waiting += count;
    this.#waitingBytes += bytes;
    try {
      return await work();
    } finally {
      this.#waiting -= count;
      this.#waitingBytes -= bytes;
    }
  }

  /** All that can be said without looking anything up. Who has no key is limited by address, before any curve arithmetic. */
  #check(body: Uint8Array, source: string): Pending | Refused {
    const { deployment, devices, recover, monotonicMs, shard } = this.#deps;
    const nowMs = monotonicMs();
    const cost = Math.ceil(body.length / TOKEN_BYTES);
    const strangerMs = this.#strangers.waitMs(source, nowMs, cost);
    if (strangerMs > 0) return tooMany(strangerMs);
    const decoded = readProofUpload(body, this.#hasher.configs);
    if (!decoded.ok) {
      this.#strangers.take(source, nowMs, cost);
      return { ...decoded, reason: 'malformed' };
    }
    const upload: ProofUpload = decoded.value;
    const { device } = upload.proof;
    if (shard !== undefined && shardOf(device, shard.count) !== shard.index) {
      return { ok: false, reason: 'elsewhere', shard: shardOf(device, shard.count) };
    }
    const digest = this.#hasher.digest(body);
    const byDevice = recover === undefined ? {} : { recover };
    const origin = judgeOrigin(upload, { ...byDevice, deployment, device: devices(device) }, digest);
    const waitMs =
      origin === undefined
        ? this.#devices.take(device, nowMs, cost)
        : this.#strangers.take(source, nowMs, cost) || this.#allStrangers.take(ALL, nowMs, cost);
    if (waitMs > 0) return tooMany(waitMs);
    const evidence = origin ?? this.#judgeEvidence(body, upload);
    return { body, upload, digest: hexOf(digest), origin, evidence, result: NOT_YET };
  }

  #judgeEvidence(body: Uint8Array, upload: ProofUpload): Pending['evidence'] {
    const { deployment, recover: ofDevices = recoverSigner, recoverGuest: recover = ofDevices } = this.#deps;
    if (this.#hasher.isSound(body, upload, recover)) return 'sound';
    return judgeEvidence(upload, { recover, deployment }) ?? 'sound';
  }

  /** Resolves once all have their results, and these are durable. */
  async #judged(pendings: readonly Pending[]): Promise<void> {
    if (pendings.length === 0) return;
    await new Promise<void>((resolve, reject) => {
      this.#queue.push({ pendings, settle: (error) => (error === undefined ? resolve() : reject(error)) });
      this.#working ??= this.#work();
    });
  }

  async #work(): Promise<void> {
    // One turn of the event loop, so that requests read from many sockets at once share the first sync too.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      const batch = this.#takeBatch();
      try {
        await this.#store(batch.flatMap(({ pendings }) => pendings));
        for (const { settle } of batch) settle();
      } catch (error) {
        if (!(error instanceof ProofLogError && error.code === 'LOG_FULL')) this.#fail(error);
        for (const { settle } of batch) settle(error);
      }
    }
    // In the same turn as the look that found nothing waiting: whoever comes next has to start the work again.
    this.#working = undefined;
  }

  /** Whole groups, at least one. */
  #takeBatch(): readonly Waiting[] {
    let uploads = 0;
    let bytes = 0;
    const count = this.#queue.findIndex(({ pendings }, i) => {
      uploads += pendings.length;
      bytes += pendings.reduce((sum, { body }) => sum + body.length, 0);
      return i > 0 && (uploads > MAX_BATCH || bytes > MAX_BATCH_BYTES);
    });
    return this.#queue.splice(0, count === -1 ? this.#queue.length : count);
  }

  /** The log is synced before the store commits, so the store is never ahead; whoever asked hears of it after both. */
  async #store(batch: readonly Pending[]): Promise<void> {
    const { log, store, atStep } = this.#deps;
    if (this.#hasFailed) throw new ProofLogError('the collector has failed', { code: 'LOG_FAILED' });
    await store.tx(async (tx) => {
      const frames = await judgePending(batch, tx, this.#deps);
      atStep?.('judged');
      const last = (await log.appendAll(frames)).at(-1);
      atStep?.('durable');
      if (last !== undefined) await tx.setPosition(last);
    });
    atStep?.('committed');
  }

  /** With a hole in the store nothing may be judged, or taken up after the hole. */
  #fail(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#deps.onFailure(error);
  }
}

const NOT_YET: Pending['result'] = { digest: '0x', verdict: 'gap', receivedS: 0n, missing: [] };

function tooMany(waitMs: number): Refused {
  return { ok: false, reason: 'too-many', retryAfterS: Math.ceil(waitMs / 1000) };
}
