/**
 * The client to use: connects to ubusd, stays connected, and puts back on every new connection what was published,
 * subscribed and listened to.
 */
import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Attachment, AttachmentHost } from './attachment.ts';
import type { BlobmsgInputTable, BlobmsgTable } from './blobmsg.ts';
import { type ConnectionLimits, DEFAULT_LIMITS, UbusConnection } from './connection.ts';
import { type EventHandler, Listener } from './listener.ts';
import { Monitor, type MonitoredMessage } from './monitor.ts';
import type { RequestOptions } from './pending.ts';
import { type Methods, Publication } from './publication.ts';
import { beginInvoke, invoke, lookup, ping, sendEvent, type UbusObject } from './requests.ts';
import { UbusError, UbusStatus } from './status.ts';
import { Subscription, type SubscriptionHandlers } from './subscription.ts';

export const DEFAULT_SOCKET = '/var/run/ubus/ubus.sock';

export type UbusClientOptions = {
  /** Unix socket of ubusd. */
  readonly path?: string;
  /** First and longest wait between attempts to connect; each failure doubles it. */
  readonly reconnectMs?: { readonly first: number; readonly longest: number };
  readonly limits?: Partial<ConnectionLimits>;
};

export type UbusClientEvents = {
  /** Connected, and everything of ours is on the bus. */
  connected: [];
  /** Connected again after a loss, and everything of ours is back: what was known of others is stale, read it anew. */
  resync: [];
  disconnected: [reason: Error];
  /** Something failed that no caller waits for; the client goes on. */
  problem: [error: Error];
};

/** Ids kept from lookups; more paths than this are simply looked up again. */
const MAX_KNOWN_IDS = 256;

/** How often what could not be put back on the bus (name taken, access denied) is tried again. */
const RETRY_ATTACH_MS = 1_000;

/** The last messages get this long to be read by ubusd when the client closes. */
const FAREWELL_MS = 500;

export class UbusClient extends EventEmitter<UbusClientEvents> {
  readonly path: string;
  readonly #reconnectMs: { readonly first: number; readonly longest: number };
  readonly #limits: ConnectionLimits;
  readonly #stop = new AbortController();
  readonly #host: AttachmentHost;
  readonly #attachments = new Set<Attachment>();
  readonly #watch: Listener;
  readonly #ids = new Map<string, number>();
  #connection: UbusConnection | undefined;
  #isReady = false;
  #running: Promise<void> | undefined;

