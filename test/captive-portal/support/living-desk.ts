/**
 * A GuestDesk with one guest and a small life of its own, for a real browser: it verifies what the page signs, opens after a
 * moment, counts what the test says was used, and refunds. No kernel, no chain.
 */
import type { TickCredit } from '../../../agent/core/tick-account.ts';
import type {
  ChallengeResult,
  DeskRefusal,
  DeskResult,
  GuestDesk,
  GuestView,
  TickResult,
} from '../../../agent/ports.ts';
import type { Address } from '../../../protocol/address.ts';
import { attachSigner, type SignedAttach } from '../../../protocol/attach.ts';
import { channelId, depositNonce } from '../../../protocol/channel.ts';
import { authorizationDigest } from '../../../protocol/funding.ts';
import type { OpenRequest } from '../../../protocol/open-wire.ts';
import { isLaterTick, type Tick } from '../../../protocol/payword.ts';
import type { SignedQuote } from '../../../protocol/quote.ts';
import { recoverSigner } from '../../../protocol/signature.ts';
import { anchorTick, type SignedTickVoucher, tickCeiling, tickVoucherSigner } from '../../../protocol/tick-voucher.ts';
import { type SignedVoucher, voucherSigner } from '../../../protocol/voucher.ts';
import { CONFIG, DEPLOYMENT, view as emptyView, GUEST, NOT_RUNNING } from './cafe.ts';

export type LivingDesk = GuestDesk & {
  /** Traffic of the guest: metered and charged. */
  readonly use: (downBytes: bigint, upBytes: bigint) => void;
  readonly settle: () => void;
  /** Money arrives on the pass code, or on a ticket. */
  readonly fund: (units: bigint) => void;
  /** The guest comes back under another MAC: a stranger, until the key is proven. */
  readonly changeMac: () => void;
  readonly current: () => GuestView;
  readonly vouchers: readonly SignedVoucher[];
  /** What each tick brought the promise to. */
  readonly ticks: readonly bigint[];
  /** What each wish for a trial named. */
  readonly trialKeys: readonly (Address | undefined)[];
  readonly opens: readonly OpenRequest[];
};

/** `walletUnits`: what the pass code holds; `confirmMs`: time to the block. */
export function livingDesk(quote: SignedQuote, walletUnits: bigint, confirmMs = 150): LivingDesk {
  const life = new Life(quote, walletUnits, confirmMs);
  return {
    identify: () => Promise.resolve(GUEST),
    view: () => life.view,
    quote: () => quote,
    startTrial: (_mac, key) => life.startTrial(key),
    open: (_mac, request) =>
      'authorization' in request
        ? life.open(request)
        : Promise.reject(new Error('the living desk takes EIP-3009 only')),
    voucher: (_mac, voucher) => life.voucher(voucher),
    tickVoucher: (_mac, tickVoucher) => life.tickVoucher(tickVoucher),
    tick: (_mac, _channelId, tick) => life.tick(tick),
    challenge: (_mac, signer) => life.challenge(signer),
    attach: (_mac, attach) => life.attach(attach),
    balance: () => Promise.resolve({ ok: true, units: life.walletUnits }),
    deposit: () => undefined,
    receipt: () => undefined,
    leave: () => life.leave(),
    pause: () => life.pause(true),
    resume: () => life.pause(false),
    watch: (_mac, listener) => life.watch(listener),
    use: (downBytes, upBytes) => life.use(downBytes, upBytes),
    settle: () => life.settle(),
    fund: (units) => {
      life.walletUnits += units;
    },
    changeMac: () => life.changeMac(),
    current: () => life.view,
    vouchers: life.vouchers,
    ticks: life.ticks,
    trialKeys: life.trialKeys,
    opens: life.opens,
  };
}

const CHALLENGE = `0x${'c4'.repeat(32)}` as const;
const OPEN_TX = `0x${'0e'.repeat(32)}` as const;
const TX = `0x${'c0ffee'.repeat(10)}beef` as const;

