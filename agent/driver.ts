/**
 * The one loop: edges -> events -> core -> actions -> edges. Holds the state, executes actions, and nothing decides here.
 *
 * Order that matters: what is owed is in the journal before anything outside is told (a close is sent only after its final
 * claim is durable); the kernel is brought in line (reconciler.ts) with what the state is by then.
 */
import type { Hex } from '../protocol/hex.ts';
import type { AgentAction } from './core/actions.ts';
import type { AgentConfig } from './core/config.ts';
import type { AgentEvent } from './core/events.ts';
import { handle } from './core/handle.ts';
import type { Mac, SessionId } from './core/model.ts';
import { type AgentState, channelOfSession, type LiveSession, sessionOfChannel } from './core/state.ts';
import { channelEntries, channelEntry } from './guest/channel-entries.ts';
import type { Chain, Clock, Enforcer, Journal, JournalEntry } from './ports.ts';
import { Reconciler } from './reconciler.ts';
import { claimChannels, closeChannel, type SettleDeps } from './settlement/settle.ts';

export type DriverLog = {
  info(details: object, event: string): void;
  warn(details: object, event: string): void;
  error(details: object, event: string): void;
};

export type DriverDeps = {
  readonly config: AgentConfig;
  readonly clock: Clock;
  readonly enforcer: Enforcer;
  readonly journal: Journal;
  readonly chain: Chain;
  readonly log: DriverLog;
  /** The journal is broken for good: whoever runs the agent must end it, so that it is started and the file read anew. */
  readonly onFatal?: (cause: unknown) => void;
};

type EventBody<E = AgentEvent> = E extends AgentEvent ? Omit<E, 'nowMs'> : never;

/** After these nothing more is stored until the file is opened anew (agent/adapters/journal/journal-error.ts). */
const FATAL_CODES: readonly unknown[] = ['JOURNAL_IO', 'JOURNAL_FAILED'];

export class Driver {
  readonly #deps: DriverDeps;
  readonly #settle: SettleDeps;
  readonly #reconciler: Reconciler;
  #state: AgentState;
  #storageTrouble: string | undefined;
  readonly #dueSessions = new Set<SessionId>();
  readonly #dueChannels = new Set<Hex>();
  #onChange: (before: AgentState, after: AgentState) => void = () => undefined;
  readonly #watchers = new Map<Mac, Set<() => void>>();
  readonly #running = new Set<Promise<unknown>>();

