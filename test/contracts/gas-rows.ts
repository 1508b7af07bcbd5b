/**
 * What each operation costs, as whole transactions on anvil (21,000 and call data included), in the steady state: the
 * contract and the payee hold tokens already, payers keep some. Beside it the prototype's figures, the bar to meet.
 */

import { closeData, closeWithSignatureData, openData } from '../../agent/adapters/chain/channels-contract.ts';
import type { Receipt } from '../../agent/adapters/chain/receipt.ts';
import { deployContracts, deployLegacyToken } from '../../contracts/deploy.ts';
import type { ChannelConfig } from '../../protocol/channel.ts';
import type { TokenAmount } from '../../protocol/units.ts';
import type { Account, AnvilWithContracts } from '../support/anvil.ts';
import {
  channelsContract,
  claimArgs,
  configFor,
  createScene,
  FAR_FUTURE,
  NO_SIGNATURE,
  openArgs,
  openWithPermitArgs,
  reclaimArgs,
  requestExitArgs,
  type Scene,
  tokenContract,
} from '../support/channel-scene.ts';
import { measureGrowth, measureRelayedBatch, measureRewards, measureTicks } from './gas-rewards.ts';
import type { GasRow } from './gas-row.ts';

/** Prototype on anvil 1.7.1, solc 0.8.37, in hundreds of gas as design/protocol.md gives them. */
export const GAS_BARS: Readonly<Record<string, number>> = {
  'deploy ShareChannels': 2_260_000,
  'open, pull': 71_700,
  'open, pull, legacy token': 74_800,
  'open, EIP-3009': 99_600,
  'open, EIP-2612 + Open': 108_000,
  'top-up, pull': 51_100,
  'top-up, EIP-3009': 79_100,
  'claim, first of a payee': 137_800,
  'claim, alone': 69_400,
  'claim, each of 10': 23_800,
  'claim, each of 40': 20_000,
  withdraw: 56_300,
  'burn fees': 54_200,
  close: 89_000,
  'close, relayed': 94_200,
  'exit, relayed': 37_700,
  reclaim: 48_700,
  'claim ticks, 16': 71_000,
  'claim ticks, 64': 75_400,
  'claim ticks, 256': 92_600,
  'claim relayed, 10 in all': 263_000,
  'register and bind device': 123_300,
  'slash equivocation, no bond': 80_200,
  'propose and accept root': 162_700,
  'claim growth, depth 14': 101_100,
  'session: 3009 open + 1/40 claim + reclaim': 168_300,
  'week: one claim + its usage reward': 121_700,
};

const DEPOSIT: TokenAmount = 1_000_000n;
/** A modern token then leaves the allowance alone, as in the prototype's measurements; a legacy one counts it down. */
const UNLIMITED = (1n << 256n) - 1n;

type Bench = {
  readonly anvil: AnvilWithContracts;
  readonly scene: Scene;
  readonly rows: GasRow[];
  readonly holder: Account;
  readonly payer: Account;
  readonly payee: Account;
  readonly device: Account;
  readonly relayer: Account;
};

export async function measureGas(anvil: AnvilWithContracts): Promise<readonly GasRow[]> {
  const [holder, payer, payee, device, relayer] = anvil.accounts as [Account, Account, Account, Account, Account];
  const rows: GasRow[] = [{ operation: 'deploy ShareChannels', gas: Number(anvil.deployment.gas.channels) }];
  const bench = { anvil, scene: createScene(anvil), rows, holder, payer, payee, device, relayer };
  const { send, channels, token } = bench.scene;
  await send(holder, token, tokenContract.transfer.encodeInput({ to: payer.address, value: 1_000_000_000n }));
  await send(payer, token, tokenContract.approve.encodeInput({ spender: channels, value: UNLIMITED }));
  // The first deposit ever is dearer: the contract holds no tokens yet.
  await openPulling(bench, 'first ever');
  const claimed = await measureDeposits(bench);
  await measureClaims(bench, claimed);
  await measureEarnings(bench, claimed);
  await measureEnds(bench);
  await measureLegacyOpen(bench);
  rows.push(...(await measureTicks(bench, claimed)));
  const batch: ChannelConfig[] = [];
  for (let i = 0; i < 10; i++) batch.push(await openPulling(bench, `relayed batch ${i}`));
  rows.push(await measureRelayedBatch(bench, batch));
  const last = batch.slice(0, 1);
  rows.push(...(await measureRewards(bench, () => claim(bench, last, 200_000n))));
  rows.push(...(await measureGrowth(bench)));
  const gasOf = (operation: string) => rows.find((row) => row.operation === operation)?.gas ?? Number.NaN;
  const session = gasOf('open, EIP-3009') + gasOf('claim, each of 40') + gasOf('reclaim');
  // The prototype's reward was cheaper to claim, because every claim told it: what counts is both together.
  const week = gasOf('claim, alone') + gasOf('claim usage reward');
  return [
    ...rows,
    { operation: 'session: 3009 open + 1/40 claim + reclaim', gas: session },
    { operation: 'week: one claim + its usage reward', gas: week },
  ];
}

