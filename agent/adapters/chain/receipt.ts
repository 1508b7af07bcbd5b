/** A transaction's receipt, checked for what an honest node answers. */
import type { Address } from '../../../protocol/address.ts';
import type { Hex } from '../../../protocol/hex.ts';
import { unreachable } from './chain-error.ts';
import { isRecord, quantityFrom } from './json-rpc.ts';

export type Receipt = {
  readonly tx: Hex;
  readonly gasUsed: bigint;
  /** What it cost, in wei. */
  readonly feeWei: bigint;
  readonly contract?: Address;
};

/** @throws ChainError unreachable if it is none */
export function receiptFrom(value: unknown, tx: Hex): { receipt: Receipt; block: bigint; isSuccess: boolean } {
  if (!isRecord(value)) throw unreachable(`receipt of ${tx}: expected an object`);
  const isSuccess = quantityFrom(value['status'], `status of ${tx}`) === 1n;
  const gasUsed = quantityFrom(value['gasUsed'], `gasUsed of ${tx}`);
  const block = quantityFrom(value['blockNumber'], `blockNumber of ${tx}`);
  const feeWei = gasUsed * quantityFrom(value['effectiveGasPrice'] ?? '0x0', `effectiveGasPrice of ${tx}`);
  const contract = value['contractAddress'];
  const made = typeof contract === 'string' ? { contract: contract.toLowerCase() as Address } : {};
  return { receipt: { tx, gasUsed, feeWei, ...made }, block, isSuccess };
}
