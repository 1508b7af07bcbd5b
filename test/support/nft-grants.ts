/** Grants for tests of the packet filter adapter that need no kernel, and what the enforcer would send for them. */
import { ElementIndex } from '../../agent/adapters/nft/element-index.ts';
import { InstalledSessions } from '../../agent/adapters/nft/installed-sessions.ts';
import type { NftCommand, NftFamily } from '../../agent/adapters/nft/nft-json.ts';
import { diffPlan, type PlanDiff } from '../../agent/adapters/nft/plan-diff.ts';
import { changeTransactions, NO_LEFTOVERS, stopTransaction } from '../../agent/adapters/nft/transactions.ts';
import { UsageBook } from '../../agent/adapters/nft/usage-book.ts';
import type { DeviceName, IpAddress, Mac, SessionGrant, SessionId, Station } from '../../agent/core/model.ts';
import { parseDeviceName, parseIp, parseMac } from '../../agent/core/names.ts';

export const FAMILIES: readonly NftFamily[] = ['inet', 'bridge'];

export const mac = (text: string): Mac => known(parseMac(text), text);
export const ip = (text: string): IpAddress => known(parseIp(text), text);
export const device = (text: string): DeviceName => known(parseDeviceName(text), text);

export function station(address: string, addresses: readonly string[], port?: string): Station {
  const named = { mac: mac(address), addresses: addresses.map(ip) };
  return port === undefined ? named : { ...named, port: device(port) };
}

export function grant(
  sessionId: SessionId,
  stations: readonly Station[],
  rest: Partial<SessionGrant> = {},
): SessionGrant {
  return { sessionId, limitBytes: 1_000_000n, usedBytes: 0n, counters: new Map(), stations, isOnline: true, ...rest };
}

/** Sessions that follow plan after plan without a kernel. */
export class PlanFollower {
  readonly installed = new InstalledSessions([]);
  readonly book = new UsageBook();

  diff(grants: readonly SessionGrant[], renew: ReadonlySet<SessionId> = new Set()): PlanDiff {
    return diffPlan(this.installed.sessions, this.installed.index, grants, renew, FAMILIES);
  }

  /** All transactions of the change, the one that stops first. */
  follow(grants: readonly SessionGrant[], renew: ReadonlySet<SessionId> = new Set()): NftCommand[][] {
    const diff = this.diff(grants, renew);
    const transactions = [stopTransaction(diff, NO_LEFTOVERS), ...changeTransactions(diff, NO_LEFTOVERS, this.book)];
    this.installed.apply(diff);
    return transactions.filter((commands) => commands.length > 0);
  }
}

/** For a diff against an empty kernel. */
export function firstDiff(grants: readonly SessionGrant[]): PlanDiff {
  return diffPlan(new Map(), new ElementIndex(), grants, new Set(), FAMILIES);
}

function known<T>(value: T | undefined, text: string): T {
  if (value === undefined) throw new Error(`not a name: ${text}`);
  return value;
}
