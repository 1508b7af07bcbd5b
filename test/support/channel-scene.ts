/**
 * Guests, routers and signatures for tests of ShareChannels on anvil: every transaction a test may want to send, also
 * those that no honest party would. Salts come from names and times are fixed, so runs repeat to the byte.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createContract } from 'micro-eth-signer/abi.js';
import { ChainError } from '../../agent/adapters/chain/chain-error.ts';
import {
  balanceFromResult,
  balanceQuery,
  channelFromResult,
  channelQuery,
  claimArgument,
  configArgument,
  reasonFromRevert,
  signatureArgument,
} from '../../agent/adapters/chain/channels-contract.ts';
import { createJsonRpc, dataFrom } from '../../agent/adapters/chain/json-rpc.ts';
import type { Receipt } from '../../agent/adapters/chain/receipt.ts';
import { createTransactions, type Transactions } from '../../agent/adapters/chain/transactions.ts';
import type { ChainChannel, Signer } from '../../agent/ports.ts';
import { SHARE_CHANNELS_ABI } from '../../contracts/abi/share-channels.ts';
import { SSP_TOKEN_ABI } from '../../contracts/abi/ssp-token.ts';
import type { Address } from '../../protocol/address.ts';
import {
  type ChannelConfig,
  channelId,
  closeDigest,
  depositNonce,
  exitDigest,
  openDigest,
} from '../../protocol/channel.ts';
import { type Domain, domainSeparator, hashStruct, typedDigest } from '../../protocol/eip712.ts';
import { authorizationDigest, type SignedAuthorization } from '../../protocol/funding.ts';
import { bytesFromHex, type Hex, hexFromBytes } from '../../protocol/hex.ts';
import { keccak256Hex } from '../../protocol/keccak.ts';
import { addressFromSecretKey, type CompactSignature, signDigest } from '../../protocol/signature.ts';
import type { TokenAmount } from '../../protocol/units.ts';
import { type SignedVoucher, signVoucher } from '../../protocol/voucher.ts';
import type { Account, AnvilWithContracts } from './anvil.ts';

/** Year 2096: beyond any clock a test sets. */
export const FAR_FUTURE = 4_000_000_000n;
/** Stands where a signature is not looked at. */
export const NO_SIGNATURE: CompactSignature = `0x${'00'.repeat(64)}`;

export const channelsContract = createContract(SHARE_CHANNELS_ABI);
export const tokenContract = createContract(SSP_TOKEN_ABI);

export type ClaimOf = { readonly config: ChannelConfig; readonly voucher: SignedVoucher; readonly amount: TokenAmount };

export type Scene = ReturnType<typeof createScene>;

export function createScene(anvil: AnvilWithContracts) {
  const { chainId, channels, token } = anvil.deployment;
  const deployment = { chainId, channels };
  const tokenDomain: Domain = { name: 'SSP Test Token', version: '1', chainId, verifyingContract: token };
  const rpc = createJsonRpc({ url: anvil.rpcUrl, fetch, timeoutMs: 10_000 });
  const senders = new Map<Address, Transactions>();

  async function call(to: Address, data: Uint8Array | Hex): Promise<Hex> {
    return dataFrom(await rpc.request('eth_call', [{ to, data: hexOf(data) }, 'latest']), 'eth_call');
  }

  return {
    deployment,
    token,
    channels,
    tokenDomain,
    call,
    /** Sends and waits. @throws ChainError with the contract's reason as message */
    async send(from: Account, to: Address, data: Uint8Array | Hex): Promise<Receipt> {
      let transactions = senders.get(from.address);
      if (transactions === undefined) {
        transactions = createTransactions({
          rpc,
          chainId,
          gasKey: signerFromSecretKey(from.secretKey),
          maxFeePerGasWei: 100_000_000_000n,
          receiptTimeoutMs: 10_000,
          pollMs: 5,
          monotonicMs: () => performance.now(),
          sleep: (ms) => sleep(ms),
        });
        senders.set(from.address, transactions);
      }
      try {
        return await transactions.send({ to, data: hexOf(data) });
      } catch (error) {
        const data = error instanceof ChainError ? error.revertData : undefined;
        throw new Error(data === undefined ? String(error) : (reasonFromRevert(data) ?? data), { cause: error });
      }
    },
    async channel(config: ChannelConfig): Promise<ChainChannel> {
      return channelFromResult(await call(channels, channelQuery(channelId(deployment, config))));
    },
    async balanceOf(owner: Address, ofToken: Address = token): Promise<TokenAmount> {
      return balanceFromResult(await call(ofToken, balanceQuery(owner)));
    },
    async earned(payee: Address): Promise<TokenAmount> {
      const result = await call(channels, channelsContract.earned.encodeInput(payee));
      return channelsContract.earned.decodeOutput(bytesFromHex(result));
    },
    voucher(config: ChannelConfig, amount: TokenAmount, signer: Account, ackBytes = amount * 10_000n): SignedVoucher {
      return signVoucher(deployment, { channelId: channelId(deployment, config), amount, ackBytes }, signer.secretKey);
    },
    authorization(config: ChannelConfig, value: TokenAmount, payer: Account, n = 0n): SignedAuthorization {
      const nonce = depositNonce(channelId(deployment, config), n);
      const fields = { from: config.payer, to: channels, value, validAfter: 0n, validBefore: FAR_FUTURE, nonce };
      return { ...fields, signature: signDigest(authorizationDigest(tokenDomain, fields), payer.secretKey) };
    },
    openSignature(config: ChannelConfig, deposit: TokenAmount, deadline: bigint, payer: Account): CompactSignature {
      return signDigest(openDigest(deployment, channelId(deployment, config), deposit, deadline), payer.secretKey);
    },
    closeSignature(config: ChannelConfig, amount: TokenAmount, by: Account): CompactSignature {
      return signDigest(closeDigest(deployment, channelId(deployment, config), amount), by.secretKey);
    },
    exitSignature(config: ChannelConfig, deadline: bigint, payer: Account): CompactSignature {
      return signDigest(exitDigest(deployment, channelId(deployment, config), deadline), payer.secretKey);
    },
    permitSignature(value: TokenAmount, nonce: bigint, deadline: bigint, owner: Account): CompactSignature {
      return signDigest(
        permitDigest(tokenDomain, { owner: owner.address, spender: channels, value, nonce, deadline }),
        owner.secretKey,
      );
    },
  };
}

