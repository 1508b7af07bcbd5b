/** `shareagent proofs`: what was reported, what the collector said to it, and with --why what that means. */
import { EARNING_REASONS, type EarningReason } from '../earnings/earning-reasons.ts';
import { type Command, usageError } from './command.ts';
import { askAgentFor } from './control-client.ts';
import { type ProofAnswer, proofsSchema } from './control-schema.ts';
import { printable } from './display-width.ts';
import { bytesText, durationText, shortHex, sspText, utcText } from './quantity.ts';
import { left, renderTable, right, roomOf } from './table.ts';

const COLUMNS = [
  right('SEQ'),
  left('FROM (UTC)'),
  right('LASTED'),
  right('DOWN'),
  right('UP'),
  right('CHARGED'),
  left('VERDICT'),
  left('DIGEST', 1),
];
const DEFAULT_LIMIT = '20';
const MAX_LIMIT = 1008;

export const proofsCommand: Command = {
  name: 'proofs',
  operands: '',
  summary: 'List the newest traffic proofs and their verdicts.',
  details: [
    'VERDICT is "waiting" until the collector has signed a receipt.',
    'With --why each proof that earns nothing has its reason below it, and what to do.',
  ],
  options: {
    why: { type: 'boolean', doc: 'Say what each verdict means, and what to do.' },
    limit: { type: 'string', value: 'N', doc: `How many, 1..${MAX_LIMIT}; default ${DEFAULT_LIMIT}.` },
  },
  run: async ({ flags, socketPath }, io) => {
    const limit = String(flags['limit'] ?? DEFAULT_LIMIT);
    if (!/^[1-9][0-9]{0,3}$/.test(limit) || Number(limit) > MAX_LIMIT) {
      throw usageError(`--limit must be a whole number from 1 to ${MAX_LIMIT}, got ${limit}`);
    }
    const { document, value } = await askAgentFor(proofsSchema, { socketPath, path: `/proofs?limit=${limit}` });
    const table = renderTable(COLUMNS, value.proofs.map(rowOf), 'No proofs yet.', roomOf(io));
    if (flags['why'] !== true) return { document, text: table };
    const proofs = value.proofs.map((answer) => ({ ...answer, why: reasonOf(answer) }));
    return { document: { proofs }, text: [table, ...whyLines(value.proofs)].join('\n') };
  },
};

function rowOf({ proof, receipt, digest }: ProofAnswer): readonly string[] {
  // Without a known clock the proof counts seconds since boot.
  const isDated = proof.clockState === 1n;
  const seconds = proof.endS > proof.startS ? proof.endS - proof.startS : 0n;
  return [
    `${proof.seq}`,
    isDated ? utcText(proof.startS) : `boot + ${durationText(Number(proof.startS) * 1000)}`,
    durationText(Number(seconds) * 1000),
    bytesText(proof.bytesDown),
    bytesText(proof.bytesUp),
    sspText(proof.paid),
    receipt?.verdict ?? 'waiting',
    shortHex(digest),
  ];
}

/** The verdict's words; absent for a proof that counts. */
function reasonOf({ receipt }: ProofAnswer): { readonly what: string; readonly todo: string } | undefined {
  const verdict = receipt?.verdict ?? 'waiting';
  if (verdict === 'valid') return undefined;
  return Object.hasOwn(EARNING_REASONS, verdict)
    ? EARNING_REASONS[verdict as EarningReason]
    : { what: `judged "${verdict}" by the collector`, todo: 'Update the agent: it does not know this verdict.' };
}

/** One paragraph a verdict, with the numbers of its proofs. */
function whyLines(proofs: readonly ProofAnswer[]): readonly string[] {
  const byReason = new Map<string, { readonly seqs: bigint[]; readonly todo: string }>();
  for (const answer of proofs) {
    const reason = reasonOf(answer);
    if (reason === undefined) continue;
    const known = byReason.get(reason.what) ?? { seqs: [], todo: reason.todo };
    known.seqs.push(answer.proof.seq);
    byReason.set(reason.what, known);
  }
  if (byReason.size === 0) return proofs.length === 0 ? [] : ['', 'All of these count.'];
  return [...byReason].flatMap(([what, { seqs, todo }]) => [
    '',
    `${seqs.join(', ')}: ${printable(what)}`,
    `    ${todo}`,
  ]);
}
