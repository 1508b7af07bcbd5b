/** Backup of the node's key: out under a passphrase, and back to where there is none. */
import { readFileSync, writeFileSync } from 'node:fs';
import { addressFromSecretKey } from '../../protocol/signature.ts';
import { KeyError, loadKey, storeKey } from '../adapters/device-key.ts';
import { decryptKey, encryptKey, KeystoreError } from '../adapters/keystore.ts';
import { type Answer, CommandError, type CommandIo, EXIT, type Invocation, usageError } from './command.ts';

/** Writes the keystore to a new file of mode 0600. @throws CommandError */
export async function exportKey(keyPath: string, file: string, invocation: Invocation, io: CommandIo): Promise<Answer> {
  const key = told(() => loadKey(keyPath));
  if (key === undefined) throw new CommandError(EXIT.failed, 'no-key', `There is no key at ${keyPath} yet.`);
  const passphrase = await passphraseFrom(invocation, io, true);
  const text = told(() => encryptKey(key, passphrase));
  told(() => writeFileSync(file, text, { mode: 0o600, flag: 'wx' }));
  const address = addressFromSecretKey(key);
  const said = `The key of ${address} is in ${file}. Keep it with the passphrase, but not beside it.`;
  return { document: { file, address }, text: said };
}

/** Never writes over a key: the proofs and channels of the one that is there would be lost with it. @throws CommandError */
export async function restoreKey(
  keyPath: string,
  file: string,
  invocation: Invocation,
  io: CommandIo,
): Promise<Answer> {
  const text = told(() => readFileSync(file, 'utf8'));
  const passphrase = await passphraseFrom(invocation, io, false);
  const key = told(() => decryptKey(text, passphrase));
  told(() => storeKey(keyPath, key));
  const address = addressFromSecretKey(key);
  return {
    document: { file: keyPath, address },
    text: `${address} is the node again. Start it: service shareagent start`,
  };
}

async function passphraseFrom({ flags }: Invocation, io: CommandIo, isNew: boolean): Promise<string> {
  const file = flags['passphrase-file'];
  if (typeof file === 'string') return told(() => readFileSync(file, 'utf8')).split(/\r?\n/)[0] ?? '';
  if (io.ask === undefined) throw usageError('there is no terminal to ask at; give --passphrase-file');
  const passphrase = await io.ask('Passphrase: ', { isHidden: true });
  if (isNew && (await io.ask('Once more: ', { isHidden: true })) !== passphrase)
    throw new CommandError(EXIT.failed, 'passphrases-differ', 'The two passphrases differ. Nothing was written.');
  return passphrase;
}

/** What a person can mend, in one sentence. */
function told<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const isOurs = cause instanceof KeyError || cause instanceof KeystoreError;
    const isFiles = cause instanceof Error && 'code' in cause && 'syscall' in cause;
    if (!isOurs && !isFiles) throw cause;
    throw new CommandError(EXIT.failed, isOurs ? 'key' : 'file', `${(cause as Error).message}.`, { cause });
  }
}
