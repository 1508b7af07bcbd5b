/**
 * What the frames of the proof log say. An upload as it came and what was made of it; or a proof judged again, because
 * what was missing when it came has arrived. A receipt is not kept: its signature follows from its content (RFC 6979).
 */
import { decode as cborDecode, encode as cborEncode, rfc8949EncodeOptions } from 'cborg';
import * as v from 'valibot';
import type { Address } from '../protocol/address.ts';
import type { ClockCorrection } from '../protocol/clock-statement.ts';
import { bytesFromHex, type Hex, hexFromBytes } from '../protocol/hex.ts';
import { decodeProofUpload, type ProofUpload } from '../protocol/traffic-proof-wire.ts';
import { VERDICTS, type Verdict } from '../protocol/verdict.ts';
import type { Judgement } from './judge-proof.ts';

export type UploadEntry = {
  readonly kind: 'upload';
  readonly body: Uint8Array;
  readonly upload: ProofUpload;
  /** Digest of the proof. */
  readonly digest: Hex;
  readonly judgement: Judgement;
  /** Unix seconds. */
  readonly receivedS: bigint;
};

/** The verdict of a proof on file that replaces the one before. */
export type RejudgementEntry = {
  readonly kind: 'rejudgement';
  readonly device: Address;
  readonly seq: bigint;
  readonly from: Verdict;
  readonly verdict: Verdict;
  readonly reason: string;
  /** What the proof counts for, so that totals can be moved without looking it up: days since 1970, bytes, units. */
  readonly day: bigint;
  /** Where its clock was put right: the day it counts for from now on. */
  readonly toDay?: bigint;
  readonly bytes: bigint;
  readonly paid: bigint;
};

/** A device's signed word on when its seconds began, for its proofs fromSeq..toSeq whose clock was not set. */
export type ClockCorrectionEntry = { readonly kind: 'clock-correction' } & Pick<
  ClockCorrection,
  'device' | 'fromSeq' | 'toSeq' | 'bootS'
>;

/** Where the chain of a key begins that took over another's (protocol/key-rotation.ts): after proof `seq - 1`, digest `prev`. */
export type ChainStartEntry = {
  readonly kind: 'chain-start';
  readonly device: Address;
  readonly seq: bigint;
  readonly prev: Hex;
};

export type LogEntry = UploadEntry | RejudgementEntry | ClockCorrectionEntry | ChainStartEntry;

const UPLOAD = 2;
const REJUDGEMENT = 3;
const CLOCK_CORRECTION = 4;
const REDATED = 5;
const CHAIN_START = 6;
const DIGEST_BYTES = 32;
/** Beside body and reason: at most seven heads, the longest verdict, the digest. */
const MOST_BESIDES = 7 * 9 + 32 + DIGEST_BYTES;

const seconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const uploadSchema = v.strictTuple([
  v.literal(UPLOAD),
  v.instance(Uint8Array),
  v.picklist(VERDICTS),
  v.string(),
  v.boolean(),
  seconds,
  v.instance(Uint8Array),
]);
const rejudged = [
  v.instance(Uint8Array),
  seconds,
  v.picklist(VERDICTS),
  v.picklist(VERDICTS),
  v.string(),
  seconds,
  v.string(),
  v.string(),
] as const;
const rejudgementSchema = v.strictTuple([v.literal(REJUDGEMENT), ...rejudged]);
/** A rejudgement that moves the proof to another day. */
const redatedSchema = v.strictTuple([v.literal(REDATED), ...rejudged, seconds]);
const correctionSchema = v.strictTuple([
  v.literal(CLOCK_CORRECTION),
  v.instance(Uint8Array),
  seconds,
  seconds,
  seconds,
]);
const startSchema = v.strictTuple([v.literal(CHAIN_START), v.instance(Uint8Array), seconds, v.instance(Uint8Array)]);
const entrySchema = v.union([uploadSchema, rejudgementSchema, redatedSchema, correctionSchema, startSchema]);

