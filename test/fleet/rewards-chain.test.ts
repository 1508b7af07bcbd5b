/** Rewards end to end on anvil: guests pay, the week ends, anyone recomputes from logs, the reward reaches the operator. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContract } from 'micro-eth-signer/abi.js';
import t from 'tap';
import { claimArgument, configArgument, signatureArgument } from '../../agent/adapters/chain/channels-contract.ts';
import { DEVICE_REGISTRY_ABI } from '../../contracts/abi/device-registry.ts';
import { SHARE_REWARDS_ABI } from '../../contracts/abi/share-rewards.ts';
import { deployRewards } from '../../contracts/deploy-rewards.ts';
import { checkRewards } from '../../fleet/rewards-check.ts';
import { rewardsCommand } from '../../fleet/rewards-command.ts';
import { readDeployment, readEpoch } from '../../fleet/rewards-ledger.ts';
import { type RewardsRpc, rewardsRpc } from '../../fleet/rewards-rpc.ts';
import { ZERO_ADDRESS } from '../../protocol/address.ts';
import { signDeviceBinding } from '../../protocol/device-binding.ts';
import { bytesFromHex, type Hex, hexFromBytes } from '../../protocol/hex.ts';
import { EPOCH_S, feeOf } from '../../protocol/rewards.ts';
import { bytes32FromText } from '../../protocol/short-text.ts';
import { signDigest } from '../../protocol/signature.ts';
import { vendorAttestationDigest } from '../../protocol/vendor-attestation.ts';
import { type Account, startAnvilWithContracts } from '../support/anvil.ts';
import { channelsContract, configFor, createScene, FAR_FUTURE, tokenContract } from '../support/channel-scene.ts';
import '../support/own-testdir.ts';

const registryContract = createContract(DEVICE_REGISTRY_ABI);
const rewardsContract = createContract(SHARE_REWARDS_ABI);

const anvil = await startAnvilWithContracts();
t.teardown(() => anvil.stop());
const scene = createScene(anvil);
const [holder, payer, deviceA, deviceB, owner, stranger, auditor] = anvil.accounts as [
  Account,
  Account,
  Account,
  Account,
  Account,
  Account,
  Account,
];
const { registry, rewards } = await deployRewards(anvil.rpcUrl, holder.secretKey, anvil.deployment, {
  growth: {
    publisher: holder.address,
    auditor: auditor.address,
    basisPoints: 1000n,
    maxPerEpoch: 500_000n,
    bond: 1000n,
  },
});
const identity = { chainId: anvil.chainId, registry };

async function newestS(): Promise<bigint> {
  const block = (await anvil.request('eth_getBlockByNumber', 'latest', false)) as { timestamp: Hex };
  return BigInt(block.timestamp);
}

async function mineAt(timeS: bigint): Promise<void> {
  await anvil.request('evm_setNextBlockTimestamp', Number(timeS));
  await anvil.request('evm_mine');
}

/** A channel for the device, with `units` of it claimed. */
async function earn(name: string, device: Account, units: bigint): Promise<void> {
  const config = configFor(name, { payer, payee: owner, device });
  const open = channelsContract.open.encodeInput({ config: configArgument(config), amount: 5_000_000n });
  await scene.send(payer, scene.channels, open);
  const claim = claimArgument(config, scene.voucher(config, units, payer), units);
  await scene.send(owner, scene.channels, channelsContract.claim.encodeInput([claim]));
}

const bind = async (device: Account): Promise<void> => {
  const binding = { device: device.address, operator: owner.address, nonce: 0n };
  const deviceSignature = signatureArgument(signDeviceBinding(identity, binding, device.secretKey).signature);
  await scene.send(holder, registry, registryContract.bind.encodeInput({ ...binding, deviceSignature }));
};

async function fleet(...args: readonly string[]) {
  const printed: string[] = [];
  const noted: string[] = [];
  const output = { print: (text: string) => printed.push(text), note: (text: string) => noted.push(text) };
  const code = await rewardsCommand(['--rpc', anvil.rpcUrl, '--rewards', rewards, ...args], output);
  return { code, text: printed.join('\n'), notes: noted.join('\n') };
}

// Two whole weeks of claims, started at a week's begin so that no figure depends on the day of the test.
const epoch = (await newestS()) / EPOCH_S + 1n;
const approve = tokenContract.approve.encodeInput({ spender: scene.channels, value: 1_000_000_000n });
await scene.send(holder, scene.token, tokenContract.transfer.encodeInput({ to: payer.address, value: 1_000_000_000n }));
await scene.send(holder, scene.token, tokenContract.transfer.encodeInput({ to: rewards, value: 1_000_000_000n }));
await scene.send(payer, scene.token, approve);
await earn('the week before', deviceA, 999_999n);
await mineAt(epoch * EPOCH_S);
await earn('a', deviceA, 1_721_336n);
await earn('b', deviceB, 107n);
await earn('nobody', { ...deviceA, address: ZERO_ADDRESS }, 500_000n);
const early = await fleet('--epoch', `${epoch}`, '--verify');
await mineAt((epoch + 1n) * EPOCH_S);
await earn('the week after', deviceA, 888_888n);

