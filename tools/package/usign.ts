/**
 * Signatures as usign makes them, by which opkg trusts a feed: Ed25519 (RFC 8032) over the index, in the files of OpenBSD's
 * signify. A router takes a feed whose key lies in /etc/opkg/keys, in a file named by the key's fingerprint.
 * @see main.c of usign: struct pubkey, seckey, sig
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';

const ALGORITHM = Buffer.from('Ed');
const FINGERPRINT_BYTES = 8;
const HALF_BYTES = 32;
/** Algorithm, "BK", rounds (0: no pass phrase), 16 bytes of salt. */
const HEAD_BYTES = 2 + 2 + 4 + 16;
/** The beginning of the SHA-512 of seed and public half. */
const CHECKSUM_BYTES = 8;
const SECRET_BYTES = HEAD_BYTES + CHECKSUM_BYTES + FINGERPRINT_BYTES + 2 * HALF_BYTES;

const HOW_TO_MAKE = 'make one with node tools/make-feed-key.ts FILE, or usign -G -s FILE -p FILE.pub';

export type FeedKey = {
  readonly privateKey: KeyObject;
  readonly publicHalf: Buffer;
  /** 8 bytes, random: names the key. */
  readonly fingerprint: Buffer;
};

/** A new key, and its secret file. */
export function newFeedKey(): { readonly key: FeedKey; readonly secretText: string } {
  const { privateKey } = generateKeyPairSync('ed25519');
  const seed = Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url');
  const key = { privateKey, publicHalf: publicHalfOf(privateKey), fingerprint: randomBytes(FINGERPRINT_BYTES) };
  const pair = Buffer.concat([seed, key.publicHalf]);
  const head = Buffer.concat([ALGORITHM, Buffer.from('BK'), Buffer.alloc(4), randomBytes(16)]);
  return { key, secretText: fileOf('private key', key, Buffer.concat([head, checksum(pair), key.fingerprint, pair])) };
}

/** The key in a secret file of usign or signify. @throws if it is none, has a pass phrase, or is damaged */
export function feedKey(secretText: string): FeedKey {
  const [comment = '', encoded = ''] = secretText.split('\n');
  const bytes = Buffer.from(encoded, 'base64');
  if (
    !comment.startsWith('untrusted comment:') ||
    bytes.length !== SECRET_BYTES ||
    !bytes.subarray(0, 2).equals(ALGORITHM)
  )
    throw new Error(`expected a secret key of usign (a comment, then ${SECRET_BYTES} bytes in base64); ${HOW_TO_MAKE}`);
  if (bytes.readUInt32BE(4) !== 0)
    throw new Error(`expected a key without a pass phrase, as usign does; ${HOW_TO_MAKE}`);
  const fingerprint = bytes.subarray(SECRET_BYTES - 2 * HALF_BYTES - FINGERPRINT_BYTES, SECRET_BYTES - 2 * HALF_BYTES);
  const pair = bytes.subarray(SECRET_BYTES - 2 * HALF_BYTES);
  const publicHalf = pair.subarray(HALF_BYTES);
  const jwk = { kty: 'OKP', crv: 'Ed25519', d: base64url(pair.subarray(0, HALF_BYTES)), x: base64url(publicHalf) };
  const privateKey = createPrivateKey({ format: 'jwk', key: jwk });
  if (
    !checksum(pair).equals(bytes.subarray(HEAD_BYTES, HEAD_BYTES + CHECKSUM_BYTES)) ||
    !publicHalfOf(privateKey).equals(publicHalf)
  )
    throw new Error('the secret key of usign is damaged: its halves or its checksum do not fit together');
  return { privateKey, publicHalf, fingerprint };
}

/** Name of the file in /etc/opkg/keys. */
export function feedKeyName({ fingerprint }: FeedKey): string {
  return fingerprint.toString('hex');
}

/** What lies in /etc/opkg/keys on routers. */
export function feedKeyText(key: FeedKey): string {
  return fileOf('public key', key, Buffer.concat([ALGORITHM, key.fingerprint, key.publicHalf]));
}

/** Content of Packages.sig. The same for the same index and key. */
export function usignSignature(key: FeedKey, message: Uint8Array): string {
  const signature = sign(null, message, key.privateKey);
  return fileOf('signed by key', key, Buffer.concat([ALGORITHM, key.fingerprint, signature]));
}

function fileOf(what: string, key: FeedKey, bytes: Buffer): string {
  return `untrusted comment: ${what} ${feedKeyName(key)}\n${bytes.toString('base64')}\n`;
}

function checksum(pair: Buffer): Buffer {
  return createHash('sha512').update(pair).digest().subarray(0, CHECKSUM_BYTES);
}

/** The secret half is computed anew from its seed: a stored public half is only believed if it is the same. */
function publicHalfOf(privateKey: KeyObject): Buffer {
  return Buffer.from(createPublicKey(privateKey).export({ format: 'jwk' }).x ?? '', 'base64url');
}

function base64url(bytes: Buffer): string {
  return bytes.toString('base64url');
}
