/**
 * Changes the device key so that the chain of proofs goes on: the old key signs that the new one follows after the last proof,
 * the collector acknowledges it with a signed receipt, and only then the new key takes the old one's place. Idempotent at
 * every step: whatever was cut off is done again.
 */

import type { Address } from '../../protocol/address.ts';
import type { Hex } from '../../protocol/hex.ts';
import { jsonIn } from '../../protocol/json-text.ts';
import {
  isKeyRotationSigned,
  keyRotationDigestHex,
  type SignedKeyRotation,
  signKeyRotation,
} from '../../protocol/key-rotation.ts';
import { jsonFromKeyRotation } from '../../protocol/key-rotation-wire.ts';
import { decodeReceipt } from '../../protocol/receipt-wire.ts';
import { addressFromSecretKey } from '../../protocol/signature.ts';
import type { RegistryDeployment } from '../../protocol/traffic-proof.ts';
import { isProofReceiptSigned } from '../../protocol/verdict.ts';
import { shown } from './collector-answer.ts';
import type { AskCollector } from './enrolment.ts';

/** In this order; the last is of whoever names the operator anew. */
export const ROTATION_STEPS = ['next-key', 'stated', 'told', 'kept', 'switched', 'bound'] as const;
export type RotationStep = (typeof ROTATION_STEPS)[number];

/** Of agent/adapters/rotation-files.ts. */
export type RotationStore = {
  key(): Uint8Array;
  nextKey(): Uint8Array;
  state(rotation: SignedKeyRotation): void;
  giveUp(): void;
  keepOld(old: Address): void;
  putNext(): void;
};

export type RotationDeps = {
  readonly files: RotationStore;
  readonly ask: AskCollector;
  readonly collector: Address;
  readonly deployment: RegistryDeployment;
  /** A test ends the process here. */
  readonly atStep?: (step: RotationStep) => void;
};

/** Where the chain stands: every proof before it is acknowledged. */
export type ChainPlace = { readonly nextSeq: bigint; readonly prev: Hex };

/** `isFinal`: the collector will never take this rotation; else it is worth asking again. */
export type RotationOutcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly isFinal: boolean; readonly message: string };

/** What a collector says that has understood the question; anything else may come from somebody between. */
const FINAL: ReadonlySet<string> = new Set([
  'bad-signature',
  'contradiction',
  'not-active',
  'not-in-step',
  'successor-known',
  'too-many',
]);

/** Makes the new key and signs the rotation with both. Both are on disk when it returns. */
export function stateRotation({ files, deployment, atStep }: RotationDeps, place: ChainPlace): SignedKeyRotation {
  const key = files.key();
  const next = files.nextKey();
  atStep?.('next-key');
  const rotation = { device: addressFromSecretKey(key), successor: addressFromSecretKey(next), ...place };
  const signed = signKeyRotation(deployment, rotation, key, next);
  if (!isKeyRotationSigned(deployment, signed)) throw new RangeError('a key signs wrongly: do not use it');
  files.state(signed);
  atStep?.('stated');
  return signed;
}

/** Tells the collector, and puts the new key in the old one's place once it has acknowledged. */
export async function completeRotation(deps: RotationDeps, rotation: SignedKeyRotation): Promise<RotationOutcome> {
  const { files, ask, atStep } = deps;
  const answered = await ask('/v1/rotations', jsonFromKeyRotation(rotation));
  if (!answered.ok) return { ok: false, isFinal: false, message: answered.message };
  const outcome = judgeAnswer(deps, rotation, answered.status, answered.text);
  if (!outcome.ok) {
    if (outcome.isFinal) files.giveUp();
    return outcome;
  }
  atStep?.('told');
  files.keepOld(rotation.device);
  atStep?.('kept');
  files.putNext();
  atStep?.('switched');
  return outcome;
}

function judgeAnswer(
  { collector, deployment }: RotationDeps,
  rotation: SignedKeyRotation,
  status: number,
  text: string,
): RotationOutcome {
  const json = jsonIn(text) as
    | { receipt?: unknown; error?: { code?: unknown; message?: unknown } | null }
    | null
    | undefined;
  if (status !== 200) {
    const code = typeof json?.error?.code === 'string' ? json.error.code : '';
    const message = typeof json?.error?.message === 'string' ? json.error.message : text;
    const isFinal = (status === 403 || status === 409) && FINAL.has(code);
    return { ok: false, isFinal, message: `the collector answered ${status}: ${shown(message)}` };
  }
  const decoded = decodeReceipt(json?.receipt);
  const isOurs =
    decoded.ok &&
    decoded.value.collector === collector &&
    decoded.value.proof === keyRotationDigestHex(deployment, rotation) &&
    decoded.value.verdict === 'valid' &&
    isProofReceiptSigned(deployment, decoded.value);
  if (isOurs) return { ok: true };
  return { ok: false, isFinal: false, message: `the answer is no receipt of collector ${collector}: ${shown(text)}` };
}
