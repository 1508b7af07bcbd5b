/**
 * What the portal asks for a guest, answered: cheap checks by the core, signatures after them, the journal before any
 * effect, then the kernel. One channel's requests are served one at a time.
 */

import { type ChannelsDeployment, depositNonce } from '../protocol/channel.ts';
import { authorizationDigest } from '../protocol/funding.ts';
import { type Hex, hexFromBytes } from '../protocol/hex.ts';
import type { OpenRequest } from '../protocol/open-wire.ts';
import { type Quote, quoteDigest, type SignedQuote } from '../protocol/quote.ts';
import { recoverSigner } from '../protocol/signature.ts';
import { type SignedVoucher, voucherSigner } from '../protocol/voucher.ts';
import type { AgentConfig } from './core/config.ts';
import type { Prefix } from './core/events.ts';
import { judgeOpen } from './core/judge-open.ts';
import { judgeTrial } from './core/judge-trial.ts';
import { judgeVoucher } from './core/judge-voucher.ts';
import type { Channel, Mac, NodeIdentity } from './core/model.ts';
import { parseIp } from './core/names.ts';
import { channelOfSession, sessionOfMac } from './core/state.ts';
import { tariffAt } from './core/tariff.ts';
import { guestView } from './core/view.ts';
import type { Driver, DriverLog } from './driver.ts';
import type { Chain, Clock, DeskRefusal, DeskResult, GuestDesk, Neighbours, Signer } from './ports.ts';

export type DeskDeps = {
  readonly config: AgentConfig;
  readonly driver: Driver;
  readonly clock: Clock;
  readonly chain: Chain;
  readonly neighbours: Neighbours;
  readonly signer: Signer;
  readonly node: NodeIdentity;
  /** 32 random bytes. */
  readonly random32: () => Uint8Array;
  /** Minute of the day, local time, for time-of-day tariffs. */
  readonly minuteOfDay: () => number;
  /** Networks of the guest devices, as the kernel has them now. */
  readonly guestPrefixes: () => readonly Prefix[];
  /** Why nothing is sold now, other than what the driver knows (flow offload, no guest device ...). */
  readonly notSelling: () => string | undefined;
  readonly log: DriverLog;
};

/** A quote is honoured this long, and handed out again until half of it is over: signing costs a router 20-40 ms. */
const QUOTE_SECONDS = 600n;

export function createGuestDesk(deps: DeskDeps): GuestDesk {
  const desk = new Desk(deps);
  return {
    identify: (address) => desk.identify(address),
    view: (mac) => guestView(deps.driver.state, mac),
    quote: () => desk.quote(),
    startTrial: (mac) => desk.startTrial(mac),
    open: (mac, request) => desk.open(mac, request),
    voucher: (mac, voucher) => desk.voucher(mac, voucher),
    leave: (mac) => desk.leave(mac),
    watch: (mac, listener) => deps.driver.watch(mac, () => listener(guestView(deps.driver.state, mac))),
  };
}

class Desk {
  readonly #deps: DeskDeps;
  readonly #deployment: ChannelsDeployment;
  readonly #queues = new Map<Hex, Promise<unknown>>();
  #quote: SignedQuote | undefined;

  constructor(deps: DeskDeps) {
    this.#deps = deps;
    this.#deployment = { chainId: deps.config.chain.chainId, channels: deps.config.chain.channels };
  }

  async identify(address: string): Promise<Mac | undefined> {
    const ip = parseIp(address);
    return ip === undefined ? undefined : await this.#deps.neighbours.macOf(ip);
  }

