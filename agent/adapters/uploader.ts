/**
 * Sends proofs to the collector over HTTP, asks it for the device's chain and for the time, and believes nothing but what
 * is signed: receipts and time by the collector it was told of, the head of the chain by this very device.
 */
import { randomBytes } from 'node:crypto';
import type { Address } from '../../protocol/address.ts';
import { isClockStatementSigned } from '../../protocol/clock-statement.ts';
import { decodeClockStatement, jsonFromClockCorrection } from '../../protocol/clock-wire.ts';
import type { CollectorPost } from '../../protocol/collector-requests.ts';
import { bytesFromHex, type Hex, hexFromBytes } from '../../protocol/hex.ts';
import { jsonIn } from '../../protocol/json-text.ts';
import { isKeyRotationSigned } from '../../protocol/key-rotation.ts';
import { decodeKeyRotation } from '../../protocol/key-rotation-wire.ts';
import { accessHeader } from '../../protocol/listing-access.ts';
import { decodeReceipt } from '../../protocol/receipt-wire.ts';
import { jsonFromServiceOffer } from '../../protocol/service-offer-wire.ts';
import type { CompactSignature } from '../../protocol/signature.ts';
import { type RegistryDeployment, trafficProofDigestHex, trafficProofSigner } from '../../protocol/traffic-proof.ts';
import { decodeProofUpload } from '../../protocol/traffic-proof-wire.ts';
import { isProofReceiptSigned, type SignedProofReceipt } from '../../protocol/verdict.ts';
import type { AgentConfig } from '../core/config.ts';
import type { CollectorAnswer, MissingProofs, ProofUploader, Signer } from '../ports.ts';
import { CollectorHttp, type CollectorWays, quoted } from './collector-http.ts';

export type UploaderOptions = CollectorWays & {
  /** Whose signature a receipt must bear. */
  readonly collector: Address;
  readonly deployment: RegistryDeployment;
  /** This router; without it the collector is asked neither for the chain nor for the time. */
  readonly device?: Address;
  /** With the device's key; without it a collector that shows a chain to its device alone shows nothing. */
  readonly sign?: (digest: Uint8Array) => CompactSignature;
  /** From the first byte sent to the last received. */
  readonly timeoutMs?: number;
};

type Answer = CollectorAnswer<{ readonly receipt: SignedProofReceipt; readonly missing?: readonly MissingProofs[] }>;
type Failure = { readonly ok: false; readonly message: string };
type Reply = { readonly status: number; readonly text: string; readonly missing?: string; readonly until?: string };
type HeadAnswer = Awaited<ReturnType<NonNullable<ProofUploader['head']>>>;

/** A slow mobile uplink moves the largest upload (256 KiB) in this time at 70 kbit/s. */
const DEFAULT_TIMEOUT_MS = 30_000;
/** A proof without leaves is below 300 bytes; the answer's own bound is far above. */
const MAX_HEAD_CHARACTERS = 4_096;
/** The collector names 16 at a time. */
const MAX_RANGES = 64;

