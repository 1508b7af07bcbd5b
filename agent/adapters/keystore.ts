/**
 * The node's key in a file that only a passphrase opens: Web3 Secret Storage version 3, which every Ethereum wallet reads.
 * Written with scrypt and AES-128-CTR; read also with PBKDF2.
 *
 * @see https://ethereum.org/en/developers/docs/data-structures-and-encoding/web3-secret-storage/
 */
import { createCipheriv, createDecipheriv, pbkdf2Sync, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { scrypt } from '@noble/hashes/scrypt.js';
import * as v from 'valibot';
import { concatBytes } from '../../protocol/hex.ts';
import { keccak256 } from '../../protocol/keccak.ts';
import { addressFromSecretKey, isSecretKey } from '../../protocol/signature.ts';

/** 32 MiB and half a second on a router; wallets that make 256 MiB of it read this as well. */
const SCRYPT = { n: 32_768, r: 8, p: 1, dklen: 32 };
/** What a file may ask for: geth's standard is n 262144, r 8 (256 MiB). */
const MAX_SCRYPT_BYTES = 512 * 1024 * 1024;
/** n times r times p: eight times geth's standard, a minute or two on a router. Memory does not bound p. */
const MAX_SCRYPT_WORK = 16_777_216;
const MAX_PBKDF2_ROUNDS = 10_000_000;
const CIPHER = 'aes-128-ctr';
export const MIN_PASSPHRASE = 10;

export class KeystoreError extends Error {
  override readonly name = 'KeystoreError';
}

const hexText = (bytes: number) => v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-fA-F]{${bytes * 2}}$`)));
const salt = v.pipe(v.string(), v.regex(/^([0-9a-fA-F]{2}){1,128}$/));
const positive = v.pipe(v.number(), v.integer(), v.minValue(1));
const cryptoFields = {
  cipher: v.literal(CIPHER),
  cipherparams: v.object({ iv: hexText(16) }),
  ciphertext: hexText(32),
  mac: hexText(32),
};
const keystoreSchema = v.object({
  version: v.literal(3),
  address: v.optional(v.string()),
  crypto: v.variant('kdf', [
    v.object({
      ...cryptoFields,
      kdf: v.literal('scrypt'),
      kdfparams: v.object({ n: positive, r: positive, p: positive, dklen: v.literal(32), salt }),
    }),
    v.object({
      ...cryptoFields,
      kdf: v.literal('pbkdf2'),
      kdfparams: v.object({ c: positive, prf: v.literal('hmac-sha256'), dklen: v.literal(32), salt }),
    }),
  ]),
});
type Crypto = v.InferOutput<typeof keystoreSchema>['crypto'];

/** The JSON text of the file. @throws KeystoreError for a passphrase of less than MIN_PASSPHRASE characters */
export function encryptKey(secretKey: Uint8Array, passphrase: string): string {
  if ([...passphrase].length < MIN_PASSPHRASE)
    throw new KeystoreError(`a passphrase needs at least ${MIN_PASSPHRASE} characters`);
  const iv = randomBytes(16);
  const kdfSalt = randomBytes(32);
  const { n, r, p, dklen } = SCRYPT;
  const derived = scrypt(normalised(passphrase), kdfSalt, { N: n, r, p, dkLen: dklen, maxmem: MAX_SCRYPT_BYTES });
  const cipher = createCipheriv(CIPHER, derived.subarray(0, 16), iv);
  const ciphertext = Buffer.concat([cipher.update(secretKey), cipher.final()]);
  const document = {
    version: 3,
    id: randomUUID(),
    address: addressFromSecretKey(secretKey).slice(2),
    crypto: {
      cipher: CIPHER,
      cipherparams: { iv: iv.toString('hex') },
      ciphertext: ciphertext.toString('hex'),
      kdf: 'scrypt',
      kdfparams: { n, r, p, dklen, salt: kdfSalt.toString('hex') },
      mac: macOf(derived, ciphertext).toString('hex'),
    },
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** The 32-byte key. @throws KeystoreError if the text is no such file, or the passphrase is another */
export function decryptKey(text: string, passphrase: string): Uint8Array {
  const { crypto, address } = keystoreFrom(text);
  const ciphertext = Buffer.from(crypto.ciphertext, 'hex');
  const mac = Buffer.from(crypto.mac, 'hex');
  const derived = passphraseForms(passphrase)
    .map((form) => derivedKey(crypto, form))
    .find((key) => timingSafeEqual(macOf(key, ciphertext), mac));
  if (derived === undefined) throw new KeystoreError('the passphrase is wrong, or the file is damaged');
  const cipher = createDecipheriv(CIPHER, derived.subarray(0, 16), Buffer.from(crypto.cipherparams.iv, 'hex'));
  const key = new Uint8Array(Buffer.concat([cipher.update(ciphertext), cipher.final()]));
  if (!isSecretKey(key)) throw new KeystoreError('the file holds no secp256k1 key');
  const found = addressFromSecretKey(key).slice(2);
  if (address !== undefined && address.toLowerCase().replace(/^0x/, '') !== found) {
    throw new KeystoreError(`the file says it is of ${address}, its key is of 0x${found}`);
  }
  return key;
}

function keystoreFrom(text: string): v.InferOutput<typeof keystoreSchema> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new KeystoreError('a keystore must be JSON', { cause });
  }
  // Old wallets write "Crypto".
  const named =
    typeof document === 'object' && document !== null && 'Crypto' in document
      ? { ...document, crypto: document.Crypto }
      : document;
  const result = v.safeParse(keystoreSchema, named, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new KeystoreError(`not a Web3 keystore of version 3 (${v.getDotPath(issue) ?? 'the file'}: ${issue.message})`);
}

function derivedKey({ kdf, kdfparams }: Crypto, passphrase: Buffer): Uint8Array {
  const kdfSalt = Buffer.from(kdfparams.salt, 'hex');
  if (kdf === 'pbkdf2') {
    if (kdfparams.c > MAX_PBKDF2_ROUNDS) throw new KeystoreError(`${kdfparams.c} rounds of PBKDF2 are too many`);
    return pbkdf2Sync(passphrase, kdfSalt, kdfparams.c, kdfparams.dklen, 'sha256');
  }
  const { n, r, p, dklen } = kdfparams;
  if (n * r * p > MAX_SCRYPT_WORK) throw new KeystoreError(`scrypt with n ${n}, r ${r}, p ${p} is too much work`);
  try {
    // Not OpenSSL's: it refuses the definition's own test vector, whose N is above RFC 7914's bound for r = 1.
    return scrypt(passphrase, kdfSalt, { N: n, r, p, dkLen: dklen, maxmem: MAX_SCRYPT_BYTES });
  } catch (cause) {
    throw new KeystoreError(`scrypt cannot be run with n ${n}, r ${r}, p ${p}`, { cause });
  }
}

function macOf(derived: Uint8Array, ciphertext: Buffer): Buffer {
  return Buffer.from(keccak256(concatBytes(derived.subarray(16, 32), ciphertext)));
}

/** As this program writes it, and as it stands: wallets that do not normalise take it as it was typed. */
function passphraseForms(passphrase: string): readonly Buffer[] {
  const [normal, typed] = [normalised(passphrase), Buffer.from(passphrase, 'utf8')];
  return normal.equals(typed) ? [normal] : [normal, typed];
}

/** A passphrase typed on another keyboard is the same one. */
function normalised(passphrase: string): Buffer {
  return Buffer.from(passphrase.normalize('NFKC'), 'utf8');
}
