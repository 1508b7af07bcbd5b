import { readFileSync } from 'node:fs';
import { createContract } from 'micro-eth-signer/abi.js';
import t from 'tap';
import { SHARE_REWARDS_ABI } from '../../contracts/abi/share-rewards.ts';
import { deployContracts, deployLegacyToken, SSP_SUPPLY_UNITS } from '../../contracts/deploy.ts';
import { deployCommand } from '../../contracts/deploy-command.ts';
import { type Hex, hexFromBytes } from '../../protocol/hex.ts';
import { type Account, startAnvil } from '../support/anvil.ts';
import { channelsContract, createScene } from '../support/channel-scene.ts';
import '../support/own-testdir.ts';

const anvil = await startAnvil();
t.teardown(() => anvil.stop());
const [deployer, holder] = anvil.accounts as [Account, Account];

t.test('the whole supply of a new token belongs to the holder, and the contract is for that token', async (t) => {
  const options = { holder: holder.address, feeBasisPoints: 250n };
  const deployment = await deployContracts(anvil.rpcUrl, deployer.secretKey, options);
  const scene = createScene({ ...anvil, deployment });
  t.equal(await scene.balanceOf(holder.address), SSP_SUPPLY_UNITS);
  const token = await scene.call(deployment.channels, channelsContract.token.encodeInput());
  t.equal(token.slice(-40), deployment.token.slice(2));
  const fee = await scene.call(deployment.channels, channelsContract.feeBasisPoints.encodeInput());
  t.equal(BigInt(fee), 250n);
});

t.test('a token that is there already is used, and the addresses of each chain are kept', async (t) => {
  const recordPath = `${t.testdir({ 'deployments.json': '{"1": {"token": "0x1"}}' })}/deployments.json`;
  const token = await deployLegacyToken(anvil.rpcUrl, deployer.secretKey, holder.address);
  const deployment = await deployContracts(anvil.rpcUrl, deployer.secretKey, { token, recordPath });
  t.equal(deployment.token, token);
  t.strictSame(JSON.parse(readFileSync(recordPath, 'utf8')), {
    1: { token: '0x1' },
    31337: { token, channels: deployment.channels, feeBasisPoints: '1000' },
  });
});

t.test('the record is begun where there is none', async (t) => {
  const recordPath = `${t.testdir()}/deployments.json`;
  await deployContracts(anvil.rpcUrl, deployer.secretKey, { recordPath });
  t.strictSame(Object.keys(JSON.parse(readFileSync(recordPath, 'utf8')) as object), ['31337']);
});

t.test("a contract that cannot be deployed is an error with the node's words", async (t) => {
  const noToken = deployContracts(anvil.rpcUrl, deployer.secretKey, { token: holder.address });
  await t.rejects(noToken, /deploy: eth_estimateGas: execution reverted/);
  const noFee = deployContracts(anvil.rpcUrl, deployer.secretKey, { feeBasisPoints: 2_001n });
  await t.rejects(noFee, /execution reverted/);
});

t.test('registry and rewards are deployed beside the channels, and written down with them', async (t) => {
  const dir = t.testdir({ key: `${hexFromBytes(deployer.secretKey)}\n`, 'no-key': 'hello' });
  const recordPath = `${dir}/deployments.json`;
  const args = ['--rpc', anvil.rpcUrl, '--key-file', `${dir}/key`, '--record', recordPath];
  t.match(await deployCommand(args), /^chain 31337: token 0x.*, channels 0x.*, registry 0x.*, rewards 0x/);
  const record = (JSON.parse(readFileSync(recordPath, 'utf8')) as Record<string, Record<string, Hex>>)['31337'];
  t.strictSame(Object.keys(record ?? {}), ['token', 'channels', 'feeBasisPoints', 'registry', 'rewards', 'firstEpoch']);
  const rewards = record?.['rewards'] as Hex;
  const ask = async (name: 'channels' | 'registry' | 'firstEpoch' | 'feeBasisPoints') => {
    const data = hexFromBytes(createContract(SHARE_REWARDS_ABI)[name].encodeInput());
    return BigInt((await anvil.request('eth_call', { to: rewards, data }, 'latest')) as Hex);
  };
  t.equal(await ask('channels'), BigInt(record?.['channels'] as Hex));
  t.equal(await ask('registry'), BigInt(record?.['registry'] as Hex));
  t.equal(await ask('firstEpoch'), BigInt(record?.['firstEpoch'] as string));
  t.equal(await ask('feeBasisPoints'), 1_000n);
  await t.rejects(deployCommand([]), /usage: /);
  await t.rejects(deployCommand([...args, '--token', '0x1']), /--token: expected 0x and 40 hex digits, got 0x1/);
  await t.rejects(deployCommand([...args.slice(0, 3), `${dir}/no-key`, ...args.slice(4)]), /64 hex digits/);
});
