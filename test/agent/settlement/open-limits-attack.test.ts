/**
 * Guests who want to cost the router gas, on a real anvil: opens that the chain refuses, and opens that pass the simulation
 * and revert all the same. The gas key's own balance says what they cost; a guest who pays still gets in.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { MAX_OPENS_PER_HOUR, MAX_OPENS_PER_MAC_PER_HOUR } from '../../../agent/core/limits.ts';
import type { Mac } from '../../../agent/core/model.ts';
import { OpenWatch } from '../../../agent/settlement/open-watch.ts';
import { openRequestFrom } from '../../../captive-portal/page/wallet.ts';
import { depositNonce } from '../../../protocol/channel.ts';
import { authorizationDigest } from '../../../protocol/funding.ts';
import { hexFromBytes } from '../../../protocol/hex.ts';
import { keccak256Text } from '../../../protocol/keccak.ts';
import type { AnyOpenRequest, OpenRequest } from '../../../protocol/open-wire.ts';
import { permit2Digest, permit2Nonce } from '../../../protocol/permit.ts';
import { addressFromSecretKey, signDigest } from '../../../protocol/signature.ts';
import { type Account, startAnvilWithContracts } from '../../support/anvil.ts';
import { ChainWorld } from '../../support/chain-world.ts';
import { createScene, tokenContract } from '../../support/channel-scene.ts';
import { PHONE } from '../core/support/story.ts';
import '../../support/own-testdir.ts';

const DEPOSIT = 10_000n;
const HOUR_MS = 3_600_000;

t.setTimeout(280_000);
const anvil = await startAnvilWithContracts();
t.teardown(() => anvil.stop());
const scene = createScene(anvil);
const [guest, payee, device, mallory, accomplice] = anvil.accounts as [Account, Account, Account, Account, Account];
await pay(guest, mallory);

/** What the node is asked to send is held up until this is done. */
let beforeSending: () => Promise<void> = () => Promise.resolve();
let isNodeDown = false;
const node = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', async () => {
    const body = Buffer.concat(chunks).toString();
    if (isNodeDown) return void response.writeHead(503).end();
    if (body.includes('eth_sendRawTransaction')) await beforeSending();
    const answer = await fetch(anvil.rpcUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    response.end(await answer.text());
  });
});
await new Promise<void>((resolve) => node.listen(0, '127.0.0.1', resolve));
t.teardown(() => node.close());
t.teardown(() => node.closeAllConnections());
const rpcUrl = `http://127.0.0.1:${(node.address() as AddressInfo).port}`;

const macOf = (n: number) =>
  `02:00:00:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}` as Mac;
let salts = 0;

t.test(
  'opens that the chain refuses cost nothing, and keep nobody out, however many MACs they come from',
  async (t) => {
    const world = await attackedWorld(t.testdir({}), 3);
    const before = await books();
    const kinds = [broke, permit2NotApproved, wrongNonce, expired, ofAnotherToken];
    const reasons: string[] = [];
    for (const [k, kind] of kinds.entries()) {
      for (let n = 0; n < 4; n++) {
        const result = await world.desk.open(macOf(4_000 + 4 * k + n), kind(world, keccak256Text(`made up ${n}`)));
        reasons.push(result.ok ? 'ok' : result.reason);
      }
    }
    const each = (reason: string) => Array.from({ length: 4 }, () => reason);
    t.same(reasons, [
      ...each('chain-refused'),
      ...each('chain-refused'),
      ...each('bad-signature'),
      ...each('chain-refused'),
      ...each('bad-quote'),
    ]);
    t.same(await books(), before, 'not a transaction, not a wei');
    t.match(await world.desk.open(PHONE, requestOf(world, guest.secretKey)), { ok: true, view: { phase: 'active' } });
    for (let n = 0; n < MAX_OPENS_PER_MAC_PER_HOUR; n++)
      await world.desk.open(macOf(9_000), broke(world, keccak256Text('one')));
    t.match(
      await world.desk.open(macOf(9_000), broke(world, keccak256Text('one'))),
      { reason: 'too-many-opens' },
      'the MAC itself has had its turn',
    );
    // Of the hour's opens three were left, and one was used since.
    world.kill();
    world.start();
    const another = await world.desk.open(macOf(9_001), requestOf(world, guest.secretKey));
    t.match(another, { ok: true }, 'a restart counts none of them either');
    world.kill();
  },
);

