/**
 * Takes vouchers: cheap checks by the core, the signature off the event loop, then one durable transaction, and only then
 * credit and quota. What the core said is asked again once the signature is checked: the channel may have closed meanwhile.
 */
import type { ChannelsDeployment } from '../../protocol/channel.ts';
import { anchorTick, type SignedTickVoucher, tickVoucherDigest } from '../../protocol/tick-voucher.ts';
import { type SignedVoucher, voucherMessage } from '../../protocol/voucher.ts';
import type { AgentConfig } from '../core/config.ts';
import { judgeTickVoucher } from '../core/judge-tick.ts';
import { judgeVoucher, type VoucherTime } from '../core/judge-voucher.ts';
import type { Mac } from '../core/model.ts';
import { refuse } from '../core/refusal.ts';
import type { LiveChannel } from '../core/state.ts';
import { guestView } from '../core/view.ts';
import type { Driver, DriverLog } from '../driver.ts';
import type { Clock, DeskRefusal, DeskResult, JournalEntry, SignatureClaim, Verifier } from '../ports.ts';
import { channelEntry } from './channel-entries.ts';
import type { ChannelQueues } from './channel-queues.ts';
import { messageOf } from './message-of.ts';
import type { TickDesk } from './tick-desk.ts';

export type VoucherDeskDeps = {
  readonly config: Pick<AgentConfig, 'chain'>;
  readonly driver: Pick<Driver, 'state' | 'dispatch' | 'commit' | 'reconciled'>;
  readonly clock: Clock;
  readonly verifier: Verifier;
  /** Shared with whatever else changes a channel for a guest. */
  readonly queues: ChannelQueues;
  readonly ticks: Pick<TickDesk, 'handOver'>;
  readonly log: DriverLog;
};

export class VoucherDesk {
  readonly #deps: VoucherDeskDeps;
  readonly #deployment: ChannelsDeployment;
  /** Durable, and credited at the end of this turn. */
  #durable: SignedVoucher[] = [];
  #crediting: Promise<void> | undefined;

  constructor(deps: VoucherDeskDeps) {
    this.#deps = deps;
    this.#deployment = { chainId: deps.config.chain.chainId, channels: deps.config.chain.channels };
  }

  voucher(mac: Mac, voucher: SignedVoucher): Promise<DeskResult> {
    return this.#deps.queues.run(voucher.channelId, async () => {
      const { driver, log } = this.#deps;
      const judge = () => judgeVoucher(driver.state, mac, voucher, this.#time());
      const cheap = judge();
      if (!cheap.ok) return this.#refused('voucher-refused', cheap);
      if (cheap.isRepeat) return { ok: true, view: guestView(driver.state, mac) };
      const unsigned = await this.#judgeSignature(cheap.channel, {
        message: voucherMessage(this.#deployment, voucher),
        signature: voucher.signature,
      });
      if (unsigned !== undefined) return this.#refused('voucher-refused', unsigned);
      const judgement = judge();
      if (!judgement.ok) return this.#refused('voucher-refused', judgement);
      const stored = await this.#store(judgement.channel, voucher);
      if (stored !== undefined) return stored;
      log.info({ channel: voucher.channelId, amount: voucher.amount.toString() }, 'voucher-accepted');
      return this.#served(mac, voucher);
    });
  }

  /** Gives no credit by itself: its base is covered by a durable voucher. Durable before it is answered, also if it is sent again. */
  tickVoucher(mac: Mac, tickVoucher: SignedTickVoucher): Promise<DeskResult> {
    return this.#deps.queues.run(tickVoucher.channelId, async () => {
      const { driver, log } = this.#deps;
      const judge = () => judgeTickVoucher(driver.state, mac, tickVoucher, this.#time());
      const cheap = judge();
      if (!cheap.ok) return this.#refused('tick-voucher-refused', cheap);
      if (cheap.isRepeat)
        return (await this.#storeTicks(tickVoucher)) ?? { ok: true, view: guestView(driver.state, mac) };
      const unsigned = await this.#judgeSignature(cheap.channel, {
        digest: tickVoucherDigest(this.#deployment, tickVoucher),
        signature: tickVoucher.signature,
      });
      if (unsigned !== undefined) return this.#refused('tick-voucher-refused', unsigned);
      // Ticks of the chain before that are not handed over yet count for what the new base must reach.
      this.#deps.ticks.handOver();
      const judgement = judge();
      if (!judgement.ok) return this.#refused('tick-voucher-refused', judgement);
      // In the turn of the judgement: no tick of the chain before may come in between.
      driver.dispatch({ kind: 'tick-voucher-taken', tickVoucher, anchor: anchorTick(tickVoucher) });
      const stored = await this.#storeTicks(tickVoucher);
      if (stored !== undefined) return stored;
      log.info({ channel: tickVoucher.channelId, base: tickVoucher.amount.toString() }, 'tick-voucher-accepted');
      return { ok: true, view: guestView(driver.state, mac) };
    });
  }

  /** While the wall clock is not trusted no voucher is refused for the age of its channel. */
  #time(): VoucherTime | undefined {
    const { clock, config } = this.#deps;
    const { unixS, isSynced } = clock.wall();
    return isSynced ? { nowS: unixS, marginSeconds: config.chain.marginSeconds } : undefined;
  }

  async #judgeSignature({ config: { signer } }: LiveChannel, claim: SignatureClaim): Promise<DeskRefusal | undefined> {
    try {
      const [found] = await this.#deps.verifier.recover([claim]);
      if (found === signer) return undefined;
    } catch (cause) {
      this.#deps.log.error({ err: cause }, 'signature-not-checked');
      return refuse('not-checked', 'a verifier that answers', messageOf(cause));
    }
    return refuse('bad-signature', `a signature of ${signer}`, 'another signer or none');
  }

  #storeTicks(voucher: SignedTickVoucher): Promise<DeskRefusal | undefined> {
    return this.#commit([{ kind: 'ticks', voucher, last: anchorTick(voucher) }]);
  }

  #store(channel: LiveChannel, voucher: SignedVoucher): Promise<DeskRefusal | undefined> {
    const paid = channelEntry({ ...channel, voucher, phase: 'active' });
    return this.#commit([channel.phase === 'active' ? { ...paid, kind: 'voucher' } : paid]);
  }

  async #commit(entries: readonly JournalEntry[]): Promise<DeskRefusal | undefined> {
    try {
      await this.#deps.driver.commit(entries);
      return undefined;
    } catch (cause) {
      return refuse('storage-failed', 'a journal that can be written', messageOf(cause));
    }
  }

  /**
   * Those that one commit made durable are told of in the same turn: they are one event, and share one look at the kernel.
   * The credit counts then; the answer waits for the kernel, so that who reads it can use what was paid.
   */
  async #served(mac: Mac, voucher: SignedVoucher): Promise<DeskResult> {
    this.#durable.push(voucher);
    this.#crediting ??= Promise.resolve().then(() => this.#credit());
    try {
      await this.#crediting;
    } catch (cause) {
      return refuse('not-selling', 'a working router', messageOf(cause));
    }
    return { ok: true, view: guestView(this.#deps.driver.state, mac) };
  }

  #credit(): Promise<void> {
    const { driver } = this.#deps;
    const vouchers = this.#durable;
    this.#durable = [];
    this.#crediting = undefined;
    driver.dispatch({ kind: 'vouchers-stored', vouchers });
    return driver.reconciled();
  }

  #refused(event: string, refused: DeskRefusal): DeskRefusal {
    const { reason, expected, got } = refused;
    this.#deps.log.info({ reason, expected, got }, event);
    return refused;
  }
}
