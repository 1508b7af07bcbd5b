/**
 * The agent's configuration after parsing and checking (agent/adapters/uci/read-config.ts reads it from UCI text).
 * Units are in the names. agent/adapters/uci/option-table.ts says what may be written; docs/configuration.md is generated from it.
 */
import type { Address } from '../../protocol/address.ts';
import type { ServicePlace } from '../../protocol/service-offer.ts';
import type { ByteCount, TokenAmount } from '../../protocol/units.ts';
import type { DeviceName, RateLimit, Tariff } from './model.ts';

/**
 * A tariff that applies from one minute of the day (0..1439, local time) until before another, before the default one;
 * past midnight if fromMinute > toMinute. They are never equal. Of windows that overlap the first one counts.
 */
export type TariffWindow = { readonly fromMinute: number; readonly toMinute: number; readonly tariff: Tariff };

/** A one-tap offer on the page: pay `units` in advance, HOLD mode. */
export type Package = { readonly name: string; readonly units: TokenAmount };

/** What bounds the free allowance beside its bytes. */
export type TrialTerms = {
  /** Time online of one trial; 0: as long as its bytes last. */
  readonly seconds: number;
  /** Trials begun in any hour, by all devices together. */
  readonly perHour: number;
  /** What all trials together may take of the line. */
  readonly rate: RateLimit;
};

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type AgentConfig = {
  readonly isEnabled: boolean;
  readonly logLevel: LogLevel;
  /** Where the owner's command line reaches the running agent; mode 0600. */
  readonly controlSocketPath: string;
  readonly network: {
    readonly guestDevices: readonly DeviceName[];
    readonly leaseFile: string;
    readonly ubusSocket: string;
    readonly rate?: RateLimit;
    /** For the signed offer; absent: unknown. */
    readonly place?: ServicePlace;
  };
  readonly portal: {
    readonly port: number;
    /** Canonical name that unknown hosts are redirected to, e.g. "portal.lan". */
    readonly host: string;
    readonly name: string;
    /** A sentence of the owner's below the name. */
    readonly welcome?: string;
    /** "#rrggbb", readable on the light page; `colourDark` on the dark one. */
    readonly colour?: string;
    readonly colourDark?: string;
    /** Where the owner's logo and terms are; absent: nowhere. */
    readonly folder?: string;
    /** The owner's own website. */
    readonly venueUrl?: string;
    /** SSP that a guest gets who asks for some, on a development chain; absent: none. */
    readonly faucetUnits?: TokenAmount;
    /** Files of a certificate for `host` and its key, PEM: the captive portal API is then served over HTTPS as well. */
    readonly tls?: { readonly certPath: string; readonly keyPath: string };
  };
  readonly price: {
    readonly tariff: Tariff;
    readonly windows: readonly TariffWindow[];
    readonly packages: readonly Package[];
    readonly minDeposit: TokenAmount;
    readonly openFee: TokenAmount;
    readonly trialBytes: ByteCount;
    /** Bytes of all trials together per UTC day: what MAC changing can gain at most. */
    readonly trialBytesPerDay: ByteCount;
    /** Absent: nothing bounds a trial but its bytes. */
    readonly trial?: TrialTerms;
    /** Names that guests reach without paying; dnsmasq is told by the init script (guest-network sync). */
    readonly gardenDomains?: readonly string[];
    /** What the owner may give away per UTC day (session_extend). Absent: as much as trialBytesPerDay. */
    readonly giftBytesPerDay?: ByteCount;
  };
  readonly chain: {
    readonly rpcUrl: string;
    readonly chainId: bigint;
    readonly channels: Address;
    readonly token: Address;
    readonly tokenName: string;
    readonly tokenVersion: string;
    readonly registry: Address;
    /** ShareRewards; absent: rewards are neither shown nor claimed here. */
    readonly rewards?: Address;
    readonly payee: Address;
    /** Channel life from open to expiry. */
    readonly channelSeconds: number;
    readonly exitDelaySeconds: number;
    /** Stop taking vouchers this long before expiry. */
    readonly marginSeconds: number;
    /** Asked when the first endpoint cannot answer; and then two must say the same before anything final is done. */
    readonly rpcBackups?: readonly string[];
    /** Blocks, the newest included, until something counts as done. Default 1. */
    readonly confirmations?: number;
    /** Running channels are claimed once it brings so many times what its gas costs. Default 20. */
    readonly claimRatio?: number;
    /** What the gas of one open is worth to the owner; above 0. Absent: the open fee, or a usual one where that is 0. */
    readonly gasWorthUnits?: TokenAmount;
  };
  readonly proofs: {
    readonly collectorUrl?: string;
    /** Receipts must be signed by this key. */
    readonly collector?: Address;
    readonly intervalSeconds: number;
    /** Flash for what the collector has not got yet; older intervals are merged to stay within it. Default 2 MiB. */
    readonly budgetBytes?: ByteCount;
    /** Tried when collectorUrl cannot be reached: the same collector by another way. */
    readonly collectorBackups?: readonly string[];
    /** Local address of another uplink that is tried when the usual way fails. */
    readonly backupAddress?: string;
  };
  /** Routers of the same owner, and where this one hears them; absent: it is alone. */
  readonly roaming?: {
    readonly address: string;
    readonly port: number;
    readonly sisters: readonly { readonly device: Address; readonly url: string }[];
  };
  readonly storage: {
    readonly databasePath: string;
    readonly deviceKeyPath: string;
    /** Unix socket of the process that holds the key instead; absent: the file. */
    readonly signerSocket?: string;
  };
  readonly session: {
    /** How long a used-up session's flows are held for a top-up before they are ended. */
    readonly graceSeconds: number;
    /** A guest whose stations are gone for this long has left: the channel is closed and the rest refunded. */
    readonly absentSeconds: number;
    readonly sampleMs: number;
    /** Usage is written to disk at the latest after this long... */
    readonly flushSeconds: number;
    /** ...or after this many bytes of one session. */
    readonly flushBytes: ByteCount;
  };
};