t.test(
  'opens asked for while the chain is away cost nothing, and once they are given up keep nobody out',
  async (t) => {
    const world = await attackedWorld(t.testdir({}), 3);
    const log = { info: () => {}, warn: () => {}, error: () => {} };
    const { config, driver, chain, clock } = world;
    const watch = new OpenWatch({ config, driver, chain, clock, log });
    const before = await books();
    isNodeDown = true;
    for (let n = 0; n < 3; n++) {
      const refused = await world.desk.open(macOf(5_000 + n), broke(world, keccak256Text(`outage ${n}`)));
      t.match(refused, { reason: 'chain-unreachable' });
    }
    t.match(await world.desk.open(PHONE, requestOf(world, guest.secretKey)), { reason: 'too-many-opens' }, 'under way');
    isNodeDown = false;
    await watch.lookUp();
    // The endpoint is left alone for a while after it was away.
    while ([...driver.state.channels.values()].some(({ phase }) => phase === 'pending')) {
      clock.ms += 121_000;
      await sleep(100);
      await watch.lookUp();
    }
    t.same(await books(), before);
    t.match(await world.desk.open(PHONE, requestOf(world, guest.secretKey)), { ok: true }, 'the next guest is served');
    world.kill();
    world.start();
    const another = await world.desk.open(macOf(5_100), requestOf(world, guest.secretKey));
    t.match(another, { ok: true }, 'and after a restart: one of the three is used');
    world.kill();
  },
);

t.test('opens that revert because the money was moved away are paid for so often, and no oftener', async (t) => {
  const world = await attackedWorld(t.testdir({}), 9);
  const before = await books();
  const own: string[] = [];
  for (let n = 0; n <= MAX_OPENS_PER_MAC_PER_HOUR; n++) own.push(await frontRun(world, macOf(2_000)));
  t.same(own.filter((reason) => reason === 'chain-refused').length, MAX_OPENS_PER_MAC_PER_HOUR);
  t.equal(own.at(-1), 'too-many-opens', 'for this MAC');
  t.match(
    await world.desk.open(PHONE, requestOf(world, guest.secretKey)),
    { ok: true, view: { phase: 'active' } },
    'between them: a guest who pays',
  );
  const others: string[] = [];
  for (let n = 1; n < 5; n++) others.push(await frontRun(world, macOf(2_000 + n)));
  t.same(others, ['chain-refused', 'chain-refused', 'too-many-opens', 'too-many-opens'], 'for all of them');
  const after = await books();
  t.equal(after.sent - before.sent, 9n, 'eight that reverted, and one that opened');
  const failed = [...world.driver.state.channels.values()].filter(({ phase }) => phase === 'failed');
  const known = [...world.driver.state.channels.values()].reduce((sum, { gasWei = 0n }) => sum + gasWei, 0n);
  t.equal(failed.length, 8);
  t.equal(before.wei - after.wei, known, 'the books know every wei of it');

  const secretKey = keccak256Text('a wallet of its own');
  const { authorization: _, ...terms } = requestOf(world, secretKey);
  t.match(
    await world.desk.open(macOf(3_000), { ...terms, pull: true }),
    { ok: true },
    'who pays its own gas is let in meanwhile',
  );
  t.match(await world.desk.open(macOf(3_001), requestOf(world, guest.secretKey)), { reason: 'too-many-opens' });
  world.clock.ms += HOUR_MS;
  t.match(
    await world.desk.open(macOf(3_001), requestOf(world, guest.secretKey)),
    { ok: true, view: { phase: 'active' } },
    'the next hour',
  );
  world.kill();
});

t.test('below the float nothing is relayed for anybody; with coin again the next guest is served', async (t) => {
  const world = worldIn(t.testdir({}));
  const { wei } = await books();
  const weigh = async () => {
    const costs = await world.chain.costs();
    if (!costs.ok) throw new Error(costs.message);
    world.driver.dispatch({ kind: 'costs-seen', costs });
  };
  await anvil.request('anvil_setBalance', device.address, '0x1');
  await weigh();
  const before = await books();
  t.match(await world.desk.open(PHONE, requestOf(world, guest.secretKey)), {
    reason: 'not-selling',
    expected: /send it coin/,
  });
  t.same(await books(), before);
  await anvil.request('anvil_setBalance', device.address, `0x${wei.toString(16)}`);
  await weigh();
  t.match(await world.desk.open(PHONE, requestOf(world, guest.secretKey)), { ok: true, view: { phase: 'active' } });
  world.kill();
});

