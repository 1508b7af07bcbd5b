#!/usr/bin/env node
/** The `fleet` executable: one subcommand a file. The collector itself runs as `node fleet/main.ts`. */
import process from 'node:process';
import { enrolCommand } from './enrol-command.ts';
import { evidenceCommand } from './evidence-command.ts';
import { type CommandOutput, rewardsCommand } from './rewards-command.ts';
import { simulateCommand } from './simulate-command.ts';

type FleetCommand = (args: readonly string[], output: CommandOutput) => Promise<number>;

const COMMANDS: ReadonlyMap<string, FleetCommand> = new Map([
  ['enrol', enrolCommand],
  ['evidence', evidenceCommand],
  ['rewards', rewardsCommand],
  ['simulate', simulateCommand],
]);

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
if (command === undefined) {
  output.note(`usage: fleet ${[...COMMANDS.keys()].join('|')} ...; got "${name.slice(0, 40)}"`);
  process.exitCode = 2;
} else {
  process.exitCode = await command(args, output);
}
