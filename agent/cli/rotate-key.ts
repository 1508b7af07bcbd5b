/**
 * `shareagent identity rotate`: another device key, in the place of the one before. While the agent stands still, because the
 * chain must: a proof that the old key signs after its successor was named counts for nobody.
 */
import { existsSync } from 'node:fs';
import { ZERO_ADDRESS } from '../../protocol/address.ts';
import type { SignedKeyRotation } from '../../protocol/key-rotation.ts';
import { GENESIS_PREV } from '../../protocol/traffic-proof.ts';
import { registryReader } from '../adapters/chain/registry-reader.ts';
import { IdentityFiles } from '../adapters/identity-files.ts';
import { JournalError } from '../adapters/journal/journal-error.ts';
import { SqliteJournal } from '../adapters/journal/sqlite-journal.ts';
import { nodeSigner } from '../adapters/node-signer.ts';
import { RotationFiles } from '../adapters/rotation-files.ts';
import type { AgentConfig } from '../core/config.ts';
import { openShares } from '../core/open-shares.ts';
import { stateFromJournal } from '../core/restore.ts';
import { nextDelayMs } from '../core/retry-schedule.ts';
import { bindTo } from '../identity/identity.ts';
import {
  type ChainPlace,
  completeRotation,
  type RotationDeps,
  type RotationOutcome,
  type RotationStep,
  stateRotation,
} from '../identity/key-rotation.ts';
import { type Answer, CommandError, type CommandIo, EXIT } from './command.ts';
import { enrolmentDeps } from './enrol-once.ts';
import { messageOf } from './message-of.ts';

/** @throws CommandError if the key is not in a file here */
export function refuseForeignKey({ storage }: AgentConfig): void {
  if (storage.signerSocket === undefined) return;
  const message =
    `The key is held by the process at ${storage.signerSocket} (storage.signer_socket): only that process can change it, and it ` +
    'cannot sign for two keys. Let the agent deliver all proofs and settle all channels (shareagent status), stop it, change the key ' +
    'there, and enrol the new one as after a factory reset: shareagent enrol --serial or --key. Its chain of proofs begins anew.';
  throw new CommandError(EXIT.failed, 'key-elsewhere', message);
}

/** `atStep`: a test ends the process there. @throws CommandError, KeyError, IdentityFileError, JournalError */
export async function rotateKey(
  config: AgentConfig,
  mayForget: boolean,
  atStep?: (step: RotationStep) => void,
): Promise<Answer> {
  refuseForeignKey(config);
  const files = new RotationFiles(config.storage.deviceKeyPath);
  const deps = rotationDeps(config, files, atStep);
  const found = files.found();
  if (found?.stage === 'switched') return await finished(config, deps, found.rotation, mayForget);
  // Held all along: an agent that started now would sign with the old key what its successor has been named for.
  const journal = heldJournal(config);
  try {
    const rotation = found?.rotation ?? stateRotation(deps, placeIn(journal));
    const outcome = await completeRotation(deps, rotation);
    if (outcome.ok) return await finished(config, deps, rotation, mayForget);
    const what = outcome.isFinal
      ? 'Nothing has changed: the old key stays'
      : 'The old key stays until the collector acknowledges: run the same again; the agent does so too when it starts';
    throw new CommandError(EXIT.failed, 'not-rotated', `${outcome.message}. ${what}.`);
  } finally {
    journal?.close();
  }
}

/**
 * Before the agent starts: a rotation that was cut off is gone on with until the collector has answered, because neither key may
 * sign meanwhile. Returns at once where none is under way.
 */
export async function completeBeforeStart(
  config: AgentConfig,
  { signal, sleep, printError }: Pick<CommandIo, 'signal' | 'sleep' | 'printError'>,
): Promise<void> {
  if (config.storage.signerSocket !== undefined) return;
  const files = new RotationFiles(config.storage.deviceKeyPath);
  for (let attempt = 0; !signal.aborted; attempt++) {
    const found = files.found();
    // Cut off when only the binding was left to do.
    if (found?.stage === 'switched') rebind(config, found.rotation);
    if (found?.stage !== 'stated') return;
    const outcome: RotationOutcome = await completeRotation(rotationDeps(config, files), found.rotation);
    if (outcome.ok) {
      rebind(config, found.rotation);
      return;
    }
    const next = outcome.isFinal ? 'the old key goes on' : 'a key rotation is under way, the agent waits for it';
    printError(`${outcome.message}: ${next}`);
    if (outcome.isFinal) return;
    await sleep(nextDelayMs(attempt, Math.random()), signal);
  }
}

type FileRotationDeps = RotationDeps & { readonly files: RotationFiles };

