/** `shareagent status`: is it selling, who is on, what was earned. */
import { type Command, EXIT } from './command.ts';
import { askAgentFor } from './control-client.ts';
import { type StatusAnswer, statusSchema } from './control-schema.ts';
import { bytesText, coinText, counted, durationText, sspText } from './quantity.ts';
import { renderFacts } from './table.ts';

export const statusCommand: Command = {
  name: 'status',
  operands: '',
  summary: 'Is WiFi being sold, who is on, what was earned.',
  details: [],
  options: {},
  run: async ({ socketPath }) => {
    const { document, value } = await askAgentFor(statusSchema, { socketPath, path: '/status' });
    return { document, text: statusText(value), exitCode: EXIT.ok };
  },
};

function statusText(status: StatusAnswer): string {
  const { proofs } = status;
  return renderFacts([
    ['agent', `${status.version}, up ${durationText(status.uptimeMs)}`],
    ['selling', status.notSelling === undefined ? 'yes' : `no: ${status.notSelling}`],
    ['guests', `${counted(status.sessions, 'session')}, ${counted(status.openChannels, 'open channel')}`],
    ['traffic', `${bytesText(status.downBytes)} down, ${bytesText(status.upBytes)} up`],
    ['earned', `${sspText(status.earnedUnits)} in open channels, ${sspText(status.settledUnits)} settled`],
    [
      'gas',
      `${coinText(status.gasWei)} spent on the channels listed, ${sspText(status.openFeeUnits)} of open fees for it`,
    ],
    ['proofs', `${proofs.closed} closed, ${proofs.acknowledged} acknowledged, ${proofs.waiting} waiting`],
    ['ubus', status.isBusConnected ? 'connected' : 'not connected'],
    ['clock', status.isClockSynced ? 'synced' : 'not known good'],
    ['device', status.device],
    ['payee', status.payee],
  ]);
}