  quote(): SignedQuote | { readonly notSelling: string } {
    const trouble = this.#trouble();
    if (trouble !== undefined) return { notSelling: trouble };
    const { clock, config, node, signer } = this.#deps;
    const nowS = clock.wall().unixS;
    const tariff = tariffAt(config.price, this.#deps.minuteOfDay());
    const known = this.#quote;
    const isFresh = known !== undefined && known.validUntil - nowS > QUOTE_SECONDS / 2n;
    if (isFresh && known.unitsPerMb === tariff.unitsPerMb && known.unitsPerMinute === tariff.unitsPerMinute)
      return known;
    const quote: Quote = {
      device: node.device,
      payee: node.payee,
      token: config.chain.token,
      unitsPerMb: tariff.unitsPerMb,
      unitsPerMinute: tariff.unitsPerMinute,
      minDeposit: config.price.minDeposit,
      openFee: config.price.openFee,
      exitDelay: BigInt(config.chain.exitDelaySeconds),
      expiry: nowS + BigInt(config.chain.channelSeconds),
      validUntil: nowS + QUOTE_SECONDS,
      nonce: hexFromBytes(this.#deps.random32()),
    };
    this.#quote = { ...quote, signature: signer.sign(quoteDigest(this.#deployment, quote)) };
    return this.#quote;
  }

  async startTrial(mac: Mac): Promise<DeskResult> {
    const { driver, config, clock } = this.#deps;
    if (driver.trouble !== undefined) return refusal('not-selling', 'a working router', driver.trouble);
    const judgement = judgeTrial(driver.state, config.price, mac, clock.wall().unixS);
    if (!judgement.ok) return judgement;
    const { bytes, dayS } = judgement;
    const used = driver.state.trials.get(mac);
    const usedBytes = (used?.dayS === dayS ? used.usedBytes : 0n) + bytes;
    await this.#bindStation(mac);
    // Dispatched before the commit so that two requests at once cannot both be granted; a crash in between gives the
    // allowance again, which is bounded by the day's total.
    driver.dispatch({ kind: 'trial-started', mac, bytes, dayS });
    return this.#afterCommit(mac, [{ kind: 'trial', mac, dayS, usedBytes }]);
  }

  open(mac: Mac, request: OpenRequest): Promise<DeskResult> {
    return this.#serialised(request.voucher.channelId, async () => {
      const { driver, config, clock, node } = this.#deps;
      const wall = clock.wall();
      const pending = driver.state.channels.get(request.voucher.channelId);
      const isRetry = pending?.phase === 'pending' && this.#channelOf(mac)?.id === pending.id;
      if (isRetry) return this.#relay(mac, pending, request);
      const trouble = this.#trouble();
      if (trouble !== undefined) return refusal('not-selling', 'a router that sells', trouble);
      const nowS = wall.isSynced ? wall.unixS : undefined;
      const judgement = judgeOpen(driver.state, config, node, mac, request, clock.monotonicMs(), nowS);
      if (!judgement.ok) return judgement;
      const signatureRefusal = this.#judgeSignatures(request);
      if (signatureRefusal !== undefined) return signatureRefusal;
      await this.#bindStation(mac);
      try {
        await driver.commit([{ kind: 'channel', channel: judgement.channel }]);
      } catch (cause) {
        return refusal('not-selling', 'a journal that can be written', messageOf(cause));
      }
      driver.dispatch({ kind: 'channel-opening', mac, channel: judgement.channel });
      return this.#relay(mac, judgement.channel, request);
    });
  }

