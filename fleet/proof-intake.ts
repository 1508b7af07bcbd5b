/**
 * One upload from bytes to signed receipt: decode, judge, make durable, then answer. Uploads of one device are taken one
 * after the other, since each verdict depends on the one before; devices do not wait for one another.
 */
import type { Address } from '../protocol/address.ts';
import { type RegistryDeployment, trafficProofDigestHex } from '../protocol/traffic-proof.ts';
import { decodeProofUpload, type ProofUpload } from '../protocol/traffic-proof-wire.ts';
import { type SignedProofReceipt, signProofReceipt } from '../protocol/verdict.ts';
import {
  type CollectorDeployment,
  type Judgement,
  judgeContent,
  judgeOrigin,
  type KnownDevice,
} from './judge-proof.ts';
import { encodeProofEntry } from './proof-entry.ts';
import type { ProofIndex } from './proof-index.ts';
import { type ProofLog, ProofLogError } from './proof-log.ts';

export type IntakeDeps = {
  readonly log: ProofLog;
  /** Caught up with the log. */
  readonly index: ProofIndex;
  readonly deployment: CollectorDeployment;
  readonly collector: { readonly address: Address; readonly secretKey: Uint8Array };
  readonly devices: (address: Address) => KnownDevice | undefined;
  /** Unix seconds. */
  readonly nowS: () => bigint;
  /** A proof whose interval ended longer ago is late. */
  readonly lateAfterS: bigint;
  /** Called once when log or index cannot go on. A restart reads from the log what the index has not taken up. */
  readonly onFailure: (error: unknown) => void;
};

export type IntakeResult =
  | { readonly ok: true; readonly receipt: SignedProofReceipt }
  | {
      readonly ok: false;
      readonly reason: 'malformed';
      readonly path: string;
      readonly expected: string;
      readonly got: string;
    }
  | { readonly ok: false; readonly reason: 'busy' }
  /** Log or index cannot go on; see IntakeDeps.onFailure. */
  | { readonly ok: false; readonly reason: 'failed' };

/** A router sends one upload after the other; more at once means that somebody else has its key, or none at all. */
const MAX_WAITING_PER_DEVICE = 8;
/** Uploads of all devices in memory at once: at most 256 KiB each, in practice below 1 KiB. */
const MAX_WAITING = 4096;

export class ProofIntake {
  readonly #deps: IntakeDeps;
  readonly #queues = new Map<Address, { tail: Promise<unknown>; length: number }>();
  #waiting = 0;
  #hasFailed = false;

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** @throws ProofLogError if the upload could not be made durable; nothing was acknowledged then */
  async take(body: Uint8Array): Promise<IntakeResult> {
    const decoded = decodeProofUpload(body);
    if (!decoded.ok) return { ...decoded, reason: 'malformed' };
    if (this.#hasFailed) return { ok: false, reason: 'failed' };
    if (this.#waiting >= MAX_WAITING) return { ok: false, reason: 'busy' };
    this.#waiting += 1;
    try {
      return await this.#takeUpload(body, decoded.value);
    } finally {
      this.#waiting -= 1;
    }
  }

  async #takeUpload(body: Uint8Array, upload: ProofUpload): Promise<IntakeResult> {
    const known = this.#deps.index.receiptOfBody(body);
    if (known !== undefined) return { ok: true, receipt: known };
    const { device } = upload.proof;
    const record = this.#deps.devices(device);
    // Before the device's queue: whoever has not its key cannot make its own uploads wait.
    const origin = judgeOrigin(upload, { deployment: this.#deps.deployment, device: record });
    if (origin !== undefined) return { ok: true, receipt: await this.#keep(body, upload, origin) };
    return await this.#inTurn(device, async () => ({
      ok: true,
      receipt: await this.#takeGenuine(body, upload, record),
    }));
  }

  async #takeGenuine(
    body: Uint8Array,
    upload: ProofUpload,
    device: KnownDevice | undefined,
  ): Promise<SignedProofReceipt> {
    const { index, deployment, nowS, lateAfterS } = this.#deps;
    const judgement = judgeContent(upload, {
      deployment,
      device,
      neighbours: index.neighboursOf(upload),
      channels: index.channelsOf(upload),
      receivedS: nowS(),
      lateAfterS,
    });
    if (judgement.verdict === 'duplicate') {
      const receipt = index.receiptOf(upload.proof.device, upload.proof.seq);
      if (receipt !== undefined) return receipt;
    }
    return await this.#keep(body, upload, judgement);
  }

  async #keep(body: Uint8Array, upload: ProofUpload, judgement: Judgement): Promise<SignedProofReceipt> {
    const { log, index, deployment, collector, nowS } = this.#deps;
    const receipt = signReceipt(deployment, upload, judgement, collector, nowS());
    const entry = { body, upload, judgement, receipt };
    try {
      // The log settles its promises in its own order, so the index takes entries up in that order too.
      const position = await log.append(encodeProofEntry(entry));
      index.apply(entry, position);
    } catch (error) {
      if (!(error instanceof ProofLogError && error.code === 'LOG_FULL')) this.#fail(error);
      throw error;
    }
    return receipt;
  }

  /** With a hole in the index nothing may be judged, or taken up after the hole. */
  #fail(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#deps.onFailure(error);
  }

  /** Runs `take` after all that wait for the device already. */
  async #inTurn(device: Address, take: () => Promise<IntakeResult>): Promise<IntakeResult> {
    const queue = this.#queues.get(device) ?? { tail: Promise.resolve(), length: 0 };
    if (queue.length >= MAX_WAITING_PER_DEVICE) return { ok: false, reason: 'busy' };
    this.#queues.set(device, queue);
    queue.length += 1;
    // A failure is its own caller's business; the next in turn starts all the same.
    const result = queue.tail.then(take, take);
    queue.tail = result;
    try {
      return await result;
    } finally {
      queue.length -= 1;
      if (queue.length === 0) this.#queues.delete(device);
    }
  }
}

function signReceipt(
  deployment: RegistryDeployment,
  { proof }: ProofUpload,
  { verdict }: Judgement,
  collector: IntakeDeps['collector'],
  receivedS: bigint,
): SignedProofReceipt {
  const digest = trafficProofDigestHex(deployment, proof);
  return signProofReceipt(
    deployment,
    { collector: collector.address, proof: digest, verdict, receivedS },
    collector.secretKey,
  );
}
