/**
 * Stand-in for ubusd, for tests and the demo: the same frames as the real daemon of OpenWrt 24.10, tested against the
 * captures in test/vectors/ubus and, where there is one, against the real daemon. Who is connected is said by whoever starts
 * it (Node does not tell the credentials of a peer): root, unless said otherwise. No file descriptors.
 */
import { randomInt } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { BlobWriter } from '../../../openwrt/node-openwrt-ubus/src/blob.ts';
import {
  bytesFromMessage,
  type Message,
  MessageType,
  messageFromBytes,
  type OutgoingAttributes,
} from '../../../openwrt/node-openwrt-ubus/src/message.ts';
import { UbusStatus } from '../../../openwrt/node-openwrt-ubus/src/status.ts';
import { type AccessFile, AccessRules } from './access-rules.ts';
import { type BusClient, type Credentials, ROOT } from './bus-client.ts';
import { EventRegistry } from './event-registry.ts';
import { takeFrames } from './frame-intake.ts';
import { MonitorList } from './monitor-list.ts';
import { type BusObject, FIRST_CLIENT_ID, ObjectTable, SystemObject } from './object-table.ts';
import { rawFieldsFromBytes } from './raw-field.ts';
import { SubscriptionBook } from './subscription-book.ts';

/** As the real one: whole messages beyond this are dropped, the connection stays. */
const MAX_QUEUED_BYTES = 1_048_576;

export type UbusDaemonOptions = {
  /** Random ids of clients, objects and types; a replay hands out the recorded ones. */
  readonly nextId?: () => number;
  /** Who the next connection is; undefined for somebody without an account, who is turned away. */
  readonly credentials?: () => Credentials | undefined;
  readonly accessFiles?: readonly AccessFile[];
};

export class UbusDaemon {
  readonly path: string;
  readonly #server: Server;
  readonly #nextId: () => number;
  readonly #credentials: () => Credentials | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #clients = new Map<number, BusClient>();
  readonly #objects: ObjectTable;
  readonly #subscriptions: SubscriptionBook;
  readonly #events: EventRegistry;
  readonly #monitors = new MonitorList();
  #rules: AccessRules;
  #rulesSequence = 1;

  /** Listens on a unix socket. */
  static async start(path: string, options: UbusDaemonOptions = {}): Promise<UbusDaemon> {
    rmSync(path, { force: true });
    const daemon = new UbusDaemon(path, options);
    await new Promise<void>((resolve, reject) => {
      daemon.#server.once('error', reject);
      daemon.#server.listen(path, resolve);
    });
    // Whoever may connect to the real one may connect to this: rules say what they may do then.
    chmodSync(path, 0o666);
    return daemon;
  }

  private constructor(path: string, options: UbusDaemonOptions) {
    this.path = path;
    this.#nextId = options.nextId ?? (() => randomInt(FIRST_CLIENT_ID, 2 ** 32));
    this.#credentials = options.credentials ?? (() => ROOT);
    this.#rules = new AccessRules(options.accessFiles);
    this.#objects = new ObjectTable(this.#nextId);
    this.#subscriptions = new SubscriptionBook(this.#objects, () => this.#rules);
    this.#events = new EventRegistry(this.#objects, () => this.#rules);
    this.#server = createServer({ allowHalfOpen: false }, (socket) => this.#accept(socket));
  }

  /** Takes other access files, as ubusd does on SIGHUP, and tells of it. */
  setAccessFiles(files: readonly AccessFile[]): void {
    this.#rules = new AccessRules(files);
    this.#rulesSequence += 1;
    this.#events.accessRulesChanged(this.#rulesSequence);
  }

