/**
 * `fleet evidence`: contradictions that a device has signed, for others to check.
 *
 *   fleet evidence export DEVICE --collector URL --chain-id N --registry ADDRESS [--out DIRECTORY]
 *   fleet evidence verify FILE [--chain-id N --registry ADDRESS]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Address, parseAddress } from '../protocol/address.ts';
import type { RegistryDeployment } from '../protocol/traffic-proof.ts';
import { evidenceJson, slashArguments } from './equivocation-evidence.ts';
import {
  decodeEquivocations,
  decodeEvidenceFile,
  type EvidenceFile,
  evidenceFileJson,
  examineEvidence,
} from './evidence-file.ts';
import type { CommandOutput } from './rewards-command.ts';

export const EVIDENCE_USAGE = `usage: fleet evidence export DEVICE --collector URL --chain-id N --registry ADDRESS [--out DIRECTORY]
       fleet evidence verify FILE [--chain-id N --registry ADDRESS] [--slash]
export writes a file for each contradiction that holds; verify needs no network. Name the contract that you trust: a file
names its own. --slash prints the arguments of DeviceRegistry.slashEquivocation.`;

/** What the user must mend. */
class UsageError extends Error {}

type Flags = { readonly [name in 'collector' | 'chain-id' | 'registry' | 'out']?: string } & {
  readonly slash?: boolean;
};

const TIMEOUT_MS = 30_000;
/** Two proofs as JSON are 1.5 kB. */
const MAX_FILE_CHARACTERS = 65_536;

/** Exit code: 0 it holds, 1 it does not or there is none, 2 wrong arguments. */
export async function evidenceCommand(args: readonly string[], output: CommandOutput): Promise<0 | 1 | 2> {
  try {
    const { values, positionals } = parsed(args);
    const [action, what, extra] = positionals;
    if (what === undefined || extra !== undefined) throw new UsageError('expected export DEVICE or verify FILE');
    if (action === 'export') return await exportAll(what, values, output);
    if (action === 'verify') return verify(what, values, output);
    throw new UsageError(`expected export or verify, got "${(action ?? '').slice(0, 40)}"`);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    output.note(`fleet evidence: ${error.message}\n${EVIDENCE_USAGE}`);
    return 2;
  }
}

async function exportAll(device: string, flags: Flags, output: CommandOutput): Promise<0 | 1> {
  const address = parseAddress(device);
  if (address === undefined) throw new UsageError(`expected the address of a device, got "${device.slice(0, 50)}"`);
  const deployment = deploymentIn(flags);
  if (flags.collector === undefined || deployment === undefined) {
    throw new UsageError('export needs --collector, --chain-id and --registry');
  }
  const listed = await equivocationsOf(flags.collector, address);
  const all: readonly EvidenceFile[] = [
    ...listed.equivocations.map((it) => ({ kind: 'ssp-equivocation' as const, deployment, ...it })),
    ...listed.rotations.map((it) => ({ kind: 'ssp-rotation-conflict' as const, deployment, ...it })),
  ];
  let written = 0;
  for (const evidence of all) {
    const finding = examineEvidence(evidence);
    if (!finding.ok) {
      output.note(`left out, the collector's word alone: ${finding.message}`);
      continue;
    }
    const what = evidence.kind === 'ssp-equivocation' ? `${evidence.second.seq}` : 'rotation';
    const path = join(flags.out ?? '.', `equivocation-${address}-${what}-${written}.json`);
    writeFileSync(path, `${JSON.stringify(evidenceFileJson(evidence), undefined, 2)}\n`);
    output.print(`${path}: ${finding.message}${finding.isSlashable ? ' (slashable)' : ''}`);
    written += 1;
  }
  if (written === 0) output.note(`no contradiction of ${address} is on file`);
  return written === 0 ? 1 : 0;
}

function verify(file: string, flags: Flags, output: CommandOutput): 0 | 1 {
  const decoded = decodeEvidenceFile(jsonIn(file));
  if (!decoded.ok) {
    output.note(`${file}: ${decoded.path || 'file'}: expected ${decoded.expected}, got ${decoded.got}`);
    return 1;
  }
  const evidence = decoded.value;
  const { deployment } = evidence;
  const trusted = deploymentIn(flags);
  if (trusted !== undefined && (trusted.chainId !== deployment.chainId || trusted.registry !== deployment.registry)) {
    output.note(`${file} is for registry ${deployment.registry} on chain ${deployment.chainId}`);
    return 1;
  }
  const finding = examineEvidence(decoded.value);
  if (!finding.ok) {
    output.note(`does not hold: ${finding.message}`);
    return 1;
  }
  const slash =
    evidence.kind === 'ssp-equivocation' ? slashArguments(deployment, evidence.first, evidence.second) : undefined;
  if (flags.slash === true && slash?.ok === true) output.print(evidenceJson(slash.value));
  else output.print(`holds: ${finding.message}\n${finding.isSlashable ? 'slashable' : 'not slashable on chain'}`);
  return 0;
}

async function equivocationsOf(collector: string, device: Address) {
  const url = `${collector.replace(/\/+$/, '')}/v1/equivocations?device=${device}`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' }).catch(
    (cause: unknown) => {
      throw new UsageError(`${url} cannot be reached: ${String(cause)}`);
    },
  );
  const decoded = decodeEquivocations(await answer.json().catch(() => undefined));
  if (!decoded.ok) throw new UsageError(`${url} answered ${answer.status}, and no list of contradictions`);
  return decoded.value;
}

function deploymentIn({ 'chain-id': chainId, registry }: Flags): RegistryDeployment | undefined {
  if (chainId === undefined && registry === undefined) return undefined;
  const address = parseAddress(registry ?? '');
  if (!/^\d{1,19}$/.test(chainId ?? '') || address === undefined) {
    throw new UsageError('give both: --chain-id, a number, and --registry, an address');
  }
  return { chainId: BigInt(chainId as string), registry: address };
}

function jsonIn(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    return JSON.parse(text.slice(0, MAX_FILE_CHARACTERS));
  } catch {
    return undefined;
  }
}

function parsed(args: readonly string[]) {
  try {
    const string = { type: 'string' } as const;
    const options = {
      collector: string,
      'chain-id': string,
      registry: string,
      out: string,
      slash: { type: 'boolean' },
    } as const;
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
