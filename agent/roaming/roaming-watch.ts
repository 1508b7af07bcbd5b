/**
 * Brings what left this router to where it goes, until the other router has signed for it: a channel that went home because
 * its guest left here, and one whose sister asked for it and did not get the answer. Forgets channels that have expired, also
 * one that the other router never took.
 */
import type { ChannelsDeployment } from '../../protocol/channel.ts';
import { handOverTakenDigest } from '../../protocol/hand-over.ts';
import type { Hex } from '../../protocol/hex.ts';
import type { AgentConfig } from '../core/config.ts';
import type { Custody } from '../core/custody.ts';
import { expiredCustodies, isLongOver, isVisitor } from '../core/roaming.ts';
import type { Driver, DriverLog } from '../driver.ts';
import { channelEntry } from '../guest/channel-entries.ts';
import type { Clock, JournalEntry, Verifier } from '../ports.ts';
import type { Sisters } from '../roaming-port.ts';
import type { RoamingDesk } from './roaming-desk.ts';

export type RoamingWatchDeps = {
  readonly config: Pick<AgentConfig, 'chain'>;
  readonly driver: Pick<Driver, 'state' | 'dispatch' | 'commit'>;
  readonly desk: Pick<RoamingDesk, 'storeDeparture' | 'signed'>;
  readonly clock: Clock;
  readonly verifier: Verifier;
  readonly sisters: Sisters;
  readonly log: DriverLog;
};

const LOOK_MS = 5_000;

export class RoamingWatch {
  readonly #deps: RoamingWatchDeps;
  readonly #deployment: ChannelsDeployment;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;

  constructor(deps: RoamingWatchDeps) {
    this.#deps = deps;
    this.#deployment = { chainId: deps.config.chain.chainId, channels: deps.config.chain.channels };
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** One round; whoever asks while it runs waits for it. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { driver, clock, log } = this.#deps;
    const { unixS, isSynced } = clock.wall();
    for (const custody of driver.state.custody.values()) {
      if (custody.isDelivered) continue;
      try {
        await (isSynced && isLongOver(custody, unixS) ? this.#giveUp(custody) : this.#deliver(custody));
      } catch (err) {
        log.warn({ err, channel: custody.last.handOver.channelId }, 'hand-over-not-delivered');
      }
    }
    if (isSynced) await this.#forget(expiredCustodies(driver.state, unixS));
  }

  async #deliver(custody: Custody): Promise<void> {
    const { desk, log, sisters, verifier } = this.#deps;
    const { last } = custody;
    const { channelId, sequence, to } = last.handOver;
    await desk.storeDeparture(channelId);
    const answer = await sisters.bring(desk.signed(last));
    if (!answer.ok) {
      log.info({ channel: channelId, to, message: answer.message }, 'hand-over-not-taken');
      return;
    }
    const claim = { digest: handOverTakenDigest(this.#deployment, last.handOver), signature: answer.value };
    const [taker] = await verifier.recover([claim]);
    if (taker !== to) throw new Error(`expected a receipt signed by ${to}, got one of ${taker ?? 'nobody'}`);
    await this.#settled(custody);
    log.info({ channel: channelId, to, sequence: `${sequence}` }, 'hand-over-delivered');
  }

  /** The other router is gone for good; its channel is over on chain, and what was earned here cannot be claimed any more. */
  async #giveUp(custody: Custody): Promise<void> {
    const { channelId, to, charged } = custody.last.handOver;
    await this.#settled(custody);
    this.#deps.log.warn({ channel: channelId, to, charged: `${charged}` }, 'hand-over-given-up');
  }

  /** Nothing is left to tell about it. */
  async #settled(custody: Custody): Promise<void> {
    const { driver } = this.#deps;
    const { channelId, sequence } = custody.last.handOver;
    await driver.commit(this.#deliveredEntries({ ...custody, isDelivered: true }));
    driver.dispatch({ kind: 'hand-over-delivered', channelId, sequence });
  }

  /** A visitor's session and channel go with it. */
  #deliveredEntries(custody: Custody): readonly JournalEntry[] {
    const { channels, custody: all, sessionByChannel } = this.#deps.driver.state;
    const { channelId: id, sequence } = custody.last.handOver;
    const channel = channels.get(id);
    const sessionId = sessionByChannel.get(id);
    const isNewest = all.get(id)?.last.handOver.sequence === sequence;
    const stored: JournalEntry = { kind: 'custody', custody };
    if (channel?.phase !== 'away' || sessionId === undefined || !isNewest) return [stored];
    if (!isVisitor(this.#deps.driver.state, channel)) return [stored];
    return [stored, { kind: 'session-forgotten', sessionId }, { ...channelEntry(channel), kind: 'channel-forgotten' }];
  }

  async #forget(ids: readonly Hex[]): Promise<void> {
    const { driver } = this.#deps;
    for (const channelId of ids) {
      await driver.commit([{ kind: 'custody-forgotten', channelId }]);
      driver.dispatch({ kind: 'hand-over-forgotten', channelId });
    }
  }
}
