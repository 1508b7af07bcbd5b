/** Asks a collector for a listing as somebody who may read it. */
import type { Address } from '../../protocol/address.ts';
import { accessHeader } from '../../protocol/listing-access.ts';
import { signDigest } from '../../protocol/signature.ts';
import { DEPLOYMENT, NOW_S } from './fake-router.ts';

type Key = { readonly address: Address; readonly secretKey: Uint8Array };

/** Headers of a request about `device`, signed by `reader`. */
export function asReader(reader: Key, device: Address, collector: Address, untilS = NOW_S + 60n) {
  const access = { reader: reader.address, device, collector, untilS };
  return { authorization: accessHeader(DEPLOYMENT, access, (digest) => signDigest(digest, reader.secretKey)) };
}
