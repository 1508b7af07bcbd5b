/**
 * Challenges that wait for their answer: one per device, made by the router, good for one try within a minute. Pure: time
 * and randomness come as arguments. Not in the journal: after a restart the device asks for another one.
 */
import { type Hex, hexFromBytes } from '../../protocol/hex.ts';
import { CHALLENGE_MS, MAX_CHALLENGES } from '../core/limits.ts';
import type { Mac } from '../core/model.ts';

type Challenge = { readonly value: Hex; readonly expiresMs: number };

/** By the MAC that asked, the oldest first. */
export type Challenges = ReadonlyMap<Mac, Challenge>;

export const NO_CHALLENGES: Challenges = new Map();

/** The challenges with a new one for `mac`, in place of the one it had. `random`: 32 bytes. */
export function withChallenge(
  challenges: Challenges,
  mac: Mac,
  random: Uint8Array,
  nowMs: number,
): { readonly challenges: Challenges; readonly value: Hex } {
  const value = hexFromBytes(random);
  const next = new Map([...challenges].filter(([asker, { expiresMs }]) => asker !== mac && expiresMs > nowMs));
  const [oldest] = next.keys();
  if (oldest !== undefined && next.size >= MAX_CHALLENGES) next.delete(oldest);
  return { challenges: next.set(mac, { value, expiresMs: nowMs + CHALLENGE_MS }), value };
}

/** Whether `value` is what this MAC was asked and is not too old; whatever the answer, that challenge is gone. */
export function takeChallenge(
  challenges: Challenges,
  mac: Mac,
  value: Hex,
  nowMs: number,
): { readonly challenges: Challenges; readonly isGood: boolean } {
  const asked = challenges.get(mac);
  const next = new Map(challenges);
  next.delete(mac);
  return { challenges: next, isGood: asked?.value === value && asked.expiresMs > nowMs };
}
