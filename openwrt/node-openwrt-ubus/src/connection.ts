/**
 * One connection to ubusd: HELLO, requests matched to their STATUS by sequence number, and messages for our own objects
 * handed to whoever registered them. Knows nothing of reconnecting; that is UbusClient.
 */
import { connect, type Socket } from 'node:net';
import { FrameScanner } from './frame-reader.ts';
import {
  type Message,
  type MessageAttributes,
  MessageType,
  MIN_FRAME_LENGTH,
  messageFromBytes,
  type OutgoingAttributes,
} from './message.ts';
import { Outbox } from './outbox.ts';
import { PendingRequests, type RequestHandler, type RequestOptions } from './pending.ts';
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

/** What one read takes at most; one buffer for the life of the connection. */
const READ_BYTES = 65_536;

export class UbusConnection {
  readonly #socket: Socket;
  readonly #limits: ConnectionLimits;
  readonly #outbox: Outbox;
  readonly #pending = new PendingRequests();
  readonly #objects = new Map<number, ObjectHandler>();
  readonly #onClosed: (reason: Error) => void;
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
    let onBytes: (bytes: Buffer) => void = () => undefined;
    const socket = connect({
      path,
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BYTES),
        callback: (count, buffer) => {
          onBytes((buffer as Buffer).subarray(0, count));
          return true;
        },
      },
    });
    const connection = new UbusConnection(socket, limits, onClosed);
    onBytes = connection.#take;
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
    this.#outbox = new Outbox(socket);
    socket.on('error', (error) => this.close(connectionLost(error.message, error)));
    socket.on('end', () => this.close(connectionLost('ubusd closed the connection')));
    socket.on('close', () => this.#finish());
  }

  /** Gets the payload of each MONITOR message; a view. */
  onMonitor: ((payload: Buffer) => void) | undefined;

  readonly #scanner = new FrameScanner((bytes, start, end) => {
    // Its attributes have numbers of their own.
    if (bytes[start + 1] === MessageType.MONITOR && bytes[start] === 0 && this.isOpen)
      this.onMonitor?.(bytes.subarray(start + MIN_FRAME_LENGTH, end));
    else this.#receive(messageFromBytes(bytes, start, end));
  });

  readonly #take = (bytes: Buffer): void => {
    try {
      this.#scanner.push(bytes);
    } catch (error) {
      this.close(connectionLost('stream from ubusd is broken', error));
    }
  };

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
      const onEnd = (error: Error | undefined, status: MessageAttributes): void => {
        if (error === undefined) resolve(status);
        else reject(error);
      };
      this.begin(type, peer, attributes, what, { onData, onEnd }, options);
    });
  }

  /** The same without a promise: `handler.onEnd` is called once, never before this returns. @throws as request() rejects */
  begin(
    type: number,
    peer: number,
    attributes: OutgoingAttributes,
    what: string,
    handler: RequestHandler,
    { timeoutMs = this.#limits.requestTimeoutMs, signal }: RequestOptions = {},
  ): void {
    if (signal?.aborted === true) throw signal.reason;
    if (this.#pending.size >= this.#limits.maxPending) {
      throw new UbusError(UbusStatus.NO_MEMORY, `${what}: ${this.#pending.size} requests wait for an answer`);
    }
    const seq = this.#pending.nextSeq();
    this.post(type, seq, peer, attributes, what);
    this.#pending.add(seq, peer, what, timeoutMs, signal, handler);
  }

  /** Sends a message that nobody answers. @throws UbusError if the connection is gone or its queue is full. */
  post(type: number, seq: number, peer: number, attributes: OutgoingAttributes, what: string): void {
    if (!this.isOpen) throw connectionLost(what, this.#closedBy);
    if (this.#outbox.queuedBytes > this.#limits.maxQueuedBytes) {
      throw new UbusError(UbusStatus.NO_MEMORY, `${what}: ubusd has not read ${this.#outbox.queuedBytes} bytes`);
    }
    this.#outbox.append(type, seq, peer, attributes);
  }

  /** A sequence number that no pending request uses. */
  nextSeq(): number {
    return this.#pending.nextSeq();
  }

  /** Hands messages for the object `id` to `handler` from now on. */
  register(id: number, handler: ObjectHandler): void {
    this.#objects.set(id, handler);
  }

  unregister(id: number): void {
    this.#objects.delete(id);
  }

  isWaitingFor(peer: number): boolean {
    return this.#pending.isWaitingFor(peer);
  }

  /** Fails what waits for an object that is gone: ubusd itself says nothing when an owner dies during a call. */
  failPeer(id: number): void {
    this.#pending.fail(
      ({ peer }) => peer === id,
      ({ what }) => new UbusError(UbusStatus.CONNECTION_FAILED, `${what}: the object went away`),
    );
  }

  /** Closes at once. Wait for the answers first: ubusd drops messages that it reads together with the end. */
  close(reason?: unknown): void {
    // What was sent in this turn is sent.
    if (this.isOpen) this.#outbox.flush();
    this.#closedBy ??= reason instanceof Error ? reason : connectionLost('connection closed', reason);
    this.#socket.destroy();
  }

  #finish(): void {
    const reason = this.#closedBy ?? connectionLost('connection closed');
    this.#closedBy = reason;
    this.#pending.end(({ what }) => connectionLost(what, reason));
    this.#objects.clear();
    if (this.#clientId !== undefined) this.#onClosed(reason);
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
      pending.handler.onData(message.attributes);
    } catch (cause) {
      pending.failure = new UbusError(UbusStatus.PARSE_ERROR, pending.what, { cause });
    }
  }

  #takeStatus(message: Message): void {
    const pending = this.#pending.get(message.seq);
    if (pending === undefined) return;
    const { handler, peer } = pending;
    if (handler.onStatus === undefined ? peer !== message.peer : !handler.onStatus(message)) return;
    const status = message.attributes.status ?? UbusStatus.UNKNOWN_ERROR;
    const error = status === UbusStatus.OK ? pending.failure : new UbusError(status, pending.what);
    this.#pending.settle(message.seq, error, message.attributes);
  }
}

function connectionLost(what: string, cause?: unknown): UbusError {
  return new UbusError(UbusStatus.CONNECTION_FAILED, what, { cause });
}