  /** Closes all connections, as `killall ubusd` does. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    const credentials = this.#credentials();
    if (credentials === undefined) {
      socket.destroy();
      return;
    }
    const writer = new BlobWriter();
    const id = this.#nextId();
    const write = (frame: Buffer): void => {
      if (!socket.destroyed && socket.writableLength <= MAX_QUEUED_BYTES) socket.write(frame);
    };
    const forward = (frame: Buffer): void => {
      this.#monitors.tell(id, frame, true);
      write(frame);
    };
    const send: BusClient['send'] = (...message) => forward(bytesFromMessage(writer, ...message));
    const client: BusClient = { id, credentials, write, forward, send };
    this.#sockets.add(socket);
    this.#clients.set(id, client);
    takeFrames(socket, (frame) => {
      this.#monitors.tell(id, frame, false);
      this.#receive(client, frame);
    });
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#leave(client);
    });
    client.send(MessageType.HELLO, 0, id, {});
  }

  #leave(client: BusClient): void {
    this.#monitors.forget(client);
    for (const object of this.#objects.ownedBy(client)) this.#remove(object);
    this.#clients.delete(client.id);
  }

  #receive(client: BusClient, frame: Buffer): void {
    const message = messageFromBytes(frame);
    const status = this.#answer(client, message, frame);
    if (status !== undefined) client.send(MessageType.STATUS, message.seq, message.peer, { status });
  }

  /** Status that ends the request; undefined if it comes from somebody else, or not at all. */
  #answer(client: BusClient, message: Message, frame: Buffer): number | undefined {
    switch (message.type) {
      case MessageType.PING:
        client.forward(changed(frame, MessageType.DATA, message.peer));
        return UbusStatus.OK;
      case MessageType.LOOKUP:
        return this.#lookup(client, message);
      case MessageType.INVOKE:
        return this.#invoke(client, message);
      case MessageType.ADD_OBJECT:
        return this.#add(client, message);
      case MessageType.REMOVE_OBJECT:
        return this.#removeOwn(client, message);
      case MessageType.SUBSCRIBE:
        return this.#subscriptions.subscribe(client, message.attributes);
      case MessageType.UNSUBSCRIBE:
        return this.#subscriptions.unsubscribe(client, message.attributes);
      case MessageType.NOTIFY:
        return this.#subscriptions.notify(client, message);
      case MessageType.DATA:
      case MessageType.STATUS:
        return this.#relay(client, message, frame);
      default:
        return UbusStatus.INVALID_COMMAND;
    }
  }

  #lookup(client: BusClient, { seq, peer, attributes: { objectPath } }: Message): number {
    if (objectPath === '') return UbusStatus.INVALID_ARGUMENT;
    const found = this.#objects.matching(objectPath ?? '*');
    for (const { path, id, type } of found) {
      // An object without a signature exists but is not shown: STATUS 0 and no DATA.
      if (type === undefined) continue;
      const methods = rawFieldsFromBytes(type.signature);
      const shown = methods.filter(({ name }) => this.#rules.allows(client.credentials, 'access', path, name));
      // Nor is one of which nothing may be called.
      if (shown.length === 0 && methods.length > 0) continue;
      client.send(MessageType.DATA, seq, peer, {
        objectPath: path as string,
        objectId: id,
        objectType: type.id,
        signature: Buffer.concat(shown.map(({ whole }) => whole)),
      });
    }
    return found.length === 0 && objectPath !== undefined ? UbusStatus.NOT_FOUND : UbusStatus.OK;
  }

  #invoke(client: BusClient, message: Message): number | undefined {
    const { seq, attributes } = message;
    const { objectId, method, data } = attributes;
    if (objectId === undefined || method === undefined) return UbusStatus.INVALID_ARGUMENT;
    if (objectId === SystemObject.EVENT) return this.#events.invoke(client, method, data);
    if (objectId === SystemObject.ACL) return this.#queryRules(client, message);
    if (objectId === SystemObject.MONITOR) return this.#monitors.invoke(client, method);
    const object = this.#objects.byId(objectId);
    if (object === undefined) return UbusStatus.NOT_FOUND;
    const { credentials } = client;
    if (!this.#rules.allows(credentials, 'access', object.path, method)) return UbusStatus.PERMISSION_DENIED;
    const { user, group } = credentials;
    const forwarded: OutgoingAttributes = { objectId, method, user, group };
    if (data !== undefined) forwarded.data = data;
    object.owner.send(MessageType.INVOKE, seq, client.id, forwarded);
    return undefined;
  }

  /** System object 2: what the access files say to the owner of an object. */
  #queryRules(client: BusClient, { seq, peer, attributes: { method } }: Message): number {
    if (method !== 'query') return UbusStatus.INVALID_COMMAND;
    const paths = this.#objects.ownedBy(client).flatMap(({ path }) => path ?? []);
    const acl = paths.flatMap((path) => this.#rules.rowsFor(path));
    client.send(MessageType.DATA, seq, peer, { objectId: SystemObject.ACL, data: { seq: this.#rulesSequence, acl } });
    return UbusStatus.OK;
  }

  /** An answer of an object's owner, or of a subscriber: goes to the client it names, as coming from the object. */
  #relay(client: BusClient, { type, peer, attributes }: Message, frame: Buffer): undefined {
    const { objectId, status, data } = attributes;
    if ((type === MessageType.STATUS ? status : data) === undefined) return undefined;
    const object = objectId === undefined ? undefined : this.#objects.byId(objectId);
    if (object?.owner === client) this.#clients.get(peer)?.forward(changed(frame, type, object.id));
    return undefined;
  }

  #add(client: BusClient, { seq, peer, attributes }: Message): number {
    const { objectPath, signature, objectType } = attributes;
    // Not PERMISSION_DENIED, in the real daemon either.
    if (!this.#rules.allows(client.credentials, 'publish', objectPath)) return UbusStatus.INVALID_ARGUMENT;
    const object = this.#objects.add(client, objectPath, signature, objectType);
    if (object === undefined) return UbusStatus.INVALID_ARGUMENT;
    if (object.path !== undefined) this.#events.objectChanged('ubus.object.add', object);
    const reply: OutgoingAttributes = { objectId: object.id };
    if (signature !== undefined && object.type !== undefined) reply.objectType = object.type.id;
    client.send(MessageType.DATA, seq, peer, reply);
    return UbusStatus.OK;
  }

  #removeOwn(client: BusClient, { seq, peer, attributes: { objectId } }: Message): number {
    if (objectId === undefined) return UbusStatus.INVALID_ARGUMENT;
    const object = this.#objects.byId(objectId);
    if (object === undefined) return UbusStatus.NOT_FOUND;
    if (object.owner !== client) return UbusStatus.PERMISSION_DENIED;
    const reply: OutgoingAttributes = { objectId };
    // The type goes with its last object.
    if (object.type?.uses === 1) reply.objectType = object.type.id;
    client.send(MessageType.DATA, seq, peer, reply);
    this.#remove(object);
    return UbusStatus.OK;
  }

  #remove(object: BusObject): void {
    this.#subscriptions.drop(object);
    this.#events.forget(object);
    if (object.path !== undefined) this.#events.objectChanged('ubus.object.remove', object);
    this.#objects.remove(object);
  }
}

/** A copy of a frame with another type and peer; the rest goes on byte for byte. */
function changed(frame: Buffer, type: number, peer: number): Buffer {
  const copy = Buffer.from(frame);
  copy.writeUInt8(type, 1);
  copy.writeUInt32BE(peer, 4);
  return copy;
}
