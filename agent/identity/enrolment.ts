/**
 * Asks the collector to take this router's proofs: its challenge is answered under the device key, with one credential. The
 * collector's answer is told as it is; only the challenge is trusted with a signature, and only if it is the collector that
 * receipts are believed of.
 */

import type { Address } from '../../protocol/address.ts';
import type { CollectorPost } from '../../protocol/collector-requests.ts';
import { type Enrolment, type EnrolmentCredential, enrolmentDigest } from '../../protocol/enrolment.ts';
import { decodeEnrolmentChallenge, jsonFromEnrolment } from '../../protocol/enrolment-wire.ts';
import { jsonIn } from '../../protocol/json-text.ts';
import type { RegistryDeployment } from '../../protocol/traffic-proof.ts';
import type { Signer } from '../ports.ts';
import { shown } from './collector-answer.ts';

/** One request to the collector; the answer's status and text, or why there is none. */
export type AskCollector = (
  path: CollectorPost,
  json: object,
) => Promise<
  | { readonly ok: true; readonly status: number; readonly text: string }
  | { readonly ok: false; readonly message: string }
>;

export type EnrolmentDeps = {
  readonly ask: AskCollector;
  readonly signer: Signer;
  /** Whose receipts the router believes. */
  readonly collector: Address;
  readonly deployment: RegistryDeployment;
};

export type EnrolmentOutcome =
  | { readonly ok: true; readonly state: string; readonly reason: string }
  | { readonly ok: false; readonly message: string };

export async function enrol(deps: EnrolmentDeps, credential: EnrolmentCredential): Promise<EnrolmentOutcome> {
  const { ask, signer, collector, deployment } = deps;
  const asked = await ask('/v1/enrolments/challenge', { v: 1 });
  if (!asked.ok) return asked;
  const challenge = decodeEnrolmentChallenge(jsonIn(asked.text));
  if (asked.status !== 200 || !challenge.ok) {
    return { ok: false, message: `the collector gives no challenge: ${asked.status} ${shown(asked.text)}` };
  }
  if (challenge.value.collector !== collector) {
    const message = `the challenge is of collector ${challenge.value.collector}, expected ${collector} (proofs.collector)`;
    return { ok: false, message };
  }
  const enrolment: Enrolment = { device: signer.address, collector, nonce: challenge.value.nonce, credential };
  const signature = signer.sign(enrolmentDigest(deployment, enrolment));
  const answered = await ask('/v1/enrolments', jsonFromEnrolment({ ...enrolment, signature }));
  return answered.ok ? outcomeOf(answered.text) : answered;
}

function outcomeOf(text: string): EnrolmentOutcome {
  const json = jsonIn(text) as
    | { state?: unknown; reason?: unknown; error?: { message?: unknown } | null }
    | null
    | undefined;
  if (typeof json?.state === 'string')
    return { ok: true, state: shown(json.state), reason: shown(`${json.reason ?? ''}`) };
  const message = typeof json?.error?.message === 'string' ? json.error.message : text;
  return { ok: false, message: `the collector refuses: ${shown(message)}` };
}