class Life {
  readonly vouchers: SignedVoucher[] = [];
  readonly ticks: bigint[] = [];
  readonly trialKeys: (Address | undefined)[] = [];
  readonly opens: OpenRequest[] = [];
  readonly #quote: SignedQuote;
  walletUnits: bigint;
  readonly #confirmMs: number;
  readonly #listeners = new Set<(view: GuestView) => void>();
  #view: GuestView = emptyView();
  /** The session that runs under the guest's other MAC. */
  #elsewhere: GuestView | undefined;
  #chain: TickCredit | undefined;
  #isTrialUsed = false;
  #signer = '';

  constructor(quote: SignedQuote, walletUnits: bigint, confirmMs: number) {
    this.#quote = quote;
    this.walletUnits = walletUnits;
    this.#confirmMs = confirmMs;
  }

  get view(): GuestView {
    return this.#view;
  }

  startTrial(key: Address | undefined): Promise<DeskResult> {
    this.trialKeys.push(key);
    if (this.#isTrialUsed) return refuse('trial-used', 'free allowance left', 'none');
    this.#isTrialUsed = true;
    return this.#become({ phase: 'trial', isOnline: true, bytesRemaining: CONFIG.price.trialBytes });
  }

  async open(request: OpenRequest): Promise<DeskResult> {
    const { config, deposit, authorization, voucher } = request;
    const id = channelId(DEPLOYMENT, config);
    const { tokenName: name, tokenVersion: version, token: verifyingContract, chainId } = CONFIG.chain;
    const transfer = {
      from: config.payer,
      to: DEPLOYMENT.channels,
      value: deposit,
      ...authorization,
      nonce: depositNonce(id, 0n),
    };
    const payer = recoverSigner(
      authorizationDigest({ name, version, chainId, verifyingContract }, transfer),
      authorization.signature,
    );
    if (payer !== config.payer || voucherSigner(DEPLOYMENT, voucher) !== config.signer || voucher.channelId !== id) {
      return refuse('bad-signature', config.payer, `${payer}`);
    }
    this.opens.push(request);
    await this.#become({ phase: 'pending', channelId: id, lastVoucher: voucher });
    await new Promise((resolve) => setTimeout(resolve, this.#confirmMs));
    if (deposit > this.walletUnits) {
      await this.#become({ phase: 'failed' });
      return refuse('chain-refused', `${deposit} units`, `${this.walletUnits}`);
    }
    this.#signer = config.signer;
    this.vouchers.push(voucher);
    return this.#credit(voucher.amount, {
      lastVoucher: voucher,
      depositUnits: deposit,
      chargedUnits: this.#quote.openFee,
      onChain: { openFeeUnits: this.#quote.openFee, claimedUnits: 0n, gasWei: 0n, openTx: OPEN_TX },
    });
  }

  voucher(voucher: SignedVoucher): Promise<DeskResult> {
    const last = this.#view.lastVoucher;
    if (last !== undefined && voucher.amount <= last.amount) {
      return refuse('amount-not-increasing', `more than ${last.amount}`, `${voucher.amount}`, last);
    }
    if (voucherSigner(DEPLOYMENT, voucher) !== this.#signer) return refuse('bad-signature', this.#signer, 'another');
    this.vouchers.push(voucher);
    return this.#credit(voucher.amount, { lastVoucher: voucher });
  }

  tickVoucher(tickVoucher: SignedTickVoucher): Promise<DeskResult> {
    if (tickVoucherSigner(DEPLOYMENT, tickVoucher) !== this.#signer)
      return refuse('bad-signature', this.#signer, 'another');
    const { creditUnits } = this.#view;
    if (tickVoucher.amount !== creditUnits) return refuse('renewal-due', `${creditUnits}`, `${tickVoucher.amount}`);
    this.#chain = { voucher: tickVoucher, last: anchorTick(tickVoucher) };
    return this.#become({});
  }

  tick(tick: Tick): TickResult {
    const refused = { ok: false, expected: 'the next coin', got: `tick ${tick.index}` } as const;
    if (this.#chain === undefined) return { ...refused, reason: 'no-tick-voucher' };
    const { voucher, last } = this.#chain;
    const promisedUnits = tickCeiling(voucher, tick.index);
    if (!isLaterTick(last, tick)) return { ...refused, reason: 'tick-not-in-chain' };
    if (promisedUnits > this.#view.depositUnits) return { ...refused, reason: 'amount-above-deposit' };
    this.#chain = { voucher, last: tick };
    this.ticks.push(promisedUnits);
    void this.#credit(promisedUnits, {});
    return { ok: true, promisedUnits };
  }

  changeMac(): void {
    this.#elsewhere = this.#view;
    this.#view = emptyView();
  }

  challenge(signer: Address): ChallengeResult {
    const channelId = this.#elsewhere?.channelId;
    if (channelId === undefined || signer !== this.#signer) return NOT_RUNNING;
    return { ok: true, channelId, challenge: CHALLENGE };
  }

  attach(attach: SignedAttach): Promise<DeskResult> {
    if (this.#elsewhere === undefined) return Promise.resolve(NOT_RUNNING);
    const isProven = attach.challenge === CHALLENGE && attachSigner(DEPLOYMENT, attach) === this.#signer;
    if (!isProven) return refuse('bad-signature', this.#signer, 'another');
    return this.#become(this.#elsewhere);
  }

  leave(): Promise<DeskResult> {
    const isChannel = this.#view.channelId !== undefined;
    return this.#become({ phase: isChannel ? 'closing' : 'none', isOnline: false, bytesRemaining: 0n });
  }

  pause(isPaused: boolean): Promise<DeskResult> {
    return this.#become({ isPaused, isOnline: !isPaused });
  }

  settle(): void {
    const { depositUnits, chargedUnits } = this.#view;
    void this.#become({ phase: 'settled', refund: { units: depositUnits - chargedUnits, tx: TX } });
  }

  use(downBytes: bigint, upBytes: bigint): void {
    const before = this.#view;
    const used = downBytes + upBytes;
    const left = before.bytesRemaining > used ? before.bytesRemaining - used : 0n;
    const total = before.downBytes + before.upBytes + used + left;
    const isPaid = before.channelId !== undefined;
    void this.#become({
      downBytes: before.downBytes + downBytes,
      upBytes: before.upBytes + upBytes,
      onlineMs: before.onlineMs + 1_000,
      bytesRemaining: left,
      isOnline: left > 0n,
      isLow: left * 10n <= total,
      chargedUnits: isPaid ? before.creditUnits - (left * this.#quote.unitsPerMb) / 1_000_000n : 0n,
      ...(left === 0n && isPaid && { phase: 'grace' as const }),
    });
  }

  watch(listener: (view: GuestView) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #credit(creditUnits: bigint, changes: Partial<GuestView>): Promise<DeskResult> {
    const chargedUnits = changes.chargedUnits ?? this.#view.chargedUnits;
    const bytesRemaining = ((creditUnits - chargedUnits) * 1_000_000n) / this.#quote.unitsPerMb;
    const isOnline = bytesRemaining > 0n;
    return this.#become({
      ...changes,
      phase: 'active',
      isOnline,
      isLow: false,
      isPaused: false,
      creditUnits,
      bytesRemaining,
    });
  }

  #become(changes: Partial<GuestView>): Promise<DeskResult> {
    this.#view = { ...this.#view, ...changes };
    for (const listener of this.#listeners) listener(this.#view);
    return Promise.resolve({ ok: true, view: this.#view });
  }
}

function refuse(
  reason: DeskRefusal['reason'],
  expected: string,
  got: string,
  lastVoucher?: SignedVoucher,
): Promise<DeskRefusal> {
  return Promise.resolve({ ok: false, reason, expected, got, ...(lastVoucher !== undefined && { lastVoucher }) });
}
