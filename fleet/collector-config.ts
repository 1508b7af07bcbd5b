/** The collector's configuration file: JSON, checked as a whole, refused with the name of the first wrong member. */
import { isIPv4, isIPv6 } from 'node:net';
import * as v from 'valibot';
import type { Address } from '../protocol/address.ts';
import { addressSchema, type Decoded, decode, uint32Schema, uint64Schema } from '../protocol/schema.ts';
import type { KnownDevice } from './device-standing.ts';
import type { CollectorDeployment } from './judge-proof.ts';
import type { RateLimit } from './rate-limit.ts';

export type CollectorConfig = {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Holds the proof log and its index. */
  readonly directory: string;
  readonly keyFile: string;
  readonly deployment: CollectorDeployment;
  readonly lateAfterS: bigint;
  readonly devices: ReadonlyMap<Address, KnownDevice>;
  /** Keys that attest devices, by the vendor's number in the DeviceRegistry. */
  readonly vendors: ReadonlyMap<bigint, Address>;
  /** true: whoever enrols waits for a person, whatever it shows. */
  readonly isEnrolmentManual: boolean;
  /** Files of the certificate (with its chain) and its key, PEM. Without: plain HTTP, for behind a proxy that does TLS. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly maxConnections?: number | undefined;
  /** Addresses or networks ("10.0.0.0/8") of proxies: whom they forward for is what limits go by. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Proofs a device may send: so many a second, and at once. */
  readonly deviceRate?: RateLimit | undefined;
  /** Uploads from one address that no enrolled device signed. */
  readonly strangerRate?: RateLimit | undefined;
  /** The same of all addresses together. */
  readonly strangerTotalRate?: RateLimit | undefined;
  /** Requests to the registry's routes (enrolment, offers, time, heads of chains): of one source address, and of all. */
  readonly registryRate?: RateLimit | undefined;
  readonly registryTotalRate?: RateLimit | undefined;
  /** Keys that may read what is on file of any device. */
  readonly readers?: readonly Address[] | undefined;
};

/** Gigabit Ethernet: more than any router here can forward. */
const DEFAULT_LINK_BYTES_PER_S = '125000000';
/** Of a device that enrolled by itself. */
export const ENROLLED_LINK_BYTES_PER_S = BigInt(DEFAULT_LINK_BYTES_PER_S);
/** 30 days offline, as routers are promised, and an epoch of 7. */
const DEFAULT_LATE_AFTER_S = String(37 * 86_400);

const deviceSchema = v.strictObject({
  address: addressSchema,
  linkBytesPerS: v.optional(uint64Schema, DEFAULT_LINK_BYTES_PER_S),
  isRevoked: v.optional(v.boolean(), false),
});

const rateSchema = v.strictObject({
  perS: v.pipe(v.number(), v.minValue(0.001)),
  burst: v.pipe(v.number(), v.minValue(1)),
});

const configSchema = v.pipe(
  v.strictObject({
    host: v.optional(v.string(), '127.0.0.1'),
    port: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535)),
    directory: v.pipe(v.string(), v.minLength(1)),
    keyFile: v.pipe(v.string(), v.minLength(1)),
    chainId: uint64Schema,
    channels: addressSchema,
    registry: addressSchema,
    lateAfterS: v.optional(uint64Schema, DEFAULT_LATE_AFTER_S),
    devices: v.array(deviceSchema),
    vendors: v.optional(v.array(v.strictObject({ vendorId: uint32Schema, key: addressSchema })), []),
    isEnrolmentManual: v.optional(v.boolean(), false),
    tls: v.optional(v.strictObject({ certFile: v.string(), keyFile: v.string() })),
    maxConnections: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
    trustedProxies: v.optional(v.array(v.pipe(v.string(), v.check(isNetwork, 'an address or a network')))),
    deviceRate: v.optional(rateSchema),
    strangerRate: v.optional(rateSchema),
    strangerTotalRate: v.optional(rateSchema),
    registryRate: v.optional(rateSchema),
    registryTotalRate: v.optional(rateSchema),
    readers: v.optional(v.array(addressSchema)),
  }),
  v.transform(
    ({ chainId, channels, registry, devices, vendors, ...rest }): CollectorConfig => ({
      ...rest,
      deployment: { chainId, channels, registry },
      devices: new Map(devices.map(({ address, ...device }) => [address, device])),
      vendors: new Map(vendors.map(({ vendorId, key }) => [vendorId, key])),
    }),
  ),
);

function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const most = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
  if (most < 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
}

export function parseCollectorConfig(text: string): Decoded<CollectorConfig> {
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch (error) {
    return { ok: false, path: '', expected: 'JSON', got: error instanceof Error ? error.message : 'garbage' };
  }
  return decode(configSchema, input);
}
