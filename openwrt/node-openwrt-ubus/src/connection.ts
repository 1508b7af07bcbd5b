/**
 * One connection to ubusd: HELLO, requests matched to their STATUS by sequence number, and messages for our own objects
 * handed to whoever registered them. Knows nothing of reconnecting; that is UbusClient.
 */
import { connect, type Socket } from 'node:net';
import { BlobWriter } from './blob.ts';
import { FrameReader } from './frame-reader.ts';
import {
  bytesFromMessage,
  type Message,
  type MessageAttributes,
  MessageType,
  messageFromBytes,
  type OutgoingAttributes,
} from './message.ts';
import { UbusError, UbusStatus } from './status.ts';

export type ConnectionLimits = {
  /** ubusd sends HELLO at once; a socket that stays silent is not ubusd. */
  readonly helloTimeoutMs: number;
  /** A request without its own timeout gives up after this long (30 s is the ubus command's default). */
  readonly requestTimeoutMs: number;
  /** Requests without an answer so far; more are refused with NO_MEMORY. */
  readonly maxPending: number;
  /** Bytes that ubusd has not taken yet; more are refused with NO_MEMORY. */
  readonly maxQueuedBytes: number;
  /** DATA messages to one request; a request with more ends with PARSE_ERROR. */
  readonly maxReplies: number;
};

export const DEFAULT_LIMITS: ConnectionLimits = {
  helloTimeoutMs: 5_000,
  requestTimeoutMs: 30_000,
  maxPending: 1_024,
  maxQueuedBytes: 4 * 1_048_576,
  maxReplies: 4_096,
};

/** What one of our objects does with messages that ubusd sends to it. Called synchronously; must not throw. */
export type ObjectHandler = {
  onInvoke(message: Message): void;
  /** First subscriber came, last one went. */
  onActive?(isActive: boolean): void;
  /** The object we had subscribed to is gone. */
  onUnsubscribed?(target: number): void;
};

export type RequestOptions = { readonly timeoutMs?: number | undefined; readonly signal?: AbortSignal | undefined };

type Pending = {
  readonly peer: number;
  readonly what: string;
  readonly onData: (attributes: MessageAttributes) => void;
  readonly settle: (error: Error | undefined, status: MessageAttributes) => void;
  replies: number;
  failure?: Error;
};

export class UbusConnection {
  readonly #socket: Socket;
  readonly #limits: ConnectionLimits;
  readonly #writer = new BlobWriter();
  readonly #pending = new Map<number, Pending>();
  readonly #objects = new Map<number, ObjectHandler>();
  readonly #onClosed: (reason: Error) => void;
  #seq = 0;
  #clientId: number | undefined;
  #closedBy: Error | undefined;
  #onHello: (() => void) | undefined;

