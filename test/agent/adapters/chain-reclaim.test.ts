/** The end of channels after their expiry, against a real anvil: also by a router that may not close them any more. */
import t from 'tap';
import { UNKNOWN_TX } from '../../../agent/adapters/chain/channels-reader.ts';
import { createChain } from '../../../agent/adapters/chain.ts';
import type { ChannelConfig } from '../../../protocol/channel.ts';
import { type Account, startAnvilWithContracts } from '../../support/anvil.ts';
import { configFor, createScene, signerFromSecretKey, tokenContract } from '../../support/channel-scene.ts';

const DEPOSIT = 500_000n;

const anvil = await startAnvilWithContracts();
t.teardown(() => anvil.stop());
const scene = createScene(anvil);
const [holder, payee, device, replacement, guest] = anvil.accounts as [Account, Account, Account, Account, Account];
const chainOf = ({ secretKey }: Account) => {
  const { chainId, channels, token } = anvil.deployment;
  const gasKey = signerFromSecretKey(secretKey);
  return createChain({ rpcUrl: anvil.rpcUrl, chainId, channels, token, pollMs: 5, gasKey });
};
const [router, newKey] = [chainOf(device), chainOf(replacement)];
const expiry = (await time()) + 600n;
await scene.send(holder, scene.token, tokenContract.transfer.encodeInput({ to: guest.address, value: 4n * DEPOSIT }));

t.test('a router whose key was replaced gives back what is not claimed, once the channel has expired', async (t) => {
  const config = await opened('replaced key');
  const voucher = scene.voucher(config, 300_000n, guest);
  t.match(await router.claim([{ config, voucher, amount: 100_000n }]), { ok: true });
  t.match(await newKey.close(config, voucher, 100_000n), { ok: false, message: /this router is neither/ });
  const open = await opened('replaced key, not claimed');
  const unclaimed = scene.voucher(open, 300_000n, guest);
  const lost = configFor('rolled back', { payer: guest, payee, device }, { expiry });
  t.match(await router.close(lost, scene.voucher(lost, 5n, guest), 5n), { ok: false, message: /ChannelNotOpen/ });
  const before = await scene.balanceOf(guest.address);
  await warp(expiry);
  t.match(
    await newKey.close(open, unclaimed, 300_000n),
    { ok: false, message: /this router is neither/ },
    'money is left',
  );
  t.notOk((await scene.channel(open)).isClosed);
  t.match(await newKey.close(config, voucher, 100_000n), { ok: true, claimedUnits: 100_000n });
  t.match(await scene.channel(config), { isClosed: true, claimed: 100_000n });
  t.equal(await scene.balanceOf(guest.address), before + DEPOSIT - 100_000n);
  t.match(
    await router.close(open, unclaimed, 300_000n),
    { ok: true, claimedUnits: 300_000n },
    'expired is not too late',
  );

  t.match(await router.close(lost, scene.voucher(lost, 5n, guest), 5n), { ok: false }, 'it might still be seen');
  await warp(expiry + 3_600n);
  const ended = await router.close(lost, scene.voucher(lost, 5n, guest), 5n);
  t.match(ended, { ok: true, claimedUnits: 0n, feeWei: 0n, tx: UNKNOWN_TX }, 'it can never be opened any more');
});

async function opened(name: string): Promise<ChannelConfig> {
  const config = configFor(name, { payer: guest, payee, device }, { expiry });
  const result = await router.relayOpen(config, scene.authorization(config, DEPOSIT, guest));
  if (!result.ok) throw new Error(result.message);
  return config;
}

async function time(): Promise<bigint> {
  const block = (await anvil.request('eth_getBlockByNumber', 'latest', false)) as { timestamp: string };
  return BigInt(block.timestamp);
}

async function warp(unixS: bigint): Promise<void> {
  await anvil.request('evm_setNextBlockTimestamp', Number(unixS));
  await anvil.request('evm_mine');
}
