/** `shareagent enrol`: asks the collector to take this router's proofs. */
import { credentialFrom, IdentityFileError } from '../adapters/identity-files.ts';
import { configErrorText, readConfig } from '../adapters/uci/read-config.ts';
import type { AgentConfig } from '../core/config.ts';
import { type Answer, type Command, CommandError, EXIT, usageError } from './command.ts';
import { enrolOnce } from './enrol-once.ts';

export const enrolCommand: Command = {
  name: 'enrol',
  operands: '',
  summary: 'Enrol this router with its collector.',
  details: [
    'Without an option: with attestation.json or enrolment-key beside the device key.',
    'Answers "active" (proofs are taken), "pending" (a person decides) or why it was refused.',
  ],
  options: {
    key: { type: 'string', value: 'KEY', doc: 'A single-use key of the operator: 0x and 64 hex digits.' },
    serial: { type: 'string', value: 'TEXT', doc: 'The serial number, if the vendor has listed it.' },
  },
  run: async ({ flags, configPath }) => await enrolled(configOf(configPath), flags['key'], flags['serial']),
};

async function enrolled(config: AgentConfig, key: unknown, serial: unknown): Promise<Answer> {
  if (key !== undefined && serial !== undefined) throw usageError('give one of --key and --serial');
  const typed = key === undefined ? (serial === undefined ? undefined : `serial:${String(serial)}`) : String(key);
  try {
    const outcome = await enrolOnce(config, typed === undefined ? undefined : credentialFrom(typed, 'what was given'));
    if (!outcome.ok) throw new CommandError(EXIT.failed, 'not-enrolled', outcome.message);
    return { document: outcome, text: `${outcome.state}: ${outcome.reason}` };
  } catch (error) {
    if (error instanceof IdentityFileError) throw new CommandError(EXIT.failed, 'bad-file', error.message);
    throw error;
  }
}

/** @throws CommandError if the file cannot be used */
export function configOf(path: string): AgentConfig {
  const reading = readConfig(path);
  if (reading.ok) return reading.config;
  throw new CommandError(EXIT.failed, 'bad-config', reading.errors.map(configErrorText).join('\n'));
}