  /** Connects and waits for HELLO. `onClosed` is called once, only after a connection that was established. */
  static async open(
    path: string,
    limits: ConnectionLimits,
    onClosed: (reason: Error) => void,
    signal?: AbortSignal,
  ): Promise<UbusConnection> {
    signal?.throwIfAborted();
    const socket = connect({ path });
    const connection = new UbusConnection(socket, limits, onClosed);
    const abort = (): void => connection.close(signal?.reason);
    const timer = setTimeout(() => connection.close(connectionLost('no HELLO from ubusd')), limits.helloTimeoutMs);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await new Promise<void>((resolve, reject) => {
        connection.#onHello = resolve;
        socket.once('close', () => reject(connection.#closedBy));
      });
      return connection;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  private constructor(socket: Socket, limits: ConnectionLimits, onClosed: (reason: Error) => void) {
    this.#socket = socket;
    this.#limits = limits;
    this.#onClosed = onClosed;
    const reader = new FrameReader((frame) => this.#receive(messageFromBytes(frame)));
    socket.on('data', (chunk) => {
      try {
        reader.push(chunk);
      } catch (error) {
        this.close(connectionLost('stream from ubusd is broken', error));
      }
    });
    socket.on('error', (error) => this.close(connectionLost(error.message, error)));
    socket.on('end', () => this.close(connectionLost('ubusd closed the connection')));
    socket.on('close', () => this.#finish());
  }

  /** Our client id on this bus. */
  get clientId(): number {
    return this.#clientId as number;
  }

  get isOpen(): boolean {
    return this.#clientId !== undefined && this.#closedBy === undefined;
  }

  /**
   * Sends a request and resolves with the attributes of its STATUS 0. `onData` sees each DATA as it arrives; its
   * attributes hold views and must be decoded before it returns.
   * @throws UbusError for any other status, a timeout, a full queue or a lost connection; the reason of an abort.
   */
  request(
    type: number,
    peer: number,
    attributes: OutgoingAttributes,
    what: string,
    onData: (attributes: MessageAttributes) => void,
    options: RequestOptions = {},
  ): Promise<MessageAttributes> {
    return new Promise((resolve, reject) => {
      const { signal } = options;
      if (signal?.aborted === true) throw signal.reason;
      if (this.#pending.size >= this.#limits.maxPending) {
        throw new UbusError(UbusStatus.NO_MEMORY, `${what}: ${this.#pending.size} requests wait for an answer`);
      }
      const seq = this.#nextSeq();
      this.post(type, seq, peer, attributes, what);
      const timeoutMs = options.timeoutMs ?? this.#limits.requestTimeoutMs;
      const timer = setTimeout(
        () => settle(new UbusError(UbusStatus.TIMEOUT, `${what}: no answer in ${timeoutMs} ms`), {}),
        timeoutMs,
      );
      const abort = (): void => settle(signal?.reason as Error, {});
      const settle = (error: Error | undefined, status: MessageAttributes): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        this.#pending.delete(seq);
        if (error === undefined) resolve(status);
        else reject(error);
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#pending.set(seq, { peer, what, onData, settle, replies: 0 });
    });
  }

  /** Sends a message that nobody answers. @throws UbusError if the connection is gone or its queue is full. */
  post(type: number, seq: number, peer: number, attributes: OutgoingAttributes, what: string): void {
    if (!this.isOpen) throw connectionLost(what, this.#closedBy);
    if (this.#socket.writableLength > this.#limits.maxQueuedBytes) {
      throw new UbusError(UbusStatus.NO_MEMORY, `${what}: ubusd has not read ${this.#socket.writableLength} bytes`);
    }
    this.#socket.write(bytesFromMessage(this.#writer, type, seq, peer, attributes));
  }

  /** A sequence number that no pending request uses. */
  nextSeq(): number {
    return this.#nextSeq();
  }

  /** Hands messages for the object `id` to `handler` from now on. */
  register(id: number, handler: ObjectHandler): void {
    this.#objects.set(id, handler);
  }

  unregister(id: number): void {
    this.#objects.delete(id);
  }

  isWaitingFor(peer: number): boolean {
    return [...this.#pending.values()].some((pending) => pending.peer === peer);
  }

  /** Fails what waits for an object that is gone: ubusd itself says nothing when an owner dies during a call. */
  failPeer(id: number): void {
    for (const pending of [...this.#pending.values()]) {
      if (pending.peer === id)
        pending.settle(new UbusError(UbusStatus.CONNECTION_FAILED, `${pending.what}: the object went away`), {});
    }
  }

  /** Closes at once. Wait for the answers first: ubusd drops messages that it reads together with the end. */
  close(reason?: unknown): void {
    this.#closedBy ??= reason instanceof Error ? reason : connectionLost('connection closed', reason);
    this.#socket.destroy();
  }

  #finish(): void {
    const reason = this.#closedBy ?? connectionLost('connection closed');
    this.#closedBy = reason;
    for (const pending of [...this.#pending.values()]) pending.settle(connectionLost(pending.what, reason), {});
    this.#objects.clear();
    if (this.#clientId !== undefined) this.#onClosed(reason);
  }

  #nextSeq(): number {
    do this.#seq = (this.#seq % 0xffff) + 1;
    while (this.#pending.has(this.#seq));
    return this.#seq;
  }

  #receive(message: Message): void {
    // Frames of one chunk go on arriving after a handler has closed the connection.
    if (this.#closedBy !== undefined) return;
    if (message.version !== 0 || message.type > MessageType.MONITOR) {
      this.close(connectionLost(`ubusd sent version ${message.version}, type ${message.type}`));
      return;
    }
    if (this.#clientId === undefined) {
      this.#takeHello(message);
      return;
    }
    const { attributes } = message;
    if (message.type === MessageType.DATA) this.#takeData(message);
    else if (message.type === MessageType.STATUS) this.#takeStatus(message);
    else if (attributes.objectId !== undefined) {
      const handler = this.#objects.get(attributes.objectId);
      if (message.type === MessageType.INVOKE) handler?.onInvoke(message);
      else if (message.type === MessageType.NOTIFY) handler?.onActive?.(attributes.active === 1);
      else if (message.type === MessageType.UNSUBSCRIBE && attributes.target !== undefined)
        handler?.onUnsubscribed?.(attributes.target);
    }
  }

  #takeHello(message: Message): void {
    if (message.type !== MessageType.HELLO) {
      this.close(connectionLost(`expected HELLO, got message type ${message.type}`));
      return;
    }
    this.#clientId = message.peer;
    this.#onHello?.();
  }

  #takeData(message: Message): void {
    const pending = this.#pending.get(message.seq);
    // An answer to a request that was given up, or from a subscriber to an earlier notification.
    if (pending === undefined || pending.peer !== message.peer || pending.failure !== undefined) return;
    pending.replies += 1;
    try {
      if (pending.replies > this.#limits.maxReplies)
        throw new RangeError(`more than ${this.#limits.maxReplies} replies`);
      pending.onData(message.attributes);
    } catch (cause) {
      pending.failure = new UbusError(UbusStatus.PARSE_ERROR, pending.what, { cause });
    }
  }

  #takeStatus(message: Message): void {
    const pending = this.#pending.get(message.seq);
    if (pending === undefined || pending.peer !== message.peer) return;
    const status = message.attributes.status ?? UbusStatus.UNKNOWN_ERROR;
    if (status !== UbusStatus.OK) pending.settle(new UbusError(status, pending.what), message.attributes);
    else pending.settle(pending.failure, message.attributes);
  }
}

function connectionLost(what: string, cause?: unknown): UbusError {
  return new UbusError(UbusStatus.CONNECTION_FAILED, what, { cause });
}
