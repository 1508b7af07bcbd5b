#!/usr/bin/env node
/** The `fleet` executable: one subcommand a file. The collector itself runs as `node fleet/main.ts`. */
import process from 'node:process';
import { ENROL_USAGE, enrolCommand } from './enrol-command.ts';
import { EVIDENCE_USAGE, evidenceCommand } from './evidence-command.ts';
import { type CommandOutput, REWARDS_USAGE, rewardsCommand } from './rewards-command.ts';
import { SIMULATE_USAGE, simulateCommand } from './simulate-command.ts';

type FleetCommand = {
  /** @returns the exit code */
  readonly run: (args: readonly string[], output: CommandOutput) => Promise<number>;
  readonly usage: string;
};

const COMMANDS: ReadonlyMap<string, FleetCommand> = new Map([
  ['enrol', { run: enrolCommand, usage: ENROL_USAGE }],
  ['evidence', { run: evidenceCommand, usage: EVIDENCE_USAGE }],
  ['rewards', { run: rewardsCommand, usage: REWARDS_USAGE }],
  ['simulate', { run: simulateCommand, usage: SIMULATE_USAGE }],
]);
const HELP_OPTIONS = ['--help', '-h'];

const HELP = `The vendor's command line. Usage: fleet COMMAND ...

  enrol     devices, single-use keys, serial numbers, a vendor's revocations
  evidence  proofs of one device that contradict each other: export, verify
  rewards   recompute a week's rewards from the chain's logs, verify and claim them
  simulate  routers, some of which lie, against a collector made for them; runs at once

fleet COMMAND --help prints its options. The collector itself: node fleet/main.ts --config FILE`;

const output: CommandOutput = {
  print: (text) => {
    process.stdout.write(`${text}\n`);
  },
  note: (text) => {
    process.stderr.write(`${text}\n`);
  },
};

const [name = '', ...args] = process.argv.slice(2);
const command = COMMANDS.get(name);
if (name === 'help' || HELP_OPTIONS.includes(name)) {
  output.print(HELP);
} else if (command === undefined) {
  output.note(name === '' ? HELP : `fleet: no command "${name.slice(0, 40)}".\n\n${HELP}`);
  process.exitCode = 2;
} else if (args.some((arg) => HELP_OPTIONS.includes(arg))) {
  output.print(command.usage);
} else {
  process.exitCode = await command.run(args, output);
}