function rotationDeps(
  config: AgentConfig,
  files: RotationFiles,
  atStep?: (step: RotationStep) => void,
): FileRotationDeps {
  const asked = enrolmentDeps(config, { address: ZERO_ADDRESS, sign: () => '0x' });
  if (asked === undefined) {
    const message =
      'No collector is configured (proofs.collector_url, proofs.collector): there is no chain to go on with.';
    throw new CommandError(EXIT.failed, 'no-collector', message);
  }
  const { ask, collector, deployment } = asked;
  return { files, ask, collector, deployment, ...(atStep === undefined ? {} : { atStep }) };
}

/** Undefined: the agent has never run. Nobody else can open it until it is closed. @throws CommandError, JournalError */
function heldJournal({ storage }: AgentConfig): SqliteJournal | undefined {
  if (!existsSync(storage.databasePath)) return undefined;
  try {
    return new SqliteJournal({ path: storage.databasePath });
  } catch (error) {
    if (!(error instanceof JournalError && error.code === 'JOURNAL_LOCKED')) throw error;
    const message = `An agent runs with the journal ${storage.databasePath}. Stop it first: service shareagent stop`;
    throw new CommandError(EXIT.failed, 'agent-runs', message);
  }
}

/** Where the chain stands, once nothing is under way that the old key must still sign or settle. */
function placeIn(journal: SqliteJournal | undefined): ChainPlace {
  if (journal === undefined) return { nextSeq: 0n, prev: GENESIS_PREV };
  const state = stateFromJournal(journal.load(), 0, 0n);
  const { signed, drafts } = journal.waiting();
  const open = [...state.channels.values()].filter(({ phase }) => phase !== 'settled' && phase !== 'failed');
  const unproven = openShares(state).length;
  const waits = [
    ...some(open.length, 'channel', 'that only the old key can settle'),
    ...some(unproven, 'session', 'with traffic that is not proven'),
    ...some(signed + drafts, 'proof', 'that the collector has not acknowledged'),
  ];
  if (waits.length > 0) {
    const message = `Not yet, there is more to do for the old key: ${waits.join(', ')}. Start the agent, wait until nobody pays and all is settled (shareagent status), stop it, and try again.`;
    throw new CommandError(EXIT.failed, 'not-at-rest', message);
  }
  return { nextSeq: state.proofs.nextSeq, prev: state.proofs.prev };
}

function some(count: number, what: string, which: string): readonly string[] {
  return count === 0 ? [] : [`${count} ${what}${count === 1 ? '' : 's'} ${which}`];
}

/** The new key is in place: it earns for the same operator, and the old one goes once nothing depends on it. */
async function finished(
  config: AgentConfig,
  { files, atStep }: FileRotationDeps,
  rotation: SignedKeyRotation,
  mayForget: boolean,
): Promise<Answer> {
  const { device, successor, nextSeq } = rotation;
  const binding = rebind(config, rotation);
  atStep?.('bound');
  const kept = await reasonToKeep(config, rotation).catch(
    (error: unknown) => `the chain was not asked: ${messageOf(error)}`,
  );
  if (kept === undefined || mayForget) files.forgetOld();
  const lines = [
    `${successor} goes on in the place of ${device} from proof ${nextSeq} on.`,
    ...(binding === undefined ? [] : [`It earns for ${binding}: binding.json, for DeviceRegistry.bind.`]),
    kept === undefined || mayForget
      ? 'The old key was removed.'
      : `The old key is kept in ${files.oldPath}: ${kept}. Then run the same again, or with --forget-old.`,
  ];
  const document = { device, successor, nextSeq, isOldKeyKept: kept !== undefined && !mayForget, why: kept ?? null };
  return { document, text: lines.join('\n') };
}

/** Whom the new key earns for, signed by it; the same as before, if anybody was named. */
function rebind({ chain, storage }: AgentConfig, { device }: SignedKeyRotation): string | undefined {
  const files = new IdentityFiles(storage.deviceKeyPath);
  const before = files.binding();
  if (before?.device !== device) return before?.operator;
  const { chainId, registry } = chain;
  files.storeBinding(bindTo({ chainId, registry }, nodeSigner(storage), before.operator, before));
  return before.operator;
}

async function reasonToKeep(
  { chain }: AgentConfig,
  { device, successor }: SignedKeyRotation,
): Promise<string | undefined> {
  const reader = registryReader(chain.rpcUrl, chain.registry, chain.token);
  const before = await reader.operatorOf(device);
  if (before !== ZERO_ADDRESS && (await reader.operatorOf(successor)) !== before) {
    return `DeviceRegistry binds ${device} to ${before}, and does not know ${successor} yet (DeviceRegistry.bind)`;
  }
  return (await reader.isEmpty(device)) ? undefined : `account ${device} still holds coin or SSP`;
}
