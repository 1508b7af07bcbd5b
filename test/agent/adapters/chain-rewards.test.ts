/** The agent's own way to its reward, against a real anvil: channel, claim, week's end, watch, operator's balance. */
import { createContract } from 'micro-eth-signer/abi.js';
import t from 'tap';
import { claimArgument, configArgument, signatureArgument } from '../../../agent/adapters/chain/channels-contract.ts';
import { createChain } from '../../../agent/adapters/chain.ts';
import { RewardWatch } from '../../../agent/earnings/reward-watch.ts';
import { DEVICE_REGISTRY_ABI } from '../../../contracts/abi/device-registry.ts';
import { deployRewards } from '../../../contracts/deploy-rewards.ts';
import { signDeviceBinding } from '../../../protocol/device-binding.ts';
import type { Hex } from '../../../protocol/hex.ts';
import { EPOCH_S } from '../../../protocol/rewards.ts';
import { type Account, startAnvilWithContracts } from '../../support/anvil.ts';
import {
  channelsContract,
  configFor,
  createScene,
  signerFromSecretKey,
  tokenContract,
} from '../../support/channel-scene.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { testConfig } from '../core/support/story.ts';

const registryContract = createContract(DEVICE_REGISTRY_ABI);
const anvil = await startAnvilWithContracts();
t.teardown(() => anvil.stop());
const scene = createScene(anvil);
const [holder, payer, device, owner] = anvil.accounts as [Account, Account, Account, Account];
const { registry, rewards } = await deployRewards(anvil.rpcUrl, holder.secretKey, anvil.deployment);
const chain = createChain({
  rpcUrl: anvil.rpcUrl,
  chainId: anvil.chainId,
  channels: scene.channels,
  token: scene.token,
  gasKey: signerFromSecretKey(device.secretKey),
  pollMs: 5,
});

async function newestS(): Promise<bigint> {
  const block = (await anvil.request('eth_getBlockByNumber', 'latest', false)) as { timestamp: Hex };
  return BigInt(block.timestamp);
}

t.test('the router claims its reward when the week is over, once its owner is bound', async (t) => {
  const value = 100_000_000n;
  await scene.send(holder, scene.token, tokenContract.transfer.encodeInput({ to: payer.address, value }));
  await scene.send(holder, scene.token, tokenContract.transfer.encodeInput({ to: rewards, value }));
  await scene.send(payer, scene.token, tokenContract.approve.encodeInput({ spender: scene.channels, value }));
  const config = configFor('a week', { payer, payee: owner, device });
  const open = channelsContract.open.encodeInput({ config: configArgument(config), amount: 5_000_000n });
  await scene.send(payer, scene.channels, open);
  const claim = claimArgument(config, scene.voucher(config, 4_000_000n, payer), 4_000_000n);
  await scene.send(owner, scene.channels, channelsContract.claim.encodeInput([claim]));

  const clock = new FakeClock(await newestS());
  const epoch = clock.unixS / EPOCH_S;
  const agent = testConfig((before) => ({ ...before, chain: { ...before.chain, rewards } }));
  const logged: { message?: string; name: string }[] = [];
  const write = (details: object, name: string) => void logged.push({ ...details, name });
  const log = { info: write, warn: write, error: write };
  const watch = new RewardWatch({ config: agent, chain, device: device.address, clock, log });
  await watch.look();
  t.same(watch.weeks(), [{ epoch, claimedUnits: 4_000_000n, rewardUnits: 360_000n, state: 'running' }]);

  clock.unixS = (epoch + 1n) * EPOCH_S;
  await anvil.request('evm_setNextBlockTimestamp', Number(clock.unixS));
  await anvil.request('evm_mine');
  await watch.look();
  t.match(logged.at(-1), { name: 'rewards-not-claimed', message: /NotBound\(device: 0x/ });

  const binding = { device: device.address, operator: owner.address, nonce: 0n };
  const signed = signDeviceBinding({ chainId: anvil.chainId, registry }, binding, device.secretKey);
  const args = { ...binding, deviceSignature: signatureArgument(signed.signature) };
  await scene.send(holder, registry, registryContract.bind.encodeInput(args));
  await watch.look();
  t.match(logged.at(-1), { name: 'rewards-claimed', units: '360000' });
  t.match(watch.weeks(), [{ epoch, state: 'paid', rewardUnits: 360_000n }]);
  t.equal(await scene.balanceOf(owner.address), 360_000n, 'the operator has it');
});

t.test('an address without the contract is said to be none', async (t) => {
  const answer = await chain.rewardWeeks(owner.address, device.address, [1n]);
  t.match(answer, { ok: false, message: new RegExp(`ShareRewards at ${owner.address}`) });
});
