/** `shareagent proofs`: what was reported, and what the collector said to it. */
import { type Command, usageError } from './command.ts';
import { askAgentFor } from './control-client.ts';
import { type ProofAnswer, proofsSchema } from './control-schema.ts';
import { bytesText, durationText, shortHex, sspText, utcText } from './quantity.ts';
import { left, renderTable, right } from './table.ts';

const COLUMNS = [
  right('SEQ'),
  left('FROM (UTC)'),
  right('LASTED'),
  right('DOWN'),
  right('UP'),
  right('CHARGED'),
  left('VERDICT'),
  left('DIGEST'),
];
const DEFAULT_LIMIT = '20';
const MAX_LIMIT = 1008;

export const proofsCommand: Command = {
  name: 'proofs',
  operands: '',
  summary: 'List the newest traffic proofs and their verdicts.',
  details: ['VERDICT is "waiting" until the collector has signed a receipt.'],
  options: {
    limit: { type: 'string', value: 'N', doc: `How many, 1..${MAX_LIMIT}; default ${DEFAULT_LIMIT}.` },
  },
  run: async ({ flags, socketPath }) => {
    const limit = String(flags['limit'] ?? DEFAULT_LIMIT);
    if (!/^[1-9][0-9]{0,3}$/.test(limit) || Number(limit) > MAX_LIMIT) {
      throw usageError(`--limit must be a whole number from 1 to ${MAX_LIMIT}, got ${limit}`);
    }
    const { document, value } = await askAgentFor(proofsSchema, { socketPath, path: `/proofs?limit=${limit}` });
    return { document, text: renderTable(COLUMNS, value.proofs.map(rowOf), 'No proofs yet.') };
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