/** A channel for these parties; the name makes it distinct. */
export function configFor(
  name: string,
  parties: { payer: Account; signer?: Account; payee: Account; device: Account },
  times: { expiry?: bigint; exitDelay?: bigint } = {},
): ChannelConfig {
  const { payer, signer = payer, payee, device } = parties;
  return {
    payer: payer.address,
    signer: signer.address,
    payee: payee.address,
    device: device.address,
    expiry: times.expiry ?? FAR_FUTURE,
    exitDelay: times.exitDelay ?? 3_600n,
    salt: keccak256Hex(new TextEncoder().encode(name)),
  };
}

export function openArgs(config: ChannelConfig, amount: TokenAmount): Uint8Array {
  return channelsContract.open.encodeInput({ config: configArgument(config), amount });
}

export function openWithPermitArgs(
  config: ChannelConfig,
  deposit: TokenAmount,
  deadline: bigint,
  signatures: { permit: CompactSignature; open: CompactSignature },
): Uint8Array {
  return channelsContract.openWithPermit.encodeInput({
    config: configArgument(config),
    deposit,
    deadline,
    permitSignature: signatureArgument(signatures.permit),
    openSignature: signatureArgument(signatures.open),
  });
}

export function claimArgs(claims: readonly ClaimOf[]): Uint8Array {
  return channelsContract.claim.encodeInput(
    claims.map(({ config, voucher, amount }) => claimArgument(config, voucher, amount)),
  );
}

export function requestExitArgs(config: ChannelConfig, deadline: bigint, signature: CompactSignature): Uint8Array {
  const fields = { config: configArgument(config), deadline, signature: signatureArgument(signature) };
  return channelsContract.requestExitWithSignature.encodeInput(fields);
}

export function reclaimArgs(config: ChannelConfig): Uint8Array {
  return channelsContract.reclaim.encodeInput(configArgument(config));
}

/** A key held in memory as the Signer that the chain adapter takes. */
export function signerFromSecretKey(secretKey: Uint8Array): Signer {
  return { address: addressFromSecretKey(secretKey), sign: (digest) => signDigest(digest, secretKey) };
}

type Permit = { owner: Address; spender: Address; value: bigint; nonce: bigint; deadline: bigint };

/** EIP-2612: only tests sign permits; wallets do it themselves. */
function permitDigest(domain: Domain, permit: Permit): Uint8Array {
  const type = {
    name: 'Permit',
    fields: [
      ['owner', 'address'],
      ['spender', 'address'],
      ['value', 'uint256'],
      ['nonce', 'uint256'],
      ['deadline', 'uint256'],
    ],
  } as const;
  return typedDigest(domainSeparator(domain), hashStruct(type, permit));
}

function hexOf(data: Uint8Array | Hex): Hex {
  return typeof data === 'string' ? data : hexFromBytes(data);
}
