/** `shareagent sessions`: the guests, and the end of one. */
import { type Answer, type Command, usageError } from './command.ts';
import { askAgentFor } from './control-client.ts';
import { endedSchema, type SessionAnswer, sessionsSchema } from './control-schema.ts';
import { bytesText, durationText, sspText } from './quantity.ts';
import { left, renderTable, right, roomOf } from './table.ts';

const COLUMNS = [
  right('ID'),
  left('GUEST'),
  left('ADDRESS', 1),
  left('PHASE'),
  right('ONLINE'),
  right('DOWN'),
  right('UP'),
  right('CHARGED'),
  right('CREDIT'),
  right('LEFT'),
];

export const sessionsCommand: Command = {
  name: 'sessions',
  operands: '[end ID]',
  summary: 'List the sessions, or end one.',
  details: ['end ID  Ends the session as if the guest had left: the rest of the deposit goes back to the guest.'],
  options: {},
  run: async ({ operands, socketPath }, io) => {
    const [action, id, extra] = operands;
    if (action === undefined) return await list(socketPath, roomOf(io));
    if (action === 'end' && id !== undefined && extra === undefined) return await end(socketPath, id);
    throw usageError('sessions takes nothing or: end ID');
  },
};

/** More than one address or device: the first and how many more. */
export function firstOf(values: readonly string[]): string {
  const more = values.length - 1;
  return `${values[0] ?? '-'}${more > 0 ? ` +${more}` : ''}`;
}

async function list(socketPath: string, room: number): Promise<Answer> {
  const { document, value } = await askAgentFor(sessionsSchema, { socketPath, path: '/sessions' });
  return { document, text: renderTable(COLUMNS, value.sessions.map(rowOf), 'No sessions.', room) };
}

async function end(socketPath: string, id: string): Promise<Answer> {
  if (!/^[1-9][0-9]{0,15}$/.test(id))
    throw usageError(`ID must be a session's number as in "shareagent sessions", got ${id}`);
  const { document } = await askAgentFor(endedSchema, { socketPath, method: 'POST', path: `/sessions/${id}/end` });
  return { document, text: `Session ${id} ended.` };
}

function rowOf(session: SessionAnswer): readonly string[] {
  return [
    `${session.id}`,
    firstOf(session.macs),
    firstOf(session.addresses),
    session.phase,
    durationText(session.onlineMs),
    bytesText(session.downBytes),
    bytesText(session.upBytes),
    sspText(session.chargedUnits),
    sspText(session.creditUnits),
    bytesText(session.bytesRemaining),
  ];
}
