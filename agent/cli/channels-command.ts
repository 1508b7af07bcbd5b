/** `shareagent channels`: the money behind the sessions, and where its settlement stands. */
import type { Command } from './command.ts';
import { askAgentFor } from './control-client.ts';
import { type ChannelAnswer, channelsSchema } from './control-schema.ts';
import { coinText, shortHex, sspText, utcText } from './quantity.ts';
import { left, renderTable, right } from './table.ts';

const COLUMNS = [
  left('CHANNEL'),
  left('PHASE'),
  left('MODE'),
  right('DEPOSIT'),
  right('CREDIT'),
  right('CLAIMED'),
  right('GAS'),
  left('PAYER'),
  left('EXPIRES (UTC)'),
  left('OPENED IN'),
  left('CLOSED IN'),
];

export const channelsCommand: Command = {
  name: 'channels',
  operands: '',
  summary: 'List the payment channels and their settlement.',
  details: [
    'CREDIT is the newest voucher: the most that may be claimed. GAS is what the channel has cost so far. Ids are whole with --json.',
  ],
  options: {},
  run: async ({ socketPath }) => {
    const { document, value } = await askAgentFor(channelsSchema, { socketPath, path: '/channels' });
    return { document, text: renderTable(COLUMNS, value.channels.map(rowOf), 'No channels.') };
  },
};

function rowOf(channel: ChannelAnswer): readonly string[] {
  return [
    shortHex(channel.id),
    channel.phase,
    channel.mode,
    sspText(channel.deposit),
    sspText(channel.voucher.amount),
    sspText(channel.claimedUnits ?? 0n),
    coinText(channel.gasWei ?? 0n),
    shortHex(channel.config.payer),
    utcText(channel.config.expiry),
    channel.openTx === undefined ? '-' : shortHex(channel.openTx),
    channel.closeTx === undefined ? '-' : shortHex(channel.closeTx),
  ];
}