/** Mallory signs an open that is good, and moves the money away once the router has simulated it. */
async function frontRun(world: ChainWorld, mac: Mac): Promise<string> {
  const [holder, other] =
    (await scene.balanceOf(mallory.address)) >= DEPOSIT ? [mallory, accomplice] : [accomplice, mallory];
  beforeSending = async () => {
    beforeSending = () => Promise.resolve();
    await pay(holder, other);
  };
  const result = await world.desk.open(mac, requestOf(world, holder.secretKey));
  beforeSending = () => Promise.resolve();
  return result.ok ? 'ok' : result.reason;
}

/** As an hour of attacks left it: so many of the hour's opens are left, and the journal says so. */
async function attackedWorld(dir: string, left: number): Promise<ChainWorld> {
  const world = worldIn(dir);
  const atS = world.clock.wall().unixS;
  const earlier = Array.from(
    { length: MAX_OPENS_PER_HOUR - left },
    (_, n) => ({ kind: 'open', mac: macOf(300 + n), atS }) as const,
  );
  await world.store.commit(earlier);
  world.kill();
  world.start();
  return world;
}

function worldIn(dir: string): ChainWorld {
  const salt = hexFromBytes(keccak256Text('unused'));
  // However busy the machine: nothing here is about a node that is slow.
  const requestTimeoutMs = 20_000;
  return new ChainWorld({
    anvil,
    guest,
    payee,
    device,
    rpcUrl,
    journalPath: `${dir}/ledger.db`,
    salt,
    requestTimeoutMs,
  });
}

function requestOf(
  world: ChainWorld,
  secretKey: Uint8Array,
  change: { readonly nowS?: bigint; readonly n?: bigint } = {},
): OpenRequest {
  const quote = world.desk.quote();
  if ('notSelling' in quote) throw new Error(quote.notSelling);
  const { chainId, token: verifyingContract, tokenName: name, tokenVersion: version } = world.config.chain;
  const tokenDomain = { name, version, chainId, verifyingContract };
  const salt = hexFromBytes(keccak256Text(`attack ${++salts}`));
  const nowS = world.clock.wall().unixS;
  const terms = { quote, deployment: anvil.deployment, tokenDomain, packages: [], trialBytes: 0n, nowS };
  const made = openRequestFrom({ terms, secretKey, deposit: DEPOSIT, firstAmount: 1_050n, mode: 'hold', salt });
  if (!made.ok) throw new Error(made.reason);
  const { validBefore = made.request.authorization.validBefore, n = 0n } = { validBefore: change.nowS, n: change.n };
  const transfer = {
    from: addressFromSecretKey(secretKey),
    to: anvil.deployment.channels,
    value: DEPOSIT,
    validAfter: 0n,
    validBefore,
    nonce: depositNonce(made.request.voucher.channelId, n),
  };
  const signature = signDigest(authorizationDigest(tokenDomain, transfer), secretKey);
  return { ...made.request, authorization: { validAfter: 0n, validBefore, signature } };
}

function broke(world: ChainWorld, secretKey: Uint8Array): AnyOpenRequest {
  return requestOf(world, secretKey);
}

function wrongNonce(world: ChainWorld, secretKey: Uint8Array): AnyOpenRequest {
  return requestOf(world, secretKey, { n: 1n });
}

function expired(world: ChainWorld, secretKey: Uint8Array): AnyOpenRequest {
  return requestOf(world, secretKey, { nowS: 1n });
}

function permit2NotApproved(world: ChainWorld, secretKey: Uint8Array): AnyOpenRequest {
  const { authorization: _, ...terms } = requestOf(world, secretKey);
  const { chainId, channels, token } = world.config.chain;
  const { channelId: id } = terms.voucher;
  const deadline = world.clock.wall().unixS + 600n;
  const permit = { token, amount: DEPOSIT, spender: channels, nonce: permit2Nonce(id, 0n), deadline, channelId: id };
  return { ...terms, permit2: { deadline, signature: signDigest(permit2Digest(chainId, permit), secretKey) } };
}

function ofAnotherToken(world: ChainWorld, secretKey: Uint8Array): AnyOpenRequest {
  const request = requestOf(world, secretKey);
  return { ...request, quote: { ...request.quote, token: payee.address } };
}

async function books(): Promise<{ readonly sent: bigint; readonly wei: bigint }> {
  const sent = await anvil.request('eth_getTransactionCount', device.address, 'latest');
  return {
    sent: BigInt(sent as string),
    wei: BigInt((await anvil.request('eth_getBalance', device.address, 'latest')) as string),
  };
}

async function pay(from: Account, to: Account): Promise<void> {
  await scene.send(from, scene.token, tokenContract.transfer.encodeInput({ to: to.address, value: DEPOSIT }));
}
