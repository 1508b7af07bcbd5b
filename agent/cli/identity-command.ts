/** `shareagent identity`: the router's address, who attests it, whom it earns for; checked without a network. */
import { parseAddress } from '../../protocol/address.ts';
import { KeyError } from '../adapters/device-key.ts';
import { IdentityFileError, IdentityFiles } from '../adapters/identity-files.ts';
import { JournalError } from '../adapters/journal/journal-error.ts';
import { nodeSigner } from '../adapters/node-signer.ts';
import type { AgentConfig } from '../core/config.ts';
import { bindTo, examineIdentity, type IdentityReport } from '../identity/identity.ts';
import { type Answer, type Command, CommandError, EXIT, usageError } from './command.ts';
import { askAgent } from './control-client.ts';
import { configOf } from './enrol-command.ts';
import { utcText } from './quantity.ts';
import { renderFacts } from './table.ts';

export const identityCommand: Command = {
  name: 'identity',
  operands: '[bind OPERATOR|rotate]',
  summary: "Show the router's identity and what is wrong with it; name whom it earns for; change its key.",
  details: [
    'bind OPERATOR  Signs that the router earns for this address, and keeps it in binding.json beside the device key.',
    'rotate  With the agent stopped and all settled: makes another key, which the collector lets go on with the chain of proofs.',
    'Cut off anywhere it goes on when run again. The old key is kept in DEVICE_KEY.old while anything depends on it.',
    'Exit code 1 if an attestation or binding does not hold.',
  ],
  options: { 'forget-old': { type: 'boolean', doc: 'rotate: remove the old key whatever depends on it.' } },
  run: async ({ operands, configPath, socketPath, flags }) => {
    const config = configOf(configPath);
    if (operands[0] !== 'rotate') return answer(operands, config);
    if (operands.length > 1) throw usageError('rotate takes nothing more');
    // Loaded when asked for: nobody changes keys every day, and it brings the journal with it.
    const { refuseForeignKey, rotateKey } = await import('./rotate-key.ts');
    refuseForeignKey(config);
    if (await isAgentRunning(socketPath)) {
      const message =
        'The agent runs, and signs with the key that is to go. Once nobody pays and all is settled, stop it first: service shareagent stop';
      throw new CommandError(EXIT.failed, 'agent-runs', message);
    }
    try {
      return await rotateKey(config, flags['forget-old'] === true);
    } catch (error) {
      if (error instanceof KeyError || error instanceof JournalError) {
        throw new CommandError(EXIT.failed, error.code, error.message);
      }
      throw error;
    }
  },
};

async function isAgentRunning(socketPath: string): Promise<boolean> {
  try {
    await askAgent({ socketPath, path: '/status' });
    return true;
  } catch (error) {
    if (error instanceof CommandError && error.exitCode === EXIT.notRunning) return false;
    throw error;
  }
}

function answer([action, operator, extra]: readonly string[], config: AgentConfig): Answer {
  const { chainId, registry } = config.chain;
  const files = new IdentityFiles(config.storage.deviceKeyPath);
  const signer = nodeSigner(config.storage);
  try {
    if (action === 'bind' && extra === undefined) {
      const address = parseAddress(operator ?? '');
      if (address === undefined) throw usageError('bind takes the address of the operator: 0x and 40 hex digits');
      const binding = bindTo({ chainId, registry }, signer, address, files.binding());
      const path = files.storeBinding(binding);
      return {
        document: { ...binding, path },
        text: `${signer.address} earns for ${address} (number ${binding.nonce}): ${path}`,
      };
    }
    if (action !== undefined) throw usageError('identity takes nothing, or: bind OPERATOR, or: rotate');
    const attestation = files.attestation();
    const binding = files.binding();
    const identity = {
      device: signer.address,
      ...(attestation === undefined ? {} : { attestation }),
      ...(binding === undefined ? {} : { binding }),
    };
    const nowS = BigInt(Math.floor(Date.now() / 1000));
    const report = examineIdentity({ chainId, registry }, identity, nowS, files.revocations());
    return { document: report, text: textOf(report), exitCode: report.faults.length === 0 ? EXIT.ok : EXIT.failed };
  } catch (error) {
    if (error instanceof IdentityFileError) throw new CommandError(EXIT.failed, 'bad-file', error.message);
    throw error;
  }
}

function textOf({ device, vendor, operator, faults }: IdentityReport): string {
  const facts: [string, string][] = [
    ['Device', device],
    [
      'Vendor',
      vendor === undefined
        ? 'none attests it'
        : `${vendor.id}, model ${vendor.model}, until ${utcText(vendor.notAfter)}`,
    ],
    ...(vendor === undefined ? [] : [['Vendor key', vendor.key] as [string, string]]),
    ['Earns for', operator === undefined ? 'nobody named: shareagent identity bind OPERATOR' : operator.address],
  ];
  return [renderFacts(facts), ...faults.map((fault) => `WRONG: ${fault}`)].join('\n');
}
