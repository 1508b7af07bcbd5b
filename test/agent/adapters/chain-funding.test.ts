/** Each way of paying a deposit against a real anvil, with the modern token and with one shaped like the real SSP. */
import { createRequire } from 'node:module';
import t from 'tap';
import { createChain } from '../../../agent/adapters/chain.ts';
import type { ChainResult, OpenDeposit } from '../../../agent/ports.ts';
import { deployContracts, deployLegacyToken } from '../../../contracts/deploy.ts';
import { channelId } from '../../../protocol/channel.ts';
import { pullCalls } from '../../../protocol/outside-wallet.ts';
import { PERMIT2_ADDRESS, permit2Digest, permit2Nonce, permitDigest } from '../../../protocol/permit.ts';
import { signDigest } from '../../../protocol/signature.ts';
import { type Account, startAnvilWithContracts } from '../../support/anvil.ts';
import { configFor, createScene, FAR_FUTURE, signerFromSecretKey, tokenContract } from '../../support/channel-scene.ts';

const { code: permit2Code } = createRequire(import.meta.url)('../../support/stand-in-permit2.json') as { code: string };

const DEPOSIT = 500_000n;
const anvil = await startAnvilWithContracts();
t.teardown(() => anvil.stop());
const [holder, payee, device] = anvil.accounts as [Account, Account, Account];
await anvil.request('anvil_setCode', PERMIT2_ADDRESS, permit2Code);
const legacyToken = await deployLegacyToken(anvil.rpcUrl, holder.secretKey, holder.address);
const legacy = { ...anvil, deployment: await deployContracts(anvil.rpcUrl, holder.secretKey, { token: legacyToken }) };

