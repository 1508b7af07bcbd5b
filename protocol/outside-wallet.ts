/**
 * What a wallet outside the guest's page is asked to do: texts for a QR code, and the two transactions by which a payer opens
 * a channel itself. Nothing here is signed; whoever pays sees in its own wallet what it is asked.
 *
 * @see EIP-681 (URL format for transaction requests); IShareChannels.open
 */
import type { Address } from './address.ts';
import type { ChannelConfig } from './channel.ts';
import { bytesFromHex, bytesFromUint, concatBytes, type Hex, hexFromBytes } from './hex.ts';
import { keccak256Text } from './keccak.ts';
import type { TokenAmount } from './units.ts';

/** One call that a wallet sends: value 0, the chain as configured. */
export type WalletCall = { readonly to: Address; readonly data: Hex };

/** Sends tokens to an account, e.g. to a fresh pass code's: "ethereum:0x..@1/transfer?address=0x..&uint256=50000". */
export function transferLink(chainId: bigint, token: Address, to: Address, units: TokenAmount): string {
  return `ethereum:${token}@${chainId}/transfer?address=${to}&uint256=${units}`;
}

/** Lets a contract (ShareChannels, or Permit2) take tokens of the payer's. */
export function approveLink(chainId: bigint, token: Address, spender: Address, units: TokenAmount): string {
  return `ethereum:${token}@${chainId}/approve?address=${spender}&uint256=${units}`;
}

/** Sends coin, e.g. to the gas key: "ethereum:0x..@1". */
export function coinLink(chainId: bigint, to: Address): string {
  return `ethereum:${to}@${chainId}`;
}

/**
 * Approve, then open: what the payer's wallet sends, in this order. EIP-681 cannot say open's argument, which is a tuple, so
 * wallets take these as eth_sendTransaction.
 */
export function pullCalls(
  deployment: { readonly channels: Address; readonly token: Address },
  config: ChannelConfig,
  deposit: TokenAmount,
): readonly [WalletCall, WalletCall] {
  const { channels, token } = deployment;
  const { payer, signer, payee, device, expiry, exitDelay, salt } = config;
  const approve = concatBytes(selector('approve(address,uint256)'), addressWord(channels), bytesFromUint(deposit, 32));
  const open = concatBytes(
    selector('open((address,address,address,address,uint40,uint40,bytes32),uint64)'),
    ...[payer, signer, payee, device].map(addressWord),
    bytesFromUint(expiry, 32),
    bytesFromUint(exitDelay, 32),
    bytesFromHex(salt),
    bytesFromUint(deposit, 32),
  );
  return [
    { to: token, data: hexFromBytes(approve) },
    { to: channels, data: hexFromBytes(open) },
  ];
}

function selector(signature: string): Uint8Array {
  return keccak256Text(signature).subarray(0, 4);
}

function addressWord(address: Address): Uint8Array {
  return concatBytes(new Uint8Array(12), bytesFromHex(address));
}
