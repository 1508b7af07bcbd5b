/**
 * What the portal asks for a guest, answered: cheap checks by the core, signatures after them, the journal before any
 * effect, then the kernel. One channel's requests are served one at a time. Vouchers have a drawer of their own.
 */

import type { Address } from '../../protocol/address.ts';
import { type ChannelsDeployment, channelId } from '../../protocol/channel.ts';
import type { AnyOpenRequest } from '../../protocol/open-wire.ts';
import type { SignedQuote } from '../../protocol/quote.ts';
import type { AgentConfig } from '../core/config.ts';
import { isFunded } from '../core/deposit.ts';
import type { Prefix } from '../core/events.ts';
import { judgeOpen } from '../core/judge-open.ts';
import { judgeTrial } from '../core/judge-trial.ts';
import type { Channel, EndReason, Mac, NodeIdentity } from '../core/model.ts';
import { parseIp } from '../core/names.ts';
import { isPendingPull } from '../core/pending-pulls.ts';
import { refuse } from '../core/refusal.ts';
import { channelOfSession, type LiveChannel, sessionOfMac } from '../core/state.ts';
import { guestView } from '../core/view.ts';
import type { Driver, DriverLog } from '../driver.ts';
import type { OfferBook } from '../identity/offer-book.ts';
import type { Chain, Clock, DeskRefusal, DeskResult, GuestDesk, Neighbours, Signer, Verifier } from '../ports.ts';
import type { Roaming } from '../roaming-port.ts';
import { AttachDesk } from './attach-desk.ts';
import { BalanceDesk } from './balance-desk.ts';
import { ChannelQueues } from './channel-queues.ts';
import { depositRequest } from './deposit-desk.ts';
import { messageOf } from './message-of.ts';
import { depositFrom, judgeOpenSignatures } from './open-signatures.ts';
import { PauseDesk } from './pause-desk.ts';
import { QuoteBook } from './quote-book.ts';
import { signedReceipt } from './receipt-desk.ts';
import { saleTroubles } from './sale-trouble.ts';
import { TickDesk } from './tick-desk.ts';
import { VoucherDesk } from './voucher-desk.ts';

export type DeskDeps = {
  readonly config: AgentConfig;
  readonly driver: Driver;
  readonly clock: Clock;
  readonly chain: Chain;
  readonly neighbours: Neighbours;
  readonly signer: Signer;
  readonly verifier: Verifier;
  readonly node: NodeIdentity;
  /** 32 random bytes. */
  readonly random32: () => Uint8Array;
  /** Minute of the day, local time, for time-of-day tariffs. */
  readonly minuteOfDay: () => number;
  /** Networks of the guest devices, as the kernel has them now. */
  readonly guestPrefixes: () => readonly Prefix[];
  /** Why nothing is sold now, other than what the driver knows (flow offload, no guest device ...). */
  readonly notSelling: () => string | undefined;
  readonly offers?: OfferBook;
  /** Other routers of the owner, whose guests may go on here. */
  readonly roaming?: Roaming;
  readonly log: DriverLog;
};

/** How long a payer's own wallet may take to open the channel. */
const PULL_PATIENCE_MS = 900_000;