for (const [name, world] of [
  ['the modern token', anvil],
  ['the token shaped like SSP', legacy],
] as const) {
  const scene = createScene(world);
  const { chainId, channels, token } = world.deployment;
  const gasKey = signerFromSecretKey(device.secretKey);
  const router = createChain({ ...world.deployment, rpcUrl: anvil.rpcUrl, gasKey, device: gasKey, pollMs: 5 });
  const config = (salt: string) => configFor(`${name} ${salt}`, { payer: holder, payee, device });
  const approve = (spender: typeof token, value: bigint) =>
    scene.send(holder, token, tokenContract.approve.encodeInput({ spender, value }));

  t.test(`${name}: Permit2 opens exactly one channel, once`, async (t) => {
    await approve(PERMIT2_ADDRESS, DEPOSIT * 4n);
    const mine = config('permit2');
    const id = channelId(scene.deployment, mine);
    const nonce = permit2Nonce(id, 0n);
    const fields = { token, amount: DEPOSIT, spender: channels, nonce, deadline: FAR_FUTURE, channelId: id };
    const signature = signDigest(permit2Digest(chainId, fields), holder.secretKey);
    const deposit: OpenDeposit = { standard: 'permit2', amount: DEPOSIT, deadline: FAR_FUTURE, signature };
    const first = accepted(await router.relayOpen(mine, deposit));
    t.equal((await scene.channel(mine)).deposit, DEPOSIT);
    t.ok(first.feeWei > 0n, 'the router paid');
    t.equal(accepted(await router.relayOpen(mine, deposit)).tx, first.tx, 'again: the same');
    t.equal((await scene.channel(mine)).deposit, DEPOSIT);
    const elsewhere = await router.relayOpen(config('another'), deposit);
    t.match(elsewhere, { ok: false, reason: 'refused' }, 'it opens no other channel');
    const expired: OpenDeposit = { ...deposit, deadline: 1n };
    t.match(await router.relayOpen(config('late'), expired), { ok: false, reason: 'refused' });
  });

  t.test(`${name}: the payer opens itself, as the outside wallet is told`, async (t) => {
    const mine = config('pulled');
    const id = channelId(scene.deployment, mine);
    t.equal(accepted(await router.channel(id)).channel.deposit, 0n);
    for (const { to, data } of pullCalls({ channels, token }, mine, DEPOSIT)) await scene.send(holder, to, data);
    t.match(accepted(await router.channel(id)).channel, { deposit: DEPOSIT, isClosed: false });
  });

  t.test(`${name}: EIP-2612 with Open`, async (t) => {
    const mine = config('eip-2612');
    const nonce = name === 'the modern token' ? await nonceOf(scene, token) : 0n;
    const permit = { owner: holder.address, spender: channels, value: DEPOSIT, nonce, deadline: FAR_FUTURE };
    const deposit: OpenDeposit = {
      standard: 'eip-2612',
      amount: DEPOSIT,
      deadline: FAR_FUTURE,
      permitSignature: signDigest(permitDigest(scene.tokenDomain, permit), holder.secretKey),
      openSignature: scene.openSignature(mine, DEPOSIT, FAR_FUTURE, holder),
    };
    if (name !== 'the modern token') {
      t.match(await router.relayOpen(mine, deposit), { ok: false, reason: 'refused' }, 'it has no permit');
      return;
    }
    const first = accepted(await router.relayOpen(mine, deposit));
    t.equal((await scene.channel(mine)).deposit, DEPOSIT);
    t.equal(accepted(await router.relayOpen(mine, deposit)).tx, first.tx);
    const stolen = { ...deposit, openSignature: scene.openSignature(mine, DEPOSIT + 1n, FAR_FUTURE, device) };
    t.match(await router.relayOpen(config('stolen'), stolen), { ok: false, reason: 'refused', message: /NotPayer/ });
  });

  t.test(`${name}: a deposit that the payer has not got costs the router nothing`, async (t) => {
    const before = await anvil.request('eth_getBalance', device.address, 'latest');
    const poor = anvil.accounts[5] as Account;
    const mine = configFor(`${name} poor`, { payer: poor, payee, device });
    const id = channelId(scene.deployment, mine);
    const nonce = permit2Nonce(id, 0n);
    const fields = { token, amount: DEPOSIT, spender: channels, nonce, deadline: FAR_FUTURE, channelId: id };
    const signature = signDigest(permit2Digest(chainId, fields), poor.secretKey);
    const result = await router.relayOpen(mine, {
      standard: 'permit2',
      amount: DEPOSIT,
      deadline: FAR_FUTURE,
      signature,
    });
    t.match(result, { ok: false, reason: 'refused' });
    t.equal(await anvil.request('eth_getBalance', device.address, 'latest'), before);
  });

  t.test(`${name}: the node's own SSP goes where it is sent, once for each name`, async (t) => {
    await scene.send(holder, token, tokenContract.transfer.encodeInput({ to: device.address, value: 1_000n }));
    const to = `0x${'e1'.repeat(20)}` as const;
    const before = await scene.balanceOf(to);
    const first = accepted(await router.transfer(to, 700n, `${name}-1`));
    t.equal(accepted(await router.transfer(to, 700n, `${name}-1`)).tx, first.tx);
    t.equal(await scene.balanceOf(to), before + 700n);
    t.match(await router.transfer(to, 700n, `${name}-2`), { ok: false, reason: 'refused' }, 'only 300 are left');
  });

  t.test(`${name}: what was earned goes to the payee, less the fee`, async (t) => {
    const mine = config('earning');
    for (const { to, data } of pullCalls({ channels, token }, mine, DEPOSIT)) await scene.send(holder, to, data);
    accepted(await router.close(mine, scene.voucher(mine, 10_000n, holder), 10_000n));
    const { units, feeUnits } = accepted(await router.earned(payee.address));
    t.equal(units, 10_000n);
    const before = await scene.balanceOf(payee.address);
    accepted(await router.withdraw(payee.address, 'one'));
    t.equal(await scene.balanceOf(payee.address), before + 9_000n);
    t.equal(units - feeUnits, 9_000n, 'as was said before');
    t.equal(accepted(await router.earned(payee.address)).units, 0n);
    t.match(await router.withdraw(payee.address, 'two'), { ok: false, message: /NothingToWithdraw/ });
  });
}

async function nonceOf(scene: ReturnType<typeof createScene>, token: typeof PERMIT2_ADDRESS): Promise<bigint> {
  return BigInt(await scene.call(token, tokenContract.nonces.encodeInput(holder.address)));
}

function accepted<T>(result: ChainResult<T>): T {
  if (!result.ok) throw new Error(`${result.reason}: ${result.message}`);
  return result;
}