export function encodeLogEntry(entry: LogEntry): Uint8Array {
  if (entry.kind === 'rejudgement') {
    const { device, seq, from, verdict, reason, day, toDay, bytes, paid } = entry;
    const fields = [bytesFromHex(device), seq, from, verdict, reason, day, `${bytes}`, `${paid}`];
    const whole = toDay === undefined ? [REJUDGEMENT, ...fields] : [REDATED, ...fields, toDay];
    return cborEncode(whole, rfc8949EncodeOptions);
  }
  if (entry.kind === 'clock-correction') {
    const { device, fromSeq, toSeq, bootS } = entry;
    return cborEncode([CLOCK_CORRECTION, bytesFromHex(device), fromSeq, toSeq, bootS], rfc8949EncodeOptions);
  }
  if (entry.kind === 'chain-start') {
    const { device, seq, prev } = entry;
    return cborEncode([CHAIN_START, bytesFromHex(device), seq, bytesFromHex(prev)], rfc8949EncodeOptions);
  }
  return encodeUpload(entry);
}

/** As cborEncode would, which takes five times as long: one is written for every proof (test/fleet/proof-entry.test.ts). */
function encodeUpload({ body, judgement, receivedS, digest }: UploadEntry): Uint8Array {
  const { verdict, reason, joinsChain } = judgement;
  const bytes = Buffer.allocUnsafe(MOST_BESIDES + body.length + Buffer.byteLength(reason));
  // An array of seven.
  bytes[0] = 0x87;
  bytes[1] = UPLOAD;
  let at = writeHead(bytes, 2, 0x40, body.length);
  bytes.set(body, at);
  at += body.length;
  at = writeText(bytes, at, verdict);
  at = writeText(bytes, at, reason);
  bytes[at] = joinsChain ? 0xf5 : 0xf4;
  at = writeHead(bytes, at + 1, 0x00, Number(receivedS));
  at = writeHead(bytes, at, 0x40, DIGEST_BYTES);
  return bytes.subarray(0, at + bytes.write(digest.slice(2), at, 'hex'));
}

/** The head of a data item in its shortest form, of the major type in the three high bits. @returns where it ends */
function writeHead(bytes: Buffer, at: number, major: number, value: number): number {
  if (value < 24) return bytes.writeUInt8(major | value, at);
  if (value < 1 << 8) return bytes.writeUInt8(value, bytes.writeUInt8(major | 24, at));
  if (value < 1 << 16) return bytes.writeUInt16BE(value, bytes.writeUInt8(major | 25, at));
  if (value < 2 ** 32) return bytes.writeUInt32BE(value, bytes.writeUInt8(major | 26, at));
  return bytes.writeBigUInt64BE(BigInt(value), bytes.writeUInt8(major | 27, at));
}

function writeText(bytes: Buffer, at: number, text: string): number {
  const from = writeHead(bytes, at, 0x60, Buffer.byteLength(text));
  return from + bytes.write(text, from, 'utf8');
}

/** @throws Error if the bytes are no entry: they passed their CRC, so another program wrote them */
export function decodeLogEntry(payload: Uint8Array): LogEntry {
  const fields = v.parse(entrySchema, cborDecode(payload));
  if (fields[0] === CLOCK_CORRECTION) {
    const [, device, fromSeq, toSeq, bootS] = fields;
    const range = { fromSeq: BigInt(fromSeq), toSeq: BigInt(toSeq) };
    return { kind: 'clock-correction', device: hexFromBytes(device), ...range, bootS: BigInt(bootS) };
  }
  if (fields[0] === CHAIN_START) {
    const [, device, seq, prev] = fields;
    return { kind: 'chain-start', device: hexFromBytes(device), seq: BigInt(seq), prev: hexFromBytes(prev) };
  }
  if (fields[0] === REJUDGEMENT || fields[0] === REDATED) {
    const [, device, seq, from, verdict, reason, day, bytes, paid, toDay] = fields;
    const counts = { day: BigInt(day), bytes: BigInt(bytes), paid: BigInt(paid) };
    const moved = toDay === undefined ? {} : { toDay: BigInt(toDay) };
    const device20 = hexFromBytes(device);
    return { kind: 'rejudgement', device: device20, seq: BigInt(seq), from, verdict, reason, ...counts, ...moved };
  }
  const [, body, verdict, reason, joinsChain, receivedS, digest] = fields;
  const upload = decodeProofUpload(body);
  if (!upload.ok) throw new RangeError(`log entry holds no upload: ${upload.path} is ${upload.got}`);
  return {
    kind: 'upload',
    body,
    upload: upload.value,
    digest: hexFromBytes(digest),
    judgement: { verdict, reason, joinsChain },
    receivedS: BigInt(receivedS),
  };
}