export function createGuestDesk(deps: DeskDeps): GuestDesk {
  const queues = new ChannelQueues();
  const desk = new Desk(deps, queues);
  const ticks = new TickDesk(deps);
  const paying = new VoucherDesk({ ...deps, queues, ticks });
  const pausing = new PauseDesk(deps);
  const balances = new BalanceDesk(deps);
  const attaching = new AttachDesk({ ...deps, bindStation: (mac) => desk.bindStation(mac) });
  return {
    identify: (address) => desk.identify(address),
    view: (mac) => guestView(deps.driver.state, mac),
    quote: () => desk.quote(),
    offer: () => deps.offers?.current(),
    startTrial: (mac, key) => desk.startTrial(mac, key),
    open: (mac, request) => desk.open(mac, request),
    balance: (owner) => balances.balance(owner),
    deposit: (mac) => depositRequest(deps.driver.state, deps.config, mac),
    voucher: (mac, voucher) => paying.voucher(mac, voucher),
    tickVoucher: (mac, tickVoucher) => paying.tickVoucher(mac, tickVoucher),
    tick: (mac, channelId, tick) => ticks.tick(mac, channelId, tick),
    challenge: (mac, signer) => attaching.challenge(mac, signer),
    attach: (mac, request) => attaching.attach(mac, request),
    receipt: (mac) => signedReceipt(deps, guestView(deps.driver.state, mac)),
    leave: (mac) => desk.leave(mac),
    pause: (mac) => pausing.pause(mac),
    resume: (mac) => pausing.resume(mac),
    watch: (mac, listener) => deps.driver.watch(mac, () => listener(guestView(deps.driver.state, mac))),
  };
}

class Desk {
  readonly #deps: DeskDeps;
  readonly #deployment: ChannelsDeployment;
  readonly #queues: ChannelQueues;
  readonly #quotes: QuoteBook;

  constructor(deps: DeskDeps, queues: ChannelQueues) {
    this.#deps = deps;
    this.#queues = queues;
    this.#deployment = { chainId: deps.config.chain.chainId, channels: deps.config.chain.channels };
    this.#quotes = new QuoteBook(deps);
  }

  async identify(address: string): Promise<Mac | undefined> {
    const ip = parseIp(address);
    return ip === undefined ? undefined : await this.#deps.neighbours.macOf(ip);
  }

  quote(): SignedQuote | { readonly notSelling: string } {
    const trouble = this.#trouble();
    return trouble === undefined ? this.#quotes.current() : { notSelling: trouble };
  }

  /**
   * Judged and dispatched in one turn, so that two requests at once cannot both be granted; a crash before the commit gives
   * the allowance again, which is bounded by the day's total. A trial that cannot be stored is taken back.
   */
  async startTrial(mac: Mac, key?: Address): Promise<DeskResult> {
    const { driver, config, clock } = this.#deps;
    const trouble = driver.trouble ?? (await this.bindStation(mac));
    if (trouble !== undefined) return refuse('not-selling', 'a working router', trouble);
    const named = key === undefined ? {} : { key };
    const times = { nowS: clock.wall().unixS, nowMs: clock.monotonicMs() };
    const judgement = judgeTrial(driver.state, config.price, { mac, ...named, ...times });
    if (!judgement.ok) return judgement;
    const { ok: _, ...grant } = judgement;
    driver.dispatch({ kind: 'trial-started', mac, ...named, ...grant });
    const usedBytes = driver.state.trials.get(mac)?.usedBytes ?? grant.bytes;
    const entry = { kind: 'trial', mac, ...named, dayS: grant.dayS, usedBytes } as const;
    const result = await this.#afterCommit(mac, [entry]);
    if (!result.ok) this.#endSession(mac, 'open-failed');
    return result;
  }

