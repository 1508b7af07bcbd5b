/** Where the node's wallet keeps what must survive: passes beside the journal; their seed and the owner's address beside the device key. */
import { dirname, join } from 'node:path';
import type { Address } from '../../protocol/address.ts';
import type { PassBook } from '../ports.ts';
import { loadOrCreateKey } from './device-key.ts';
import { readOwnerAddress } from './owner-address.ts';
import { passFile } from './pass-file.ts';

export type TreasuryFiles = {
  readonly passBook: PassBook;
  /** 32 secret bytes, made at the first use. @throws KeyError */
  readonly passSeed: () => Uint8Array;
  /** @throws OwnerAddressError */
  readonly ownerAddress: () => Address | undefined;
};

export function treasuryFiles(storage: {
  readonly databasePath: string;
  readonly deviceKeyPath: string;
}): TreasuryFiles {
  const seedPath = join(dirname(storage.deviceKeyPath), 'pass-seed');
  return {
    passBook: passFile(join(dirname(storage.databasePath), 'passes.jsonl')),
    passSeed: () => loadOrCreateKey(seedPath),
    ownerAddress: () => readOwnerAddress(ownerAddressPath(storage.deviceKeyPath)),
  };
}

export function ownerAddressPath(deviceKeyPath: string): string {
  return join(dirname(deviceKeyPath), 'owner-address');
}
