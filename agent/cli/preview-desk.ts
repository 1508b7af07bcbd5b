/**
 * A guest for the preview of the page: everything works and nothing is real. Any pass code pays, data flows by itself, finishing
 * gives the rest back. No kernel, no chain, no ledger; signatures are not looked at.
 */
import { randomBytes } from 'node:crypto';
import { hexFromBytes } from '../../protocol/hex.ts';
import { signQuote } from '../../protocol/quote.ts';
import { addressFromSecretKey } from '../../protocol/signature.ts';
import { BYTES_PER_MB } from '../../protocol/units.ts';
import type { SignedVoucher } from '../../protocol/voucher.ts';
import type { AgentConfig } from '../core/config.ts';
import type { Mac } from '../core/model.ts';
import type { Clock, DeskRefusal, DeskResult, GuestDesk, GuestView } from '../ports.ts';

const SAMPLE_MAC = '02:00:00:00:00:01' as Mac;
const STEP_MS = 1_000;
/** What flows in a step: a video call. */
const STEP_DOWN_BYTES = 350_000n;
const STEP_UP_BYTES = 60_000n;
const SETTLE_STEPS = 3;
const QUOTE_SECONDS = 600n;
const NOTHING: GuestView = {
  mac: SAMPLE_MAC,
  isOnline: false,
  phase: 'none',
  downBytes: 0n,
  upBytes: 0n,
  onlineMs: 0,
  chargedUnits: 0n,
  creditUnits: 0n,
  depositUnits: 0n,
  bytesRemaining: 0n,
  isLow: false,
};

export type PreviewDesk = GuestDesk & { readonly close: () => void };

export function previewDesk(config: AgentConfig, clock: Clock): PreviewDesk {
  const sample = new SampleGuest(config);
  const secretKey = randomBytes(32);
  const refused = (reason: DeskRefusal['reason']): DeskRefusal => ({
    ok: false,
    reason,
    expected: 'a router',
    got: 'a preview',
  });
  return {
    identify: () => Promise.resolve(SAMPLE_MAC),
    view: () => sample.view,
    quote: () => {
      const { price, chain } = config;
      const nowS = clock.wall().unixS;
      const { payee, token } = chain;
      const terms = { ...price.tariff, minDeposit: price.minDeposit, openFee: price.openFee };
      const times = { exitDelay: BigInt(chain.exitDelaySeconds), expiry: nowS + BigInt(chain.channelSeconds) };
      const [validUntil, nonce] = [nowS + QUOTE_SECONDS, hexFromBytes(randomBytes(32))];
      const device = addressFromSecretKey(secretKey);
      return signQuote(chain, { device, payee, token, ...terms, ...times, validUntil, nonce }, secretKey);
    },
    startTrial: () =>
      sample.become({ ...NOTHING, phase: 'trial', isOnline: true, bytesRemaining: config.price.trialBytes }),
    open: (_mac, { deposit, voucher }) => sample.open(deposit, voucher),
    voucher: (_mac, voucher) => sample.credit(voucher),
    tickVoucher: () => Promise.resolve(refused('no-tick-voucher')),
    tick: () => refused('no-tick-voucher'),
    challenge: () => refused('unknown-channel'),
    attach: () => Promise.resolve(refused('unknown-channel')),
    deposit: () => undefined,
    receipt: () => undefined,
    leave: () => sample.leave(),
    pause: () => sample.pause(true),
    resume: () => sample.pause(false),
    watch: (_mac, listener) => sample.watch(listener),
    close: () => sample.close(),
  };
}

class SampleGuest {
  readonly #config: AgentConfig;
  readonly #listeners = new Set<(view: GuestView) => void>();
  readonly #timer: NodeJS.Timeout;
  #stepsToSettle = 0;
  view: GuestView = NOTHING;

  constructor(config: AgentConfig) {
    this.#config = config;
    this.#timer = setInterval(() => this.#step(), STEP_MS);
    this.#timer.unref();
  }

  become(view: GuestView): Promise<DeskResult> {
    this.view = view;
    for (const listener of this.#listeners) listener(view);
    return Promise.resolve({ ok: true, view });
  }

  open(depositUnits: bigint, voucher: SignedVoucher): Promise<DeskResult> {
    const { openFee: chargedUnits } = this.#config.price;
    this.view = { ...NOTHING, channelId: voucher.channelId, depositUnits, chargedUnits };
    return this.credit(voucher);
  }

  credit(voucher: SignedVoucher): Promise<DeskResult> {
    const paid = { creditUnits: voucher.amount, lastVoucher: voucher, isPaused: false };
    return this.become(this.#measured({ ...this.view, ...paid, phase: 'active', isOnline: true }));
  }

  leave(): Promise<DeskResult> {
    if (this.view.channelId === undefined) return this.become(NOTHING);
    this.#stepsToSettle = SETTLE_STEPS;
    return this.become({ ...this.view, phase: 'closing', isOnline: false, bytesRemaining: 0n, isLow: false });
  }

  pause(isPaused: boolean): Promise<DeskResult> {
    const { view } = this;
    return this.become(view.phase === 'active' ? { ...view, isPaused, isOnline: !isPaused } : view);
  }

  watch(listener: (view: GuestView) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #step(): void {
    const { view } = this;
    if (view.phase === 'closing' && --this.#stepsToSettle === 0) {
      const refund = { units: view.depositUnits - view.chargedUnits, tx: hexFromBytes(new Uint8Array(32)) };
      void this.become({ ...view, phase: 'settled', refund });
    }
    if (!view.isOnline) return;
    const flown = least(view.bytesRemaining, STEP_DOWN_BYTES + STEP_UP_BYTES);
    const upBytes = least(flown, STEP_UP_BYTES);
    const counters = { downBytes: view.downBytes + flown - upBytes, upBytes: view.upBytes + upBytes };
    void this.become(this.#measured({ ...view, ...counters, onlineMs: view.onlineMs + STEP_MS }));
  }

  /** What is left and charged for what has flown, by the configured price. */
  #measured(view: GuestView): GuestView {
    const { unitsPerMb, unitsPerMinute } = this.#config.price.tariff;
    const { price } = this.#config;
    const used = view.downBytes + view.upBytes;
    const isTrial = view.phase === 'trial';
    const spent = (used * unitsPerMb) / BYTES_PER_MB + (BigInt(view.onlineMs) * unitsPerMinute) / 60_000n;
    const chargedUnits = isTrial ? 0n : least(view.creditUnits, price.openFee + spent);
    const left = view.creditUnits - chargedUnits;
    const paidBytes = unitsPerMb === 0n ? (1n << 63n) - 1n : (left * BYTES_PER_MB) / unitsPerMb;
    const bytesRemaining = isTrial ? greatest(price.trialBytes - used, 0n) : left === 0n ? 0n : paidBytes;
    const isOnline = bytesRemaining > 0n;
    const isLow = isTrial ? bytesRemaining * 10n < price.trialBytes : left * 10n < view.creditUnits;
    return {
      ...view,
      chargedUnits,
      bytesRemaining,
      isOnline,
      isLow,
      phase: isOnline || isTrial ? view.phase : 'grace',
    };
  }
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function greatest(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
