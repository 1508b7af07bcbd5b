/**
 * Reads an upload from its bytes, in the one form that deterministic CBOR gives it: the general decoder of
 * protocol/traffic-proof-wire.ts takes ten times as long, most of it to find out what an honest router never sends. Reads
 * nothing that the general decoder would refuse, and nothing differently (test/fleet/upload-reader.test.ts holds them against
 * each other); what it does not read is for the general decoder to refuse, with path and reason.
 *
 * @see RFC 8949 section 4.2.1: shortest heads, definite lengths, keys in the order of their bytes
 */
import type { Address } from '../protocol/address.ts';
import type { ChannelConfig } from '../protocol/channel.ts';
import type { Hex } from '../protocol/hex.ts';
import type { Decoded } from '../protocol/schema.ts';
import type { SessionLeaf, SignedTrafficProof } from '../protocol/traffic-proof.ts';
import {
  decodeProofUpload,
  MAX_LEAVES,
  MAX_UPLOAD_BYTES,
  type ProofUpload,
  type ProofVoucher,
} from '../protocol/traffic-proof-wire.ts';
import { isNext, type KnownConfigs } from './known-configs.ts';

const UINT = 0;
const BYTES = 2;
const ARRAY = 4;
/** Map of four; then each key, as text. */
const OPENING = Buffer.from('a46176016570726f6f668c', 'hex');
/** Where the items of the proof begin. */
export const PROOF_AT = OPENING.length;
const LEAVES = Buffer.from('666c6561766573', 'hex');
const VOUCHERS = Buffer.from('68766f756368657273', 'hex');
const PROOF_FIELDS = 12;
const LEAF_FIELDS = 6;
const VOUCHER_FIELDS = 5;
const CONFIG_FIELDS = 7;

/** Decodes an upload; a refusal names path, expected and got. A config that is known is the known object. Never throws. */
export function readProofUpload(bytes: Uint8Array, configs?: KnownConfigs): Decoded<ProofUpload> {
  const value = bytes.length > MAX_UPLOAD_BYTES ? undefined : new UploadReader(bytes, configs).upload();
  if (value !== undefined) return { ok: true, value };
  const decoded = decodeProofUpload(bytes);
  if (!decoded.ok) return decoded;
  return { ok: false, path: '', expected: 'deterministic CBOR', got: 'keys in another order' };
}

/**
 * The signed proof in an upload, as it came: twelve items, of which the first is the device's address behind one byte of head.
 *
 * @throws RangeError if these are not the bytes of an upload
 */
export function signedProofBytes(body: Uint8Array): Buffer {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  let end = PROOF_AT;
  for (let item = 0; item < PROOF_FIELDS; item++) end += itemLength(bytes, end);
  if (!(end <= bytes.length)) throw new RangeError(`expected an upload, got ${bytes.length} bytes of something else`);
  return bytes.subarray(PROOF_AT, end);
}

/** What signedProofBytes gave. @throws RangeError if it did not */
export function readSignedProof(bytes: Uint8Array): SignedTrafficProof {
  const proof = new UploadReader(bytes).signedProof();
  if (proof === undefined) throw new RangeError(`expected a signed proof, got ${bytes.length} other bytes`);
  return proof;
}

/** Of a number or of bytes, as deterministic CBOR has them here; NaN of anything else. */
function itemLength(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0xff;
  const short = first & 0x1f;
  const size = short < 24 ? 0 : 1 << (short - 24);
  if (first >> 5 === UINT && size <= 8) return 1 + size;
  if (first >> 5 !== BYTES || size > 1) return Number.NaN;
  return 1 + size + (size === 0 ? short : (bytes[at + 1] ?? Number.NaN));
}

/** Goes on after the first thing that is not as it should be, over zeros, and gives nothing in the end. */
class UploadReader {
  readonly #bytes: Buffer;
  #at = 0;
  #isSound = true;
  readonly #configs: KnownConfigs | undefined;

