/**
 * What the portal asks for a guest, answered: cheap checks by the core, signatures after them, the journal before any
 * effect, then the kernel. What is more than a few lines has a drawer of its own, put together here.
 */
import type { Address } from '../../protocol/address.ts';
import type { SignedQuote } from '../../protocol/quote.ts';
import type { AgentConfig } from '../core/config.ts';
import type { Prefix } from '../core/events.ts';
import { judgeTrial } from '../core/judge-trial.ts';
import type { EndReason, Mac, NodeIdentity } from '../core/model.ts';
import { parseIp } from '../core/names.ts';
import { refuse } from '../core/refusal.ts';
import { sessionOfMac } from '../core/state.ts';
import { guestView } from '../core/view.ts';
import type { Driver, DriverLog } from '../driver.ts';
import type { OfferBook } from '../identity/offer-book.ts';
import type { Chain, Clock, DeskResult, GuestDesk, Neighbours, Signer, Verifier } from '../ports.ts';
import type { Roaming } from '../roaming-port.ts';
import { AttachDesk } from './attach-desk.ts';
import { BalanceDesk } from './balance-desk.ts';
import { ChannelQueues } from './channel-queues.ts';
import { depositRequest } from './deposit-desk.ts';
import { messageOf } from './message-of.ts';
import { OpenDesk } from './open-desk.ts';
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

export function createGuestDesk(deps: DeskDeps): GuestDesk {
  const queues = new ChannelQueues();
  const desk = new Desk(deps);
  const bindStation = (mac: Mac) => desk.bindStation(mac);
  const opening = new OpenDesk({ ...deps, queues, bindStation });
  const ticks = new TickDesk(deps);
  const paying = new VoucherDesk({ ...deps, queues, ticks });
  const pausing = new PauseDesk(deps);
  const balances = new BalanceDesk(deps);
  const attaching = new AttachDesk({ ...deps, bindStation });
  return {
    identify: (address) => desk.identify(address),
    view: (mac) => guestView(deps.driver.state, mac),
    quote: () => desk.quote(),
    offer: () => deps.offers?.current(),
    startTrial: (mac, key) => desk.startTrial(mac, key),
    open: (mac, request) => opening.open(mac, request),
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
  readonly #quotes: QuoteBook;

  constructor(deps: DeskDeps) {
    this.#deps = deps;
    this.#quotes = new QuoteBook(deps);
  }

  async identify(address: string): Promise<Mac | undefined> {
    const ip = parseIp(address);
    return ip === undefined ? undefined : await this.#deps.neighbours.macOf(ip);
  }

  quote(): SignedQuote | { readonly notSelling: string } {
    const [trouble] = saleTroubles(this.#deps);
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

  leave(mac: Mac): Promise<DeskResult> {
    const { driver } = this.#deps;
    const session = sessionOfMac(driver.state, mac);
    if (session === undefined) {
      return Promise.resolve(refuse('unknown-guest', 'a running session', 'none for this device'));
    }
    driver.dispatch({ kind: 'session-left', sessionId: session.id, reason: 'guest-left' });
    return this.#afterCommit(mac, []);
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
}
