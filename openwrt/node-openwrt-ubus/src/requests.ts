/**
 * The requests of the ubus protocol, one function each, over an open connection. Stateless: caching, retrying and
 * restoring are the client's.
 */
import { type BlobmsgInputTable, type BlobmsgTable, BlobmsgType, tableFromBytes } from './blobmsg.ts';
import type { ObjectHandler, UbusConnection } from './connection.ts';
import { type Message, type MessageAttributes, MessageType, type OutgoingAttributes } from './message.ts';
import type { RequestOptions } from './pending.ts';
import { UbusError, UbusStatus } from './status.ts';

/** An object on the bus. Its id changes each time its owner publishes it anew. */
export type UbusObject = {
  readonly path: string;
  readonly id: number;
  /** Argument names and blobmsg types by method. */
  readonly methods: Readonly<Record<string, Readonly<Record<string, number>>>>;
};

/** System object for events. */
export const EVENT_OBJECT = 1;

/** Subscribers are programs on the same router; hostapd gives its own 100 ms. */
const NOTIFY_TIMEOUT_MS = 1_000;

const IGNORE = (): void => undefined;

/**
 * Objects whose path is `pattern`, or starts with it if it ends in "*". Empty if there is none, or if access rules hide it.
 */
export async function lookup(
  connection: UbusConnection,
  pattern: string,
  options?: RequestOptions,
): Promise<UbusObject[]> {
  // Before 24.10 an empty path makes ubusd read out of bounds.
  if (pattern === '') throw new UbusError(UbusStatus.INVALID_ARGUMENT, 'lookup of an empty path');
  const objects: UbusObject[] = [];
  const attributes = pattern === '*' ? {} : { objectPath: pattern };
  try {
    await connection.request(
      MessageType.LOOKUP,
      0,
      attributes,
      `lookup ${pattern}`,
      (reply) => objects.push(objectFrom(reply)),
      options,
    );
  } catch (error) {
    if (error instanceof UbusError && error.status === UbusStatus.NOT_FOUND) return [];
    throw error;
  }
  return objects;
}

/** Calls a method; each DATA of the answer becomes one table. */
export function invoke(
  connection: UbusConnection,
  objectId: number,
  method: string,
  args: BlobmsgInputTable,
  what: string,
  options?: RequestOptions,
): Promise<BlobmsgTable[]> {
  return new Promise((resolve, reject) => {
    const onEnd = (error: Error | undefined, replies: BlobmsgTable[]): void => {
      if (error === undefined) resolve(replies);
      else reject(error);
    };
    beginInvoke(connection, objectId, method, args, what, onEnd, options);
  });
}

/** The same without a promise. @throws as invoke() rejects, for what is refused before it is sent */
export function beginInvoke(
  connection: UbusConnection,
  objectId: number,
  method: string,
  args: BlobmsgInputTable,
  what: string,
  onEnd: (error: Error | undefined, replies: BlobmsgTable[]) => void,
  options?: RequestOptions,
): void {
  const replies: BlobmsgTable[] = [];
  const handler = {
    onData: ({ data }: MessageAttributes): void => {
      replies.push(data === undefined ? {} : tableFromBytes(data));
    },
    onEnd: (error: Error | undefined): void => onEnd(error, replies),
  };
  // DATA is sent even when empty: libubus services refuse a call without it.
  connection.begin(MessageType.INVOKE, objectId, { objectId, method, data: args }, what, handler, options);
}

/**
 * Adds an object and returns its id. Without `path` it is anonymous: a subscriber or event listener. `handler` is
 * registered before this resolves, because ubusd may call the object in the same breath.
 */
export async function addObject(
  connection: UbusConnection,
  handler: ObjectHandler,
  path?: string,
  signature?: BlobmsgInputTable,
  options?: RequestOptions,
): Promise<number> {
  let objectId: number | undefined;
  const attributes: OutgoingAttributes = path === undefined ? {} : { objectPath: path, signature: signature ?? {} };
  const take = (reply: MessageAttributes): void => {
    objectId = reply.objectId;
    if (objectId !== undefined) connection.register(objectId, handler);
  };
  await connection.request(MessageType.ADD_OBJECT, 0, attributes, `add object ${path ?? '(anonymous)'}`, take, options);
  if (objectId === undefined) throw new UbusError(UbusStatus.NO_DATA, `add object ${path ?? '(anonymous)'}: no id`);
  return objectId;
}

