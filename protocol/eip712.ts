/**
 * EIP-712 digests for flat structs of static types, which is all the protocol signs.
 * Dynamic types (string, bytes, arrays, nested structs) are refused on purpose: fewer ways to disagree with Solidity.
 *
 * @see EIP-712, sections "Definition of hashStruct" and "Definition of domainSeparator"
 */
import { concatBytes, type Hex, writeHex } from './hex.ts';
import { keccak256, keccak256Text } from './keccak.ts';

export type StaticType = 'address' | 'bytes32' | 'uint8' | 'uint32' | 'uint40' | 'uint64' | 'uint256';
export type StructField = readonly [name: string, type: StaticType];
export type StructType = { readonly name: string; readonly fields: readonly StructField[] };
export type StructValue = { readonly [field: string]: Hex | bigint };

/** Chain and contract that a signature is bound to. */
export type Domain = {
  readonly name: string;
  readonly version: string;
  readonly chainId: bigint;
  readonly verifyingContract: Hex;
};

const DOMAIN_TYPE = 'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)';

/** A program meets a handful of domains; whoever makes up more only loses the memory of them. */
const MAX_SEPARATORS = 64;
const separators = new Map<string, Uint8Array>();

/** 32-byte domain separator, remembered: it never changes for a domain. Not to be written to. */
export function domainSeparator(domain: Domain): Uint8Array {
  const { name, version, chainId, verifyingContract } = domain;
  const key = `${chainId} ${verifyingContract} ${version} ${name}`;
  const known = separators.get(key);
  if (known !== undefined) return known;
  const separator = computeSeparator(domain);
  if (separators.size >= MAX_SEPARATORS) separators.clear();
  separators.set(key, separator);
  return separator;
}

function computeSeparator(domain: Domain): Uint8Array {
  return keccak256(
    concatBytes(
      keccak256Text(DOMAIN_TYPE),
      keccak256Text(domain.name),
      keccak256Text(domain.version),
      encodeWord('chainId', 'uint256', domain.chainId),
      encodeWord('verifyingContract', 'address', domain.verifyingContract),
    ),
  );
}

/** What is signed, before it is hashed: the domain separator, and the encoded struct (encodeStruct). */
export type TypedMessage = { readonly separator: Uint8Array; readonly struct: Uint8Array };

/** The 32 bytes that are signed for a message. */
export function messageDigest({ separator, struct }: TypedMessage): Uint8Array {
  return typedDigest(separator, keccak256(struct));
}

/** keccak256(typeHash || field || field ...), 32 bytes. @throws RangeError naming the field that does not fit its type. */
export function hashStruct(type: StructType, value: StructValue): Uint8Array {
  return keccak256(encodeStruct(type, value));
}

/** typeHash || field || field ..., each 32 bytes. @throws RangeError naming the field that does not fit its type. */
export function encodeStruct(type: StructType, value: StructValue): Uint8Array {
  const encoded = new Uint8Array(WORD_BYTES * (1 + type.fields.length));
  encoded.set(typeHash(type));
  const view = new DataView(encoded.buffer);
  let at = WORD_BYTES;
  for (const [name, fieldType] of type.fields) {
    const field = value[name];
    if (field === undefined) throw new RangeError(`${type.name}.${name} is missing`);
    if (!writeWord(fieldType, field, encoded, view, at)) throw unfit(`${type.name}.${name}`, fieldType, field);
    at += WORD_BYTES;
  }
  return encoded;
}

/** The 32 bytes that are signed: keccak256(0x1901 || domainSeparator || hashStruct). */
export function typedDigest(separator: Uint8Array, structHash: Uint8Array): Uint8Array {
  const message = new Uint8Array(2 + separator.length + structHash.length);
  message[0] = 0x19;
  message[1] = 0x01;
  message.set(separator, 2);
  message.set(structHash, 2 + separator.length);
  return keccak256(message);
}

/** "Voucher(bytes32 channelId,uint64 amount,uint64 ackBytes)" */
export function encodeType(type: StructType): string {
  return `${type.name}(${type.fields.map(([name, fieldType]) => `${fieldType} ${name}`).join(',')})`;
}

const typeHashes = new WeakMap<StructType, Uint8Array>();

function typeHash(type: StructType): Uint8Array {
  const known = typeHashes.get(type);
  if (known !== undefined) return known;
  const hash = keccak256Text(encodeType(type));
  typeHashes.set(type, hash);
  return hash;
}

const WORD_BYTES = 32;
const MAX_64 = (1n << 64n) - 1n;
/** First value that is too large for each type. */
const LIMITS: Readonly<Record<Exclude<StaticType, 'address' | 'bytes32'>, bigint>> = {
  uint8: 1n << 8n,
  uint32: 1n << 32n,
  uint40: 1n << 40n,
  uint64: 1n << 64n,
  uint256: 1n << 256n,
};

function encodeWord(path: string, type: StaticType, value: Hex | bigint): Uint8Array {
  const word = new Uint8Array(WORD_BYTES);
  if (!writeWord(type, value, word, new DataView(word.buffer), 0)) throw unfit(path, type, value);
  return word;
}

/** Puts a field at `at`, where zeros are. @returns false if the value does not fit its type */
function writeWord(type: StaticType, value: Hex | bigint, bytes: Uint8Array, view: DataView, at: number): boolean {
  if (type === 'address') return typeof value === 'string' && writeHex(value, bytes, at + 12, 20);
  if (type === 'bytes32') return typeof value === 'string' && writeHex(value, bytes, at, 32);
  if (typeof value !== 'bigint' || value < 0n || value >= LIMITS[type]) return false;
  view.setBigUint64(at + 24, value & MAX_64);
  // Above 64 bits only in a uint256.
  for (let rest = value >> 64n, end = at + 24; rest > 0n; rest >>= 64n, end -= 8)
    view.setBigUint64(end - 8, rest & MAX_64);
  return true;
}

function unfit(path: string, type: StaticType, value: Hex | bigint): RangeError {
  const expected = type === 'address' ? '20 bytes of hex' : type === 'bytes32' ? '32 bytes of hex' : type;
  return new RangeError(`${path} must be ${expected}, got ${value}`);
}