  constructor(deps: DriverDeps, state: AgentState) {
    this.#deps = deps;
    this.#state = state;
    this.#settle = {
      chain: deps.chain,
      log: deps.log,
      state: () => this.#state,
      commitChannel: (id) => this.commitChannel(id),
      dispatch: (event) => this.dispatch(event),
    };
    this.#reconciler = new Reconciler({
      ...deps,
      state: () => this.#state,
      onReconciled: (served, counters) => this.dispatch({ kind: 'reconciled', served, counters }),
    });
  }

  get state(): AgentState {
    return this.#state;
  }

  /** Why nothing can be sold right now, from what the edges last said; undefined if all is well. */
  get trouble(): string | undefined {
    return this.#storageTrouble ?? this.#reconciler.trouble;
  }

  /** One listener is told of each change of the state; it must not throw and must not dispatch. */
  onChange(listener: (before: AgentState, after: AgentState) => void): void {
    this.#onChange = listener;
  }

  /** Feeds one event to the core and sets its actions going. */
  dispatch(body: EventBody): void {
    const event = { ...body, nowMs: this.#deps.clock.monotonicMs() } as AgentEvent;
    const before = this.#state;
    const { state, actions } = handle(before, event, this.#deps.config);
    this.#state = state;
    if (state !== before) this.#onChange(before, state);
    const notified = new Set<Mac>();
    for (const action of actions) {
      if (action.kind === 'notify') notified.add(action.mac);
      else this.#execute(action);
    }
    this.#storeDue();
    for (const mac of notified) this.#notify(mac);
  }

  /** Resolves when the kernel equals the state as it is now (or as it is later); rejects if the kernel refuses. */
  async reconciled(): Promise<void> {
    const refusal = await this.#reconciler.pass();
    if (refusal !== undefined) throw new Error(refusal);
  }

  watch(mac: Mac, call: () => void): () => void {
    const calls = this.#watchers.get(mac) ?? new Set();
    this.#watchers.set(mac, calls.add(call));
    return () => {
      calls.delete(call);
      if (calls.size === 0 && this.#watchers.get(mac) === calls) this.#watchers.delete(mac);
    };
  }

  /** Stores entries durably. @throws the journal's error; nothing was stored then. */
  async commit(entries: readonly JournalEntry[]): Promise<void> {
    try {
      await this.#deps.journal.commit(entries);
      this.#storageTrouble = undefined;
    } catch (cause) {
      this.#storageTrouble = `the journal cannot be written: ${cause instanceof Error ? cause.message : cause}`;
      this.#deps.log.error({ err: cause }, 'journal-commit-failed');
      if (cause instanceof Error && 'code' in cause && FATAL_CODES.includes(cause.code)) this.#deps.onFatal?.(cause);
      throw cause;
    }
  }

  /** Where the journal took nothing, asks whether it does again: a router without guests has nothing else to write. Never rejects. */
  async retryStorage(): Promise<void> {
    if (this.#storageTrouble === undefined) return;
    // What is stored already, and is written nevertheless.
    await this.commit([{ kind: 'gifts', ...this.#state.gifts }]).catch(() => undefined);
  }

  /** Stores a channel and its session as they are now, and `more`, in one transaction: neither is of use without the other. */
  async commitChannel(id: Hex, more: readonly JournalEntry[] = []): Promise<void> {
    const channel = this.#state.channels.get(id);
    if (channel === undefined) return;
    const session = sessionOfChannel(this.#state, id);
    await this.commit([
      ...channelEntries(channel),
      ...(session === undefined ? [] : [this.sessionEntry(session)]),
      ...more,
    ]);
  }

  /** Writes all usage that is newer than the journal and waits for what is under way. */
  async close(): Promise<void> {
    const reconciler = this.#reconciler.close();
    await Promise.allSettled([...this.#running, reconciler]);
    // Last, so that it holds what a reconcile or a close under way has added; commit() has logged it if it fails.
    await this.#store([...this.#state.sessions.keys()], []).catch(() => undefined);
  }

  /** The session as the journal keeps it: with the addresses and ports its stations have now. */
  sessionEntry(session: LiveSession, proven = session.proven): JournalEntry {
    const { counters, depletedAtMs: _, absentSinceMs: __, storedBytes: ___, storedAtMs: ____, ...rest } = session;
    const { resumedAtMs: _____, raisedBytes: ______, ...kept } = rest;
    const stations = kept.stations.map((station) => {
      const known = this.#state.stations.get(station.mac);
      if (known === undefined) return station;
      const { mac, port, addresses } = known;
      return port === undefined ? { mac, addresses } : { mac, port, addresses };
    });
    return {
      kind: 'session',
      session: { ...kept, stations, proven },
      counters: [...counters].map(([key, bytes]) => ({ sessionId: session.id, key, bytes, packets: 0n })),
    };
  }

  #execute(action: Exclude<AgentAction, { kind: 'notify' }>): void {
    switch (action.kind) {
      case 'reconcile':
        this.#run(this.#reconciler.pass());
        return;
      case 'store-sessions':
        for (const id of action.sessionIds) this.#dueSessions.add(id);
        return;
      case 'store-channel':
        this.#dueChannels.add(action.channelId);
        return;
      case 'close-channel':
        this.#run(closeChannel(this.#settle, action.channelId, action.units));
        return;
      case 'claim-channels':
        this.#run(claimChannels(this.#settle, action.claims));
        return;
      case 'forget-session':
        this.#run(this.#forget(action.sessionId));
        return;
      case 'log':
        this.#deps.log.info(action.details, action.event);
        return;
      default:
        action satisfies never;
    }
  }

  /** In one transaction: a channel must not be found closing beside a session that still runs. */
  #storeDue(): void {
    if (this.#dueSessions.size === 0 && this.#dueChannels.size === 0) return;
    const sessionIds = [...this.#dueSessions];
    const channelIds = [...this.#dueChannels];
    this.#dueSessions.clear();
    this.#dueChannels.clear();
    this.#run(this.#store(sessionIds, channelIds));
  }

  async #store(sessionIds: readonly SessionId[], channelIds: readonly Hex[]): Promise<void> {
    const { sessions, channels } = this.#state;
    const kept = sessionIds.flatMap((id) => sessions.get(id) ?? []).filter((session) => !this.#isDone(session));
    const entries = [
      ...channelIds.flatMap((id) => (this.#isForgotten(id) ? [] : (channels.get(id) ?? []))).flatMap(channelEntries),
      ...kept.map((session) => this.sessionEntry(session)),
    ];
    if (entries.length === 0) return;
    await this.commit(entries);
    if (kept.length > 0) this.dispatch({ kind: 'usage-stored', sessionIds: kept.map(({ id }) => id) });
  }

  #isForgotten(channelId: Hex): boolean {
    return sessionOfChannel(this.#state, channelId)?.isForgotten === true;
  }

  /** A settled session is out of the journal; writing it again would bring it back. */
  #isDone(session: LiveSession): boolean {
    return session.ended !== undefined && channelOfSession(this.#state, session)?.phase === 'settled';
  }

  /** With its channel, whose final claim stays in the totals. */
  async #forget(sessionId: SessionId): Promise<void> {
    const session = this.#state.sessions.get(sessionId);
    const channel = session === undefined ? undefined : channelOfSession(this.#state, session);
    const isSettled = channel?.phase === 'settled';
    await this.commit([
      { kind: 'session-forgotten', sessionId },
      ...(isSettled ? [{ ...channelEntry(channel), kind: 'channel-forgotten' as const }] : []),
    ]);
  }

  /** A watcher is a guest's open page: what goes wrong there is no reason to stop here. */
  #notify(mac: Mac): void {
    for (const call of this.#watchers.get(mac) ?? []) {
      try {
        call();
      } catch (cause) {
        this.#deps.log.warn({ err: cause }, 'watcher-failed');
      }
    }
  }

  /** Keeps hold of work under way, so that close() can wait for it and nothing rejects unseen. */
  #run(work: Promise<unknown>): void {
    const watched = work
      .catch((cause: unknown) => this.#deps.log.error({ err: cause }, 'action-failed'))
      .finally(() => this.#running.delete(watched));
    this.#running.add(watched);
  }
}
