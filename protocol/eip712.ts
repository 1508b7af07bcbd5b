/**
 * EIP-712 digests for flat structs of static types, which is all the protocol signs.
 * Dynamic types (string, bytes, arrays, nested structs) are refused on purpose: fewer ways to disagree with Solidity.
 *
 * @see EIP-712, sections "Definition of hashStruct" and "Definition of domainSeparator"
 */
import { bytesFromHex, bytesFromUint, concatBytes, type Hex } from './hex.ts';
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
      encodeField('chainId', 'uint256', domain.chainId),
      encodeField('verifyingContract', 'address', domain.verifyingContract),
    ),
  );
}

/** keccak256(typeHash || field || field ...), 32 bytes. @throws RangeError naming the field that does not fit its type. */
export function hashStruct(type: StructType, value: StructValue): Uint8Array {
  const encoded = type.fields.map(([name, fieldType]) => {
    const field = value[name];
    if (field === undefined) throw new RangeError(`${type.name}.${name} is missing`);
    return encodeField(`${type.name}.${name}`, fieldType, field);
  });
  return keccak256(concatBytes(typeHash(type), ...encoded));
}

/** The 32 bytes that are signed: keccak256(0x1901 || domainSeparator || hashStruct). */
export function typedDigest(separator: Uint8Array, structHash: Uint8Array): Uint8Array {
  return keccak256(concatBytes(new Uint8Array([0x19, 0x01]), separator, structHash));
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

function encodeField(path: string, type: StaticType, value: Hex | bigint): Uint8Array {
  if (type === 'address' || type === 'bytes32') {
    const byteLength = type === 'address' ? 20 : 32;
    const bytes = typeof value === 'string' ? bytesFromHex(value) : undefined;
    if (bytes?.length !== byteLength) throw new RangeError(`${path} must be ${byteLength} bytes of hex, got ${value}`);
    return concatBytes(new Uint8Array(32 - byteLength), bytes);
  }
  const bits = Number(type.slice('uint'.length));
  if (typeof value !== 'bigint' || value < 0n || value >= 1n << BigInt(bits)) {
    throw new RangeError(`${path} must be ${type}, got ${value}`);
  }
  return bytesFromUint(value, 32);
}
