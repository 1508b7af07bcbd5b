/** `shareagent config`: checks the configuration, and prints what the option table generates. */
import { renderDefaultFile } from '../adapters/uci/default-file.ts';
import { renderOptionDocument } from '../adapters/uci/option-document.ts';
import { configErrorText, readConfig } from '../adapters/uci/read-config.ts';
import type { AgentConfig } from '../core/config.ts';
import { type Answer, type Command, EXIT, usageError } from './command.ts';
import { counted, sspText } from './quantity.ts';

export const configCommand: Command = {
  name: 'config',
  operands: 'check [FILE] | default | document',
  summary: 'Check the configuration; print the default file or the reference.',
  details: [
    'check     Reports everything that is wrong with the file, with lines. Exit code 1 if anything is.',
    'default   Prints the commented file that the package installs.',
    'document  Prints docs/configuration.md.',
  ],
  options: {},
  run: ({ operands, configPath }) => Promise.resolve(answer(operands, configPath)),
};

function answer([action, file, extra]: readonly string[], configPath: string): Answer {
  if (action === 'check' && extra === undefined) return check(file ?? configPath);
  if (action === 'default' && file === undefined) return printed(renderDefaultFile());
  if (action === 'document' && file === undefined) return printed(renderOptionDocument());
  throw usageError('config takes one of: check [FILE], default, document');
}

function check(path: string): Answer {
  const reading = readConfig(path);
  if (reading.ok) {
    return { document: { ok: true, path, errors: [] }, text: `${path} is right: ${offerText(reading.config)}` };
  }
  const lines = [...reading.errors.map(configErrorText), `${path} has ${counted(reading.errors.length, 'error')}.`];
  return { document: { ok: false, path, errors: reading.errors }, text: lines.join('\n'), exitCode: EXIT.failed };
}

/** What the file makes the agent do, so that an owner sees a wrong price at once. */
function offerText({ isEnabled, price, network }: AgentConfig): string {
  if (!isEnabled) return 'nothing is sold (shareagent.agent.enabled is 0).';
  const { unitsPerMb, unitsPerMinute } = price.tariff;
  const prices = [
    ...(unitsPerMb > 0n ? [`${sspText(unitsPerMb)} per MB`] : []),
    ...(unitsPerMinute > 0n ? [`${sspText(unitsPerMinute)} per minute`] : []),
  ];
  const extras = [counted(price.windows.length, 'time window'), counted(price.packages.length, 'package')];
  return `${prices.join(' and ')} on ${network.guestDevices.join(', ')} (${extras.join(', ')}).`;
}

/** Generated texts end in a newline of their own. */
function printed(text: string): Answer {
  return { document: { text }, text: text.replace(/\n$/, '') };
}
