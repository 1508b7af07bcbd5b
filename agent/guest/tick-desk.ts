/**
 * Takes ticks, which come once a second from each guest: a hash and some comparisons, no write and no promise. The furthest
 * coin of each channel is handed to the core a few times a second, all channels in one event, so that the quota follows;
 * the core has those of all channels written every few seconds, in one commit (core/on-tick-credit.ts).
 */
import type { Hex } from '../../protocol/hex.ts';
import type { Tick } from '../../protocol/payword.ts';
import type { AgentConfig } from '../core/config.ts';
import { judgeTick } from '../core/judge-tick.ts';
import type { VoucherTime } from '../core/judge-voucher.ts';
import type { Mac } from '../core/model.ts';
import type { Driver, DriverLog } from '../driver.ts';
import type { Clock, TickResult } from '../ports.ts';

export type TickDeskDeps = {
  readonly config: Pick<AgentConfig, 'chain'>;
  readonly driver: Pick<Driver, 'state' | 'dispatch'>;
  readonly clock: Clock;
  readonly log: DriverLog;
};

/** A tick pays for about a second: its credit may take a tenth of that to reach the kernel. */
const HAND_OVER_MS = 100;

type Taken = { readonly channelId: Hex; readonly signature: Hex; readonly last: Tick };

export class TickDesk {
  readonly #deps: TickDeskDeps;
  /** Taken and not yet handed to the core. */
  #taken = new Map<Hex, Taken>();
  #timer: NodeJS.Timeout | undefined;
  #asked: { readonly atMs: number; readonly time: VoucherTime | undefined } | undefined;

  constructor(deps: TickDeskDeps) {
    this.#deps = deps;
  }

  tick(mac: Mac, channelId: Hex, tick: Tick): TickResult {
    const { driver, clock, log } = this.#deps;
    const { state } = driver;
    const signature = state.channels.get(channelId)?.ticks?.voucher.signature;
    const taken = this.#taken.get(channelId);
    // A new chain begins at its own anchor.
    const last = taken?.signature === signature ? taken?.last : undefined;
    const nowMs = clock.monotonicMs();
    const judgement = judgeTick(state, mac, channelId, tick, { last, nowMs, time: this.#time(nowMs) });
    if (!judgement.ok) {
      const { reason, expected, got } = judgement;
      log.info({ reason, expected, got }, 'tick-refused');
      return judgement;
    }
    this.#taken.set(channelId, { channelId, signature: signature as Hex, last: tick });
    // Its timer keeps no program running: what is not handed over is what a crash may lose too.
    this.#timer ??= setTimeout(() => this.handOver(), HAND_OVER_MS).unref();
    return { ok: true, promisedUnits: judgement.promisedUnits };
  }

  /** Tells the core of what was taken since the last time. */
  handOver(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#taken.size === 0) return;
    const ticks = [...this.#taken.values()];
    this.#taken = new Map();
    this.#deps.driver.dispatch({ kind: 'ticks-taken', ticks });
  }

  /** Asking the wall clock may cost a look at a file: its answer is good for as long as a hand-over takes. */
  #time(atMs: number): VoucherTime | undefined {
    const { clock, config } = this.#deps;
    if (this.#asked === undefined || atMs - this.#asked.atMs >= HAND_OVER_MS) {
      const { unixS, isSynced } = clock.wall();
      const time = isSynced ? { nowS: unixS, marginSeconds: config.chain.marginSeconds } : undefined;
      this.#asked = { atMs, time };
    }
    return this.#asked.time;
  }
}
