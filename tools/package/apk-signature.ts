/**
 * Signature of an apk by its maker's key, as `apk adbsign` makes it: routers that hold the public key in /etc/apk/keys install the
 * package without --allow-untrusted. The digests of all files stand in the signed document, so that it covers them too.
 * @see adb_trust_write_signatures in src/adb.c, apk_pkey_init in src/crypto_openssl.c of apk-tools 3
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';

/** struct adb_sign_v0: version 0 and digest (APK_DIGEST_SHA512), 16 bytes that name the key, the signature. */
const SIGN_VERSION = 0;
const DIGEST_SHA512 = 4;
const KEY_ID_BYTES = 16;
/** What OpenWrt makes by itself (`openssl ecparam -name prime256v1 -genkey`), and the larger ones of the same kind. */
const CURVES: readonly string[] = ['prime256v1', 'secp384r1', 'secp521r1'];

/** A private key of ECDSA. @param pem PKCS #8 or SEC 1, not encrypted. @throws if it is none, or of another kind */
export function signingKey(pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    throw new Error(`expected a private key in PEM, without a pass phrase: ${String(error)}; ${HOW_TO_MAKE}`);
  }
  const kind = key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType;
  if (!CURVES.includes(String(kind))) {
    throw new Error(`expected an ECDSA key on ${CURVES.join(', ')}, got ${kind}; ${HOW_TO_MAKE}`);
  }
  return key;
}

const HOW_TO_MAKE = 'make one with openssl ecparam -name prime256v1 -genkey -noout -out private-key.pem';

/** What routers must have in /etc/apk/keys. */
export function publicKeyText(key: KeyObject): string {
  return String(createPublicKey(key).export({ type: 'spki', format: 'pem' }));
}

/** Content of the signature's block. @param schema four letters, @param document the block that is signed. Never twice the same. */
export function signatureOf(key: KeyObject, schema: string, document: Uint8Array): Buffer {
  const head = Buffer.concat([Buffer.from([SIGN_VERSION, DIGEST_SHA512]), keyId(key)]);
  const digest = createHash('sha512').update(document).digest();
  return Buffer.concat([head, sign('sha512', Buffer.concat([Buffer.from(schema), head, digest]), key)]);
}

/** Digest of the point, uncompressed (SEC 1, 2.3.3), as i2d_PublicKey writes it. */
function keyId(key: KeyObject): Buffer {
  const { x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  return createHash('sha512').update(point).digest().subarray(0, KEY_ID_BYTES);
}
