/**
 * Opens channels for guests: judged twice, because signatures are checked in between, written down before the deposit is relayed,
 * and confirmed by the chain's word alone. One channel's requests are served one at a time.
 */
import { type ChannelsDeployment, channelId } from '../../protocol/channel.ts';
import type { AnyOpenRequest } from '../../protocol/open-wire.ts';
import type { AgentConfig } from '../core/config.ts';
import { isFunded } from '../core/deposit.ts';
import { judgeOpen } from '../core/judge-open.ts';
import type { Channel, Mac, NodeIdentity } from '../core/model.ts';
import { isPendingPull } from '../core/pending-pulls.ts';
import { refuse } from '../core/refusal.ts';
import { channelOfSession, type LiveChannel, sessionOfMac } from '../core/state.ts';
import { guestView } from '../core/view.ts';
import type { Driver, DriverLog } from '../driver.ts';
import type { Chain, Clock, DeskRefusal, DeskResult, Verifier } from '../ports.ts';
import type { ChannelQueues } from './channel-queues.ts';
import { messageOf } from './message-of.ts';
import { depositFrom, judgeOpenSignatures } from './open-signatures.ts';
import { saleTroubles } from './sale-trouble.ts';

export type OpenDeskDeps = {
  readonly config: AgentConfig;
  readonly driver: Driver;
  readonly clock: Clock;
  readonly chain: Chain;
  readonly verifier: Verifier;
  readonly node: NodeIdentity;
  readonly notSelling: () => string | undefined;
  /** Shared with whatever else changes a channel for a guest. */
  readonly queues: ChannelQueues;
  /** Binds port and addresses of the guest's device; why not, if it cannot. */
  readonly bindStation: (mac: Mac) => Promise<string | undefined>;
  readonly log: DriverLog;
};

/** How long a payer's own wallet may take to open the channel: a person who takes out another phone, and two transactions. */
const PULL_PATIENCE_MS = 900_000;

export class OpenDesk {
  readonly #deps: OpenDeskDeps;
  readonly #deployment: ChannelsDeployment;

  constructor(deps: OpenDeskDeps) {
    this.#deps = deps;
    this.#deployment = { chainId: deps.config.chain.chainId, channels: deps.config.chain.channels };
  }

  open(mac: Mac, request: AnyOpenRequest): Promise<DeskResult> {
    return this.#deps.queues.run(request.voucher.channelId, async () => {
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
      const bindTrouble = await this.#deps.bindStation(mac);
      if (bindTrouble !== undefined) return refuse('not-selling', 'a router that knows its guests', bindTrouble);
      // Again, and dispatched in the same turn: of two opens at once one is refused. Until confirmed it gives no credit.
      const judgement = this.#judgeOpen(mac, request);
      if (!judgement.ok) return judgement;
      const { channel } = judgement;
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

  async #relay(mac: Mac, channel: Channel, request: AnyOpenRequest): Promise<DeskResult> {
    const { driver, chain, log } = this.#deps;
    const deposit = depositFrom(this.#deps.config.chain, request);
    // Who pays by a wallet of its own is looked for on chain, by Watch, until the deposit is there or time is up.
    if (deposit === undefined) return this.#served(mac);
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
      return this.#served(mac);
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
    const [trouble] = saleTroubles(this.#deps);
    if (trouble !== undefined) return refuse('not-selling', 'a router that sells', trouble);
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

  async #served(mac: Mac): Promise<DeskResult> {
    const { driver } = this.#deps;
    try {
      await driver.reconciled();
    } catch (cause) {
      return refuse('not-selling', 'a working router', messageOf(cause));
    }
    return { ok: true, view: guestView(driver.state, mac) };
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
}