export function proofUploader(options: UploaderOptions): ProofUploader {
  const { collector, deployment, device, sign, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const http = new CollectorHttp(options);
  const upload: ProofUploader['upload'] = async (body) => {
    const decoded = decodeProofUpload(body);
    if (!decoded.ok) return failure(`the stored proof is damaged: ${decoded.path} is ${decoded.got}`);
    const digest = trafficProofDigestHex(deployment, decoded.value.proof);
    const request = { line: 'POST /v1/proofs', contentType: 'application/cbor', body, timeoutMs } as const;
    return await http.send(
      request,
      (reply) => refusalIn(reply) ?? withMissing(judgeAnswer(reply.text, collector, deployment, digest), reply.missing),
    );
  };
  if (device === undefined) return { upload };
  const post = (path: CollectorPost, json: object) =>
    ({
      line: `POST ${path}`,
      contentType: 'application/json',
      body: Buffer.from(JSON.stringify(json)),
      timeoutMs,
    }) as const;
  return {
    upload,
    head: async () => {
      const request = { line: 'GET /v1/devices/:device/head', device, timeoutMs } as const;
      const read = (reply: Reply): HeadAnswer =>
        // It knows no proof of this device, or is of a version that cannot be asked.
        reply.status === 404
          ? { ok: true }
          : (refusalIn(reply) ?? judgeHeadAnswer(reply.text, collector, device, deployment));
      let untilS: bigint | undefined;
      const first = await http.send(request, (reply) => {
        if (reply.status !== 401 || sign === undefined || !/^\d{1,11}$/.test(reply.until ?? '')) return read(reply);
        untilS = BigInt(reply.until as string);
        return { ok: true as const };
      });
      if (untilS === undefined || sign === undefined) return first;
      // It tells until when by its own clock: this router may have none yet.
      const access = { reader: device, device, collector, untilS };
      return await http.send({ ...request, authorization: accessHeader(deployment, access, sign) }, read);
    },
    time: async () => {
      const nonce = hexFromBytes(randomBytes(32));
      return await http.send(post('/v1/clock', { v: 1, device, nonce }), (reply) => {
        const refusal = refusalIn(reply);
        if (refusal !== undefined) return refusal;
        const decoded = decodeClockStatement(jsonIn(reply.text));
        if (!decoded.ok) return malformed('statement of the time', decoded);
        const statement = decoded.value;
        const isAnswer = statement.collector === collector && statement.device === device && statement.nonce === nonce;
        if (!isAnswer) return failure('the statement of the time answers another question');
        if (!isClockStatementSigned(deployment, statement)) return failure('the statement of the time is not signed');
        return { ok: true as const, statement };
      });
    },
    publish: async (offer) =>
      await http.send(post('/v1/offers', jsonFromServiceOffer(offer)), (reply) =>
        reply.status === 409
          ? { ok: true as const, isTaken: false }
          : (refusalIn(reply) ?? { ok: true as const, isTaken: true }),
      ),
    correct: async (correction) =>
      await http.send(
        post('/v1/clock-corrections', jsonFromClockCorrection(correction)),
        (reply) => refusalIn(reply) ?? { ok: true as const },
      ),
  };
}

/** As configured; without a collector, or without the key to check its receipts by, proofs wait: undefined. */
export function uploaderFrom(
  { proofs, chain: { chainId, registry } }: Pick<AgentConfig, 'proofs' | 'chain'>,
  { address: device, sign }: Signer,
): ProofUploader | undefined {
  const { collectorUrl, collector, collectorBackups: backupUrls = [], backupAddress } = proofs;
  if (collectorUrl === undefined || collector === undefined) return undefined;
  const deployment = { chainId, registry };
  return proofUploader({ collectorUrl, backupUrls, backupAddress, collector, deployment, device, sign });
}

/** The receipt in a collector's answer, or why it is none for this proof. */
export function judgeAnswer(text: string, collector: Address, deployment: RegistryDeployment, proof: Hex): Answer {
  const json = jsonIn(text);
  // What is not JSON is quoted; the parser's own words would add nothing.
  if (json === undefined) return failure(`the collector's answer is not JSON: ${quoted(text)}`);
  return judgeReceipt(json, collector, deployment, proof);
}

/**
 * The ranges in "3-5,9"; what is no range of numbers is left out. It is not signed: whoever is between can only have the router
 * send once more what it has sent before.
 */
export function missingFrom(header: string): readonly MissingProofs[] {
  return header
    .split(',', MAX_RANGES)
    .map((part) => /^\s*(\d{1,10})(?:-(\d{1,10}))?\s*$/.exec(part))
    .filter((match) => match !== null)
    .map(([, from = '', to = from]) => ({ from: BigInt(from), to: BigInt(to) }))
    .filter(({ from, to }) => from <= to);
}

/** The head of the device's chain in an answer: signed by the device itself, and acknowledged by the collector. */
export function judgeHeadAnswer(
  text: string,
  collector: Address,
  device: Address,
  deployment: RegistryDeployment,
): HeadAnswer {
  const json = jsonIn(text);
  const parts =
    typeof json === 'object' && json !== null
      ? (json as { proof?: unknown; receipt?: unknown; rotation?: unknown })
      : {};
  const encoded = parts.proof;
  if (typeof encoded !== 'string' || encoded.length > MAX_HEAD_CHARACTERS || !/^0x(?:[0-9a-f]{2})+$/.test(encoded)) {
    return failure(`the collector's head of the chain is malformed: ${quoted(text)}`);
  }
  const decoded = decodeProofUpload(bytesFromHex(encoded as Hex));
  if (!decoded.ok) return malformed('head of the chain', decoded);
  const { proof } = decoded.value;
  const digest = trafficProofDigestHex(deployment, proof);
  const signer = signerOfHead(device, digest, parts.rotation, deployment);
  if (proof.device !== signer || trafficProofSigner(deployment, proof) !== signer) {
    return failure(`the collector shows a proof of ${proof.device} that this device has not signed`);
  }
  const judged = judgeReceipt(parts.receipt, collector, deployment, digest);
  return judged.ok ? { ok: true, head: { proof, receipt: judged.receipt } } : judged;
}

/** The device itself; or, while it has signed nothing, the key that has signed that it goes on after this very proof. */
function signerOfHead(device: Address, digest: Hex, rotation: unknown, deployment: RegistryDeployment): Address {
  const decoded = rotation === undefined ? undefined : decodeKeyRotation(rotation);
  if (decoded?.ok !== true) return device;
  const { successor, prev } = decoded.value;
  const isOurs = successor === device && prev === digest && isKeyRotationSigned(deployment, decoded.value);
  return isOurs ? decoded.value.device : device;
}

function withMissing(answer: Answer, header: string | undefined): Answer {
  const missing = answer.ok && header !== undefined ? missingFrom(header) : [];
  return answer.ok && missing.length > 0 ? { ...answer, missing } : answer;
}

function judgeReceipt(json: unknown, collector: Address, deployment: RegistryDeployment, proof: Hex): Answer {
  const decoded = decodeReceipt(json);
  if (!decoded.ok) return malformed('receipt', decoded);
  const receipt = decoded.value;
  if (receipt.collector !== collector) {
    return failure(`the receipt is of collector ${receipt.collector}, expected ${collector}`);
  }
  if (receipt.proof !== proof) return failure(`the receipt is for proof ${receipt.proof}, expected ${proof}`);
  if (!isProofReceiptSigned(deployment, receipt)) return failure(`the receipt is not signed by collector ${collector}`);
  return { ok: true, receipt };
}

function refusalIn({ status, text }: Reply): Failure | undefined {
  return status === 200 ? undefined : failure(`the collector answered ${status}: ${quoted(text)}`);
}

function malformed(what: string, { path, got, expected }: { path: string; got: string; expected: string }): Failure {
  return failure(`the collector's ${what} is malformed: ${path} is ${quoted(got).slice(1, -1)}, expected ${expected}`);
}

function failure(message: string): Failure {
  return { ok: false, message };
}
