/** What the collector answers to uploads, by status; a failure is {"error":{"code":..,"message":..}}. */
import type { ProofIntake, Refused } from './proof-intake.ts';
import type { ProofLogError } from './proof-log.ts';
import { missingText, type ReceiptDeps, receiptJson, refusalJson } from './receipts.ts';

export type UploadAnswer = {
  readonly status: number;
  readonly retryAfterS?: number;
  /** Header ssp-missing. */
  readonly missing?: string;
  readonly json: object;
};

/** Said to a router that is refused for now: the shortest wait, and how much is added at random, so that not all come back at once. */
const RETRY_AFTER_S = 5;
const RETRY_SPREAD_S = 10;
/** A full disk is emptied by a person. */
const RETRY_FULL_S = 60;

const STATUS: Readonly<Record<Refused['reason'], number>> = {
  malformed: 400,
  elsewhere: 421,
  'too-many': 429,
  busy: 503,
  failed: 503,
};

/** @throws ProofLogError: see failedAnswer */
export async function answerUpload(
  body: Uint8Array,
  ip: string,
  intake: ProofIntake,
  deps: ReceiptDeps,
): Promise<UploadAnswer> {
  const result = await intake.take(body, ip);
  if (!result.ok) return refusedAnswer(result);
  const json = receiptJson(result, deps);
  return result.missing.length === 0
    ? { status: 200, json }
    : { status: 200, json, missing: missingText(result.missing) };
}

export function refusedAnswer(refusal: Refused): UploadAnswer {
  const { code, message } = refusalJson(refusal);
  const status = STATUS[refusal.reason];
  if (status < 429) return errorAnswer(status, code, message);
  return laterAnswer(status, code, message, refusal.reason === 'too-many' ? refusal.retryAfterS : RETRY_AFTER_S);
}

/** Nothing was stored. */
export function failedAnswer(error: ProofLogError): UploadAnswer {
  return error.code === 'LOG_FULL'
    ? diskFullAnswer()
    : laterAnswer(503, 'storage-failed', 'The upload could not be stored.');
}

/** Nothing was stored. */
export function diskFullAnswer(): UploadAnswer {
  return laterAnswer(507, 'disk-full', "The collector's disk is full.", RETRY_FULL_S);
}

export function errorAnswer(status: number, code: string, message: string): UploadAnswer {
  return { status, json: { error: { code, message } } };
}

export function laterAnswer(status: number, code: string, message: string, afterS = RETRY_AFTER_S): UploadAnswer {
  const retryAfterS = afterS + Math.floor(Math.random() * RETRY_SPREAD_S);
  const said = `${message} Keep the upload and try again in ${retryAfterS} s.`;
  return { ...errorAnswer(status, code, said), retryAfterS };
}
