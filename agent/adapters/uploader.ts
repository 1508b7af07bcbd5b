/**
 * Sends one proof to the collector over HTTP and believes nothing but a receipt signed by the collector it was told of.
 * Only such a receipt lets the journal forget that a proof waits.
 */
import type { Address } from '../../protocol/address.ts';
import type { Hex } from '../../protocol/hex.ts';
import { decodeReceipt } from '../../protocol/receipt-wire.ts';
import { type RegistryDeployment, trafficProofDigestHex } from '../../protocol/traffic-proof.ts';
import { decodeProofUpload } from '../../protocol/traffic-proof-wire.ts';
import { isProofReceiptSigned } from '../../protocol/verdict.ts';
import type { ProofUploader } from '../ports.ts';

export type UploaderOptions = {
  /** "https://collector.example" or with a path; /v1/proofs is added. */
  readonly collectorUrl: string;
  /** Whose signature a receipt must bear. */
  readonly collector: Address;
  readonly deployment: RegistryDeployment;
  /** From the first byte sent to the last received. */
  readonly timeoutMs?: number;
};

type Answer = Awaited<ReturnType<ProofUploader['upload']>>;

/** A slow mobile uplink moves the largest upload (256 KiB) in this time at 70 kbit/s. */
const DEFAULT_TIMEOUT_MS = 30_000;
/** A receipt is about 400 bytes; an error page may be longer, but not unbounded. */
const MAX_ANSWER_BYTES = 16 * 1024;
/** Of a refusal, so much is worth a line in the log. */
const MAX_QUOTED_CHARACTERS = 200;

export function proofUploader(options: UploaderOptions): ProofUploader {
  const { collectorUrl, collector, deployment, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const url = `${collectorUrl.replace(/\/+$/, '')}/v1/proofs`;
  return {
    upload: async (body) => {
      const upload = decodeProofUpload(body);
      if (!upload.ok) return failure(`the stored proof is damaged: ${upload.path} is ${upload.got}`);
      const answer = await post(url, body, timeoutMs);
      if (!answer.ok) return answer;
      return judgeAnswer(answer.text, collector, deployment, trafficProofDigestHex(deployment, upload.value.proof));
    },
  };
}

/** The receipt in a collector's answer, or why it is none for this proof. */
export function judgeAnswer(text: string, collector: Address, deployment: RegistryDeployment, proof: Hex): Answer {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // What is not JSON is quoted; the parser's own words would add nothing.
    return failure(`the collector's answer is not JSON: ${quoted(text)}`);
  }
  const decoded = decodeReceipt(json);
  if (!decoded.ok) {
    return failure(
      `the collector's receipt is malformed: ${decoded.path} is ${decoded.got}, expected ${decoded.expected}`,
    );
  }
  const receipt = decoded.value;
  if (receipt.collector !== collector) {
    return failure(`the receipt is of collector ${receipt.collector}, expected ${collector}`);
  }
  if (receipt.proof !== proof) return failure(`the receipt is for proof ${receipt.proof}, expected ${proof}`);
  if (!isProofReceiptSigned(deployment, receipt)) return failure(`the receipt is not signed by collector ${collector}`);
  return { ok: true, receipt };
}

async function post(
  url: string,
  body: Uint8Array,
  timeoutMs: number,
): Promise<{ ok: true; text: string } | (Answer & { ok: false })> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/cbor', accept: 'application/json' },
      body: new Uint8Array(body),
      // A captive portal upstream of the router answers with a redirect: that is no collector.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await boundedText(response);
    if (text === undefined) return failure(`the collector's answer is longer than ${MAX_ANSWER_BYTES} bytes`);
    if (response.status !== 200) return failure(`the collector answered ${response.status}: ${quoted(text)}`);
    return { ok: true, text };
  } catch (error) {
    return failure(`the collector at ${url} cannot be reached: ${reasonOf(error)}`);
  }
}

/** The body as text, or undefined once it is longer than MAX_ANSWER_BYTES. */
async function boundedText(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    // Leaving the loop cancels the stream.
    if (length > MAX_ANSWER_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** fetch says only "fetch failed"; what failed is in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}

function quoted(text: string): string {
  // Printable only: the answer ends up in a log and on the owner's terminal.
  return JSON.stringify(text.slice(0, MAX_QUOTED_CHARACTERS).replace(/[^\x20-\x7e]/g, '?'));
}

function failure(message: string): Answer & { ok: false } {
  return { ok: false, message };
}
