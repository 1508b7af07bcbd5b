/**
 * EIP-712 signatures by micro-eth-signer, which shares no code with protocol/eip712.ts: from the type's text alone, as it
 * stands in a specification. Signatures are RFC 6979, so equal signatures of one key mean equal digests.
 */
import { signTyped } from 'micro-eth-signer';
import type { Domain } from '../../protocol/eip712.ts';
import { type Hex, hexFromBytes } from '../../protocol/hex.ts';

const DOMAIN_FIELDS = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
  { name: 'chainId', type: 'uint256' },
  { name: 'verifyingContract', type: 'address' },
];

/** EIP-2098 signature of `message`, a struct of the given encodeType text ("Voucher(bytes32 channelId,...)"). */
export function oracleSignature(domain: Domain, typeText: string, message: object, secretKey: Uint8Array): Hex {
  const [, name, fields] = /^(\w+)\((.*)\)$/.exec(typeText) as unknown as [string, string, string];
  const members = fields === '' ? [] : fields.split(',').map((field) => field.split(' ') as [string, string]);
  const types = {
    EIP712Domain: DOMAIN_FIELDS,
    [name]: members.map(([type, member]) => ({ name: member, type })),
  };
  const typed = { types, primaryType: name, domain, message } as unknown as Parameters<typeof signTyped>[0];
  return compactFromRsv(signTyped(typed, hexFromBytes(secretKey), false));
}

/** 65 bytes r || s || v to EIP-2098, by text alone. */
function compactFromRsv(rsv: string): Hex {
  const v = Number.parseInt(rsv.slice(130), 16);
  const firstNibble = Number.parseInt(rsv.charAt(66), 16) + (v === 28 ? 8 : 0);
  return `0x${rsv.slice(2, 66)}${firstNibble.toString(16)}${rsv.slice(67, 130)}`;
}