  constructor(options: UbusClientOptions = {}) {
    super();
    this.path = options.path ?? DEFAULT_SOCKET;
    this.#reconnectMs = options.reconnectMs ?? { first: 250, longest: 10_000 };
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#host = {
      onProblem: (error) => this.emit('problem', error),
      release: (attachment) => this.#attachments.delete(attachment),
    };
    this.#watch = new Listener(this.#host, 'ubus.object.*', (id, data) => this.#objectChanged(id, data));
  }

  /** Starts connecting and keeps trying until close(). Never fails: see ready() and the events. */
  start(): void {
    this.#running ??= this.#run(this.#stop.signal);
  }

  /** Resolves once connected. @throws AbortError if the signal aborts or the client is closed. */
  async ready(signal?: AbortSignal): Promise<void> {
    this.start();
    const either = signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal]);
    if (!this.isConnected) await once(this, 'connected', { signal: either });
  }

  get isConnected(): boolean {
    return this.#isReady && this.#connection?.isOpen === true;
  }

  /** Ends everything of ours on the bus. */
  async close(): Promise<void> {
    const connection = this.#connection;
    if (connection?.isOpen === true) {
      // ubusd drops messages that it reads together with the end of the stream.
      await ping(connection, { timeoutMs: FAREWELL_MS }).catch(() => undefined);
    }
    this.#stop.abort(new UbusError(UbusStatus.CONNECTION_FAILED, 'client closed'));
    connection?.close(this.#stop.signal.reason);
    await Promise.all([...this.#attachments].map((attachment) => attachment.detach()));
    await this.#running;
  }

  /** First answer of a method, undefined if it answers nothing. @throws UbusError */
  call(
    path: string,
    method: string,
    args: BlobmsgInputTable = {},
    options: RequestOptions = {},
  ): Promise<BlobmsgTable | undefined> {
    return new Promise((resolve, reject) => {
      this.#call(path, method, args, options, (replies) => resolve(replies[0]), reject);
    });
  }

  /** All answers of a method. @throws UbusError */
  callAll(
    path: string,
    method: string,
    args: BlobmsgInputTable = {},
    options: RequestOptions = {},
  ): Promise<readonly BlobmsgTable[]> {
    return new Promise((resolve, reject) => {
      this.#call(path, method, args, options, resolve, reject);
    });
  }

  /** Objects whose path is `pattern` or starts with it if it ends in "*"; those that access rules hide are missing. */
  async lookup(pattern = '*', options: RequestOptions = {}): Promise<readonly UbusObject[]> {
    return await lookup(this.#open(`lookup ${pattern}`), pattern, options);
  }

  /** Sends an event. @throws UbusError PERMISSION_DENIED for ids that start with "ubus." */
  async send(id: string, data: BlobmsgInputTable = {}, options: RequestOptions = {}): Promise<void> {
    await sendEvent(this.#open(`send ${id}`), id, data, options);
  }

  /** Round trip to ubusd. */
  async ping(options: RequestOptions = {}): Promise<void> {
    await ping(this.#open('ping'), options);
  }

  /**
   * Puts an object on the bus, now if connected and again after each reconnect.
   * @throws UbusError INVALID_ARGUMENT if the path is taken or access rules forbid it
   */
  async publish(path: string, methods: Methods): Promise<Publication> {
    return await this.#attach(new Publication(this.#host, path, methods));
  }

  /** Follows the notifications of all objects that match, now and later. */
  async subscribe(pattern: string, handlers: SubscriptionHandlers): Promise<Subscription> {
    return await this.#attach(new Subscription(this.#host, pattern, handlers));
  }

  /** Receives events whose id matches. @throws UbusError PERMISSION_DENIED */
  async listen(pattern: string, onEvent: EventHandler): Promise<Listener> {
    return await this.#attach(new Listener(this.#host, pattern, onEvent));
  }

  /** Sees every message on the bus, now and after each reconnect. One at a time. @throws UbusError PERMISSION_DENIED unless root */
  async monitor(onMessage: (message: MonitoredMessage) => void): Promise<Monitor> {
    return await this.#attach(new Monitor(this.#host, onMessage));
  }

  #open(what: string): UbusConnection {
    if (this.#connection?.isOpen !== true)
      throw new UbusError(UbusStatus.CONNECTION_FAILED, `${what}: not connected to ${this.path}`);
    return this.#connection;
  }

  #call(
    path: string,
    method: string,
    args: BlobmsgInputTable,
    options: RequestOptions,
    resolve: (replies: readonly BlobmsgTable[]) => void,
    reject: (error: Error) => void,
  ): void {
    const what = `call ${path} ${method}`;
    const connection = this.#open(what);
    const known = this.#ids.get(path);
    // Looks the object up and calls it; `stale` is an id that was just answered with "not found".
    const callFresh = async (stale?: UbusError): Promise<readonly BlobmsgTable[]> => {
      const id = await this.#idOf(connection, path, what, options);
      if (stale !== undefined && id === known) throw stale;
      return await invoke(connection, id, method, args, what, options);
    };
    if (known === undefined) {
      callFresh().then(resolve, reject);
      return;
    }
    const onEnd = (error: Error | undefined, replies: readonly BlobmsgTable[]): void => {
      if (error === undefined) resolve(replies);
      // Either the service says so, or the object was published anew since we looked.
      else if (error instanceof UbusError && error.status === UbusStatus.NOT_FOUND)
        callFresh(error).then(resolve, reject);
      else reject(error);
    };
    beginInvoke(connection, known, method, args, what, onEnd, options);
  }

  async #idOf(connection: UbusConnection, path: string, what: string, options: RequestOptions): Promise<number> {
    const [object] = path.endsWith('*') ? [] : await lookup(connection, path, options);
    if (object === undefined) throw new UbusError(UbusStatus.NOT_FOUND, what);
    if (this.#ids.size >= MAX_KNOWN_IDS) this.#ids.clear();
    if (connection === this.#connection) this.#ids.set(path, object.id);
    return object.id;
  }

  async #attach<T extends Attachment>(attachment: T): Promise<T> {
    const connection = this.#connection;
    if (connection?.isOpen === true) {
      try {
        await attachment.attach(connection);
      } catch (error) {
        // Refused is refused; but a connection lost meanwhile is no reason to forget it.
        if (connection.isOpen) throw error;
      }
    }
    this.#attachments.add(attachment);
    if (this.#connection !== connection && this.#connection !== undefined)
      await this.#restore(this.#connection, attachment);
    return attachment;
  }

  async #restore(connection: UbusConnection, attachment: Attachment): Promise<void> {
    try {
      await attachment.attach(connection);
    } catch (error) {
      if (!connection.isOpen) return;
      this.emit('problem', error as Error);
      const retry = setTimeout(() => {
        if (connection.isOpen && (attachment === this.#watch || this.#attachments.has(attachment)))
          void this.#restore(connection, attachment);
      }, RETRY_ATTACH_MS);
      retry.unref();
    }
  }

  async #run(stop: AbortSignal): Promise<void> {
    let waitMs = this.#reconnectMs.first;
    let isAgain = false;
    while (!stop.aborted) {
      try {
        const reason = await this.#live(stop, isAgain);
        waitMs = this.#reconnectMs.first;
        isAgain = true;
        if (!stop.aborted) this.emit('disconnected', reason);
      } catch (error) {
        if (!stop.aborted) this.emit('problem', error as Error);
      }
      await sleep(waitMs, undefined, { signal: stop }).catch(() => undefined);
      waitMs = Math.min(2 * waitMs, this.#reconnectMs.longest);
    }
  }

  /** One connection from HELLO to its end; resolves with why it ended. @throws UbusError if there was none. */
  async #live(stop: AbortSignal, isAgain: boolean): Promise<Error> {
    let onClosed: (reason: Error) => void = () => undefined;
    const closed = new Promise<Error>((resolve) => {
      onClosed = resolve;
    });
    const connection = await UbusConnection.open(this.path, this.#limits, onClosed, stop);
    this.#ids.clear();
    // Before anything is looked up: an object that appears from now on is seen, by one way or the other.
    await this.#restore(connection, this.#watch);
    this.#connection = connection;
    for (const attachment of [...this.#attachments]) await this.#restore(connection, attachment);
    if (connection.isOpen) {
      this.#isReady = true;
      if (isAgain) this.emit('resync');
      this.emit('connected');
    }
    const reason = await closed;
    this.#isReady = false;
    this.#connection = undefined;
    return reason;
  }

  #objectChanged(event: string, data: BlobmsgTable): void {
    const { id, path } = data;
    if (typeof path !== 'string') return;
    this.#ids.delete(path);
    // Ids travel as signed 32 bit in events.
    if (event === 'ubus.object.remove' && typeof id === 'number') this.#failCallsTo(id >>> 0);
    for (const attachment of this.#attachments) {
      if (attachment instanceof Subscription && attachment.matches(path)) attachment.rescan();
    }
  }

  /** A call that came too late is answered "not found" by ubusd; one that the owner took with it is never answered. */
  #failCallsTo(id: number): void {
    const connection = this.#connection;
    if (connection?.isWaitingFor(id) !== true) return;
    // What ubusd has to say about them comes before its answer to this.
    ping(connection).then(
      () => connection.failPeer(id),
      (error: Error) => this.emit('problem', error),
    );
  }
}
