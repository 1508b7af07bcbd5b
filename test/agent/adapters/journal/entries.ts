/** Random facts of every kind for the journal, within what its columns hold. */
import fc from 'fast-check';
import type { Channel, CounterReading, IpAddress, Mac, Session, Station } from '../../../../agent/core/model.ts';
import { parseDeviceName, parseIp, parseMac } from '../../../../agent/core/names.ts';
import type { JournalEntry, ProofRecord } from '../../../../agent/ports.ts';
import type { Hex } from '../../../../protocol/hex.ts';
import { hexFromBytes } from '../../../../protocol/hex.ts';
import { GENESIS_PREV } from '../../../../protocol/traffic-proof.ts';
import { type SignedProofReceipt, VERDICTS } from '../../../../protocol/verdict.ts';

const MAX_INT64 = (1n << 63n) - 1n;

/** Plain objects: fast-check's default prototype-less ones never equal what a database returns. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record<T>(model, { noNullPrototype: true });

const bytesOf = (length: number): fc.Arbitrary<Hex> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => hexFromBytes(bytes));
const amount = fc.oneof(fc.constantFrom(0n, 1n, MAX_INT64), fc.bigInt({ min: 0n, max: MAX_INT64 }));
const uint40 = fc.bigInt({ min: 0n, max: (1n << 40n) - 1n });
const milliseconds = fc.oneof(fc.nat(), fc.double({ min: 0, max: 1e12, noNaN: true }));

const mac = fc.nat(0xffffffff).map((n) => parseMac(`02:00:${hexPairs(n, 4)}`) as Mac);
const address = fc.oneof(
  fc.nat(0xffff).map((n) => parseIp(`10.0.${n >> 8}.${n & 255}`) as IpAddress),
  fc.nat(0xfffe).map((n) => parseIp(`fd00::${(n + 1).toString(16)}`) as IpAddress),
);
const port = fc.constantFrom('phy0-ap0', 'lan1', 'wlan0.sta1').map((name) => parseDeviceName(name));

export const channel: fc.Arbitrary<Channel> = record({
  id: bytesOf(32),
  config: record({
    payer: bytesOf(20),
    signer: bytesOf(20),
    payee: bytesOf(20),
    device: bytesOf(20),
    expiry: uint40,
    exitDelay: uint40,
    salt: bytesOf(32),
  }),
  mode: fc.constantFrom('hold', 'stream'),
  tariff: record({ unitsPerMb: amount, unitsPerMinute: amount }),
  openFee: amount,
  phase: fc.constantFrom('pending', 'active', 'grace', 'closing', 'settled', 'failed'),
  /** The smaller is the voucher's, the larger the deposit. */
  amounts: fc.tuple(amount, amount).map(([a, b]) => (a < b ? ([a, b] as const) : ([b, a] as const))),
  ackBytes: amount,
  signature: bytesOf(64),
  openTx: fc.option(bytesOf(32), { nil: undefined }),
  closeTx: fc.option(bytesOf(32), { nil: undefined }),
  closeUnits: fc.option(fc.bigInt(0n, 10n ** 14n), { nil: undefined }),
}).map(({ amounts: [voucherAmount, deposit], ackBytes, signature, openTx, closeTx, closeUnits, ...rest }) => ({
  ...rest,
  deposit,
  voucher: { channelId: rest.id, amount: voucherAmount, ackBytes, signature },
  ...(openTx === undefined ? {} : { openTx }),
  ...(closeTx === undefined ? {} : { closeTx }),
  ...(closeUnits === undefined ? {} : { closeUnits }),
}));

const station: fc.Arbitrary<Station> = record({
  mac,
  port: fc.option(port, { nil: undefined }),
  addresses: fc.uniqueArray(address, { maxLength: 5 }),
}).map(({ port: on, ...rest }) => (on === undefined ? rest : { ...rest, port: on }));