  constructor(bytes: Uint8Array, configs?: KnownConfigs) {
    this.#configs = configs;
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  signedProof(): SignedTrafficProof | undefined {
    const proof = this.#proof();
    return this.#isSound && this.#at === this.#bytes.length ? proof : undefined;
  }

  upload(): ProofUpload | undefined {
    this.#literal(OPENING);
    const proof = this.#proof();
    this.#literal(LEAVES);
    const leaves = this.#list(() => this.#leaf());
    this.#literal(VOUCHERS);
    const vouchers = this.#list(() => this.#voucher());
    return this.#isSound && this.#at === this.#bytes.length ? { proof, leaves, vouchers } : undefined;
  }

  #proof(): SignedTrafficProof {
    return {
      device: this.#hex(20),
      epoch: this.#uint(32),
      seq: this.#uint(32),
      startS: this.#uint(40),
      endS: this.#uint(40),
      bytesUp: this.#uint(64),
      bytesDown: this.#uint(64),
      paid: this.#uint(64),
      sessionsRoot: this.#hex(32),
      prev: this.#hex(32),
      clockState: this.#uint(1) as 0n | 1n,
      signature: this.#hex(64),
    };
  }

  #leaf(): SessionLeaf {
    this.#array(LEAF_FIELDS);
    return {
      sessionId: this.#hex(32),
      channelId: this.#hex(32),
      bytesUp: this.#uint(64),
      bytesDown: this.#uint(64),
      paid: this.#uint(64),
      voucherDigest: this.#hex(32),
    };
  }

  #voucher(): ProofVoucher {
    this.#array(VOUCHER_FIELDS);
    const channelId = this.#hex(32);
    return {
      channelId,
      amount: this.#uint(64),
      ackBytes: this.#uint(64),
      signature: this.#hex(64),
      config: this.#config(channelId),
    };
  }

  #config(channelId: Hex): ChannelConfig {
    this.#array(CONFIG_FIELDS);
    const known = this.#configs?.get(channelId);
    if (known !== undefined && isNext(known, this.#bytes, this.#at)) {
      this.#at += known.bytes.length;
      return known.config;
    }
    return {
      payer: this.#hex(20),
      signer: this.#hex(20),
      payee: this.#hex(20),
      device: this.#hex(20),
      expiry: this.#uint(40),
      exitDelay: this.#uint(40),
      salt: this.#hex(32),
    };
  }

  #list<T>(item: () => T): T[] {
    const items: T[] = [];
    const length = this.#head(ARRAY);
    if (length > MAX_LEAVES) this.#isSound = false;
    // A length that is not true ends with the bytes.
    for (let i = 0; i < length && this.#isSound; i++) items.push(item());
    return items;
  }

  #array(length: number): void {
    if (this.#head(ARRAY) !== length) this.#isSound = false;
  }

  #literal(expected: Buffer): void {
    const end = this.#at + expected.length;
    if (end > this.#bytes.length || expected.compare(this.#bytes, this.#at, end) !== 0) this.#isSound = false;
    this.#at = end;
  }

  #hex(byteLength: number): Address & Hex {
    const isLength = this.#head(BYTES) === byteLength;
    const end = this.#at + byteLength;
    if (!isLength || end > this.#bytes.length) this.#isSound = false;
    const hex = `0x${this.#bytes.toString('hex', this.#at, end)}` as const;
    this.#at = end;
    return hex;
  }

  /** Below 2^bits. */
  #uint(bits: number): bigint {
    if (this.#bytes[this.#at] === ((UINT << 5) | 27)) return this.#uint64(bits);
    const value = this.#head(UINT);
    if (value >= 2 ** bits) this.#isSound = false;
    return BigInt(value);
  }

  /** Of eight bytes, as only numbers beyond 32 bits may be. */
  #uint64(bits: number): bigint {
    const at = this.#at + 1;
    this.#at = at + 8;
    if (this.#at > this.#bytes.length) {
      this.#isSound = false;
      return 0n;
    }
    const value = this.#bytes.readBigUInt64BE(at);
    if (value < 1n << 32n || value >= 1n << BigInt(bits)) this.#isSound = false;
    return value;
  }

  /** The argument of a head of that major type, in its shortest form, at most 32 bits; else 0, and not sound. */
  #head(major: number): number {
    const first = this.#bytes[this.#at] ?? 0xff;
    const short = first & 0x1f;
    const size = short < 24 ? 0 : 1 << (short - 24);
    if (first >> 5 !== major || short > 26 || this.#at + 1 + size > this.#bytes.length) {
      this.#isSound = false;
      return 0;
    }
    const value = size === 0 ? short : this.#bytes.readUIntBE(this.#at + 1, size);
    this.#at += 1 + size;
    // What would have fitted fewer bytes.
    if (size > 0 && value < (size === 1 ? 24 : 2 ** (4 * size))) this.#isSound = false;
    return value;
  }
}
