/**
 * Guests who pay, without the air between: the agent's desk, core and journal for real, on disk; the kernel and the chain
 * are stood in for. The packet filter's answer takes as long as a real one's, so that grouping is as good and as bad.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SqliteJournal } from '../../agent/adapters/journal/sqlite-journal.ts';
import type { Channel, IpAddress, Mac } from '../../agent/core/model.ts';
import { emptyState } from '../../agent/core/state.ts';
import { Driver } from '../../agent/driver.ts';
import { createGuestDesk } from '../../agent/guest/desk.ts';
import type { Enforcer, GuestDesk, Verifier } from '../../agent/ports.ts';
import type { Hex } from '../../protocol/hex.ts';
import { keccak256Text } from '../../protocol/keccak.ts';
import { addressFromSecretKey } from '../../protocol/signature.ts';
import { type SignedVoucher, signVoucher, voucherJsonFromVoucher } from '../../protocol/voucher.ts';
import { decodeVoucher } from '../../protocol/voucher-wire.ts';
import { NOW_S, testChannel, testConfig, testVoucher, WLAN0 } from '../agent/core/support/story.ts';
import { DEVICE_KEY, NODE } from '../support/agent-scene.ts';
import { FakeChain } from '../support/fake-chain.ts';
import { FakeNeighbours } from '../support/fake-neighbours.ts';
import { FaultLine } from '../support/fault-line.ts';

export type PayingGuest = { readonly mac: Mac; readonly channelId: Hex; readonly secretKey: Uint8Array };

/** One change of the packet filter, by `nft -i` (bench meter, top up). */
const KERNEL_MS = 2;
const CONFIG = testConfig();
export const DEPLOYMENT = { chainId: CONFIG.chain.chainId, channels: CONFIG.chain.channels };
const FIRST_AMOUNT = 1_050n;
const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };
/** A directory of the checkout: what is written to a memory file system is not written. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export function payingGuests(count: number): readonly PayingGuest[] {
  return Array.from({ length: count }, (_, i) => {
    const name = i.toString(16).padStart(4, '0');
    return {
      mac: `02:00:00:00:${name.slice(0, 2)}:${name.slice(2)}` as Mac,
      channelId: `0x${name.padStart(64, 'c')}` as Hex,
      secretKey: keccak256Text(`guest ${i}`),
    };
  });
}

/** The n-th voucher of a guest, from 1, as it comes off the wire. */
export function nthVoucher({ channelId, secretKey }: PayingGuest, n: number): SignedVoucher {
  const voucher = { channelId, amount: FIRST_AMOUNT + BigInt(n), ackBytes: 0n };
  const json = JSON.stringify(voucherJsonFromVoucher(signVoucher(DEPLOYMENT, voucher, secretKey)));
  const decoded = decodeVoucher(JSON.parse(json));
  if (!decoded.ok) throw new Error(`a voucher of the bench cannot be read: ${json}`);
  return decoded.value;
}

export type Till = {
  readonly desk: GuestDesk;
  readonly driver: Driver;
  readonly journal: SqliteJournal;
  readonly close: () => Promise<void>;
};

/** An agent at which each of the guests has an open channel with its first voucher, all of it on disk. */
export async function openTill(guests: readonly PayingGuest[], verifier: Verifier): Promise<Till> {
  const directory = mkdtempSync(join(ROOT, '.bench-'));
  const journal = new SqliteJournal({ path: join(directory, 'ledger.db') });
  const clock = { monotonicMs: () => performance.now(), wall: () => ({ unixS: NOW_S, isSynced: true }) };
  const edges = { config: CONFIG, clock, journal, log: SILENT, enforcer: standInEnforcer() };
  const chain = new FakeChain(new FaultLine(), DEPLOYMENT);
  const driver = new Driver({ ...edges, chain }, emptyState(clock.monotonicMs(), NOW_S));
  for (const [i, guest] of guests.entries()) {
    driver.dispatch({ kind: 'station-joined', mac: guest.mac, port: WLAN0 });
    driver.dispatch({ kind: 'address-leased', mac: guest.mac, address: `10.0.${i >> 8}.${i & 255}` as IpAddress });
    const channel = channelOf(guest);
    driver.dispatch({ kind: 'channel-opening', mac: guest.mac, channel });
    await driver.commitChannel(channel.id);
    driver.dispatch({ kind: 'channel-confirmed', channelId: channel.id, deposit: 1_000_000n });
  }
  await driver.reconciled();
  const desk = createGuestDesk({
    ...edges,
    driver,
    chain,
    verifier,
    neighbours: new FakeNeighbours(),
    signer: { address: NODE.device, sign: () => '0x' },
    node: NODE,
    random32: () => DEVICE_KEY,
    minuteOfDay: () => 0,
    guestPrefixes: () => [],
    notSelling: () => undefined,
  });
  const close = async () => {
    await driver.close();
    journal.close();
    rmSync(directory, { recursive: true });
  };
  return { desk, driver, journal, close };
}

function channelOf({ channelId: id, secretKey }: PayingGuest): Channel {
  const signer = addressFromSecretKey(secretKey);
  const channel = testChannel({ id, mode: 'stream', voucher: testVoucher(FIRST_AMOUNT, id) });
  return { ...channel, config: { ...channel.config, payer: signer, signer } };
}

function standInEnforcer(): Enforcer {
  return {
    reconcile: async () => {
      await delay(KERNEL_MS);
      return [];
    },
    read: () => Promise.resolve({ counters: [], unbound: [] }),
    verify: () => Promise.resolve(true),
    onEvent: () => undefined,
    close: () => Promise.resolve(),
  };
}
