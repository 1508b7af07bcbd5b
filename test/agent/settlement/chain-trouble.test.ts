/** Blocks rolled back under a running guest, and endpoints that lie or fail, against a real anvil. */
import t, { type Test } from 'tap';
import type { ChainChannel } from '../../../agent/ports.ts';
import { channelId } from '../../../protocol/channel.ts';
import { keccak256Hex } from '../../../protocol/keccak.ts';
import type { OpenRequest } from '../../../protocol/open-wire.ts';
import { signVoucher } from '../../../protocol/voucher.ts';
import { type Account, startAnvilWithContracts } from '../../support/anvil.ts';
import { ChainWorld, type ChainWorldOptions } from '../../support/chain-world.ts';
import { createScene } from '../../support/channel-scene.ts';
import { type ProxyMode, startRpcProxy } from '../../support/rpc-proxy.ts';
import { PHONE } from '../core/support/story.ts';
import '../../support/own-testdir.ts';

const FIRST = 1_050n;
const HALF_BYTES = 50_000_000n;

t.setTimeout(280_000);
const anvil = await startAnvilWithContracts();
t.teardown(() => anvil.stop());
const proxy = await startRpcProxy(anvil.rpcUrl);
t.teardown(() => proxy.close());
const chain = createScene(anvil);
const [guest, payee, device] = anvil.accounts as [Account, Account, Account];

for (const blocks of [1, 5, 20]) {
  t.test(`${blocks} blocks rolled back take the credit, and the same bytes bring channel and close back`, async (t) => {
    const world = worldFor(t, `rolled back ${blocks}`);
    const { request, id } = await open(world);
    world.download(HALF_BYTES);
    const sent = await sentByDevice();
    await mine(blocks - 1);
    await anvil.request('anvil_rollback', blocks);
    await anvil.request('evm_setAutomine', false);
    t.equal((await chain.channel(request.config)).deposit, 0n, 'the chain has lost the channel');
    await world.look();
    await world.driver.reconciled();
    t.equal(world.driver.state.channels.get(id)?.phase, 'pending');
    world.download(HALF_BYTES);
    t.equal(world.passed(), HALF_BYTES, 'not a byte passes on a deposit that is not there');
    await anvil.request('evm_setAutomine', true);
    await mine(1);
    await world.until('the open to be back', () => Promise.resolve(), isActive(world, id));
    world.download(HALF_BYTES);
    t.equal(world.passed(), 2n * HALF_BYTES);
    await leave(world, id);
    await mine(blocks - 1);
    await anvil.request('anvil_rollback', blocks);
    t.equal((await chain.channel(request.config)).isClosed, false, 'the chain has lost the close');
    t.match(await closedAgain(world, request), { isClosed: true, claimed: FIRST });
    t.equal((await sentByDevice()) - sent, 1n, 'one transaction closed it, twice the same');
  });
}

t.test('a rolled back chain is repaired after a crash, from the journal alone', async (t) => {
  const world = worldFor(t, 'rolled back and killed');
  const { request, id } = await open(world);
  await leave(world, id);
  await anvil.request('anvil_rollback', 2);
  world.kill();
  world.start();
  t.match(await closedAgain(world, request), { isClosed: true, claimed: 50n });
});

for (const mode of ['garbage', 'wrong-chain', 'stale', 'busy', 'silent', 'lying'] as const) {
  t.test(`a first endpoint that is ${mode} is outvoted by two others`, async (t) => {
    const more = mode === 'silent' ? { requestTimeoutMs: 250 } : {};
    const world = worldFor(t, `outvoted ${mode}`, [anvil.rpcUrl, anvil.rpcUrl], more);
    await go(mode);
    const { request, id } = await open(world);
    t.equal(world.driver.state.channels.get(id)?.deposit, 10_000n);
    await leave(world, id);
    t.match(await chain.channel(request.config), { isClosed: true, claimed: 50n });
  });
}

t.test('of two endpoints that disagree neither is believed: nothing is sent, and no credit is given', async (t) => {
  const world = worldFor(t, 'disagreeing', [anvil.rpcUrl], { receiptTimeoutMs: 300 });
  const request = world.openRequest(FIRST);
  const id = channelId(anvil.deployment, request.config);
  const phase = () => world.driver.state.channels.get(id)?.phase;
  const modes = ['lying', 'garbage', 'stale', 'wrong-chain'] as const;
  const sent = await sentByDevice();
  for (const mode of modes) {
    await go(mode);
    t.match(await world.desk.open(PHONE, request), { ok: false, reason: 'chain-unreachable' }, mode);
  }
  t.equal(await sentByDevice(), sent);
  await go('honest');
  await anvil.request('evm_setAutomine', false);
  t.match(await world.desk.open(PHONE, request), { ok: false, reason: 'chain-unreachable' }, 'sent, not mined in time');
  await anvil.request('evm_setAutomine', true);
  await mine(1);
  t.equal((await chain.channel(request.config)).deposit, 10_000n, 'mined, but');
  for (const mode of modes) {
    await go(mode);
    await world.look();
    t.equal(phase(), 'pending', mode);
  }
  await go('honest');
  await world.until('both to agree', () => Promise.resolve(), isActive(world, id));
  await leave(world, id);
});

