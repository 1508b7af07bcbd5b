/**
 * An object of ours on the bus: its methods are called by others, it notifies its subscribers, and it comes back after
 * ubusd was restarted.
 */
import { type Attachment, type AttachmentHost, guarded } from './attachment.ts';
import { type BlobmsgInputTable, type BlobmsgTable, BlobmsgType, fieldsFromBytes, tableFromFields } from './blobmsg.ts';
import type { UbusConnection } from './connection.ts';
import { type Message, MessageType, type OutgoingAttributes } from './message.ts';
import type { RequestOptions } from './pending.ts';
import { addObject, type NotifyAnswer, notifyAndWait, removeObject } from './requests.ts';
import { UbusError, UbusStatus } from './status.ts';

/** Who calls: user and group are set by ubusd from the socket's credentials and can be trusted. */
export type Caller = { readonly clientId: number; readonly user: string; readonly group: string };

/** One answer, several, or none. */
export type MethodReply = BlobmsgInputTable | readonly BlobmsgInputTable[] | undefined;

export type Method = {
  /**
   * Arguments by name, with their BlobmsgType (UNSPEC = any). The handler sees only declared arguments of exactly that
   * type: this is also how libubox services treat theirs.
   */
  readonly args?: Readonly<Record<string, number>>;
  /** Throw UbusError to answer with its status; any other error is answered with UNKNOWN_ERROR and reported. */
  readonly handler: (args: BlobmsgTable, caller: Caller) => MethodReply | Promise<MethodReply>;
};
export type Methods = Readonly<Record<string, Method>>;

/** Calls that one object works on at a time; more are answered with NO_MEMORY. */
const MAX_RUNNING = 128;

export class Publication implements Attachment {
  readonly path: string;
  readonly #host: AttachmentHost;
  readonly #methods: ReadonlyMap<string, Method>;
  readonly #signature: BlobmsgInputTable;
  #connection: UbusConnection | undefined;
  #objectId = 0;
  #isActive = false;
  #running = 0;

  constructor(host: AttachmentHost, path: string, methods: Methods) {
    this.#host = host;
    this.path = path;
    this.#methods = new Map(Object.entries(methods));
    this.#signature = Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, { ...method.args }]));
  }

  /** True while somebody subscribes to this object. */
  get hasSubscribers(): boolean {
    return this.#isActive && this.#connection?.isOpen === true;
  }

  /**
   * Sends a notification that needs no answer. False if it went nowhere: no subscriber, no bus, or a bus that does not read.
   */
  notify(type: string, data: BlobmsgInputTable = {}): boolean {
    const connection = this.#connection;
    if (connection === undefined || !this.hasSubscribers) return false;
    const attributes = { objectId: this.#objectId, method: type, data, noReply: 1 };
    return (
      guarded(
        this.#host,
        () =>
          connection.post(MessageType.NOTIFY, connection.nextSeq(), this.#objectId, attributes, `notify ${type}`) ??
          true,
      ) ?? false
    );
  }

  /**
   * Sends a notification that each subscriber answers, as hostapd does before it lets a station in. Empty if nobody subscribes.
   * @throws UbusError if the bus is gone or the queue is full
   */
  async notifyAndWait(
    type: string,
    data: BlobmsgInputTable = {},
    options?: RequestOptions,
  ): Promise<readonly NotifyAnswer[]> {
    const connection = this.#connection;
    if (connection?.isOpen !== true) throw new UbusError(UbusStatus.CONNECTION_FAILED, `notify ${type}: not connected`);
    return this.#isActive ? await notifyAndWait(connection, this.#objectId, type, data, options) : [];
  }

  async attach(connection: UbusConnection): Promise<void> {
    this.#isActive = false;
    const handler = {
      onInvoke: (message: Message) => this.#serve(connection, message),
      onActive: (isActive: boolean) => {
        this.#isActive = isActive;
      },
    };
    this.#objectId = await addObject(connection, handler, this.path, this.#signature);
    this.#connection = connection;
  }

  async detach(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection?.isOpen === true) await removeObject(connection, this.#objectId);
  }

  /** Removes the object from the bus for good. */
  async close(): Promise<void> {
    this.#host.release(this);
    await this.detach();
  }

  #serve(connection: UbusConnection, message: Message): void {
    const { attributes } = message;
    const answer = (type: number, fields: OutgoingAttributes): void => {
      // The caller may be gone or the bus lost meanwhile; there is nobody left to tell.
      if (connection.isOpen)
        guarded(this.#host, () => connection.post(type, message.seq, message.peer, fields, `answer of ${this.path}`));
    };
    const objectId = attributes.objectId as number;
    const method = attributes.method === undefined ? undefined : this.#methods.get(attributes.method);
    const args = attributes.data === undefined ? undefined : argumentsFromBytes(attributes.data, method?.args ?? {});
    const caller = { clientId: message.peer, user: attributes.user ?? '', group: attributes.group ?? '' };
    void this.#run(method, args, caller, answer, objectId).then((status) => {
      answer(MessageType.STATUS, { status, objectId });
    });
  }

  async #run(
    method: Method | undefined,
    args: BlobmsgTable | undefined,
    caller: Caller,
    answer: (type: number, fields: OutgoingAttributes) => void,
    objectId: number,
  ): Promise<number> {
    if (method === undefined) return UbusStatus.METHOD_NOT_FOUND;
    if (args === undefined) return UbusStatus.INVALID_ARGUMENT;
    if (this.#running >= MAX_RUNNING) return UbusStatus.NO_MEMORY;
    this.#running += 1;
    try {
      const reply = await method.handler(args, caller);
      const tables =
        reply === undefined
          ? []
          : Array.isArray(reply)
            ? (reply as readonly BlobmsgInputTable[])
            : [reply as BlobmsgInputTable];
      for (const data of tables) answer(MessageType.DATA, { objectId, data });
      return UbusStatus.OK;
    } catch (error) {
      if (error instanceof UbusError) return error.status;
      this.#host.onProblem(error instanceof Error ? error : new Error(String(error)));
      return UbusStatus.UNKNOWN_ERROR;
    } finally {
      this.#running -= 1;
    }
  }
}

function argumentsFromBytes(bytes: Buffer, declared: Readonly<Record<string, number>>): BlobmsgTable | undefined {
  try {
    const fields = fieldsFromBytes(bytes);
    return tableFromFields(
      fields.filter(
        ({ name, type }) =>
          Object.hasOwn(declared, name) && (declared[name] === BlobmsgType.UNSPEC || declared[name] === type),
      ),
    );
  } catch {
    return undefined;
  }
}
