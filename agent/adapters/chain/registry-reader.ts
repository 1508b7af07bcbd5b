/** What DeviceRegistry and the token say of a device, asked of one endpoint: to be shown, and to be careful by; nothing is sent. */
import { createContract } from 'micro-eth-signer/abi.js';
import { DEVICE_REGISTRY_ABI } from '../../../contracts/abi/device-registry.ts';
import { SSP_TOKEN_ABI } from '../../../contracts/abi/ssp-token.ts';
import type { Address } from '../../../protocol/address.ts';
import { bytesFromHex, hexFromBytes } from '../../../protocol/hex.ts';
import { createJsonRpc, dataFrom, quantityFrom } from './json-rpc.ts';

export type RegistryReader = {
  /** Zero address if the device was never bound. @throws ChainError */
  operatorOf(device: Address): Promise<Address>;
  /** Whether the account holds coin or SSP. @throws ChainError */
  isEmpty(account: Address): Promise<boolean>;
};

const registryContract = createContract(DEVICE_REGISTRY_ABI);
const tokenContract = createContract(SSP_TOKEN_ABI);
const TIMEOUT_MS = 15_000;

export function registryReader(rpcUrl: string, registry: Address, token: Address): RegistryReader {
  const rpc = createJsonRpc({ url: rpcUrl, fetch, timeoutMs: TIMEOUT_MS });
  const call = async (to: Address, data: Uint8Array): Promise<Uint8Array> => {
    const result = await rpc.request('eth_call', [{ to, data: hexFromBytes(data) }, 'latest']);
    return bytesFromHex(dataFrom(result, 'eth_call'));
  };
  return {
    operatorOf: async (device) => {
      const { operatorOf } = registryContract;
      return hexFromBytes((await call(registry, operatorOf.encodeInput(device))).subarray(-20));
    },
    isEmpty: async (account) => {
      const { balanceOf } = tokenContract;
      const coin = quantityFrom(await rpc.request('eth_getBalance', [account, 'latest']), 'eth_getBalance');
      const units = await call(token, balanceOf.encodeInput(account));
      return coin === 0n && units.every((byte) => byte === 0);
    },
  };
}