t.test(
  'a voucher of another chain, contract or channel is worth nothing, to the router and to the contract',
  async (t) => {
    const world = worldFor(t, 'replayed');
    const { request, id } = await open(world);
    const other = worldFor(t, 'replayed elsewhere');
    const { id: otherId } = await open(other);
    const { deployment } = anvil;
    const amounts = { amount: 9_000n, ackBytes: 0n };
    const replays = [
      signVoucher({ ...deployment, chainId: 1n }, { channelId: id, ...amounts }, guest.secretKey),
      signVoucher({ ...deployment, channels: payee.address }, { channelId: id, ...amounts }, guest.secretKey),
      { ...signVoucher(deployment, { channelId: otherId, ...amounts }, guest.secretKey), channelId: id },
      signVoucher(deployment, { channelId: id, ...amounts }, payee.secretKey),
    ];
    for (const voucher of replays) {
      t.match(await world.desk.voucher(PHONE, voucher), { ok: false, reason: 'bad-signature' });
      const claim = { config: request.config, voucher, amount: 9_000n };
      t.match(await world.chain.claim([claim]), { ok: false, reason: 'refused', message: /WrongSigner/ });
    }
    const overclaim = { config: request.config, voucher: request.voucher, amount: FIRST + 1n };
    t.match(await world.chain.claim([overclaim]), { ok: false, reason: 'refused', message: /AmountAboveCeiling/ });
    await leave(world, id);
    t.match(await chain.channel(request.config), { isClosed: true, claimed: 50n });
    await leave(other, otherId);
  },
);

t.test('an endpoint that is alone and down leaves all as it is until it is back', async (t) => {
  const world = worldFor(t, 'alone');
  await go('honest');
  const { id } = await open(world);
  await go('busy');
  t.match(await world.chain.channel(id), { ok: false, reason: 'unreachable', message: /429/ });
  await world.desk.leave(PHONE);
  t.equal(world.driver.state.channels.get(id)?.phase, 'closing');
  await go('honest');
  await world.until(
    'the close',
    () => Promise.resolve(),
    () => world.driver.state.channels.get(id)?.phase === 'settled',
  );
});

t.test('a transaction that is stuck goes out with the same nonce and higher fees, and counts once', async (t) => {
  const world = worldFor(t, 'stuck', [], { stuckMs: 100, receiptTimeoutMs: 1_500 });
  await go('honest');
  const before = await sentByDevice();
  await anvil.request('evm_setAutomine', false);
  const request = world.openRequest(FIRST);
  const opening = world.desk.open(PHONE, request);
  for (let i = 0; i < 300 && world.store.transactions().length < 2; i++)
    await new Promise((done) => setTimeout(done, 5));
  const both = world.store.transactions();
  t.ok(both.length >= 2, 'sent once more');
  t.equal(new Set(both.map(({ nonce }) => nonce)).size, 1);
  await anvil.request('evm_setAutomine', true);
  await mine(1);
  t.match(await opening, { ok: true });
  t.equal((await sentByDevice()) - before, 1n);
  await leave(world, channelId(anvil.deployment, request.config));
});

function worldFor(
  t: Test,
  name: string,
  rpcBackups: readonly string[] = [],
  more: Partial<ChainWorldOptions> = {},
): ChainWorld {
  const salt = keccak256Hex(new TextEncoder().encode(name));
  const world = new ChainWorld({
    anvil,
    guest,
    payee,
    device,
    journalPath: `${t.testdir({})}/ledger.db`,
    salt,
    rpcUrl: proxy.url,
    rpcBackups,
    requestTimeoutMs: 2_000,
    ...more,
  });
  t.teardown(() => world.kill());
  proxy.mode = 'honest';
  return world;
}

async function open(world: ChainWorld): Promise<{ request: OpenRequest; id: `0x${string}` }> {
  const request = world.openRequest(FIRST);
  const id = channelId(anvil.deployment, request.config);
  await world.until('open', () => world.desk.open(PHONE, request), isActive(world, id), 1_000);
  return { request, id };
}

async function leave(world: ChainWorld, id: `0x${string}`): Promise<void> {
  const isSettled = () => world.driver.state.channels.get(id)?.phase === 'settled';
  await world.until('leave', () => world.desk.leave(PHONE), isSettled);
}

/** The channel once tending has closed it again; as it is if that takes too long. */
async function closedAgain(world: ChainWorld, { config }: OpenRequest): Promise<ChainChannel> {
  for (let looks = 0; looks < 20; looks++) {
    await world.look();
    const channel = await chain.channel(config);
    if (channel.isClosed) return channel;
  }
  return chain.channel(config);
}

function isActive(world: ChainWorld, id: `0x${string}`): () => boolean {
  return () => world.driver.state.channels.get(id)?.phase === 'active';
}

/** A stale endpoint stands ten blocks behind the others. */
async function go(mode: ProxyMode): Promise<void> {
  if (mode === 'stale') {
    proxy.staleBlock = BigInt((await anvil.request('eth_blockNumber')) as string);
    await mine(10);
  }
  proxy.mode = mode;
}

async function mine(blocks: number): Promise<void> {
  for (let i = 0; i < blocks; i++) await anvil.request('evm_mine');
}

async function sentByDevice(): Promise<bigint> {
  return BigInt((await anvil.request('eth_getTransactionCount', device.address, 'latest')) as string);
}
