/** What this router sells, as a signed offer: the tariff of now, its limits, for a day. */
import type { Address } from '../../protocol/address.ts';
import {
  BANDWIDTH,
  type ServiceLimit,
  type ServiceOffer,
  type ServicePlace,
  type SignedServiceOffer,
  serviceOfferDigest,
} from '../../protocol/service-offer.ts';
import type { AgentConfig } from '../core/config.ts';
import type { Tariff } from '../core/model.ts';
import type { Signer } from '../ports.ts';

/** Renewed well before; who reads it off-line knows at most a day's old price. */
const VALID_S = 86_400n;
const BYTES_PER_MB = 1_000_000n;
const BYTES_PER_KBIT = 125n;
/** Serial numbers count minutes since this moment (2026-01-01T00:00:00Z), so that they rise without being stored. */
const SERIAL_EPOCH_S = 1_767_225_600n;

/** What stands where the owner has named no place. */
const UNKNOWN_PLACE: ServicePlace = { country: 'ZZ', geohash: '-' };

export type OfferDeps = {
  readonly config: Pick<AgentConfig, 'chain' | 'price' | 'network'>;
  readonly signer: Signer;
  readonly payee: Address;
};

/** The same minute and tariff give the same bytes. The serial number is that of the minute, or `lowestSerial` if that is higher. */
export function serviceOffer(
  { config, signer, payee }: OfferDeps,
  tariff: Tariff,
  nowS: bigint,
  lowestSerial = 0n,
): SignedServiceOffer {
  const { chainId, registry } = config.chain;
  const minute = nowS < SERIAL_EPOCH_S ? 0n : (nowS - SERIAL_EPOCH_S) / 60n;
  const validFrom = nowS - (nowS % 60n);
  const offer: ServiceOffer = {
    device: signer.address,
    payee,
    serial: minute < lowestSerial ? lowestSerial : minute,
    ...BANDWIDTH,
    price: tariff.unitsPerMb,
    quantity: BYTES_PER_MB,
    pricePerMinute: tariff.unitsPerMinute,
    minDeposit: config.price.minDeposit,
    limits: limitsOf(config.network),
    place: config.network.place ?? UNKNOWN_PLACE,
    validFrom,
    validUntil: validFrom + VALID_S,
  };
  return { ...offer, signature: signer.sign(serviceOfferDigest({ chainId, registry }, offer)) };
}

function limitsOf({ rate }: AgentConfig['network']): readonly ServiceLimit[] {
  if (rate === undefined) return [];
  return [
    { name: 'downKbps', value: rate.downBytesPerS / BYTES_PER_KBIT },
    { name: 'upKbps', value: rate.upBytesPerS / BYTES_PER_KBIT },
  ];
}
