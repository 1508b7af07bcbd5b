/**
 * `fleet rewards`: an epoch's rewards recomputed from the chain's logs alone, compared with the contract, and claimed for
 * those who have not asked yet.
 *
 *   fleet rewards --rpc URL --rewards ADDRESS --epoch N [--verify] [--claim --key-file FILE] [--json]
 *   fleet rewards --rpc URL --rewards ADDRESS --epoch N --growth FACTS --detection N [--previous STATEMENT] --out STATEMENT
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Address, parseAddress } from '../protocol/address.ts';
import { bytesFromHex, isHexOfLength } from '../protocol/hex.ts';
import { isSecretKey } from '../protocol/signature.ts';
import { sspFromUnits } from '../protocol/units.ts';
import { checkRewards, type RewardsCheck } from './rewards-check.ts';
import { sendClaim } from './rewards-claim.ts';
import { growthStatementFromFiles, growthText, statementJson } from './rewards-growth-file.ts';
import { readDeployment, readEpoch } from './rewards-ledger.ts';
import { type RewardsRpc, RewardsRpcError, rewardsRpc } from './rewards-rpc.ts';

export type CommandOutput = {
  readonly print: (text: string) => void;
  /** Progress and failures: standard error. */
  readonly note: (text: string) => void;
};

export const REWARDS_USAGE = `usage: fleet rewards --rpc URL --rewards ADDRESS --epoch N [--verify] [--claim --key-file FILE] [--json]
       fleet rewards --rpc URL --rewards ADDRESS --epoch N --growth FACTS --detection N [--previous STATEMENT] --out STATEMENT
--verify     exit code 1 unless logs and contracts agree in every figure
--claim      ask for every reward that was not paid yet; it goes to the device's operator, the key only pays gas
--growth     (growth stream) grants out of a file of facts; writes what is to be proposed on chain, sends nothing
--detection  of 10000 devices that fake, so many are found by an audit within an epoch: the bond must make faking a loss`;

type GrowthOptions = {
  readonly facts: string;
  readonly previous: string | undefined;
  readonly out: string;
  readonly detectionBasisPoints: bigint;
};

type Options = {
  readonly rpc: RewardsRpc;
  readonly rewards: Address;
  readonly epoch: bigint;
  readonly isJson: boolean;
  readonly isVerify: boolean;
  readonly claimKey: Uint8Array | undefined;
  readonly growth: GrowthOptions | undefined;
};

/** What the user must mend. */
class UsageError extends Error {}

/** Exit code: 0 done, 1 disagreement or failure, 2 wrong arguments. */
export async function rewardsCommand(args: readonly string[], output: CommandOutput): Promise<0 | 1 | 2> {
  try {
    return await run(optionsFrom(args), output);
  } catch (error) {
    if (error instanceof UsageError) {
      output.note(`${error.message}\n${REWARDS_USAGE}`);
      return 2;
    }
    if (!(error instanceof RewardsRpcError || error instanceof RangeError)) throw error;
    output.note(`fleet rewards: ${error.message}`);
    return 1;
  }
}

async function run(options: Options, output: CommandOutput): Promise<0 | 1> {
  const { rpc, rewards, epoch } = options;
  const deployment = await readDeployment(rpc, rewards);
  if (options.growth !== undefined) {
    const { out, ...files } = options.growth;
    const made = await growthStatementFromFiles(rpc, rewards, deployment, epoch, files);
    writeFileSync(out, `${statementJson(made.statement)}\n`);
    output.print(options.isJson ? statementJson(made.statement) : growthText(made, out));
    return 0;
  }
  const ledger = await readEpoch(rpc, rewards, deployment, epoch, {
    onProgress: (done, all) => output.note(`blocks read: ${done} of ${all}`),
  });
  const check = checkRewards(ledger, deployment.terms);
  output.print(options.isJson ? jsonOf(check) : textOf(check, ledger.fromBlock, ledger.toBlock));
  if (check.disagreements.length > 0 && options.isVerify) return 1;
  if (options.claimKey !== undefined) await claimAll(options, check, options.claimKey, output);
  return 0;
}