t.test('an epoch that is not over is refused: its claims may still grow', (t) => {
  t.equal(early.code, 1);
  t.match(early.notes, new RegExp(`epoch ${epoch} ends at .* it is not over`));
  t.end();
});

t.test('anyone recomputes the week from logs alone, and the contracts agree', async (t) => {
  const { code, text } = await fleet('--epoch', `${epoch}`, '--verify');
  t.equal(code, 0);
  t.match(text, /2 devices/);
  t.match(text, `${deviceA.address}  claimed 172.1336 SSP  reward 15.492 SSP  not paid yet`);
  t.match(text, 'verified: the contracts say what the logs say');
  const { text: json } = await fleet('--epoch', `${epoch}`, '--verify', '--json');
  t.match(JSON.parse(json), { claimed: '1721443', paid: '154929', dust: '0', isVerified: true, disagreements: [] });
});

t.test('claimed on behalf of the routers by a stranger: the operator gets it, once, below the fee', async (t) => {
  const keyFile = join(t.testdir(), 'gas.key');
  writeFileSync(keyFile, `${hexFromBytes(stranger.secretKey)}\n`);
  const unbound = await fleet('--epoch', `${epoch}`, '--claim', '--key-file', keyFile);
  t.match(unbound.notes, `not claimed for ${deviceA.address}`);
  await bind(deviceA);
  await bind(deviceB);
  const before = await scene.balanceOf(owner.address);
  const { code, notes } = await fleet('--epoch', `${epoch}`, '--claim', '--key-file', keyFile);
  t.equal(code, 0);
  t.match(notes, `claimed 15.492 SSP for ${deviceA.address}`);
  const gained = (await scene.balanceOf(owner.address)) - before;
  t.equal(gained, 154_929n);
  t.ok(gained < feeOf(1_721_443n, 1000n));
  t.equal(await scene.balanceOf(stranger.address), 0n);
  const again = await fleet('--epoch', `${epoch}`, '--verify', '--claim', '--key-file', keyFile);
  t.equal(again.code, 0, 'what is paid out agrees too');
  t.match(again.text, /reward 15.492 SSP {2}paid/);
  t.notMatch(again.notes, 'claimed');
});

t.test('a node that hides a log, adds one or changes one is found out', async (t) => {
  const rpc = rewardsRpc(anvil.rpcUrl);
  const deployment = await readDeployment(rpc, rewards);
  const through = async (change: (logs: readonly { topics: readonly Hex[]; data: Hex }[]) => unknown) => {
    const lying: RewardsRpc = {
      request: async (method, params) => {
        const answer = await rpc.request(method, params);
        return method === 'eth_getLogs' ? change(answer as { topics: Hex[]; data: Hex }[]) : answer;
      },
    };
    return checkRewards(await readEpoch(lying, rewards, deployment, epoch), deployment.terms).disagreements;
  };
  t.same(await through((logs) => logs), []);
  const hidden = await through((logs) => logs.slice(1));
  t.match(hidden, [{ what: 'units claimed in the epoch', recomputed: 500_107n - 500_000n, contract: 1_721_443n }]);
  t.not((await through((logs) => [...logs, ...logs.slice(0, 1)])).length, 0);
  const less = (data: Hex): Hex => `0x${'1'.padStart(64, '0')}${data.slice(66)}`;
  t.not((await through((logs) => logs.map((log) => ({ ...log, data: less(log.data) })))).length, 0);
});

t.test('a node that answers few blocks at a time is asked in pieces; one that fails is named', async (t) => {
  const rpc = rewardsRpc(anvil.rpcUrl);
  const deployment = await readDeployment(rpc, rewards);
  let refusals = 0;
  const strict: RewardsRpc = {
    request: (method, params) => {
      const [filter] = params as [{ fromBlock: string; toBlock: string }];
      if (method === 'eth_getLogs' && BigInt(filter.toBlock) - BigInt(filter.fromBlock) >= 2n) {
        refusals += 1;
        return rpc.request('eth_tooManyBlocks', []);
      }
      return rpc.request(method, params);
    },
  };
  const ledger = await readEpoch(strict, rewards, deployment, epoch);
  t.same(checkRewards(ledger, deployment.terms).disagreements, []);
  t.ok(refusals > 0);
  const nobody = await fleet('--rpc', 'http://127.0.0.1:9', '--epoch', '1');
  t.equal(nobody.code, 1);
  t.match(nobody.notes, 'no answer from the node');
  const elsewhere = await fleet('--rewards', stranger.address, '--epoch', '1');
  t.match(elsewhere.notes, `no such contract at ${stranger.address}`);
});