export async function removeObject(connection: UbusConnection, objectId: number): Promise<void> {
  await connection.request(MessageType.REMOVE_OBJECT, 0, { objectId }, 'remove object', IGNORE);
  connection.unregister(objectId);
}

/** Lets our object `objectId` receive the notifications of `target`. Twice means every notification twice. */
export async function subscribe(
  connection: UbusConnection,
  objectId: number,
  target: number,
  what: string,
): Promise<void> {
  await connection.request(MessageType.SUBSCRIBE, 0, { objectId, target }, what, IGNORE);
}

/** What a subscriber answered to a notification that asked for it; TIMEOUT if it did not in time. */
export type NotifyAnswer = { readonly subscriberId: number; readonly status: number };

/**
 * Notifies the subscribers of our object and waits for the status of each. Empty if nobody subscribes.
 * @throws UbusError if ubusd refuses it or the connection is lost
 */
export function notifyAndWait(
  connection: UbusConnection,
  objectId: number,
  method: string,
  data: BlobmsgInputTable,
  options: RequestOptions = { timeoutMs: NOTIFY_TIMEOUT_MS },
): Promise<readonly NotifyAnswer[]> {
  return new Promise((resolve, reject) => {
    const answers: NotifyAnswer[] = [];
    // One entry for each delivery: an object that subscribed twice answers twice.
    let silent: number[] | undefined;
    const onStatus = ({ peer, attributes }: Message): boolean => {
      if (silent === undefined) {
        // ubusd's own: who will answer.
        if (peer !== objectId) return false;
        if (attributes.status === UbusStatus.OK) silent = [...(attributes.subscribers ?? [])];
        return silent === undefined || silent.length === 0;
      }
      const at = silent.indexOf(peer);
      if (at < 0) return false;
      silent.splice(at, 1);
      answers.push({ subscriberId: peer, status: attributes.status ?? UbusStatus.UNKNOWN_ERROR });
      return silent.length === 0;
    };
    const onEnd = (error: Error | undefined): void => {
      const isLate = error instanceof UbusError && error.status === UbusStatus.TIMEOUT;
      if (silent === undefined || (error !== undefined && silent.length > 0 && !isLate)) reject(error);
      else resolve([...answers, ...silent.map((subscriberId) => ({ subscriberId, status: UbusStatus.TIMEOUT }))]);
    };
    const attributes = { objectId, method, data };
    connection.begin(
      MessageType.NOTIFY,
      objectId,
      attributes,
      `notify ${method}`,
      { onData: IGNORE, onEnd, onStatus },
      options,
    );
  });
}

/** Lets our object `objectId` receive events whose id matches. */
export async function registerEvents(connection: UbusConnection, objectId: number, pattern: string): Promise<void> {
  // Object ids travel as signed 32 bit here.
  await invoke(connection, EVENT_OBJECT, 'register', { object: objectId | 0, pattern }, `listen ${pattern}`);
}

export async function sendEvent(
  connection: UbusConnection,
  id: string,
  data: BlobmsgInputTable,
  options?: RequestOptions,
): Promise<void> {
  await invoke(connection, EVENT_OBJECT, 'send', { id, data }, `send ${id}`, options);
}

/** Resolves when ubusd has answered: everything written before has been read by it. */
export async function ping(connection: UbusConnection, options?: RequestOptions): Promise<void> {
  await connection.request(MessageType.PING, 0, {}, 'ping', IGNORE, options);
}

function objectFrom(reply: MessageAttributes): UbusObject {
  const { objectPath, objectId, signature } = reply;
  if (objectPath === undefined || objectId === undefined)
    throw new UbusError(UbusStatus.PARSE_ERROR, 'lookup reply without path or id');
  const methods: Record<string, Record<string, number>> = Object.create(null);
  const table = signature === undefined ? {} : tableFromBytes(signature);
  for (const [method, args] of Object.entries(table)) {
    const types: Record<string, number> = Object.create(null);
    if (args !== null && typeof args === 'object') {
      for (const [name, type] of Object.entries(args))
        types[name] = typeof type === 'number' ? type : BlobmsgType.UNSPEC;
    }
    methods[method] = types;
  }
  return { path: objectPath, id: objectId, methods };
}
