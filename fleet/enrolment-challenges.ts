/** Nonces that routers are to sign: each good once, for some minutes, in bounded memory. */
import { randomBytes } from 'node:crypto';
import { type Hex, hexFromBytes } from '../protocol/hex.ts';

/** A router answers in seconds; a bad uplink in minutes. */
const CHALLENGE_S = 300n;
/** 4096 routers that enrol within five minutes. The oldest is forgotten, and its router asks again. */
const MAX_CHALLENGES = 4096;

export class EnrolmentChallenges {
  readonly #expiry = new Map<Hex, bigint>();

  make(nowS: bigint): { readonly nonce: Hex; readonly expiresS: bigint } {
    const nonce = hexFromBytes(randomBytes(32));
    const expiresS = nowS + CHALLENGE_S;
    this.#expiry.set(nonce, expiresS);
    const [oldest] = this.#expiry.keys();
    if (this.#expiry.size > MAX_CHALLENGES && oldest !== undefined) this.#expiry.delete(oldest);
    return { nonce, expiresS };
  }

  isOpen(nonce: Hex, nowS: bigint): boolean {
    const expiresS = this.#expiry.get(nonce);
    return expiresS !== undefined && expiresS >= nowS;
  }

  /** Whoever overhears an answer cannot give it again. */
  spend(nonce: Hex): void {
    this.#expiry.delete(nonce);
  }
}
