/**
 * The kernel's packet filter as the agent knows it. Declarative: each reconcile compares what stands in the kernel with
 * the plan and makes the difference; what it does not know for certain it reads first.
 *
 * A quota is raised in place while it has only counted what passed. Once it has dropped something it has counted that
 * too; then its session is stopped, the true total read from the counters, and a new quota made from it, so that neither
 * side loses a byte.
 */
import type { CounterReading, EnforcementPlan, SessionGrant, SessionId, UnboundAddress } from '../../core/model.ts';
import type { Enforcer, EnforcerEvent } from '../../ports.ts';
import type { CounterSet } from './counter-reader.ts';
import { CounterSets } from './counter-sets.ts';
import { linkReader } from './guest-links.ts';
import { InstalledSessions } from './installed-sessions.ts';
import { KernelSets, type KernelSetsDeps } from './kernel-sets.ts';
import { KernelTables, type TablesFound } from './kernel-tables.ts';
import { parseQuotaName } from './layout.ts';
import { type MonitorEvent, NftMonitor } from './monitor.ts';
import type { NftPlace } from './nft-child.ts';
import { NftError } from './nft-error.ts';
import { NftRunner } from './nft-runner.ts';
import { diffPlan, isDiffEmpty, type PlanDiff } from './plan-diff.ts';
import { changeTransactions, type Leftovers, NO_LEFTOVERS, stopTransaction } from './transactions.ts';
import { UnboundReader } from './unbound-reader.ts';
import { UsageBook } from './usage-book.ts';

export type NftLog = {
  info(details: object, event: string): void;
  warn(details: object, event: string): void;
  error(details: object, event: string): void;
};

export type NftEnforcerDeps = Partial<NftPlace> &
  Pick<NftPlace, 'runtimeDir'> &
  Pick<KernelSetsDeps, 'openAddon'> & {
    readonly log: NftLog;
    /** Least time between two looks for addresses that wait to be bound. */
    readonly unboundEveryMs?: number;
  };

/** Largest packet that the forward hook can see: a used-up quota may leave this much. */
const MAX_PACKET_BYTES = 65_536n;
/** Changes by others come in bursts (fw4 reload); one look afterwards is enough. */
const SETTLE_MS = 100;
/** dnsmasq fills sets of other packages with every answer; a look a second bears that. */
const ELSEWHERE_MS = 1_000;
/** While the monitor shows every change, all rules are read back only this often, in case it missed one. */
const FULL_CHECK_MS = 30_000;

export function createNftEnforcer(deps: NftEnforcerDeps): Enforcer {
  return new NftEnforcer({ ...deps, nftPath: deps.nftPath ?? 'nft' });
}

class NftEnforcer implements Enforcer {
  readonly #log: NftLog;
  readonly #runner: NftRunner;
  readonly #tables: KernelTables;
  readonly #kernel: KernelSets;
  readonly #counters: CounterSets;
  readonly #unbound: UnboundReader;
  readonly #monitor: NftMonitor;
  readonly #book = new UsageBook();
  readonly #listeners = new Set<(event: EnforcerEvent) => void>();
  /** What stands in the kernel; undefined when it must be read first. */
  #installed: InstalledSessions | undefined;
  #plan: EnforcementPlan | undefined;
  /** Sessions whose quota has counted what it dropped. */
  readonly #tainted = new Set<SessionId>();
  /** Sessions whose quota is to be made anew whatever the plan says about its limit. */
  readonly #renewals = new Set<SessionId>();
  /** Last readings of counters that are gone, not yet handed out. */
  #lastReadings: CounterReading[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  #settling: NodeJS.Timeout | undefined;
  #telling: NodeJS.Timeout | undefined;
  #checkedMs = Number.NEGATIVE_INFINITY;
  #isWatching = false;
  #isClosed = false;

