/**
 * A call as a signed EIP-1559 transaction: gas estimated, fees by the node's word up to the owner's limit, and the same
 * once more with higher fees when it is stuck. Nothing is sent here.
 *
 * @see EIP-1559; EIP-2718
 */
import { Transaction } from 'micro-eth-signer';
import type { Address } from '../../../protocol/address.ts';
import { bytesFromHex, type Hex, hexFromBytes, uintFromBytes } from '../../../protocol/hex.ts';
import { keccak256, keccak256Hex } from '../../../protocol/keccak.ts';
import { splitSignature } from '../../../protocol/signature.ts';
import type { Signer } from '../../ports.ts';
import { unreachable } from './chain-error.ts';
import { isRecord, type JsonRpc, quantityFrom } from './json-rpc.ts';

export type SigningDeps = {
  readonly rpc: JsonRpc;
  readonly chainId: bigint;
  /** Pays the gas. */
  readonly gasKey: Signer;
  /** Highest price of a unit of gas that is paid; above it nothing is sent. */
  readonly maxFeePerGasWei: bigint;
};

/** `to` absent: the data is a contract's creation code. */
export type Call = { readonly to?: Address; readonly data: Hex };

export type Fees = { readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint };

export type Signed = { readonly hash: Hex; readonly raw: Hex };

type Priced = Call & Fees & { readonly nonce: bigint; readonly gasLimit: bigint };

/** Estimates are exact for the state they saw; another guest's open in between may cost a little more. */
const GAS_LIMIT_PERCENT = 125n;
/** Largest gas limit of one transaction. @see EIP-7825 */
const MAX_GAS_LIMIT = 16_777_216n;
/** Base fee may double within six full blocks (1.125^6): enough until the transaction counts as stuck. */
const BASE_FEE_FACTOR = 2n;
/** Nodes without eth_maxPriorityFeePerGas take this tip: 0.01 gwei, enough on every L2. */
const DEFAULT_TIP_WEI = 10_000_000n;
/** Nodes take a replacement only if both fees are a tenth above (geth, Reth) or an eighth (Erigon, some L2s). */
const BUMP_NUMERATOR = 1_125n;

/** @throws ChainError refused with the contract's reason, or unreachable */
export async function signedCall(deps: SigningDeps, call: Call, nonce: bigint): Promise<Signed> {
  const gasLimit = await estimatedGas(deps, call);
  const fees = await currentFees(deps);
  return signed(deps, { ...call, ...fees, gasLimit, nonce });
}

/**
 * The same transaction with both fees at least 12.5 % higher, and as high as the market is now; undefined if that is
 * above the owner's limit.
 */
export async function bumped(deps: SigningDeps, raw: Hex): Promise<Signed | undefined> {
  const before = Transaction.fromHex(raw).raw as Fees & { to: string; data: string; gasLimit: bigint; nonce: bigint };
  const now = await currentFees(deps);
  const maxFeePerGas = larger(raised(before.maxFeePerGas), now.maxFeePerGas);
  const maxPriorityFeePerGas = larger(raised(before.maxPriorityFeePerGas), now.maxPriorityFeePerGas);
  if (maxFeePerGas > deps.maxFeePerGasWei || maxPriorityFeePerGas > maxFeePerGas) return undefined;
  const { to, data, gasLimit, nonce } = before;
  const call: Call = { ...(to === '0x' ? {} : { to: to.toLowerCase() as Address }), data: dataHex(data) };
  return signed(deps, { ...call, gasLimit, nonce, maxFeePerGas, maxPriorityFeePerGas });
}

/** The price of a unit of gas now: base fee and tip. */
export async function gasPriceWei({ rpc }: Pick<SigningDeps, 'rpc'>): Promise<bigint> {
  const { baseFee, tip } = await marketFees(rpc);
  return baseFee + tip;
}

async function estimatedGas(deps: SigningDeps, call: Call): Promise<bigint> {
  const value = await deps.rpc.request('eth_estimateGas', [{ from: deps.gasKey.address, ...call }]);
  const limit = (quantityFrom(value, 'eth_estimateGas') * GAS_LIMIT_PERCENT) / 100n;
  if (limit <= MAX_GAS_LIMIT) return limit;
  throw unreachable(`eth_estimateGas: expected at most ${MAX_GAS_LIMIT} gas, got ${limit}`);
}

/** The node's word, up to the configured limit: a tip is paid in full, so a lying node could drain the gas key. */
async function currentFees(deps: SigningDeps): Promise<Fees> {
  const { baseFee, tip } = await marketFees(deps.rpc);
  const maxFeePerGas = baseFee * BASE_FEE_FACTOR + tip;
  if (baseFee + tip > deps.maxFeePerGasWei) {
    const got = `${baseFee} + ${tip} wei`;
    throw unreachable(`gas costs ${got}, the limit is ${deps.maxFeePerGasWei} wei: waiting for it to fall`);
  }
  return {
    maxFeePerGas: maxFeePerGas < deps.maxFeePerGasWei ? maxFeePerGas : deps.maxFeePerGasWei,
    maxPriorityFeePerGas: tip,
  };
}

async function marketFees(rpc: JsonRpc): Promise<{ readonly baseFee: bigint; readonly tip: bigint }> {
  const block = await rpc.request('eth_getBlockByNumber', ['latest', false]);
  const baseFee = quantityFrom(
    isRecord(block) ? block['baseFeePerGas'] : undefined,
    'baseFeePerGas of the latest block',
  );
  const tip = await rpc.request('eth_maxPriorityFeePerGas', []).then(
    (value) => quantityFrom(value, 'eth_maxPriorityFeePerGas'),
    () => DEFAULT_TIP_WEI,
  );
  return { baseFee, tip };
}

function signed(deps: SigningDeps, { to, ...priced }: Priced): Signed {
  const unsigned = prepared({ type: 'eip1559', chainId: deps.chainId, to: to ?? '0x', value: 0n, ...priced });
  const { r, s, v } = splitSignature(deps.gasKey.sign(keccak256(unsigned.toBytes({ includeSignature: false }))));
  const signature = { r: uintFromBytes(bytesFromHex(r)), s: uintFromBytes(bytesFromHex(s)), yParity: v - 27 };
  const transaction = new Transaction('eip1559', { ...unsigned.raw, ...signature }, { strict: false });
  const raw = transaction.toBytes();
  return { hash: keccak256Hex(raw), raw: hexFromBytes(raw) };
}

/** Nonce, gas and fees are the node's word: out of range they are its fault, not a bug of ours. */
function prepared(
  fields: Parameters<typeof Transaction.prepare<'eip1559'>>[0],
): InstanceType<typeof Transaction<'eip1559'>> {
  try {
    return Transaction.prepare(fields);
  } catch (error) {
    throw unreachable('the node gave a nonce, gas or fee that no transaction can have', {
      cause: error,
    });
  }
}

/** 12.5 % more, rounded up, and at least one wei. */
function raised(wei: bigint): bigint {
  return (wei * BUMP_NUMERATOR + 999n) / 1_000n + (wei === 0n ? 1n : 0n);
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function dataHex(data: string): Hex {
  return (data.startsWith('0x') ? data : `0x${data}`) as Hex;
}