  open(mac: Mac, request: AnyOpenRequest): Promise<DeskResult> {
    return this.#queues.run(request.voucher.channelId, async () => {
      const { driver } = this.#deps;
      const pending = driver.state.channels.get(request.voucher.channelId);
      if (pending?.phase === 'pending' && this.#channelOf(mac)?.id === pending.id) {
        const refused = this.#judgeRetry(pending, request) ?? (await this.#judgeSignatures(request));
        return refused ?? this.#relay(mac, pending, request);
      }
      const cheap = this.#judgeOpen(mac, request);
      if (!cheap.ok) return cheap;
      const signatureRefusal = await this.#judgeSignatures(request);
      if (signatureRefusal !== undefined) return signatureRefusal;
      const bindTrouble = await this.bindStation(mac);
      if (bindTrouble !== undefined) return refuse('not-selling', 'a router that knows its guests', bindTrouble);
      // Again, and dispatched in the same turn: of two opens at once one is refused. Until confirmed it gives no credit.
      const judgement = this.#judgeOpen(mac, request);
      if (!judgement.ok) return judgement;
      const { channel } = judgement;
      // A person who takes out another phone, and two transactions of its wallet.
      const isPull = 'pull' in request;
      const patience = isPull ? { patienceMs: PULL_PATIENCE_MS } : {};
      driver.dispatch({ kind: 'channel-opening', mac, channel, ...patience });
      try {
        await driver.commitChannel(channel.id, isPull ? [] : [{ kind: 'open', mac, atS: this.#openS() }]);
      } catch (cause) {
        driver.dispatch({ kind: 'channel-failed', channelId: channel.id });
        return refuse('not-selling', 'a journal that can be written', messageOf(cause));
      }
      return this.#relay(mac, channel, request);
    });
  }

  leave(mac: Mac): Promise<DeskResult> {
    const { driver } = this.#deps;
    const session = sessionOfMac(driver.state, mac);
    if (session === undefined) {
      return Promise.resolve(refuse('unknown-guest', 'a running session', 'none for this device'));
    }
    driver.dispatch({ kind: 'session-left', sessionId: session.id, reason: 'guest-left' });
    return this.#afterCommit(mac, []);
  }

  async #relay(mac: Mac, channel: Channel, request: AnyOpenRequest): Promise<DeskResult> {
    const { driver, chain, log } = this.#deps;
    const deposit = depositFrom(this.#deps.config.chain, request);
    // Who pays by a wallet of its own is looked for on chain, by Watch, until the deposit is there or time is up.
    if (deposit === undefined) return this.#afterCommit(mac, []);
    const relaying = { kind: 'open-relaying', channelId: channel.id } as const;
    const wasUnsent = driver.state.channels.get(channel.id)?.isUnsent !== false;
    driver.dispatch({ ...relaying, isUnsent: false });
    const result = await chain.relayOpen(channel.config, deposit);
    if (result.feeWei === 0n && wasUnsent) driver.dispatch({ ...relaying, isUnsent: true });
    // The chain's word for the deposit, never the guest's: who opened the channel before us may have put less into it.
    const found = result.ok ? await chain.channel(channel.id) : result;
    if (result.ok && found.ok && isFunded(found.channel, channel, request.quote.minDeposit)) {
      const { tx, feeWei } = result;
      // More than nothing if it was served before, by a journal that is gone.
      const { deposit: inChannel, claimed } = found.channel;
      const money = { deposit: inChannel, claimed, tx, feeWei };
      driver.dispatch({ kind: 'channel-confirmed', channelId: channel.id, ...money });
      const units = inChannel.toString();
      log.info({ channel: channel.id, deposit: units, tx, feeWei: feeWei.toString() }, 'channel-opened');
      return this.#afterCommit(mac, []);
    }
    const { reason, message } = found.ok
      ? { reason: 'refused' as const, message: `the channel holds ${found.channel.deposit} units or is being left` }
      : found;
    log.warn({ channel: channel.id, reason, message }, 'open-not-relayed');
    // Unreachable leaves it pending: the transaction may be on its way, and the guest may ask again with the same request.
    if (reason === 'unreachable') return refuse('chain-unreachable', 'an answer from the settlement chain', message);
    const cost = result.feeWei === undefined ? {} : { feeWei: result.feeWei };
    driver.dispatch({ kind: 'channel-failed', channelId: channel.id, ...cost });
    if (result.feeWei === 0n) await this.#forgetOpen(mac);
    return refuse('chain-refused', 'a deposit that the chain accepts', message);
  }

  #judgeOpen(mac: Mac, request: AnyOpenRequest): ReturnType<typeof judgeOpen> {
    const { driver, config, clock, node } = this.#deps;
    const trouble = this.#trouble();
    if (trouble !== undefined)
      return { ok: false, reason: 'not-selling', expected: 'a router that sells', got: trouble };
    const wall = clock.wall();
    const nowS = wall.isSynced ? wall.unixS : undefined;
    return judgeOpen(driver.state, config, node, mac, request, clock.monotonicMs(), nowS);
  }

