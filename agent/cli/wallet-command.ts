/** `shareagent wallet`: what the node holds and is owed, and how it comes home. */

import { type Address, parseAddress } from '../../protocol/address.ts';
import { coinLink } from '../../protocol/outside-wallet.ts';
import { OwnerAddressError, readOwnerAddress, writeOwnerAddress } from '../adapters/owner-address.ts';
import { ownerAddressPath } from '../adapters/treasury-files.ts';
import { readConfig } from '../adapters/uci/read-config.ts';
import type { AgentConfig } from '../core/config.ts';
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
import { qrText } from './qr-text.ts';
import { coinText, sspText } from './quantity.ts';
import { unitsFromText } from './ssp-amount.ts';
import { renderFacts } from './table.ts';
import { type WalletAnswer, walletSchema, withdrawalSchema } from './treasury-schema.ts';
import { exportKey, restoreKey } from './wallet-keys.ts';

const TIMEOUT_MS = 60_000;
/** Two transactions, each up to the 90 s of the chain adapter. */
const MINING_MS = 200_000;

export const walletCommand: Command = {
  name: 'wallet',
  operands: '[receive|withdraw [AMOUNT]|owner [ADDRESS]|export FILE|restore FILE]',
  summary: 'Balances of the node; receive, withdraw, key backup.',
  details: [
    'receive: address and QR code of the node, to send it coin for gas, or SSP for passes.',
    "withdraw: the payee's earnings to the payee, and the node's own SSP (all, or AMOUNT) to the owner's address.",
    "owner: shows or sets the owner's address. Set once; a change asks for the old one and only works here, on the router.",
    'export: the key of the node, under a passphrase (Web3 Secret Storage v3). restore: puts it where there is none.',
  ],
  options: {
    yes: { type: 'boolean', doc: 'withdraw: do not ask.' },
    'passphrase-file': { type: 'string', value: 'FILE', doc: 'export, restore: first line is the passphrase.' },
  },
  run: async (invocation, io) => {
    const [verb = 'show', ...rest] = invocation.operands;
    const [operand, extra] = rest;
    if (extra !== undefined) throw usageError(`wallet ${verb} takes no "${extra}"`);
    if (verb === 'show') return await show(invocation);
    if (verb === 'receive') return await receive(invocation);
    if (verb === 'withdraw') return await withdraw(invocation, io, operand);
    if (verb === 'owner') return await owner(invocation, io, operand);
    if (verb === 'export' || verb === 'restore') {
      if (operand === undefined) throw usageError(`wallet ${verb} needs a FILE`);
      const work = verb === 'export' ? exportKey : restoreKey;
      return await work(ownKeyPath(invocation), operand, invocation, io);
    }
    throw usageError(`wallet knows receive, withdraw, owner, export and restore, not "${verb.slice(0, 40)}"`);
  },
};

async function show({ socketPath }: Invocation): Promise<Answer> {
  const { document, value } = await askAgentFor(walletSchema, { socketPath, path: '/wallet', timeoutMs: TIMEOUT_MS });
  return { document, text: walletText(value) };
}

function walletText(wallet: WalletAnswer): string {
  const known = (units: bigint | undefined) => (units === undefined ? 'not known' : sspText(units));
  const { coinWei, floorWei = 0n } = wallet;
  const isLow = coinWei !== undefined && coinWei < floorWei;
  const low = isLow ? `; below ${coinText(floorWei)} no channel is opened: shareagent wallet receive` : '';
  return renderFacts([
    ['node', `${wallet.device} on chain ${wallet.chainId}`],
    ['SSP', known(wallet.units)],
    ['gas', coinWei === undefined ? 'not known' : `${coinText(coinWei)}${low}`],
    ['locked', `${sspText(wallet.lockedUnits)} of guests in open channels`],
    ['claimable', `${sspText(wallet.claimableUnits)} of it used and not claimed yet`],
    ['pending', `${sspText(wallet.pendingUnits)} promised in opens that are not confirmed`],
    ['earned', `${known(wallet.earnedUnits)} waits for ${wallet.payee}, fee included`],
    ['owner', wallet.owner ?? 'not set: shareagent wallet owner 0x..'],
    ...(wallet.trouble === undefined ? [] : [['trouble', wallet.trouble] as const]),
  ]);
}