/** One transaction a device: one that reverts, since it has no operator yet, must not hold up the others. */
async function claimAll(
  { rpc, rewards, epoch }: Options,
  { rows }: RewardsCheck,
  key: Uint8Array,
  output: CommandOutput,
): Promise<void> {
  for (const { device, reward, paid } of rows) {
    if (paid !== undefined || reward === 0n) continue;
    try {
      const { tx, gasUsed } = await sendClaim(rpc, rewards, { device, epochs: [epoch] }, key);
      output.note(`claimed ${sspFromUnits(reward)} SSP for ${device}: ${tx}, ${gasUsed} gas`);
    } catch (error) {
      if (!(error instanceof RewardsRpcError)) throw error;
      output.note(`not claimed for ${device}: ${error.message}`);
    }
  }
}

function textOf({ rewards, rows, paidOut, disagreements }: RewardsCheck, fromBlock: bigint, toBlock: bigint): string {
  const amount = (units: bigint): string => `${sspFromUnits(units)} SSP`;
  const lines = [
    `epoch ${rewards.epoch}, blocks ${fromBlock} to ${toBlock}, ${rows.length} devices`,
    ...rows.map(
      ({ device, claimed, reward, paid }) =>
        `${device}  claimed ${amount(claimed)}  reward ${amount(reward)}  ${paid === undefined ? 'not paid yet' : 'paid'}`,
    ),
    `claimed ${amount(rewards.claimed)}; rewards ${amount(rewards.paid)} of a budget of ${amount(rewards.budget)}, ${amount(paidOut)} paid out`,
    `kept back by rounding ${amount(rewards.dust)}, not used ${amount(rewards.unused)}`,
    ...disagreements.map(
      ({ what, device, recomputed, contract }) =>
        `DISAGREES: ${what}${device === undefined ? '' : ` of ${device}`}: logs say ${recomputed}, the contract ${contract}`,
    ),
    disagreements.length === 0
      ? 'verified: the contracts say what the logs say'
      : `not verified: ${disagreements.length} figures disagree`,
  ];
  return lines.join('\n');
}

function jsonOf({ rewards, rows, paidOut, disagreements }: RewardsCheck): string {
  const document = { ...rewards, rewards: rows, paidOut, isVerified: disagreements.length === 0, disagreements };
  return JSON.stringify(document, (_, value) => (typeof value === 'bigint' ? value.toString() : value));
}

function optionsFrom(args: readonly string[]): Options {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const spec = {
    rpc: text,
    rewards: text,
    epoch: text,
    'key-file': text,
    growth: text,
    detection: text,
    previous: text,
    out: text,
  };
  let values: ReturnType<typeof parse>;
  const parse = () =>
    parseArgs({ args: [...args], options: { ...spec, verify: flag, claim: flag, json: flag } }).values;
  try {
    values = parse();
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const rewards = parseAddress(values.rewards);
  if (values.rpc === undefined || !URL.canParse(values.rpc)) throw new UsageError('--rpc must be the URL of a node');
  if (rewards === undefined) throw new UsageError(`--rewards must be 0x and 40 hex digits, got ${values.rewards}`);
  if (!/^[0-9]{1,9}$/.test(values.epoch ?? '')) throw new UsageError(`--epoch must be a number, got ${values.epoch}`);
  return {
    rpc: rewardsRpc(values.rpc),
    rewards,
    epoch: BigInt(values.epoch as string),
    isJson: values.json,
    isVerify: values.verify,
    claimKey: values.claim ? keyFrom(values['key-file']) : undefined,
    growth: values.growth === undefined ? undefined : growthOptions(values.growth, values),
  };
}

function growthOptions(
  facts: string,
  { previous, out, detection }: { readonly previous?: string; readonly out?: string; readonly detection?: string },
): GrowthOptions {
  if (out === undefined) throw new UsageError('--growth needs --out FILE, where the statement is written');
  if (!/^[1-9][0-9]{0,4}$/.test(detection ?? '')) {
    throw new UsageError(
      `--growth needs --detection N, how many of 10000 devices that fake an audit finds, got ${detection}`,
    );
  }
  return { facts, previous, out, detectionBasisPoints: BigInt(detection as string) };
}

function keyFrom(path: string | undefined): Uint8Array {
  if (path === undefined) throw new UsageError('--claim needs --key-file FILE, a key that pays the gas');
  let text: string;
  try {
    text = readFileSync(path, 'latin1').trim();
  } catch (error) {
    throw new UsageError(`--key-file: ${error instanceof Error ? error.message : error}`);
  }
  const key = isHexOfLength(text, 32) ? bytesFromHex(text) : undefined;
  if (key === undefined || !isSecretKey(key)) throw new UsageError(`${path} must be one line of 0x and 64 hex digits`);
  return key;
}
