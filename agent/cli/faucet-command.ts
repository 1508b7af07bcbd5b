/** `shareagent faucet`: SSP of the node for an address, on a development chain. */
import { parseAddress } from '../../protocol/address.ts';
import { type Command, usageError } from './command.ts';
import { askAgentFor } from './control-client.ts';
import { sspText } from './quantity.ts';
import { unitsFromText } from './ssp-amount.ts';
import { faucetSchema } from './treasury-schema.ts';

/** The transfer: up to the 90 s of the chain adapter. */
const MINING_MS = 120_000;

export const faucetCommand: Command = {
  name: 'faucet',
  operands: 'ADDRESS',
  summary: 'SSP for tests, on a development chain.',
  details: [
    'Sends SSP of the node (shareagent wallet) to ADDRESS. Works on chain 31337 and 1337 only, and is refused elsewhere.',
  ],
  options: { value: { type: 'string', value: 'AMOUNT', doc: 'How much; default 10SSP.' } },
  run: async ({ operands: [text, extra], flags, socketPath }) => {
    if (text === undefined || extra !== undefined) throw usageError('faucet needs one ADDRESS');
    const address = parseAddress(text);
    if (address === undefined) throw usageError(`an address is 0x and 40 hex digits, got "${text.slice(0, 50)}"`);
    const units = unitsFromText(String(flags['value'] ?? '10SSP'), '--value');
    const path = `/faucet?to=${address}&units=${units}`;
    const { document, value } = await askAgentFor(faucetSchema, {
      socketPath,
      method: 'POST',
      path,
      timeoutMs: MINING_MS,
    });
    return { document, text: `${sspText(value.units)} to ${value.to} in ${value.tx}` };
  },
};
