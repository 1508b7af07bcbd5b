/** `shareagent pass`: codes to print or sell, each an account with some SSP on it. */
import { writeFileSync } from 'node:fs';
import { readConfig } from '../adapters/uci/read-config.ts';
import {
  type Answer,
  type Command,
  CommandError,
  type CommandIo,
  EXIT,
  type Invocation,
  usageError,
} from './command.ts';
import { isConfirmed } from './confirm.ts';
import { askAgentFor } from './control-client.ts';
import { passSheet } from './pass-sheet.ts';
import { counted, sspText, utcText } from './quantity.ts';
import { unitsFromText } from './ssp-amount.ts';
import { left, renderTable, right } from './table.ts';
import { type PassAnswer, passesSchema } from './treasury-schema.ts';

const COLUMNS = [right('NO.'), left('CODE'), right('WORTH'), right('LEFT'), left('STATE'), left('MADE (UTC)')];
/** The agent asks the chain for each pass. */
const TIMEOUT_MS = 120_000;
const MAX_COUNT = 100;

export const passCommand: Command = {
  name: 'pass',
  operands: '[create|fund|list|sheet]',
  summary: 'Make, list and print pass codes.',
  details: [
    'create: makes --count passes of --value each, from the SSP of the node (shareagent wallet). Asks before it spends.',
    'fund: sends what a crash or an absent chain left unfunded, oldest first; nothing is paid twice. Asks before it spends.',
    'list: the newest 200 and what is on them. A code is money: whoever reads it can spend it.',
    'sheet: writes an HTML page with a QR code for each pass that is ready; print it, or save it as PDF.',
  ],
  options: {
    count: { type: 'string', value: 'N', doc: `create: how many, 1..${MAX_COUNT}.` },
    value: { type: 'string', value: 'AMOUNT', doc: 'create: worth of each, e.g. 5SSP.' },
    out: { type: 'string', value: 'FILE', doc: 'sheet: where to; default passes.html. Mode 0600, never written over.' },
    from: {
      type: 'string',
      value: 'NO',
      doc: 'sheet: only from this number on; those before may be in guests’ hands already.',
    },
    yes: { type: 'boolean', doc: 'create, fund: do not ask.' },
  },
  run: async (invocation, io) => {
    const [verb = 'list', ...rest] = invocation.operands;
    if (rest.length > 0) throw usageError(`pass ${verb} takes no "${rest[0]}"`);
    if (verb === 'create') return await create(invocation, io);
    if (verb === 'fund') return await fund(invocation, io);
    if (verb === 'list') return await list(invocation);
    if (verb === 'sheet') return await sheet(invocation);
    throw usageError(`pass knows create, fund, list and sheet, not "${verb.slice(0, 40)}"`);
  },
};

async function create({ flags, socketPath }: Invocation, io: CommandIo): Promise<Answer> {
  const count = String(flags['count'] ?? '');
  if (!/^[1-9][0-9]{0,2}$/.test(count) || Number(count) > MAX_COUNT)
    throw usageError(`--count must be a whole number from 1 to ${MAX_COUNT}, got "${count.slice(0, 20)}"`);
  const units = unitsFromText(String(flags['value'] ?? ''), '--value');
  const all = sspText(units * BigInt(count));
  const question = `Make ${count} passes of ${sspText(units)}, ${all} in all, from the wallet of this node?`;
  if (!(await isConfirmed(io, flags['yes'] === true, question)))
    throw new CommandError(EXIT.failed, 'not-confirmed', 'Nothing was made.');
  const path = `/passes?count=${count}&units=${units}`;
  const asked = { socketPath, method: 'POST', path, timeoutMs: TIMEOUT_MS } as const;
  const { document, value } = await askAgentFor(passesSchema, asked);
  const next = 'They are being funded. See: shareagent pass list. Print: shareagent pass sheet';
  return { document, text: `${tableOf(value.passes)}\n${next}` };
}

async function fund({ flags, socketPath }: Invocation, io: CommandIo): Promise<Answer> {
  const question = 'Fund the passes that are unfunded, from the wallet of this node?';
  if (!(await isConfirmed(io, flags['yes'] === true, question)))
    throw new CommandError(EXIT.failed, 'not-confirmed', 'Nothing was sent.');
  const asked = { socketPath, method: 'POST', path: '/passes/fund', timeoutMs: TIMEOUT_MS } as const;
  const { document, value } = await askAgentFor(passesSchema, asked);
  const text = value.passes.length === 0 ? 'No pass is unfunded.' : tableOf(value.passes);
  return { document, text };
}

async function list({ socketPath }: Invocation): Promise<Answer> {
  const { document, value } = await askAgentFor(passesSchema, { socketPath, path: '/passes', timeoutMs: TIMEOUT_MS });
  return { document, text: tableOf(value.passes) };
}

async function sheet({ flags, socketPath, configPath }: Invocation): Promise<Answer> {
  const { value } = await askAgentFor(passesSchema, { socketPath, path: '/passes', timeoutMs: TIMEOUT_MS });
  const from = firstOf(flags['from']);
  const ready = value.passes.filter(({ state, serial }) => state === 'ready' && serial >= from).reverse();
  if (ready.length === 0)
    throw new CommandError(EXIT.failed, 'no-passes', 'There is no pass that is ready to be printed.');
  const reading = readConfig(configPath);
  const words = reading.ok
    ? { title: reading.config.portal.name, portal: reading.config.portal.host }
    : { title: 'WiFi', portal: 'any page' };
  const path = typeof flags['out'] === 'string' ? flags['out'] : 'passes.html';
  try {
    writeFileSync(path, passSheet(ready, words), { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(EXIT.failed, 'not-written', `The sheet cannot be written: ${why}`, { cause });
  }
  const [first, last] = [ready[0]?.serial, ready.at(-1)?.serial];
  const those = `${counted(ready.length, 'pass').replace('passs', 'passes')}, No. ${first} to ${last}, in ${path}`;
  const text = `${those}. Delete it once it is printed: it is as good as money. Next time: --from ${(last ?? 0) + 1}`;
  return { document: { file: path, passes: ready.length }, text };
}

/** A pass that nobody has used yet may have been sold: the router cannot tell. */
function firstOf(flag: unknown): number {
  if (flag === undefined) return 1;
  const text = String(flag);
  if (!/^[1-9][0-9]{0,8}$/.test(text))
    throw usageError(`--from must be the number of a pass, got "${text.slice(0, 20)}"`);
  return Number(text);
}

function tableOf(passes: readonly PassAnswer[]): string {
  const rows = passes.map(({ serial, code, units, leftUnits, state, madeS }) => [
    `${serial}`,
    code,
    sspText(units),
    leftUnits === undefined ? '-' : sspText(leftUnits),
    state,
    utcText(madeS),
  ]);
  return renderTable(COLUMNS, rows, 'No passes yet. Make some: shareagent pass create --count 10 --value 5SSP');
}