t.test('wrong arguments are named', async (t) => {
  for (const [args, message] of [
    [['--epoch', 'x'], /--epoch must be a number, got x/],
    [['--epoch', '1', '--claim'], /--claim needs --key-file/],
    [['--epoch', '1', '--growth', 'x'], /--growth needs --out/],
    [['--epoch', '1', '--growth', 'x', '--out', 'y'], /--growth needs --detection N/],
    [['--epoch', '1', '--rewards', '0x12'], /--rewards must be 0x and 40 hex digits/],
    [['--epoch', '1', '--rpc', 'x'], /--rpc must be the URL/],
    [['--nonsense'], /nonsense/],
  ] as const) {
    const { code, notes } = await fleet(...args);
    t.equal(code, 2);
    t.match(notes, message);
  }
});

t.test('the growth stream: facts, root, 24 hours, and a claim under the root', async (t) => {
  const directory = t.testdir();
  const vendor = { vendorId: 7n, key: holder.address, quota: 1n, active: true };
  await scene.send(holder, registry, registryContract.setVendor.encodeInput(vendor));
  const attestation = {
    vendorId: 7n,
    device: deviceA.address,
    model: bytes32FromText('SSP-AP-1'),
    notAfter: FAR_FUTURE,
  };
  const signature = signDigest(vendorAttestationDigest(identity, attestation), holder.secretKey);
  const args = {
    ...attestation,
    model: bytesFromHex(attestation.model),
    vendorSignature: signatureArgument(signature),
  };
  await scene.send(holder, registry, registryContract.register.encodeInput(args));
  const approval = tokenContract.approve.encodeInput({ spender: registry, value: 1000n });
  // Whom the device is bound to, nobody else, bonds for it.
  await scene.send(holder, scene.token, tokenContract.transfer.encodeInput({ to: owner.address, value: 1000n }));
  await scene.send(owner, scene.token, approval);
  await scene.send(owner, registry, registryContract.addBond.encodeInput({ device: deviceA.address, units: 1000n }));
  await mineAt((epoch + 2n) * EPOCH_S);

  const facts = join(directory, 'facts.json');
  const out = join(directory, 'statement.json');
  const score = { uptimeBasisPoints: '9000', auditBasisPoints: '10000' };
  const scores = [deviceA, deviceB].map(({ address }) => ({ device: address, ...score }));
  writeFileSync(facts, JSON.stringify(scores));
  const growth = (of: bigint, detection: string, ...more: string[]) =>
    fleet('--epoch', `${of}`, '--growth', facts, '--detection', detection, ...more, '--out', out);
  t.match(
    (await growth(epoch + 1n, '500')).notes,
    /risks a bond of 1000 units .* below a bond of 9500000\. Audit at least 9981 of/,
  );
  t.match((await growth(epoch + 2n, '9981')).notes, /it is not over/);
  const made = await growth(epoch + 1n, '9981');
  t.equal(made.code, 0, made.notes);
  t.match(made.text, `${deviceA.address}  50 SSP  capped`);
  t.match(made.text, `${deviceB.address}  0 SSP  not-attested`);
  const statement = JSON.parse(readFileSync(out, 'utf8'));
  const root = bytesFromHex(statement.root);
  const total = BigInt(statement.total);
  const proposal = rewardsContract.proposeRoot.encodeInput({ root, total, throughEpoch: epoch + 1n });
  await scene.send(holder, rewards, proposal);
  await t.rejects(scene.send(stranger, rewards, rewardsContract.acceptRoot.encodeInput(root)), /NotAcceptableYet/);
  await mineAt((await newestS()) + 86_400n);
  await scene.send(stranger, rewards, rewardsContract.acceptRoot.encodeInput(root));
  const before = await scene.balanceOf(owner.address);
  const [grant] = statement.grants;
  const claim = { device: grant.device, cumulative: BigInt(grant.cumulative), proof: grant.proof.map(bytesFromHex) };
  await scene.send(stranger, rewards, rewardsContract.claimGrowth.encodeInput(claim));
  t.equal((await scene.balanceOf(owner.address)) - before, 500_000n);

  const twice = await growth(epoch + 1n, '9981', '--previous', out);
  t.match(twice.notes, /are stated already/);
  writeFileSync(facts, '[{"device":"0x1"}]');
  t.match((await growth(1n, '9981')).notes, /facts.json: 0.device: expected/);
});
