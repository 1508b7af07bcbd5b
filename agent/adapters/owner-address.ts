/**
 * Where the node's SSP may be withdrawn to: one address in a file of mode 0600, set once. Only the command line on the router
 * itself writes it; nothing that can be reached over ubus, HTTP or the control socket does.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Address, parseAddress } from '../../protocol/address.ts';
import { replaceWholeFile } from './whole-file.ts';

export class OwnerAddressError extends Error {
  override readonly name = 'OwnerAddressError';
}

/** Undefined until it is set. @throws OwnerAddressError if the file cannot be read or says something else */
export function readOwnerAddress(path: string): Address | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new OwnerAddressError(`the owner's address cannot be read from ${path}`, { cause });
  }
  const address = parseAddress(text.trim());
  if (address === undefined) throw new OwnerAddressError(`${path} must hold one address, 0x and 40 hex digits`);
  return address;
}

/** On disk when it returns, whole or not at all. */
export function writeOwnerAddress(path: string, address: Address): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  replaceWholeFile(path, `${address}\n`, 0o600);
}