const sessionWithoutId = record({
  startedMs: milliseconds,
  stations: fc.array(station, { maxLength: 3 }),
  channelId: fc.option(bytesOf(32), { nil: undefined }),
  usage: record({ downBytes: amount, upBytes: amount, onlineMs: milliseconds }),
  trialBytes: amount,
  trialMs: fc.option(milliseconds, { nil: undefined }),
  freeMs: fc.option(milliseconds, { nil: undefined }),
  pausedAtMs: fc.option(milliseconds, { nil: undefined }),
  proven: record({ downBytes: amount, upBytes: amount, units: amount }),
  ended: fc.constantFrom(undefined, 'guest-left' as const, 'trial-exhausted' as const),
}).map(({ channelId, trialMs, freeMs, pausedAtMs, ended, ...rest }) => ({
  ...rest,
  ...(pausedAtMs === undefined ? {} : { pausedAtMs }),
  ...(trialMs === undefined ? {} : { trialMs }),
  ...(freeMs === undefined ? {} : { freeMs }),
  ...(channelId === undefined ? {} : { channelId }),
  ...(ended === undefined ? {} : { ended }),
}));

const counter = record({ up: fc.boolean(), mac, address, bytes: amount, packets: amount }).map(
  ({ up, mac: from, address: to, bytes, packets }) => ({
    key: up ? (`up:${from}` as const) : (`down:${to}` as const),
    bytes,
    packets,
  }),
);

export const sessionEntry: fc.Arbitrary<{ kind: 'session'; session: Session; counters: readonly CounterReading[] }> = fc
  .tuple(fc.nat(0xffff), sessionWithoutId, fc.array(counter, { maxLength: 6 }))
  .map(([id, session, counters]) => ({
    kind: 'session',
    session: { id, ...session },
    counters: counters.map((reading) => ({ sessionId: id, ...reading })),
  }));

export const trialEntry: fc.Arbitrary<Extract<JournalEntry, { kind: 'trial' }>> = record({
  kind: fc.constant('trial'),
  mac,
  dayS: fc.constant(20_000n * 86_400n),
  usedBytes: amount,
});

/** A proof with its receipt; `prev` and `seq` are set by chainOf. */
const proofParts = record({
  proof: record({
    device: bytesOf(20),
    epoch: fc.bigInt({ min: 0n, max: 0xffffffffn }),
    startS: uint40,
    endS: uint40,
    bytesUp: amount,
    bytesDown: amount,
    paid: amount,
    sessionsRoot: bytesOf(32),
    clockState: fc.constantFrom(0n, 1n),
    signature: bytesOf(64),
  }),
  digest: bytesOf(32),
  body: fc.uint8Array({ minLength: 1, maxLength: 3000 }),
  receipt: record({
    collector: bytesOf(20),
    verdict: fc.constantFrom(...VERDICTS),
    receivedS: uint40,
    signature: bytesOf(64),
  }),
});

export type ChainLink = {
  readonly record: ProofRecord;
  readonly body: Uint8Array;
  readonly receipt: SignedProofReceipt;
};

/** Proofs that follow one another, each with the receipt it will get. */
export const proofChain: fc.Arbitrary<readonly ChainLink[]> = fc
  .tuple(
    fc.bigInt({ min: 0n, max: 0xffffff00n }),
    fc.uniqueArray(proofParts, { maxLength: 8, selector: (parts) => parts.digest }),
  )
  .map(([firstSeq, parts]) =>
    parts.map(({ proof, digest, body, receipt }, i) => ({
      record: {
        proof: { ...proof, seq: firstSeq + BigInt(i), prev: i === 0 ? GENESIS_PREV : (parts[i - 1]?.digest as Hex) },
        digest,
      },
      body,
      receipt: { ...receipt, proof: digest },
    })),
  );

function hexPairs(n: number, pairs: number): string {
  const digits = n.toString(16).padStart(pairs * 2, '0');
  return digits.replace(/(..)(?=.)/g, '$1:');
}