  async #judgeSignatures(request: AnyOpenRequest): Promise<DeskRefusal | undefined> {
    const { config, verifier, log } = this.#deps;
    try {
      return await judgeOpenSignatures(verifier, config.chain, request);
    } catch (cause) {
      log.error({ err: cause }, 'signature-not-checked');
      return refuse('not-checked', 'a verifier that answers', messageOf(cause));
    }
  }

  /** The same open once more, for a channel that is still pending; anything else under its id is another request. */
  #judgeRetry(pending: LiveChannel, request: AnyOpenRequest): DeskRefusal | undefined {
    // Relaying it costs gas, which was not asked for when it was let in.
    if (isPendingPull(pending) && !('pull' in request))
      return refuse('already-open', "a deposit by the payer's own wallet, as was said", 'one to be relayed');
    const id = channelId(this.#deployment, request.config);
    const isSame = id === pending.id && request.voucher.signature === pending.voucher.signature;
    if (isSame) return undefined;
    return refuse('config-mismatch', 'the open request that is pending', 'another one for the same channel');
  }

  /** The guest's port, where hostapd has not told it, and its addresses: bound before the first byte is sold. Returns why not. */
  async bindStation(mac: Mac): Promise<string | undefined> {
    const { driver, neighbours, guestPrefixes, log } = this.#deps;
    const isPortKnown = driver.state.stations.get(mac)?.port !== undefined;
    try {
      const [port, all] = await Promise.all([isPortKnown ? undefined : neighbours.portOf(mac), neighbours.list()]);
      if (port !== undefined) driver.dispatch({ kind: 'station-on-port', mac, port });
      const seen = all.filter((neighbour) => neighbour.mac === mac);
      if (seen.length > 0) driver.dispatch({ kind: 'addresses-seen', seen, prefixes: guestPrefixes() });
      return undefined;
    } catch (cause) {
      log.error({ err: cause }, 'neighbours-not-read');
      return `the neighbour table cannot be read: ${messageOf(cause)}`;
    }
  }

  #endSession(mac: Mac, reason: EndReason): void {
    const { driver } = this.#deps;
    const session = sessionOfMac(driver.state, mac);
    if (session !== undefined) driver.dispatch({ kind: 'session-left', sessionId: session.id, reason });
  }

  /** It cost no gas, so after a restart it counts no more than now. One that cannot be written counts. */
  async #forgetOpen(mac: Mac): Promise<void> {
    const { driver, log } = this.#deps;
    try {
      await driver.commit([{ kind: 'open-refused', mac }]);
    } catch (err) {
      log.warn({ err }, 'open-not-forgotten');
    }
  }

  async #afterCommit(mac: Mac, entries: Parameters<Driver['commit']>[0]): Promise<DeskResult> {
    const { driver } = this.#deps;
    try {
      if (entries.length > 0) await driver.commit(entries);
      await driver.reconciled();
    } catch (cause) {
      return refuse('not-selling', 'a working router', messageOf(cause));
    }
    return { ok: true, view: guestView(driver.state, mac) };
  }

  /** 0: no time that a later run could make sense of. */
  #openS(): bigint {
    const { unixS, isSynced } = this.#deps.clock.wall();
    return isSynced ? unixS : 0n;
  }

  #channelOf(mac: Mac): Channel | undefined {
    const { state } = this.#deps.driver;
    const session = sessionOfMac(state, mac);
    return session === undefined ? undefined : channelOfSession(state, session);
  }

  #trouble(): string | undefined {
    return saleTroubles(this.#deps)[0];
  }
}
