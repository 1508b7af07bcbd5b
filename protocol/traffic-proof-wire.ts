/**
 * The upload of one proof: deterministic CBOR (RFC 8949 section 4.2.1) of the signed proof, its session leaves and the
 * last voucher of each session, so that a collector can check everything by itself.
 */
import { decode as cborDecode, encode as cborEncode, rfc8949EncodeOptions } from 'cborg';
import * as v from 'valibot';
import { type Address, parseAddress } from './address.ts';
import type { ChannelConfig } from './channel.ts';
import { bytesFromHex, type Hex, hexFromBytes } from './hex.ts';
import { type Decoded, decode } from './schema.ts';
import type { SessionLeaf, SignedTrafficProof } from './traffic-proof.ts';
import type { SignedVoucher } from './voucher.ts';

/** A session's last voucher with the channel's config: the id is recomputed from the config, which names the signer. */
export type ProofVoucher = SignedVoucher & { readonly config: ChannelConfig };

export type ProofUpload = {
  readonly proof: SignedTrafficProof;
  readonly leaves: readonly SessionLeaf[];
  readonly vouchers: readonly ProofVoucher[];
};

/** MAX_LEAVES sessions, each with leaf, voucher and config of 386 bytes, and some room. */
export const MAX_UPLOAD_BYTES = 512 * 1024;
/** A proof covers one interval of one router: far more sessions than any access point serves in it. */
export const MAX_LEAVES = 1024;
const MEDIA_VERSION = 1;

export function encodeProofUpload(upload: ProofUpload): Uint8Array {
  const { proof } = upload;
  return cborEncode(
    {
      v: MEDIA_VERSION,
      proof: [
        bytesFromHex(proof.device),
        proof.epoch,
        proof.seq,
        proof.startS,
        proof.endS,
        proof.bytesUp,
        proof.bytesDown,
        proof.paid,
        bytesFromHex(proof.sessionsRoot),
        bytesFromHex(proof.prev),
        proof.clockState,
        bytesFromHex(proof.signature),
      ],
      leaves: upload.leaves.map((leaf) => [
        bytesFromHex(leaf.sessionId),
        bytesFromHex(leaf.channelId),
        leaf.bytesUp,
        leaf.bytesDown,
        leaf.paid,
        bytesFromHex(leaf.voucherDigest),
      ]),
      vouchers: upload.vouchers.map((voucher) => [
        bytesFromHex(voucher.channelId),
        voucher.amount,
        voucher.ackBytes,
        bytesFromHex(voucher.signature),
        [
          bytesFromHex(voucher.config.payer),
          bytesFromHex(voucher.config.signer),
          bytesFromHex(voucher.config.payee),
          bytesFromHex(voucher.config.device),
          voucher.config.expiry,
          voucher.config.exitDelay,
          bytesFromHex(voucher.config.salt),
        ],
      ]),
    },
    rfc8949EncodeOptions,
  );
}

/** Decodes an upload; a refusal names path, expected and got. Never throws on any input. */
export function decodeProofUpload(bytes: Uint8Array): Decoded<ProofUpload> {
  if (bytes.length > MAX_UPLOAD_BYTES) {
    return { ok: false, path: '', expected: `at most ${MAX_UPLOAD_BYTES} bytes`, got: `${bytes.length} bytes` };
  }
  let input: unknown;
  try {
    input = cborDecode(bytes, {
      strict: true,
      allowIndefinite: false,
      allowUndefined: false,
      rejectDuplicateMapKeys: true,
    });
  } catch (error) {
    // cborg names the offending key in full, and deep nesting ends in a stack overflow: both are an Error with a message.
    return { ok: false, path: '', expected: 'deterministic CBOR', got: (error as Error).message.slice(0, 100) };
  }
  return decode(uploadSchema, input);
}

const uint = (bits: number) =>
  v.pipe(
    v.union([v.pipe(v.number(), v.safeInteger('unsigned integer'), v.minValue(0)), v.pipe(v.bigint(), v.minValue(0n))]),
    v.transform((value): bigint => BigInt(value)),
    v.check((value) => value < 1n << BigInt(bits), `uint${bits}`),
  );
const bytesOf = (byteLength: number) =>
  v.pipe(
    v.instance(Uint8Array),
    v.check((value) => value.length === byteLength, `${byteLength} bytes`),
    v.transform((value): Hex => hexFromBytes(value)),
  );
const addressBytes = v.pipe(
  bytesOf(20),
  v.transform((value): Address => parseAddress(value) as Address),
);

const proofSchema = v.pipe(
  v.strictTuple([
    addressBytes,
    uint(32),
    uint(32),
    uint(40),
    uint(40),
    uint(64),
    uint(64),
    uint(64),
    bytesOf(32),
    bytesOf(32),
    v.pipe(
      uint(8),
      v.check((value) => value <= 1n, 'clock state 0 or 1'),
      v.transform((value) => value as 0n | 1n),
    ),
    bytesOf(64),
  ]),
  v.transform(
    ([
      device,
      epoch,
      seq,
      startS,
      endS,
      bytesUp,
      bytesDown,
      paid,
      root,
      prev,
      clockState,
      signature,
    ]): SignedTrafficProof => ({
      device,
      epoch,
      seq,
      startS,
      endS,
      bytesUp,
      bytesDown,
      paid,
      sessionsRoot: root,
      prev,
      clockState,
      signature,
    }),
  ),
);

const leafSchema = v.pipe(
  v.strictTuple([bytesOf(32), bytesOf(32), uint(64), uint(64), uint(64), bytesOf(32)]),
  v.transform(
    ([sessionId, channelId, bytesUp, bytesDown, paid, voucherDigest]): SessionLeaf => ({
      sessionId,
      channelId,
      bytesUp,
      bytesDown,
      paid,
      voucherDigest,
    }),
  ),
);

const configSchema = v.pipe(
  v.strictTuple([addressBytes, addressBytes, addressBytes, addressBytes, uint(40), uint(40), bytesOf(32)]),
  v.transform(
    ([payer, signer, payee, device, expiry, exitDelay, salt]): ChannelConfig => ({
      payer,
      signer,
      payee,
      device,
      expiry,
      exitDelay,
      salt,
    }),
  ),
);

const voucherSchema = v.pipe(
  v.strictTuple([bytesOf(32), uint(64), uint(64), bytesOf(64), configSchema]),
  v.transform(
    ([channelId, amount, ackBytes, signature, config]): ProofVoucher => ({
      channelId,
      amount,
      ackBytes,
      signature,
      config,
    }),
  ),
);

const uploadSchema = v.pipe(
  v.strictObject({
    v: v.literal(MEDIA_VERSION),
    proof: proofSchema,
    leaves: v.pipe(v.array(leafSchema), v.maxLength(MAX_LEAVES)),
    vouchers: v.pipe(v.array(voucherSchema), v.maxLength(MAX_LEAVES)),
  }),
  v.transform(({ proof, leaves, vouchers }): ProofUpload => ({ proof, leaves, vouchers })),
);
