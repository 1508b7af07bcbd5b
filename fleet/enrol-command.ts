/**
 * `fleet enrol`: the people's part of enrolment, on the collector's own machine. Works while the collector runs.
 *
 *   fleet enrol list [--state pending] | approve DEVICE | reject DEVICE | revoke DEVICE | key LABEL | serials BATCH FILE
 *   fleet enrol revoke-vendor VENDOR|KEY [--from UNIX_S]
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Address, parseAddress } from '../protocol/address.ts';
import { isShortText } from '../protocol/short-text.ts';
import { parseCollectorConfig } from './collector-config.ts';
import { loadOrCreateCollectorKey } from './collector-key.ts';
import type { EnrolmentAnswer } from './enrolment-answer.ts';
import { Registry } from './registry.ts';
import { type EnrolledDevice, type EnrolmentState, RegistryStore } from './registry-store.ts';
import type { CommandOutput } from './rewards-command.ts';

export const ENROL_USAGE = `usage: fleet enrol list [--state STATE] [--json] --config FILE
       fleet enrol approve|reject|revoke DEVICE [--reason TEXT] --config FILE
       fleet enrol key LABEL [--hours N] --config FILE       a single-use key, shown this once
       fleet enrol serials BATCH FILE --config FILE          one serial number a line
       fleet enrol revoke-vendor VENDOR|KEY [--from UNIX_S] [--reason TEXT] --config FILE    its key was stolen
states: pending, active, rejected, retired, revoked`;

/** What the user must mend. */
class UsageError extends Error {}

const STATES: readonly EnrolmentState[] = ['pending', 'active', 'rejected', 'retired', 'revoked'];
const MAX_LISTED = 10_000;
const MAX_HOURS = 24 * 366;

type Opened = {
  readonly registry: Registry;
  readonly store: RegistryStore;
  readonly vendors: ReadonlyMap<bigint, Address>;
};
type Flags = {
  readonly state?: string;
  readonly reason?: string;
  readonly hours?: string;
  readonly from?: string;
  readonly json?: boolean;
};

/** Exit code: 0 done, 1 refused, 2 wrong arguments. */
export async function enrolCommand(args: readonly string[], output: CommandOutput): Promise<0 | 1 | 2> {
  try {
    const { values, positionals } = parsed(args);
    const opened = open(values.config);
    try {
      return run(positionals, values, opened, output);
    } finally {
      opened.store.close();
    }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    output.note(`fleet enrol: ${error.message}\n${ENROL_USAGE}`);
    return await Promise.resolve(2);
  }
}

function run([action, first, second]: readonly string[], flags: Flags, opened: Opened, output: CommandOutput): 0 | 1 {
  const { registry, store } = opened;
  switch (action) {
    case 'list':
      return list(flags, store, output);
    case 'approve':
      return tell(registry.approve(deviceFrom(first)), output);
    case 'reject':
      return tell(registry.reject(deviceFrom(first), flags.reason ?? 'rejected by the operator'), output);
    case 'revoke':
      return tell(registry.revoke(deviceFrom(first), flags.reason ?? 'revoked by the operator'), output);
    case 'key':
      output.print(registry.makeKey(labelFrom(first), BigInt(hoursFrom(flags.hours)) * 3600n));
      return 0;
    case 'serials': {
      const batch = labelFrom(first);
      const serials = serialsIn(second);
      output.print(`${store.addSerials(batch, serials)} of ${serials.length} serial numbers are new`);
      return 0;
    }
    case 'revoke-vendor':
      return revokeVendor(first, flags, opened, output);
    default:
      throw new UsageError(
        `expected list, approve, reject, revoke, revoke-vendor, key or serials, got "${(action ?? '').slice(0, 40)}"`,
      );
  }
}

