/**
 * Stand-in for ubusd, for tests and the demo: the same frames as the real daemon of OpenWrt 24.10, tested against the
 * captures in test/vectors/ubus. Everybody is root here: no access rules, no file descriptors.
 */
import { randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { BlobWriter } from '../../../openwrt/node-openwrt-ubus/src/blob.ts';
import { FrameReader } from '../../../openwrt/node-openwrt-ubus/src/frame-reader.ts';
import {
  bytesFromMessage,
  type Message,
  MessageType,
  messageFromBytes,
  type OutgoingAttributes,
} from '../../../openwrt/node-openwrt-ubus/src/message.ts';
import { UbusStatus } from '../../../openwrt/node-openwrt-ubus/src/status.ts';
import type { BusClient } from './bus-client.ts';
import { EventRegistry } from './event-registry.ts';
import { MonitorList } from './monitor-list.ts';
import { type BusObject, ObjectTable } from './object-table.ts';

/** Where system objects live; ids below 1024 are never given to others. */
const EVENT_OBJECT = 1;
const ACL_OBJECT = 2;
const MONITOR_OBJECT = 3;

/** As the real one: whole messages beyond this are dropped, the connection stays. */
const MAX_QUEUED_BYTES = 1_048_576;

export type UbusDaemonOptions = {
  /** Random ids of clients, objects and types; a replay hands out the recorded ones. */
  readonly nextId?: () => number;
};

export class UbusDaemon {
  readonly path: string;
  readonly #server: Server;
  readonly #nextId: () => number;
  readonly #sockets = new Map<number, Socket>();
  readonly #clients = new Map<number, BusClient>();
  readonly #objects: ObjectTable;
  readonly #events: EventRegistry;
  readonly #monitors = new MonitorList();

  /** Listens on a unix socket. */
  static async start(path: string, options: UbusDaemonOptions = {}): Promise<UbusDaemon> {
    rmSync(path, { force: true });
    const daemon = new UbusDaemon(path, options);
    await new Promise<void>((resolve, reject) => {
      daemon.#server.once('error', reject);
      daemon.#server.listen(path, resolve);
    });
    return daemon;
  }

  private constructor(path: string, options: UbusDaemonOptions) {
    this.path = path;
    this.#nextId = options.nextId ?? (() => randomInt(1_024, 2 ** 32));
    this.#objects = new ObjectTable(this.#nextId);
    this.#events = new EventRegistry(this.#objects);
    this.#server = createServer({ allowHalfOpen: false }, (socket) => this.#accept(socket));
  }

  /** Closes all connections, as `killall ubusd` does. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets.values()) socket.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    const writer = new BlobWriter();
    const id = this.#nextId();
    const client: BusClient = {
      id,
      send: (type, seq, peer, attributes) => {
        const frame = bytesFromMessage(writer, type, seq, peer, attributes);
        this.#monitors.tell(id, frame, true);
        client.write(frame);
      },
      write: (frame) => {
        if (!socket.destroyed && socket.writableLength <= MAX_QUEUED_BYTES) socket.write(frame);
      },
    };
    this.#sockets.set(id, socket);
    this.#clients.set(id, client);
    const reader = new FrameReader((frame) => {
      this.#monitors.tell(id, frame, false);
      this.#receive(client, messageFromBytes(frame));
    });
    socket.on('data', (chunk) => {
      try {
        reader.push(chunk);
      } catch {
        // A length that can not be: the real daemon closes without a word.
        socket.destroy();
      }
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#leave(client));
    client.send(MessageType.HELLO, 0, id, {});
  }

  #leave(client: BusClient): void {
    this.#sockets.delete(client.id);
    this.#clients.delete(client.id);
    this.#monitors.forget(client);
    for (const object of this.#objects.ownedBy(client)) this.#remove(object);
  }

  #receive(client: BusClient, message: Message): void {
    const status = this.#answer(client, message);
    if (status !== undefined) client.send(MessageType.STATUS, message.seq, message.peer, { status });
  }

  /** Status that ends the request; undefined if it comes from somebody else, or not at all. */
  #answer(client: BusClient, message: Message): number | undefined {
    switch (message.type) {
      case MessageType.PING:
        client.send(MessageType.DATA, message.seq, message.peer, message.attributes);
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
        return this.#subscribe(client, message);
      case MessageType.UNSUBSCRIBE:
        return this.#unsubscribe(client, message);
      case MessageType.NOTIFY:
        return this.#notify(client, message);
      case MessageType.DATA:
      case MessageType.STATUS:
        return this.#relay(client, message);
      default:
        return UbusStatus.INVALID_COMMAND;
    }
  }

  #lookup(client: BusClient, { seq, peer, attributes: { objectPath } }: Message): number {
    if (objectPath === '') return UbusStatus.INVALID_ARGUMENT;
    const found = this.#objects.matching(objectPath ?? '*');
    for (const { path, id, typeId, signature } of found) {
      // An object without a signature exists but is not shown: STATUS 0 and no DATA.
      if (signature === undefined || typeId === undefined) continue;
      client.send(MessageType.DATA, seq, peer, {
        objectPath: path as string,
        objectId: id,
        objectType: typeId,
        signature,
      });
    }
    return found.length === 0 && objectPath !== undefined ? UbusStatus.NOT_FOUND : UbusStatus.OK;
  }

  #invoke(client: BusClient, message: Message): number | undefined {
    const { seq, peer, attributes } = message;
    const { objectId, method, data } = attributes;
    if (objectId === undefined || method === undefined) return UbusStatus.INVALID_ARGUMENT;
    if (objectId === EVENT_OBJECT) return this.#events.invoke(client, method, data);
    if (objectId === ACL_OBJECT && method === 'query') {
      client.send(MessageType.DATA, seq, peer, { objectId, data: { seq: 1, acl: [] } });
      return UbusStatus.OK;
    }
    if (objectId === MONITOR_OBJECT) return this.#monitors.invoke(client, method);
    const object = this.#objects.byId(objectId);
    if (object === undefined) return UbusStatus.NOT_FOUND;
    const forwarded: OutgoingAttributes = { objectId, method, user: 'root', group: 'root' };
    if (data !== undefined) forwarded.data = data;
    object.owner.send(MessageType.INVOKE, seq, client.id, forwarded);
    return undefined;
  }

  /** An answer of an object's owner, or of a subscriber: goes to the client it names, as coming from the object. */
  #relay(client: BusClient, { type, seq, peer, attributes }: Message): undefined {
    const object = attributes.objectId === undefined ? undefined : this.#objects.byId(attributes.objectId);
    if (object?.owner === client) this.#clients.get(peer)?.send(type, seq, object.id, attributes);
    return undefined;
  }

  #add(client: BusClient, { seq, peer, attributes }: Message): number {
    const { objectPath, signature, objectType } = attributes;
    const object = this.#objects.add(client, objectPath, signature, objectType);
    if (object === undefined) return UbusStatus.INVALID_ARGUMENT;
    if (object.path !== undefined) this.#events.objectChanged('ubus.object.add', object);
    const reply: OutgoingAttributes = { objectId: object.id };
    if (object.typeId !== undefined) reply.objectType = object.typeId;
    client.send(MessageType.DATA, seq, peer, reply);
    return UbusStatus.OK;
  }

  #removeOwn(client: BusClient, { seq, peer, attributes: { objectId } }: Message): number {
    if (objectId === undefined) return UbusStatus.INVALID_ARGUMENT;
    const object = this.#objects.byId(objectId);
    if (object === undefined) return UbusStatus.NOT_FOUND;
    if (object.owner !== client) return UbusStatus.PERMISSION_DENIED;
    const reply: OutgoingAttributes = { objectId };
    if (object.typeId !== undefined) reply.objectType = object.typeId;
    client.send(MessageType.DATA, seq, peer, reply);
    this.#remove(object);
    return UbusStatus.OK;
  }

  #remove(object: BusObject): void {
    for (const subscriber of new Set(object.subscribers)) {
      const attributes = { objectId: subscriber.id, target: object.id };
      subscriber.owner.send(MessageType.UNSUBSCRIBE, this.#objects.nextSeqOf(subscriber), 0, attributes);
    }
    this.#objects.remove(object);
    this.#events.forget(object);
    for (const target of this.#objects.all()) {
      if (!target.subscribers.includes(object)) continue;
      target.subscribers = target.subscribers.filter((subscriber) => subscriber !== object);
      if (target.subscribers.length === 0) this.#tellActive(target, false);
    }
    if (object.path !== undefined) this.#events.objectChanged('ubus.object.remove', object);
  }

  #subscribe(client: BusClient, { attributes: { objectId, target: targetId } }: Message): number {
    if (objectId === undefined || targetId === undefined) return UbusStatus.INVALID_ARGUMENT;
    const subscriber = this.#objects.byId(objectId);
    const target = this.#objects.byId(targetId);
    if (subscriber === undefined || target === undefined) return UbusStatus.NOT_FOUND;
    if (subscriber.owner !== client || target.owner === client) return UbusStatus.INVALID_ARGUMENT;
    target.subscribers.push(subscriber);
    if (target.subscribers.length === 1) this.#tellActive(target, true);
    return UbusStatus.OK;
  }

  #unsubscribe(client: BusClient, { attributes: { objectId, target: targetId } }: Message): number {
    if (objectId === undefined || targetId === undefined) return UbusStatus.INVALID_ARGUMENT;
    const target = this.#objects.byId(targetId);
    const at = target?.subscribers.findIndex(({ id, owner }) => id === objectId && owner === client) ?? -1;
    if (target === undefined || at < 0) return UbusStatus.NOT_FOUND;
    target.subscribers.splice(at, 1);
    if (target.subscribers.length === 0) this.#tellActive(target, false);
    return UbusStatus.OK;
  }

  #tellActive(object: BusObject, isActive: boolean): void {
    const attributes = { objectId: object.id, active: isActive ? 1 : 0 };
    object.owner.send(MessageType.NOTIFY, this.#objects.nextSeqOf(object), 0, attributes);
  }

  #notify(client: BusClient, message: Message): number | undefined {
    const { seq, peer, attributes } = message;
    const { objectId, method, data, noReply } = attributes;
    if (objectId === undefined || method === undefined || data === undefined) return UbusStatus.INVALID_ARGUMENT;
    const object = this.#objects.byId(objectId);
    if (object === undefined) return UbusStatus.NOT_FOUND;
    if (object.owner !== client) return UbusStatus.PERMISSION_DENIED;
    if (noReply !== 1) {
      const subscribers = object.subscribers.map(({ id }) => id);
      client.send(MessageType.STATUS, seq, peer, { objectId, subscribers, status: UbusStatus.OK });
    }
    for (const subscriber of object.subscribers) {
      const flag: OutgoingAttributes = noReply === 1 ? { noReply } : {};
      const delivery = { ...flag, objectId: subscriber.id, method, user: 'root', group: 'root', data };
      subscriber.owner.send(MessageType.INVOKE, seq, client.id, delivery);
    }
    return undefined;
  }
}