async function receive({ socketPath }: Invocation): Promise<Answer> {
  const asked = { socketPath, path: '/wallet', timeoutMs: TIMEOUT_MS };
  const { value } = await askAgentFor(walletSchema, asked);
  const { device, chainId, token } = value;
  const link = coinLink(chainId, device);
  const facts = renderFacts([
    ['address', device],
    ['chain', `${chainId}`],
    ['SSP token', token],
  ]);
  return { document: { address: device, chainId, token, link }, text: `${qrText(link)}\n${facts}` };
}

async function withdraw({ socketPath, flags }: Invocation, io: CommandIo, amount = 'all'): Promise<Answer> {
  const units = amount === 'all' ? undefined : unitsFromText(amount, 'the amount');
  const { value } = await askAgentFor(walletSchema, { socketPath, path: '/wallet', timeoutMs: TIMEOUT_MS });
  if (value.owner === undefined)
    throw new CommandError(EXIT.failed, 'no-owner', 'The owner has no address yet: shareagent wallet owner 0x..');
  const own = sspText(units ?? value.units ?? 0n);
  const earned = sspText(value.earnedUnits ?? 0n);
  const question = `Send ${own} to ${value.owner}, and earnings of ${earned} to ${value.payee}?`;
  if (!(await isConfirmed(io, flags['yes'] === true, question)))
    throw new CommandError(EXIT.failed, 'not-confirmed', 'Nothing was sent.');
  const path = units === undefined ? '/wallet/withdraw' : `/wallet/withdraw?units=${units}`;
  const asked = { socketPath, method: 'POST', path, timeoutMs: MINING_MS } as const;
  const done = await askAgentFor(withdrawalSchema, asked);
  const { moves, trouble } = done.value;
  const lines = moves.map(({ what, to, units: sent, tx }) => `${sspText(sent)} (${what}) to ${to} in ${tx}`);
  if (trouble !== undefined) lines.push(`Not done: ${trouble}`);
  const text = lines.length === 0 ? 'There is nothing to withdraw.' : lines.join('\n');
  return { document: done.document, text, exitCode: trouble === undefined ? EXIT.ok : EXIT.failed };
}

/** Only here, with the file itself: neither the agent nor anything that talks to it can change where money goes. */
async function owner(invocation: Invocation, io: CommandIo, wanted: string | undefined): Promise<Answer> {
  const path = ownerAddressPath(deviceKeyPath(invocation));
  const known = knownOwner(path);
  if (wanted === undefined)
    return { document: { owner: known }, text: known ?? 'not set: shareagent wallet owner 0x..' };
  const address = parseAddress(wanted);
  if (address === undefined) throw usageError(`an address is 0x and 40 hex digits, got "${wanted.slice(0, 50)}"`);
  if (known !== undefined && known !== address) await confirmChange(io, known, address);
  writeOwnerAddress(path, address);
  return { document: { owner: address }, text: `Withdrawals go to ${address}.` };
}

/** Never by --yes: whoever changes it must know what it was, and sit at the router. */
async function confirmChange(io: CommandIo, known: Address, address: Address): Promise<void> {
  if (io.ask === undefined) throw usageError('the address of the owner is changed at a terminal on the router only');
  const answer = await io.ask(`Withdrawals go to another address. To send them to ${address}, type the old one: `, {
    isHidden: false,
  });
  if (parseAddress(answer.trim()) === known) return;
  throw new CommandError(EXIT.failed, 'not-confirmed', 'That is not the address that is set. Nothing was changed.');
}

function knownOwner(path: string): Address | undefined {
  try {
    return readOwnerAddress(path);
  } catch (cause) {
    if (!(cause instanceof OwnerAddressError)) throw cause;
    throw new CommandError(EXIT.failed, 'bad-owner-file', `${cause.message}.`, { cause });
  }
}

/** What is in the file is not the node's key while another process signs. */
function ownKeyPath(invocation: Invocation): string {
  const { deviceKeyPath: path, signerSocket } = storageOf(invocation);
  if (signerSocket === undefined) return path;
  const message = `The key is held by the process at ${signerSocket} (storage.signer_socket): back it up there.`;
  throw new CommandError(EXIT.failed, 'external-signer', message);
}

function deviceKeyPath(invocation: Invocation): string {
  return storageOf(invocation).deviceKeyPath;
}

function storageOf({ configPath }: Invocation): AgentConfig['storage'] {
  const reading = readConfig(configPath);
  if (reading.ok) return reading.config.storage;
  throw new CommandError(EXIT.failed, 'bad-config', `${configPath} cannot be used; see: shareagent config check`);
}
