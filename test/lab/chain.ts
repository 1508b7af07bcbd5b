/**
 * The chain as the lab uses it: starts it on the internet, fills pass codes and the router's gas, and reads back what the
 * contract holds. The lab asks from the internet's namespace, so that cutting the router's uplink does not blind it.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createContract } from 'micro-eth-signer/abi.js';
import {
  balanceFromResult,
  balanceQuery,
  channelFromResult,
  channelQuery,
} from '../../agent/adapters/chain/channels-contract.ts';
import { createJsonRpc, dataFrom, type JsonRpc } from '../../agent/adapters/chain/json-rpc.ts';
import { createTransactions, type Transactions } from '../../agent/adapters/chain/transactions.ts';
import type { ChainChannel } from '../../agent/ports.ts';
import { SSP_TOKEN_ABI } from '../../contracts/abi/ssp-token.ts';
import type { Address } from '../../protocol/address.ts';
import { bytesFromHex, type Hex, hexFromBytes } from '../../protocol/hex.ts';
import { passCodeFromRandom, secretKeyFromPassCode } from '../../protocol/pass-code.ts';
import { addressFromSecretKey, signDigest } from '../../protocol/signature.ts';
import { BACKEND_IP4, CHAIN_PORT } from './addresses.ts';
import { LabError } from './errors.ts';
import type { Hand } from './hand.ts';
import type { Running } from './host.ts';
import type { World } from './world.ts';

const MAIN = fileURLToPath(new URL('./chain-main.ts', import.meta.url));
const READY_MS = 90_000;
const GAS_MONEY_WEI = 10n ** 18n;
const token = createContract(SSP_TOKEN_ABI);

export type ChainAddresses = { readonly chainId: bigint; readonly token: Address; readonly channels: Address };
export type PassCode = { readonly code: string; readonly address: Address };

export const CHAIN_URL = `http://${BACKEND_IP4}:${CHAIN_PORT}`;

export class LabChain {
  readonly addresses: ChainAddresses;
  readonly #world: World;
  readonly #rpc: JsonRpc;
  readonly #bank: Transactions;
  #isReachable = true;

  static async start(world: World): Promise<LabChain> {
    const running = world.internet.start('chain', [process.execPath, MAIN], {
      logFile: world.lab.path('chain.log'),
      hasPipes: true,
    });
    return new LabChain(world, await firstLine(running));
  }

  private constructor(world: World, line: string) {
    const said = JSON.parse(line) as { chainId: string; token: Address; channels: Address; bankKey: Hex };
    this.#world = world;
    this.addresses = { chainId: BigInt(said.chainId), token: said.token, channels: said.channels };
    this.#rpc = createJsonRpc({ url: CHAIN_URL, fetch: fetchBy(world.internetHand), timeoutMs: 10_000 });
    const bankKey = bytesFromHex(said.bankKey);
    this.#bank = createTransactions({
      rpc: this.#rpc,
      chainId: this.addresses.chainId,
      gasKey: { address: addressFromSecretKey(bankKey), sign: (digest) => signDigest(digest, bankKey) },
      maxFeePerGasWei: 100_000_000_000n,
      receiptTimeoutMs: 20_000,
      pollMs: 100,
      monotonicMs: () => performance.now(),
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    });
  }

  /** A new pass code that holds `units`. */
  async passCode(units: bigint): Promise<PassCode> {
    const code = passCodeFromRandom(randomBytes(13));
    const address = addressFromSecretKey(secretKeyFromPassCode(code));
    await this.give(address, units);
    return { code, address };
  }

  async give(address: Address, units: bigint): Promise<void> {
    const data = hexFromBytes(token.transfer.encodeInput({ to: address, value: units }));
    await this.#bank.send({ to: this.addresses.token, data });
  }

  async giveGas(address: Address): Promise<void> {
    await this.#rpc.request('anvil_setBalance', [address, `0x${GAS_MONEY_WEI.toString(16)}`]);
  }

  async balanceOf(owner: Address): Promise<bigint> {
    return balanceFromResult(await this.#call(this.addresses.token, balanceQuery(owner)));
  }

  async channel(id: Hex): Promise<ChainChannel> {
    return channelFromResult(await this.#call(this.addresses.channels, channelQuery(id)));
  }

  /** A block a second, or none: what is sent meanwhile waits. */
  async setMining(isMining: boolean): Promise<void> {
    await this.#rpc.request('evm_setIntervalMining', [isMining ? 1 : 0]);
  }

  /** Lets the router reach the chain, or not: what an endpoint looks like whose process is dead. */
  async setReachable(isReachable: boolean): Promise<void> {
    if (isReachable === this.#isReachable) return;
    this.#isReachable = isReachable;
    const table = isReachable
      ? 'delete table inet outage'
      : `table inet outage {
           chain in {
             type filter hook input priority -300;
             iifname "eth0" tcp dport ${CHAIN_PORT} reject with tcp reset
           }
         }`;
    await this.#world.internet.must(['nft', '-f', '/dev/stdin'], { input: table });
  }

  async #call(to: Address, data: Hex): Promise<Hex> {
    return dataFrom(await this.#rpc.request('eth_call', [{ to, data }, 'latest']), 'eth_call');
  }
}

/** `fetch` by way of the hand: same request, another namespace. */
function fetchBy(hand: Hand): typeof fetch {
  return async (url, init) => {
    const answer = await hand.call('http', {
      url: String(url),
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: String(init?.body ?? ''),
      timeoutMs: 10_000,
    });
    return new Response(answer.body, { status: answer.status });
  };
}

/** The line that a service prints when it is ready. @throws LabError LAB_START if it ends or says nothing. */
export async function firstLine(running: Running): Promise<string> {
  const { stdout } = running.child;
  if (stdout === null) throw new LabError('LAB_START', `${running.name} has no standard output`);
  const lines = createInterface({ input: stdout });
  const timeout = AbortSignal.timeout(READY_MS);
  const ended = running.exited.then((code) => {
    throw new LabError('LAB_START', `${running.name} ended with ${code} before it was ready; see its log`);
  });
  const [line] = (await Promise.race([once(lines, 'line', { signal: timeout }), ended])) as [string];
  return line;
}
