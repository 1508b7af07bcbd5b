/**
 * Deploys ShareChannels, DeviceRegistry and ShareRewards on a chain and writes their addresses down:
 *
 *   node contracts/deploy-command.ts --rpc URL --key-file FILE --record FILE [--token ADDRESS]
 *
 * FILE holds the deployer's secret key as 0x and 64 hex digits. Without --token a test token is made.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parseAddress } from '../protocol/address.ts';
import { bytesFromHex, isHexOfLength } from '../protocol/hex.ts';
import { deployContracts } from './deploy.ts';
import { deployRewards } from './deploy-rewards.ts';

const USAGE = 'usage: node contracts/deploy-command.ts --rpc URL --key-file FILE --record FILE [--token ADDRESS]';

/** @throws Error that says which argument is wrong. */
export async function deployCommand(args: readonly string[]): Promise<string> {
  const text = { type: 'string' } as const;
  const options = { rpc: text, 'key-file': text, record: text, token: text };
  const { values } = parseArgs({ args: [...args], options });
  const { rpc, 'key-file': keyFile, record: recordPath } = values;
  if (rpc === undefined || keyFile === undefined || recordPath === undefined) throw new Error(USAGE);
  const key = readFileSync(keyFile, 'utf8').trim();
  if (!isHexOfLength(key, 32)) throw new Error(`${keyFile}: expected 0x and 64 hex digits, got something else`);
  const token = parseAddress(values.token);
  if (values.token !== undefined && token === undefined) {
    throw new Error(`--token: expected 0x and 40 hex digits, got ${values.token.slice(0, 50)}`);
  }
  const secretKey = bytesFromHex(key);
  const deployment = await deployContracts(rpc, secretKey, { recordPath, ...(token === undefined ? {} : { token }) });
  const { registry, rewards } = await deployRewards(rpc, secretKey, deployment, { recordPath });
  const { chainId, channels } = deployment;
  return `chain ${chainId}: token ${deployment.token}, channels ${channels}, registry ${registry}, rewards ${rewards}`;
}

if (import.meta.main) {
  try {
    process.stdout.write(`${await deployCommand(process.argv.slice(2))}\n`);
  } catch (error) {
    process.stderr.write(`deploy: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
