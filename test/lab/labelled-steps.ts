/** What the agent does at its edges, by name: the steps that a crash is placed before, within or behind. */
import { isObject, type NftCommand } from '../../agent/adapters/nft/nft-json.ts';
import type { JournalEntry } from '../../agent/ports.ts';
import type { Label } from './fate.ts';

/**
 * The labelled steps, in the order in which a life comes to them. Those of one list may follow one another in a single story,
 * told on by the next life: whoever dies before a step comes to it again.
 */
export const LABELS = {
  start: ['behind journal.load', 'behind nft.list', 'behind nft.apply nothing'],
  /** Until the transaction is in a block. */
  open: [
    'behind journal.commit channel-pending',
    'before journal.commit transaction-sent',
    'behind journal.commit transaction-sent',
    'behind rpc.eth_sendRawTransaction',
  ],
  confirm: ['before journal.commit channel-active', 'behind journal.commit channel-active'],
  voucher: ['before journal.commit voucher', 'behind journal.commit voucher'],
  topUp: ['before journal.sync', 'within nft.apply top-up', 'behind nft.apply top-up'],
  pause: ['behind nft.apply stop'],
  resume: ['within nft.apply bind', 'behind nft.apply bind'],
  proof: [
    'behind proof.seal',
    'behind journal.commit draft',
    'behind journal.commit proof',
    'behind collector.POST /v1/proofs',
    'behind journal.commit receipt',
    'before journal.commit session',
  ],
  bind: ['behind nft.apply bind'],
  trial: ['before journal.commit trial', 'behind journal.commit trial'],
  /** The money of a faucet, by the same steps as the transaction of an open. */
  faucet: ['behind journal.commit transaction-sent', 'behind rpc.eth_sendRawTransaction'],
  leave: [
    'before journal.commit channel-closing',
    'behind journal.commit channel-closing',
    'before journal.commit transaction-mined',
    'behind journal.commit session-forgotten',
  ],
  settle: ['within nft.apply revoke', 'before journal.commit channel-settled'],
  repair: ['before nft.apply install', 'behind nft.apply install'],
} as const satisfies Readonly<Record<string, readonly Label[]>>;

/** Steps without a label of their own, and why. */
const EXEMPT: Readonly<Record<string, string>> = {
  'journal.commit open': 'in one transaction with channel-pending',
  'journal.commit draft-gone': 'in one transaction with proof',
  'journal.commit channel-forgotten': 'in one transaction with session-forgotten',
  'journal.commit transaction-final': 'after 64 blocks, when everything else is over',
  'nft.apply grant':
    'beside the commit that it follows from: deaths around channel-active and trial fall before, within or behind it',
  'nft.apply nothing': 'makes the monitor tell of itself',
  'nft.apply rules': 'the rules of the boot, before any guest',
};
/** What changes money, credit, the packet filter or what others know. */
const CHANGING = /^(journal\.commit|nft\.apply|rpc\.eth_sendRawTransaction|collector\.POST \/v1\/proofs)/;

/** Of the steps that a life came to: those that change something and have no label. */
export function unlabelled(steps: ReadonlySet<string>): string[] {
  const labelled = new Set(
    Object.values(LABELS).flatMap((labels) => labels.map((label) => label.replace(/^\w+ /, ''))),
  );
  return [...steps].filter((step) => CHANGING.test(step) && !labelled.has(step) && !Object.hasOwn(EXEMPT, step));
}

/** Each kind of entry once: "journal.commit voucher", "journal.commit channel-active", "journal.commit transaction-sent". */
export function stepsOfCommit(entries: readonly JournalEntry[]): string[] {
  return [...new Set(entries.map((entry) => `journal.commit ${kindOf(entry)}`))];
}

function kindOf(entry: JournalEntry): string {
  if (entry.kind === 'channel') return `channel-${entry.channel.phase}`;
  if (entry.kind === 'transaction') return `transaction-${entry.transaction.state}`;
  return entry.kind;
}

/** "rpc.eth_sendRawTransaction"; none for what is not JSON-RPC. */
export function stepsOfRpc(body: unknown): string[] {
  const method = typeof body === 'string' ? /"method":"([a-zA-Z_]+)"/.exec(body)?.[1] : undefined;
  return method === undefined ? [] : [`rpc.${method}`];
}

/** What a transaction of the packet filter does to guests. */
export function stepsOfTransaction(commands: readonly NftCommand[]): string[] {
  return commands.length === 0 ? [] : [`nft.apply ${changeBy(commands)}`];
}

function changeBy(commands: readonly NftCommand[]): string {
  const has = (verb: 'add' | 'delete', kind: string) => commands.some((command) => isObject(command[verb]?.[kind]));
  if (has('add', 'table')) return has('delete', 'chain') ? 'nothing' : 'install';
  if (has('add', 'quota')) return has('add', 'element') ? 'grant' : 'top-up';
  if (has('delete', 'quota')) return 'revoke';
  if (has('add', 'element')) return 'bind';
  return has('delete', 'element') ? 'stop' : 'rules';
}