function revokeVendor(
  which: string | undefined,
  flags: Flags,
  { registry, vendors }: Opened,
  output: CommandOutput,
): 0 {
  const key = parseAddress(which) ?? vendors.get(/^\d{1,10}$/.test(which ?? '') ? BigInt(which as string) : -1n);
  if (key === undefined)
    throw new UsageError('expected the number of a vendor in the configuration, or the address of its key');
  const fromS = flags.from === undefined ? nowS() : unixFrom(flags.from);
  registry.revokeVendorKey(key, fromS, flags.reason ?? 'by the operator');
  output.print(`revoked: key ${key} counts no more for intervals that end after ${fromS}`);
  return 0;
}

function list({ state, json = false }: Flags, store: RegistryStore, output: CommandOutput): 0 {
  const wanted = STATES.find((name) => name === state);
  if (state !== undefined && wanted === undefined) throw new UsageError(`--state must be one of ${STATES.join(', ')}`);
  const devices = store.devices(wanted, MAX_LISTED);
  const asText = (_name: string, value: unknown) => (typeof value === 'bigint' ? value.toString() : value);
  if (json) output.print(JSON.stringify({ devices }, asText, 2));
  else output.print(devices.length === 0 ? 'No devices.' : devices.map(lineOf).join('\n'));
  return 0;
}

function lineOf({ device, state, method, credential, sinceS, reason, replaces }: EnrolledDevice): string {
  const since = new Date(Number(sinceS) * 1000).toISOString().slice(0, 16);
  const place = replaces === undefined ? '' : `  replaces ${replaces}`;
  return `${device}  ${state.padEnd(8)}  ${since}  ${method} ${credential}  ${reason}${place}`;
}

function tell(answer: EnrolmentAnswer, output: CommandOutput): 0 | 1 {
  if (answer.ok) output.print(`${answer.state}: ${answer.reason}`);
  else output.note(`fleet enrol: ${answer.message}`);
  return answer.ok ? 0 : 1;
}

function parsed(args: readonly string[]) {
  try {
    const string = { type: 'string' } as const;
    const options = {
      config: string,
      state: string,
      reason: string,
      hours: string,
      from: string,
      json: { type: 'boolean' },
    } as const;
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function open(configFile: string | undefined): Opened {
  if (configFile === undefined) throw new UsageError('--config is missing');
  const config = parseCollectorConfig(readFileSync(configFile, 'utf8'));
  if (!config.ok) throw new UsageError(`${configFile}: ${config.path}: expected ${config.expected}, got ${config.got}`);
  const { directory, keyFile, deployment, vendors } = config.value;
  const store = new RegistryStore(join(directory, 'registry.db'));
  const collector = loadOrCreateCollectorKey(keyFile).address;
  return { store, vendors, registry: new Registry({ store, deployment, collector, vendors, nowS }) };
}

function nowS(): bigint {
  return BigInt(Math.floor(Date.now() / 1000));
}

function unixFrom(text: string): bigint {
  if (!/^\d{1,12}$/.test(text)) throw new UsageError(`--from must be seconds of Unix time, got "${text.slice(0, 40)}"`);
  return BigInt(text);
}

function deviceFrom(text: string | undefined) {
  const address = parseAddress(text ?? '');
  if (address === undefined)
    throw new UsageError(`expected the address of a device, got "${(text ?? '').slice(0, 50)}"`);
  return address;
}

function labelFrom(text: string | undefined): string {
  if (text === undefined || !isShortText(text))
    throw new UsageError('expected a label of 1..32 printable ASCII characters');
  return text;
}

function hoursFrom(text = '1'): number {
  const hours = Number(text);
  if (!Number.isInteger(hours) || hours < 1 || hours > MAX_HOURS) {
    throw new UsageError(`--hours must be a whole number from 1 to ${MAX_HOURS}, got ${text}`);
  }
  return hours;
}

function serialsIn(file: string | undefined): readonly string[] {
  if (file === undefined) throw new UsageError('expected a file of serial numbers, one a line');
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.trim());
  const serials = lines.filter((line) => line !== '');
  const wrong = serials.find((serial) => !isShortText(serial));
  if (wrong !== undefined)
    throw new UsageError(`serial "${wrong.slice(0, 40)}" must be 1..32 printable ASCII characters`);
  return serials;
}