async function measureDeposits(bench: Bench): Promise<ChannelConfig> {
  const { scene, anvil, holder, payer, relayer } = bench;
  const { send, channels, token } = scene;
  const pulled = configFor('pulled', bench);
  add(bench, 'open, pull', await send(payer, channels, openArgs(pulled, DEPOSIT)));
  add(bench, 'top-up, pull', await send(payer, channels, openArgs(pulled, DEPOSIT)));

  const relayed = configFor('relayed', bench);
  const open3009 = openData(relayed, scene.authorization(relayed, DEPOSIT, payer), 0n);
  add(bench, 'open, EIP-3009', await send(relayer, channels, open3009));
  const topUp3009 = openData(relayed, scene.authorization(relayed, DEPOSIT, payer, 1n), 1n);
  add(bench, 'top-up, EIP-3009', await send(relayer, channels, topUp3009));

  // A payer of its own: the first permit is the dearest, its nonce and allowance slots are new.
  const newcomer = anvil.accounts[5] as Account;
  await send(holder, token, tokenContract.transfer.encodeInput({ to: newcomer.address, value: 1_000_000_000n }));
  const permitted = configFor('permitted', { ...bench, payer: newcomer });
  const signatures = {
    permit: scene.permitSignature(DEPOSIT, 0n, FAR_FUTURE, newcomer),
    open: scene.openSignature(permitted, DEPOSIT, FAR_FUTURE, newcomer),
  };
  const openPermit = openWithPermitArgs(permitted, DEPOSIT, FAR_FUTURE, signatures);
  add(bench, 'open, EIP-2612 + Open', await send(relayer, channels, openPermit));
  return pulled;
}

async function measureClaims(bench: Bench, config: ChannelConfig): Promise<void> {
  const { rows, scene, device } = bench;
  add(bench, 'claim, first of a payee', await claim(bench, [config], 100_000n));
  add(bench, 'claim, alone', await claim(bench, [config], 200_000n));
  for (const count of [10, 40]) {
    const configs: ChannelConfig[] = [];
    for (let i = 0; i < count; i++) configs.push(await openPulling(bench, `batch of ${count}: ${i}`));
    const { gasUsed } = await claim(bench, configs, 100_000n);
    rows.push({ operation: `claim, each of ${count}`, gas: Math.ceil(Number(gasUsed) / count) });
  }
  // From here on payee and burn address hold tokens and the pot is in use.
  await scene.send(device, scene.channels, channelsContract.withdraw.encodeInput(bench.payee.address));
  await scene.send(device, scene.channels, channelsContract.burnFees.encodeInput());
}

async function measureEarnings(bench: Bench, config: ChannelConfig): Promise<void> {
  const { device, payee, scene } = bench;
  const withdraw = channelsContract.withdraw.encodeInput(payee.address);
  await claim(bench, [config], 300_000n);
  await scene.send(device, scene.channels, withdraw);
  await claim(bench, [config], 400_000n);
  add(bench, 'withdraw', await scene.send(device, scene.channels, withdraw));
  add(bench, 'burn fees', await scene.send(device, scene.channels, channelsContract.burnFees.encodeInput()));
  await claim(bench, [config], 500_000n);
}

async function measureEnds(bench: Bench): Promise<void> {
  const { anvil, scene, payer, device, relayer } = bench;
  const { send, channels } = scene;
  const closing = await openPulling(bench, 'closing');
  const closeIt = closeData(closing, scene.voucher(closing, 300_000n, payer), 200_000n);
  add(bench, 'close', await send(device, channels, closeIt));

  const relayed = await openPulling(bench, 'closing, relayed');
  const closeSignature = scene.closeSignature(relayed, 200_000n, device);
  const closeRelayed = closeWithSignatureData(
    relayed,
    scene.voucher(relayed, 300_000n, payer),
    200_000n,
    closeSignature,
  );
  add(bench, 'close, relayed', await send(relayer, channels, closeRelayed));

  const unused = await openPulling(bench, 'unused');
  const noVoucher = { channelId: unused.salt, amount: 0n, ackBytes: 0n, signature: NO_SIGNATURE };
  add(bench, 'close, nothing used', await send(device, channels, closeData(unused, noVoucher, 0n)));

  const leaving = await openPulling(bench, 'leaving');
  const exit = requestExitArgs(leaving, FAR_FUTURE, scene.exitSignature(leaving, FAR_FUTURE, payer));
  add(bench, 'exit, relayed', await send(relayer, channels, exit));
  await anvil.request('evm_increaseTime', Number(leaving.exitDelay) + 1);
  await anvil.request('evm_mine');
  add(bench, 'reclaim', await send(relayer, channels, reclaimArgs(leaving)));
}

async function measureLegacyOpen(bench: Bench): Promise<void> {
  const { anvil, holder, payer } = bench;
  const token = await deployLegacyToken(anvil.rpcUrl, holder.secretKey, payer.address);
  const deployment = await deployContracts(anvil.rpcUrl, holder.secretKey, { token });
  const scene = createScene({ ...anvil, deployment });
  const approve = tokenContract.approve.encodeInput({ spender: deployment.channels, value: 500_000_000n });
  await scene.send(payer, token, approve);
  await openPulling({ ...bench, scene }, 'legacy 1');
  const second = openArgs(configFor('legacy 2', bench), DEPOSIT);
  add(bench, 'open, pull, legacy token', await scene.send(payer, scene.channels, second));
}

function add(bench: Bench, operation: string, receipt: Receipt): void {
  bench.rows.push({ operation, gas: Number(receipt.gasUsed) });
}

function claim(bench: Bench, configs: readonly ChannelConfig[], amount: TokenAmount): Promise<Receipt> {
  const { scene, payer, device } = bench;
  const claims = configs.map((config) => ({ config, voucher: scene.voucher(config, amount, payer), amount }));
  return scene.send(device, scene.channels, claimArgs(claims));
}

async function openPulling(bench: Bench, name: string): Promise<ChannelConfig> {
  const config = configFor(name, bench);
  await bench.scene.send(bench.payer, bench.scene.channels, openArgs(config, DEPOSIT));
  return config;
}