  constructor(deps: NftEnforcerDeps & NftPlace) {
    this.#log = deps.log;
    this.#runner = new NftRunner(deps);
    this.#kernel = new KernelSets(deps);
    this.#counters = new CounterSets(this.#runner, this.#kernel);
    this.#unbound = new UnboundReader(this.#runner, this.#kernel, deps.unboundEveryMs);
    this.#tables = new KernelTables(this.#runner, linkReader(deps.netns), deps.log);
    this.#monitor = new NftMonitor(
      deps,
      (pid) => this.#runner.isOwn(pid),
      (event) => this.#onMonitorEvent(event),
    );
  }

  reconcile(plan: EnforcementPlan): Promise<readonly CounterReading[]> {
    return this.#inTurn(async () => {
      this.#plan = plan;
      if (!this.#isWatching) await this.#watch();
      await this.#reconcileTo(plan);
      const installed = this.#installed;
      const retired = this.#book.retire(plan.grants, (id, key) => installed?.hasCounter(id, key) !== false);
      const readings = [...this.#lastReadings, ...retired];
      this.#lastReadings = [];
      return readings;
    });
  }

  read(): Promise<{ readonly counters: readonly CounterReading[]; readonly unbound: readonly UnboundAddress[] }> {
    return this.#inTurn(async () => {
      const counters = await this.#readCounters();
      const found = await this.#unbound.read();
      const unbound = found.filter(({ mac, address }) => this.#installed?.isBound(mac, address) !== true);
      return { counters, unbound };
    });
  }

  verify(): Promise<boolean> {
    return this.#inTurn(async () => {
      if (!this.#monitor.isWatching) {
        // Without a monitor nobody tells of a flowtable either. One that is only late shows itself by the poke.
        this.#emit({ kind: 'changed-elsewhere' });
        if (this.#installed !== undefined) await this.#tables.poke();
      }
      const isFullDue = !this.#monitor.isWatching || performance.now() - this.#checkedMs >= FULL_CHECK_MS;
      if (isFullDue) this.#checkedMs = performance.now();
      const isEqual = isFullDue ? await this.#tables.isUnchanged() : await this.#tables.hasSameLinks();
      if (!isEqual) this.#installed = undefined;
      return isEqual && this.#installed !== undefined;
    });
  }

  onEvent(listener: (event: EnforcerEvent) => void): void {
    this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#listeners.clear();
    clearTimeout(this.#settling);
    clearTimeout(this.#telling);
    this.#monitor.close();
    await this.#turn.catch(() => undefined);
    this.#runner.close();
    this.#kernel.close();
  }

  async #reconcileTo(plan: EnforcementPlan): Promise<void> {
    try {
      const { grants } = plan;
      const known = await this.#tables.bringUp(plan, this.#installed === undefined);
      // Somebody may have changed something while we looked.
      const found = known ?? (this.#installed === undefined ? await this.#tables.bringUp(plan, true) : undefined);
      if (found !== undefined) this.#adopt(found, grants);
      const installed = this.#installed ?? new InstalledSessions([]);
      const diff = diffPlan(
        installed.sessions,
        installed.index,
        grants,
        this.#sessionsToRenew(grants),
        this.#tables.families,
      );
      if (found !== undefined || !isDiffEmpty(diff)) await this.#execute(diff, found ?? NO_LEFTOVERS);
      if (found !== undefined) await this.#tables.confirm();
      if (found !== undefined && found.install.length > 0) await this.#watch();
      installed.apply(diff);
      for (const sessionId of diff.gone) this.#forget(sessionId);
      if (diff.leftOut.length > 0) this.#log.warn({ elements: diff.leftOut.length }, 'nft-elements-left-out');
    } catch (error) {
      // Some of the steps may have been made: look before the next one.
      this.#installed = undefined;
      throw error;
    }
  }

  #forget(sessionId: SessionId): void {
    this.#book.forget(sessionId);
    this.#tainted.delete(sessionId);
    this.#renewals.delete(sessionId);
  }

  #adopt(found: TablesFound, grants: readonly SessionGrant[]): void {
    this.#installed = new InstalledSessions(found.sessions.values());
    this.#book.note(found.readings);
    const byId = new Map(grants.map((grant) => [grant.sessionId, grant]));
    for (const { sessionId, usedBytes, limitBytes } of found.quotas) {
      const grant = byId.get(sessionId);
      if (grant === undefined) continue;
      if (usedBytes >= limitBytes) this.#tainted.add(sessionId);
      // Less used than was known long ago: somebody has reset it, and would give bytes away.
      if (usedBytes < grant.usedBytes) this.#renewals.add(sessionId);
      const left = grant.limitBytes - this.#book.usedBytes(grant);
      if (usedBytes >= limitBytes && left > MAX_PACKET_BYTES) this.#renewals.add(sessionId);
    }
  }

  #sessionsToRenew(grants: readonly SessionGrant[]): ReadonlySet<SessionId> {
    const renew = new Set(this.#renewals);
    for (const { sessionId, limitBytes } of grants) {
      const quota = this.#installed?.sessions.get(sessionId)?.quota;
      if (quota !== undefined && this.#tainted.has(sessionId) && limitBytes > quota.limitBytes) renew.add(sessionId);
    }
    return renew;
  }

  async #execute(diff: PlanDiff, leftovers: Leftovers): Promise<void> {
    await this.#runner.apply(stopTransaction(diff, leftovers));
    const isRenewing = diff.newQuotas.some(({ round }) => round > 1);
    if (isRenewing || diff.lost.length > 0) await this.#readCounters();
    for (const transaction of changeTransactions(diff, leftovers, this.#book)) await this.#runner.apply(transaction);
    this.#lastReadings.push(...diff.lost.map(({ sessionId, key }) => this.#book.reading(sessionId, key)));
    for (const { grant } of diff.newQuotas) {
      this.#tainted.delete(grant.sessionId);
      this.#renewals.delete(grant.sessionId);
    }
  }

  async #readCounters(): Promise<readonly CounterReading[]> {
    const isEmpty = (set: CounterSet): boolean => this.#installed?.index.isEmpty(set) === true;
    const readings = await this.#counters.read(isEmpty);
    if (typeof readings === 'string') {
      this.#disturbed(`set ${readings} is gone`);
      return [];
    }
    this.#book.note(readings);
    return readings;
  }

  async #watch(): Promise<void> {
    this.#isWatching = true;
    const isReady = await this.#monitor.start(() => this.#tables.poke());
    if (!isReady) this.#log.warn({}, 'nft-monitor-silent');
  }

  #onMonitorEvent(event: MonitorEvent): void {
    if (this.#isClosed) return;
    switch (event.kind) {
      case 'depleted': {
        const quota = parseQuotaName(event.quota);
        const installed = quota === undefined ? undefined : this.#installed?.sessions.get(quota.sessionId)?.quota;
        if (quota === undefined || (installed !== undefined && installed.round !== quota.round)) return;
        this.#tainted.add(quota.sessionId);
        this.#inTurn(() => this.#onDepleted(quota.sessionId)).catch((err: unknown) =>
          this.#log.error({ err }, 'nft-depleted-check-failed'),
        );
        return;
      }
      case 'touched':
      case 'gap':
        this.#disturbed(event.kind === 'gap' ? 'the watch was interrupted' : event.what);
        return;
      case 'elsewhere':
        this.#telling ??= setTimeout(() => {
          this.#telling = undefined;
          this.#emit({ kind: 'changed-elsewhere' });
        }, ELSEWHERE_MS);
        return;
      default:
        event satisfies never;
    }
  }

  /** A quota that was raised while it dropped packets ends before the credit does: it is made anew, nobody need know. */
  async #onDepleted(sessionId: SessionId): Promise<void> {
    const grant = this.#plan?.grants.find((candidate) => candidate.sessionId === sessionId);
    const quota = this.#installed?.sessions.get(sessionId)?.quota;
    if (this.#plan === undefined || grant === undefined || quota === undefined || !this.#tainted.has(sessionId)) return;
    await this.#readCounters();
    if (quota.limitBytes - this.#book.usedBytes(grant) > MAX_PACKET_BYTES) {
      this.#renewals.add(sessionId);
      await this.#reconcileTo(this.#plan);
      return;
    }
    this.#emit({ kind: 'depleted', sessionId });
  }

  #disturbed(what: string): void {
    this.#installed = undefined;
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined;
      this.#emit({ kind: 'disturbed', what });
    }, SETTLE_MS);
  }

  #emit(event: EnforcerEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** One thing at a time, in the order of the calls. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(() => {
      if (this.#isClosed) throw new NftError('the packet filter adapter is closed', { code: 'NFT_CLOSED' });
      return work();
    });
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