  voucher(mac: Mac, voucher: SignedVoucher): Promise<DeskResult> {
    return this.#serialised(voucher.channelId, async () => {
      const { driver, clock, config, log } = this.#deps;
      const wall = clock.wall();
      const time = wall.isSynced ? { nowS: wall.unixS, marginSeconds: config.chain.marginSeconds } : undefined;
      const judgement = judgeVoucher(driver.state, mac, voucher, time);
      if (!judgement.ok) {
        log.info({ reason: judgement.reason, expected: judgement.expected, got: judgement.got }, 'voucher-refused');
        return judgement;
      }
      const { channel, isRepeat } = judgement;
      if (isRepeat) return { ok: true, view: guestView(driver.state, mac) };
      if (voucherSigner(this.#deployment, voucher) !== channel.config.signer) {
        return refusal('bad-signature', `a signature of ${channel.config.signer}`, 'another signer or none');
      }
      const { closeAttempts: _, nextCloseMs: __, ...kept } = channel;
      try {
        await driver.commit([{ kind: 'channel', channel: { ...kept, voucher, phase: 'active' } }]);
      } catch (cause) {
        return refusal('storage-failed', 'a journal that can be written', messageOf(cause));
      }
      driver.dispatch({ kind: 'voucher-stored', voucher });
      log.info({ channel: channel.id, amount: voucher.amount.toString() }, 'voucher-accepted');
      return this.#afterCommit(mac, []);
    });
  }

  leave(mac: Mac): Promise<DeskResult> {
    const { driver } = this.#deps;
    const session = sessionOfMac(driver.state, mac);
    if (session === undefined) {
      return Promise.resolve(refusal('unknown-guest', 'a running session', 'none for this device'));
    }
    driver.dispatch({ kind: 'session-left', sessionId: session.id, reason: 'guest-left' });
    return this.#afterCommit(mac, []);
  }

  async #relay(mac: Mac, channel: Channel, request: OpenRequest): Promise<DeskResult> {
    const { driver, chain, log } = this.#deps;
    const result = await chain.relayOpen(channel.config, this.#authorization(request));
    if (result.ok) {
      driver.dispatch({ kind: 'channel-confirmed', channelId: channel.id, deposit: request.deposit, tx: result.tx });
      log.info({ channel: channel.id, deposit: request.deposit.toString(), tx: result.tx }, 'channel-opened');
      return this.#afterCommit(mac, []);
    }
    log.warn({ channel: channel.id, reason: result.reason, message: result.message }, 'open-not-relayed');
    // Unreachable leaves it pending: the transaction may be on its way, and the guest may ask again with the same request.
    if (result.reason === 'unreachable')
      return refusal('chain-unreachable', 'an answer from the settlement chain', result.message);
    driver.dispatch({ kind: 'channel-failed', channelId: channel.id });
    return refusal('chain-refused', 'a deposit that the chain accepts', result.message);
  }

  #judgeSignatures(request: OpenRequest): DeskRefusal | undefined {
    const { chain: settings } = this.#deps.config;
    const { quote, config: channelConfig } = request;
    if (recoverSigner(quoteDigest(this.#deployment, quote), quote.signature) !== quote.device) {
      return refusal('bad-quote', 'a quote signed by this router', 'another signature');
    }
    if (voucherSigner(this.#deployment, request.voucher) !== channelConfig.signer) {
      return refusal('bad-signature', `a first voucher signed by ${channelConfig.signer}`, 'another signature');
    }
    const authorization = this.#authorization(request);
    const tokenDomain = {
      name: settings.tokenName,
      version: settings.tokenVersion,
      chainId: settings.chainId,
      verifyingContract: settings.token,
    };
    const payer = recoverSigner(authorizationDigest(tokenDomain, authorization), authorization.signature);
    if (payer === channelConfig.payer) return undefined;
    return refusal('bad-signature', `a deposit authorised by ${channelConfig.payer}`, 'another signature');
  }

  #authorization({ config, deposit, authorization, voucher }: OpenRequest) {
    return {
      from: config.payer,
      to: this.#deployment.channels,
      value: deposit,
      validAfter: authorization.validAfter,
      validBefore: authorization.validBefore,
      nonce: depositNonce(voucher.channelId, 0n),
      signature: authorization.signature,
    };
  }

  /** The guest's port, where hostapd has not told it, and its addresses: bound before the first byte is sold. */
  async #bindStation(mac: Mac): Promise<void> {
    const { driver, neighbours, guestPrefixes } = this.#deps;
    const isPortKnown = driver.state.stations.get(mac)?.port !== undefined;
    const [port, all] = await Promise.all([isPortKnown ? undefined : neighbours.portOf(mac), neighbours.list()]);
    if (port !== undefined) driver.dispatch({ kind: 'station-on-port', mac, port });
    const seen = all.filter((neighbour) => neighbour.mac === mac);
    if (seen.length > 0) driver.dispatch({ kind: 'addresses-seen', seen, prefixes: guestPrefixes() });
  }

  async #afterCommit(mac: Mac, entries: Parameters<Driver['commit']>[0]): Promise<DeskResult> {
    const { driver } = this.#deps;
    try {
      if (entries.length > 0) await driver.commit(entries);
      await driver.reconciled();
    } catch (cause) {
      return refusal('not-selling', 'a working router', messageOf(cause));
    }
    return { ok: true, view: guestView(driver.state, mac) };
  }

  #channelOf(mac: Mac): Channel | undefined {
    const { state } = this.#deps.driver;
    const session = sessionOfMac(state, mac);
    return session === undefined ? undefined : channelOfSession(state, session);
  }

  #trouble(): string | undefined {
    const clockTrouble = this.#deps.clock.wall().isSynced
      ? undefined
      : 'the clock is not set yet: channels need a true expiry; wait for time synchronisation (NTP)';
    return this.#deps.driver.trouble ?? this.#deps.notSelling() ?? clockTrouble;
  }

  /** Requests of one channel wait for each other; the entry goes when the last one is done, so the map stays small. */
  async #serialised<T>(id: Hex, work: () => Promise<T>): Promise<T> {
    const before = this.#queues.get(id) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#queues.set(id, mine);
    try {
      return await mine;
    } finally {
      if (this.#queues.get(id) === mine) this.#queues.delete(id);
    }
  }
}

function refusal(reason: DeskRefusal['reason'], expected: string, got: string): DeskRefusal {
  return { ok: false, reason, expected, got };
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
