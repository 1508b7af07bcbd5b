/** The chain adapter while blocks come when they like: many at once, races, lost transactions, rolled back blocks. */
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import t from 'tap';
import { type ChainDeps, createChain } from '../../../agent/adapters/chain.ts';
import type { ChainResult } from '../../../agent/ports.ts';
import type { Hex } from '../../../protocol/hex.ts';
import { type Account, startAnvilWithContracts } from '../../support/anvil.ts';
import { configFor, createScene, signerFromSecretKey } from '../../support/channel-scene.ts';

const DEPOSIT = 1_000n;

const anvil = await startAnvilWithContracts();
t.teardown(() => anvil.stop());
const scene = createScene(anvil);
// The deployer holds all SSP; here it is the guest.
const [guest, payee, device, relayer] = anvil.accounts as [Account, Account, Account, Account];
const router = chainFor(device);
t.beforeEach(() => anvil.request('evm_setAutomine', false));
t.afterEach(() => anvil.request('evm_setAutomine', true));

t.test('opens of several guests share a block', async (t) => {
  const configs = ['one', 'two', 'three', 'four'].map((name) => configFor(name, { payer: guest, payee, device }));
  const opens = configs.map((config) => router.relayOpen(config, scene.authorization(config, DEPOSIT, guest)));
  await pending(4, opens);
  await anvil.request('evm_mine');
  const blocks = new Set<unknown>();
  for (const result of await Promise.all(opens)) blocks.add(await blockOf(accepted(result).tx));
  t.equal(blocks.size, 1);
});

t.test('two routers that relay the same open both succeed, and the guest deposits once', async (t) => {
  const config = configFor('raced', { payer: guest, payee, device });
  const authorization = scene.authorization(config, DEPOSIT, guest);
  const mine = router.relayOpen(config, authorization);
  const theirs = chainFor(relayer).relayOpen(config, authorization);
  // Who comes when the other's waits in the pool, or a block has it, sends nothing: one block or two.
  const both = Promise.all([mine, theirs]);
  const [first, second] = await mined(both);
  t.equal(accepted(first).tx, accepted(second).tx, 'both name the transaction that did it');
  t.equal((await scene.channel(config)).deposit, DEPOSIT);
});

t.test('an open that would fail only after what waits in the pool is not refused before a block says so', async (t) => {
  const config = configFor('foreseen', { payer: guest, payee, device });
  const authorization = scene.authorization(config, DEPOSIT, guest);
  const mine = router.relayOpen(config, authorization);
  await pending(1, [mine]);
  const impatient = chainFor(relayer, { receiptTimeoutMs: 20 });
  t.match(await impatient.relayOpen(config, authorization), { ok: false, reason: 'unreachable', message: /waits/ });
  const theirs = chainFor(relayer).relayOpen(config, authorization);
  await anvil.request('evm_mine');
  t.equal(accepted(await mine).tx, accepted(await theirs).tx);
  t.equal((await scene.channel(config)).deposit, DEPOSIT);
});

t.test('an open that is not mined in time is unreachable, and done when asked again later', async (t) => {
  const config = configFor('late', { payer: guest, payee, device });
  const authorization = scene.authorization(config, DEPOSIT, guest);
  const impatient = chainFor(device, { receiptTimeoutMs: 50 });
  t.match(await impatient.relayOpen(config, authorization), {
    ok: false,
    reason: 'unreachable',
    message: /no receipt/,
  });
  await anvil.request('evm_mine');
  accepted(await impatient.relayOpen(config, authorization));
  t.equal((await scene.channel(config)).deposit, DEPOSIT);
});

t.test('a transaction that the node has dropped is offered again', async (t) => {
  const config = configFor('dropped', { payer: guest, payee, device });
  const opening = router.relayOpen(config, scene.authorization(config, DEPOSIT, guest));
  await pending(1, [opening]);
  await anvil.request('anvil_dropAllTransactions');
  await pending(1, [opening]);
  await anvil.request('evm_mine');
  accepted(await opening);
  t.equal((await scene.channel(config)).deposit, DEPOSIT);
});

t.test('blocks rolled back take the channel with them, and the same open brings it back', async (t) => {
  await anvil.request('evm_setAutomine', true);
  const config = configFor('rolled back', { payer: guest, payee, device });
  const authorization = scene.authorization(config, DEPOSIT, guest);
  for (const blocks of [1, 5]) {
    accepted(await router.relayOpen(config, authorization));
    for (let i = 1; i < blocks; i++) await anvil.request('evm_mine');
    await anvil.request('anvil_rollback', blocks);
    t.equal((await scene.channel(config)).deposit, 0n, `gone with ${blocks} blocks`);
  }
  accepted(await router.relayOpen(config, authorization));
  t.equal((await scene.channel(config)).deposit, DEPOSIT);
});

t.test('stopping the agent ends the wait for a block at once', async (t) => {
  const stop = new AbortController();
  const config = configFor('stopped', { payer: guest, payee, device });
  const stopping = chainFor(relayer, { signal: stop.signal, pollMs: 60_000 });
  const opening = stopping.relayOpen(config, scene.authorization(config, DEPOSIT, guest));
  await pending(1, [opening]);
  stop.abort();
  t.match(await opening, { ok: false, reason: 'unreachable' });
});

function chainFor(account: Account, deps: Partial<ChainDeps> = {}) {
  const { chainId, channels, token } = anvil.deployment;
  const gasKey = signerFromSecretKey(account.secretKey);
  return createChain({ rpcUrl: anvil.rpcUrl, chainId, channels, token, gasKey, pollMs: 5, ...deps });
}

/** Until so many transactions wait for a block; `by` must not have ended before that. @throws what became of one that has */
async function pending(count: number, by: readonly Promise<ChainResult<unknown>>[]): Promise<void> {
  let ended: ChainResult<unknown> | undefined;
  for (const opening of by) void opening.then((result) => (ended = result));
  while (ended === undefined) {
    const status = (await anvil.request('txpool_status')) as { pending: Hex };
    if (Number(status.pending) >= count) return;
    await sleep(5);
  }
  throw new Error(`no ${count} pending transactions: an open ended with ${inspect(ended)}`);
}

/** Block after block until it has ended. */
async function mined<T>(work: Promise<T>): Promise<T> {
  let isOver = false;
  void work.finally(() => (isOver = true));
  while (!isOver) {
    await sleep(5);
    await anvil.request('evm_mine');
  }
  return await work;
}

async function blockOf(tx: Hex): Promise<unknown> {
  const receipt = (await anvil.request('eth_getTransactionReceipt', tx)) as { blockNumber: Hex };
  return receipt.blockNumber;
}

function accepted<T>(result: ChainResult<T>): T {
  if (!result.ok) throw new Error(`expected success, got ${result.reason}: ${result.message}`);
  return result;
}
