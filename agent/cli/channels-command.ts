/** `shareagent channels`: the money behind the sessions, and where its settlement stands. */
import type { Command } from './command.ts';
import { askAgentFor } from './control-client.ts';
import { type ChannelAnswer, channelsSchema } from './control-schema.ts';
import { coinText, shortHex, sspText, utcText } from './quantity.ts';
import { left, renderTable, right, roomOf } from './table.ts';

const COLUMNS = [
  left('CHANNEL'),
  left('PHASE'),
  left('MODE', 4),
  right('DEPOSIT'),
  right('CREDIT'),
  right('CLAIMED'),
  right('GAS'),
  left('PAYER', 3),
  left('EXPIRES (UTC)'),
  left('OPENED IN', 2),
  left('CLOSED IN', 1),
];

export const channelsCommand: Command = {
  name: 'channels',
  operands: '',
  summary: 'List the payment channels and their settlement.',
  details: [
    'CREDIT is the newest voucher: the most that may be claimed. GAS is what the channel has cost so far. Ids are whole with --json.',
  ],
  options: {},
  run: async ({ socketPath }, io) => {
    const { document, value } = await askAgentFor(channelsSchema, { socketPath, path: '/channels' });
    return { document, text: renderTable(COLUMNS, value.channels.map(rowOf), 'No channels.', roomOf(io)) };
  },
};

function rowOf(channel: ChannelAnswer): readonly string[] {
  return [
    shortHex(channel.id),
    channel.phase,
    channel.mode,
    sspText(channel.deposit),
    sspText(channel.voucher.amount),
    sspText(claimedOf(channel)),
    coinText(channel.gasWei ?? 0n),
    shortHex(channel.config.payer),
    utcText(channel.config.expiry),
    channel.openTx === undefined ? '-' : shortHex(channel.openTx),
    channel.closeTx === undefined ? '-' : shortHex(channel.closeTx),
  ];
}

/** The close claims what is left to claim. */
function claimedOf({ phase, claimedUnits = 0n, closeUnits }: ChannelAnswer): bigint {
  return phase === 'settled' ? (closeUnits ?? claimedUnits) : claimedUnits;
}
