/**
 * Moves channels between the routers of one owner: answers sisters, fetches from them for a guest who proved the key, and
 * brings home what was left here. What the core decides is durable before anybody is told, and before anything is granted.
 */
import type { Address } from '../../protocol/address.ts';
import { type ChannelsDeployment, channelId } from '../../protocol/channel.ts';
import {
  type CarriedChannel,
  handOverDigest,
  handOverTakenDigest,
  type RoamingQuery,
  roamingQueryDigest,
  type SignedCarriedChannel,
  type SignedRoamingQuery,
} from '../../protocol/hand-over.ts';
import { NO_CHANNEL, NOBODY, type ServedChannel } from '../../protocol/hand-over-wire.ts';
import type { Hex } from '../../protocol/hex.ts';
import type { CompactSignature } from '../../protocol/signature.ts';
import { tickVoucherDigest } from '../../protocol/tick-voucher.ts';
import { voucherDigest } from '../../protocol/voucher.ts';
import type { AgentConfig } from '../core/config.ts';
import { isFunded } from '../core/deposit.ts';
import { takenUp } from '../core/on-hand-over.ts';
import { refuse } from '../core/refusal.ts';
import {
  heldChannel,
  judgeGiving,
  judgeTaking,
  lastSequence,
  type RoamingRefused,
  type RoamingSelf,
  servedFor,
} from '../core/roaming.ts';
import { sessionOfChannel } from '../core/state.ts';
import type { Driver, DriverLog } from '../driver.ts';
import { channelEntries } from '../guest/channel-entries.ts';
import { ChannelQueues } from '../guest/channel-queues.ts';
import { messageOf } from '../guest/message-of.ts';
import type { Chain, ChainChannel, Clock, DeskRefusal, Signer, Verifier } from '../ports.ts';
import type { Roaming, SisterAnswer, Sisters, Whereabouts } from '../roaming-port.ts';
import { FoundChannels } from './found-channels.ts';

export type RoamingDeskDeps = {
  readonly config: Pick<AgentConfig, 'chain'>;
  readonly driver: Pick<Driver, 'state' | 'dispatch' | 'commit' | 'reconciled' | 'sessionEntry'>;
  readonly clock: Clock;
  readonly signer: Signer;
  readonly verifier: Verifier;
  readonly sisters: Sisters;
  readonly chain: Pick<Chain, 'channel'>;
  readonly log: DriverLog;
};

export class RoamingDesk implements Roaming {
  readonly #deps: RoamingDeskDeps;
  readonly #deployment: ChannelsDeployment;
  readonly #queues = new ChannelQueues();
  readonly #found: FoundChannels;

  constructor(deps: RoamingDeskDeps) {
    this.#deps = deps;
    this.#deployment = { chainId: deps.config.chain.chainId, channels: deps.config.chain.channels };
    this.#found = new FoundChannels(deps.clock);
  }

  /** For a sister whose guest names a key: the channel of that key, if it is served here. */
  async lookUp(query: SignedRoamingQuery): Promise<SisterAnswer<ServedChannel>> {
    const trouble = await this.#judgeQuery(query);
    if (trouble !== undefined) return no(trouble);
    const { state } = this.#deps.driver;
    const { channelId: id, signer } = query;
    const channel = id === NO_CHANNEL ? servedFor(state, signer)[0] : heldChannel(state, id, this.#deps.signer.address);
    if (channel === undefined) return no('no such channel is served here');
    return yes({ config: channel.config, sequence: lastSequence(state, channel.id) + 1n });
  }

  /** For a sister whose guest has proved the key: the channel, frozen and durable. The same question gets the same answer. */
  async give(query: SignedRoamingQuery): Promise<SisterAnswer<SignedCarriedChannel>> {
    const trouble = await this.#judgeQuery(query);
    if (trouble !== undefined) return no(trouble);
    return await this.#queues.run(query.channelId, async () => {
      const { driver, log, signer } = this.#deps;
      const { asker, channelId: id, sequence } = query;
      const judgement = judgeGiving(driver.state, id, asker, sequence, this.#self());
      if (!judgement.ok) return no(textOf(judgement));
      try {
        if (judgement.given === undefined) {
          driver.dispatch({ kind: 'hand-over-asked', channelId: id, self: signer.address, to: asker });
          await driver.reconciled();
        }
        const last = driver.state.custody.get(id)?.last;
        if (last === undefined || last.handOver.to !== asker || last.handOver.sequence !== sequence) {
          return no('the channel is not stopped yet; ask again');
        }
        await this.storeDeparture(id);
        log.info({ channel: id, to: asker, sequence: `${sequence}` }, 'channel-handed-over');
        return yes(this.signed(last));
      } catch (cause) {
        return no(`the channel cannot be handed over now: ${messageOf(cause)}`);
      }
    });
  }

