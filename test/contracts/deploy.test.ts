import { readFileSync } from 'node:fs';
import t from 'tap';
import { deployContracts, deployLegacyToken, SSP_SUPPLY_UNITS } from '../../contracts/deploy.ts';
import { type Account, startAnvil } from '../support/anvil.ts';
import { channelsContract, createScene } from '../support/channel-scene.ts';

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
