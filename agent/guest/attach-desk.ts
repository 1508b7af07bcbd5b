/**
 * A guest's device takes up a running session by proving the channel's key: cheap checks first, the signature last, then
 * port and addresses of the new MAC are bound, and only then is it served. No credit changes, so nothing is journalled first.
 */
import type { Address } from '../../protocol/address.ts';
import { attachDigest, type SignedAttach } from '../../protocol/attach.ts';
import type { AgentConfig } from '../core/config.ts';
import { judgeAttach, judgeChallenge } from '../core/judge-attach.ts';
import { CHALLENGE_MS } from '../core/limits.ts';
import type { Mac } from '../core/model.ts';
import { refuse } from '../core/refusal.ts';
import { guestView } from '../core/view.ts';
import type { Driver, DriverLog } from '../driver.ts';
import type { ChallengeResult, Clock, DeskRefusal, DeskResult, Verifier } from '../ports.ts';
import type { Roaming } from '../roaming-port.ts';
import { NO_CHALLENGES, takeChallenge, withChallenge } from './challenges.ts';
import { messageOf } from './message-of.ts';

export type AttachDeskDeps = {
  readonly config: Pick<AgentConfig, 'chain'>;
  readonly driver: Pick<Driver, 'state' | 'dispatch' | 'reconciled'>;
  readonly clock: Clock;
  readonly verifier: Verifier;
  /** 32 random bytes. */
  readonly random32: () => Uint8Array;
  /** Binds port and addresses of the MAC before it is served; why it cannot, if it cannot. */
  readonly bindStation: (mac: Mac) => Promise<string | undefined>;
  /** Other routers of the owner. Absent: there are none. */
  readonly roaming?: Roaming;
  readonly log: DriverLog;
};

export class AttachDesk {
  readonly #deps: AttachDeskDeps;
  #challenges = NO_CHALLENGES;

  constructor(deps: AttachDeskDeps) {
    this.#deps = deps;
  }

  /** A challenge for this device and the running session of that key, here or at a sister. */
  challenge(mac: Mac, signer: Address): ChallengeResult | Promise<ChallengeResult> {
    const judgement = judgeChallenge(this.#deps.driver.state, signer);
    if (judgement.ok) return this.#asked(mac, judgement.channel.id);
    const { roaming } = this.#deps;
    if (roaming === undefined || judgement.reason !== 'unknown-channel') return judgement;
    return roaming.find(signer).then((id) => (id === undefined ? judgement : this.#asked(mac, id)));
  }

  async attach(mac: Mac, request: SignedAttach): Promise<DeskResult> {
    const { driver, bindStation, log } = this.#deps;
    const refused = await this.#judge(mac, request);
    if (refused !== undefined) {
      log.info({ reason: refused.reason, expected: refused.expected, got: refused.got }, 'attach-refused');
      return refused;
    }
    const trouble = await bindStation(mac);
    if (trouble !== undefined) return refuse('not-selling', 'a router that knows its guests', trouble);
    // Again: the session may have ended meanwhile.
    const judgement = judgeAttach(driver.state, request.channelId);
    if (!judgement.ok) return judgement;
    driver.dispatch({ kind: 'station-attached', mac, channelId: request.channelId });
    log.info({ channel: request.channelId }, 'station-attached');
    try {
      await driver.reconciled();
    } catch (cause) {
      return refuse('not-selling', 'a working router', messageOf(cause));
    }
    return { ok: true, view: guestView(driver.state, mac) };
  }

  #asked(mac: Mac, channelId: SignedAttach['channelId']): ChallengeResult {
    const { clock, random32 } = this.#deps;
    const made = withChallenge(this.#challenges, mac, random32(), clock.monotonicMs());
    this.#challenges = made.challenges;
    return { ok: true, channelId, challenge: made.value };
  }

  async #judge(mac: Mac, request: SignedAttach): Promise<DeskRefusal | undefined> {
    const { driver, clock, roaming } = this.#deps;
    const judgement = judgeAttach(driver.state, request.channelId);
    const signer = judgement.ok ? judgement.channel.config.signer : roaming?.signerOf(request.channelId);
    if (signer === undefined) return judgement.ok ? undefined : judgement;
    const taken = takeChallenge(this.#challenges, mac, request.challenge, clock.monotonicMs());
    this.#challenges = taken.challenges;
    if (!taken.isGood) {
      const expected = `the last challenge of this device, once, within ${CHALLENGE_MS / 1_000} s`;
      return refuse('bad-challenge', expected, 'another, a used or an old one');
    }
    const unsigned = await this.#judgeSignature(signer, request);
    if (unsigned !== undefined || judgement.ok) return unsigned;
    // Only now: who does not know the key shall not move anybody's channel.
    return roaming?.bring(request.channelId);
  }

  async #judgeSignature(signer: Address, request: SignedAttach): Promise<DeskRefusal | undefined> {
    const { config, verifier, log } = this.#deps;
    try {
      const claim = { digest: attachDigest(config.chain, request), signature: request.signature };
      const [found] = await verifier.recover([claim]);
      if (found === signer) return undefined;
    } catch (cause) {
      log.error({ err: cause }, 'signature-not-checked');
      return refuse('not-checked', 'a verifier that answers', messageOf(cause));
    }
    return refuse('bad-signature', `a signature of ${signer}`, 'another signer or none');
  }
}