  /** Takes a channel that a sister has given to this router; the signature says that it is durable here. */
  async take(carried: SignedCarriedChannel): Promise<SisterAnswer<CompactSignature>> {
    const taken = await this.#queues.run(carried.handOver.channelId, () => this.#take(carried));
    if (taken !== undefined) return no(textOf(taken));
    return yes(this.#deps.signer.sign(handOverTakenDigest(this.#deployment, carried.handOver)));
  }

  async find(signer: Address): Promise<Hex | undefined> {
    const { sisters } = this.#deps;
    const answers = await Promise.all(
      sisters.addresses.map(async (sister) => {
        const answer = await sisters.lookUp(this.#query({ asked: sister, signer }));
        return answer.ok && answer.value.config.signer === signer ? [{ sister, ...answer.value }] : [];
      }),
    );
    const newest = answers.flat().sort((a, b) => (a.sequence > b.sequence ? -1 : 1))[0];
    if (newest === undefined) return undefined;
    const id = channelId(this.#deployment, newest.config);
    this.#found.keep(id, newest);
    return id;
  }

  signerOf(id: Hex): Address | undefined {
    return this.#found.at(id)?.config.signer;
  }

  async whereabouts(id: Hex): Promise<Whereabouts> {
    const { sisters } = this.#deps;
    const answers = await Promise.all(
      sisters.addresses.map((asked) => sisters.lookUp(this.#query({ asked, channelId: id }))),
    );
    if (answers.some((answer) => answer.ok && channelId(this.#deployment, answer.value.config) === id))
      return 'elsewhere';
    return answers.some((answer) => !answer.ok && answer.isAway === true) ? 'unknown' : 'here';
  }

  async bring(id: Hex): Promise<DeskRefusal | undefined> {
    const found = this.#found.at(id);
    if (found === undefined) return refuse('unknown-channel', 'a channel that a sister serves', id);
    // Before anything moves: what is being left on chain stays where it is closed.
    const look = await this.#deps.chain.channel(id);
    if (!look.ok) return refuse('chain-unreachable', 'a chain that answers', look.message);
    if (!isFunded(look.channel, NOTHING_PROMISED, 1n)) return notFunded(look.channel);
    const { sister, sequence } = found;
    const answer = await this.#deps.sisters.ask(this.#query({ asked: sister, channelId: id, sequence }));
    if (!answer.ok) {
      this.#deps.log.warn({ channel: id, sister, message: answer.message }, 'hand-over-not-got');
      return refuse('channel-not-open', 'an answer of the router that serves the channel', answer.message);
    }
    const refused = await this.#queues.run(id, () => this.#take(answer.value));
    if (refused !== undefined) return refuse('channel-not-open', refused.expected, refused.got);
    return isFunded(look.channel, answer.value, 1n) ? undefined : notFunded(look.channel);
  }

  /** What left this router, with its session and the number, in one transaction. @throws the journal's error */
  async storeDeparture(id: Hex): Promise<void> {
    const { driver } = this.#deps;
    const { channels, custody } = driver.state;
    const channel = channels.get(id);
    const session = sessionOfChannel(driver.state, id);
    const own = custody.get(id);
    if (own === undefined) return;
    await driver.commit([
      ...(channel === undefined ? [] : channelEntries(channel)),
      ...(session === undefined ? [] : [driver.sessionEntry(session)]),
      { kind: 'custody', custody: own },
    ]);
  }

  signed(carried: CarriedChannel): SignedCarriedChannel {
    return { ...carried, signature: this.#deps.signer.sign(handOverDigest(this.#deployment, carried.handOver)) };
  }

  async #take(carried: SignedCarriedChannel): Promise<RoamingRefused | undefined> {
    const { driver, log, signer } = this.#deps;
    const id = channelId(this.#deployment, carried.config);
    const judge = () => judgeTaking(driver.state, carried, id, this.#self());
    const cheap = judge();
    if (!cheap.ok) return cheap;
    const unsigned = await this.#judgeSignatures(carried);
    if (unsigned !== undefined) return unsigned;
    const self = signer.address;
    // At home it was looked at when it was opened, and is again once it is served there.
    const isTrusted = cheap.isKnown || carried.handOver.isOver || carried.config.device === self;
    const look = isTrusted ? undefined : await this.#deps.chain.channel(id);
    if (look?.ok === false) {
      return { ok: false, reason: 'channel-not-open', expected: 'a chain that answers', got: look.message };
    }
    const judgement = judge();
    if (!judgement.ok) return judgement;
    if (judgement.isKnown) return undefined;
    driver.dispatch({ kind: 'hand-over-arriving', carried });
    const up = takenUp(driver.state, { carried, self, nowMs: this.#deps.clock.monotonicMs() });
    if (up === undefined) return { ok: false, reason: 'channel-not-open', expected: 'a channel away', got: 'another' };
    try {
      await driver.commit([
        ...channelEntries(up.channel),
        driver.sessionEntry(up.session),
        { kind: 'custody', custody: { self, last: carried, isDelivered: true } },
      ]);
    } catch (cause) {
      return {
        ok: false,
        reason: 'channel-not-open',
        expected: 'a journal that can be written',
        got: messageOf(cause),
      };
    }
    driver.dispatch({ kind: 'hand-over-taken', self, carried });
    if (look !== undefined) this.#believe(id, look.channel);
    const { from, sequence } = carried.handOver;
    log.info({ channel: id, from, sequence: `${sequence}` }, 'channel-taken-over');
    return undefined;
  }

  /** The chain, where it says less than the sister: no more is granted than it holds, and nothing of what is being left. */
  #believe(id: Hex, seen: ChainChannel): void {
    const { driver } = this.#deps;
    driver.dispatch({ kind: 'channel-seen', channelId: id, seen });
    const sessionId = driver.state.sessionByChannel.get(id);
    if (sessionId === undefined || (seen.exitAt === 0n && !seen.isClosed)) return;
    driver.dispatch({ kind: 'session-left', sessionId, reason: 'channel-expiring' });
  }

  async #judgeSignatures(carried: SignedCarriedChannel): Promise<RoamingRefused | undefined> {
    const { handOver, config, voucher, ticks, signature } = carried;
    const deployment = this.#deployment;
    const claims = [
      { digest: handOverDigest(deployment, handOver), signature },
      { digest: voucherDigest(deployment, voucher), signature: voucher.signature },
      ...(ticks === undefined
        ? []
        : [{ digest: tickVoucherDigest(deployment, ticks.voucher), signature: ticks.voucher.signature }]),
    ];
    try {
      const [from, ...guest] = await this.#deps.verifier.recover(claims);
      if (from === handOver.from && guest.every((who) => who === config.signer)) return undefined;
    } catch (cause) {
      this.#deps.log.error({ err: cause }, 'signature-not-checked');
    }
    const expected = `signatures of ${handOver.from} and ${config.signer}`;
    return { ok: false, reason: 'unknown-sister', expected, got: 'others, or none' };
  }

  /** Why the question is not answered. */
  async #judgeQuery(query: SignedRoamingQuery): Promise<string | undefined> {
    const { sisters, signer, verifier } = this.#deps;
    if (!sisters.addresses.includes(query.asker)) return `${query.asker} is not in the list of sisters`;
    if (query.asked !== signer.address) return `expected a question to ${signer.address}, got one to ${query.asked}`;
    const claim = { digest: roamingQueryDigest(this.#deployment, query), signature: query.signature };
    const [found] = await verifier.recover([claim]);
    return found === query.asker ? undefined : `expected a signature of ${query.asker}`;
  }

  #query(about: Pick<RoamingQuery, 'asked'> & Partial<RoamingQuery>): SignedRoamingQuery {
    const { signer } = this.#deps;
    const query = { asker: signer.address, signer: NOBODY, channelId: NO_CHANNEL, sequence: 0n, ...about };
    return { ...query, signature: signer.sign(roamingQueryDigest(this.#deployment, query)) };
  }

  #self(): RoamingSelf {
    const { clock, config, signer, sisters } = this.#deps;
    const { unixS, isSynced } = clock.wall();
    const { payee, marginSeconds } = config.chain;
    const time = isSynced ? { nowS: unixS } : {};
    return { self: signer.address, payee, sisters: new Set(sisters.addresses), marginSeconds, ...time };
  }
}

const NOTHING_PROMISED = { voucher: { amount: 0n } };

function notFunded({ deposit, exitAt, isClosed }: ChainChannel): DeskRefusal {
  const got = isClosed ? 'a closed channel' : `${deposit} units${exitAt === 0n ? '' : ', being taken back'}`;
  return refuse('channel-not-open', 'a deposit on chain that covers the vouchers and stays', got);
}

function yes<T>(value: T): SisterAnswer<T> {
  return { ok: true, value };
}

function no(message: string): { readonly ok: false; readonly message: string } {
  return { ok: false, message };
}

function textOf({ reason, expected, got }: RoamingRefused): string {
  return `${reason}: expected ${expected}, got ${got}`;
}
