/** A command line without a terminal: records what is written, and throws on everything that was not scripted. */
import { join } from 'node:path';
import type { CommandIo, ExitCode } from '../../../agent/cli/command.ts';
import { runCommandLine } from '../../../agent/cli/command-line.ts';
import type { DoctorProbe } from '../../../agent/cli/doctor/probe.ts';
import { buildControl, listenControl } from '../../../agent/owner/control.ts';
import type { OwnerDesk } from '../../../agent/owner-port.ts';
import { ScriptedTreasury } from '../../support/scripted-treasury.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { sampleEarnings } from './sample-earnings.ts';
import { sampleOwner } from './sample-owner.ts';

type Test = { teardown(fn: () => unknown): void };

export type Recorded = { readonly exitCode: ExitCode; readonly out: string; readonly err: string };

function unscripted(name: string): never {
  throw new Error(`unscripted call of ${name}`);
}

export const unscriptedProbe: DoctorProbe = {
  file: () => unscripted('file'),
  text: () => unscripted('text'),
  names: () => unscripted('names'),
  isAnswered: () => unscripted('isAnswered'),
  disk: () => unscripted('disk'),
  uid: () => unscripted('uid'),
  wallS: () => unscripted('wallS'),
  nft: () => unscripted('nft'),
  offload: () => unscripted('offload'),
  fw4Input: () => unscripted('fw4Input'),
  shownCertificate: () => unscripted('shownCertificate'),
  signingMs: () => unscripted('signingMs'),
  backends: () => unscripted('backends'),
  rpc: () => unscripted('rpc'),
  status: () => unscripted('status'),
};

export function recordingIo(overrides: Partial<CommandIo> = {}): {
  readonly io: CommandIo;
  readonly out: string[];
  readonly err: string[];
} {
  const out: string[] = [];
  const err: string[] = [];
  const io: CommandIo = {
    print: (text) => out.push(text),
    printError: (text) => err.push(text),
    size: () => ({ columns: 80, rows: 24 }),
    isColour: false,
    signal: new AbortController().signal,
    monotonicMs: () => unscripted('monotonicMs'),
    sleep: () => unscripted('sleep'),
    runAgent: () => unscripted('runAgent'),
    probe: unscriptedProbe,
    ...overrides,
  };
  return { io, out, err };
}

/** Runs one command line; output lines joined as they would appear. */
export async function runLine(args: readonly string[], overrides: Partial<CommandIo> = {}): Promise<Recorded> {
  const { io, out, err } = recordingIo(overrides);
  const exitCode = await runCommandLine(args, io);
  return { exitCode, out: out.join('\n'), err: err.join('\n') };
}

/** A control socket that answers with the sample, or with what replaces parts of it. */
export async function listenSample(test: Test, overrides: Partial<OwnerDesk> = {}): Promise<string> {
  const socketPath = join(temporaryDirectory(test), 'c.sock');
  const listening = await listenControl(
    buildControl({
      owner: { ...sampleOwner(), ...overrides },
      earnings: sampleEarnings,
      treasury: new ScriptedTreasury(),
    }),
    socketPath,
  );
  test.teardown(() => listening.close());
  return socketPath;
}
