/** System object 1 of the stand-in daemon: who listens to which events, and their delivery. */
import { type BlobmsgTable, tableFromBytes } from '../../../openwrt/node-openwrt-ubus/src/blobmsg.ts';
import { MessageType } from '../../../openwrt/node-openwrt-ubus/src/message.ts';
import { UbusStatus } from '../../../openwrt/node-openwrt-ubus/src/status.ts';
import type { BusClient } from './bus-client.ts';
import type { BusObject, ObjectTable } from './object-table.ts';

type Registration = { readonly object: BusObject; readonly pattern: string };

export class EventRegistry {
  readonly #objects: ObjectTable;
  #registrations: Registration[] = [];
  #seq = 0;

  constructor(objects: ObjectTable) {
    this.#objects = objects;
  }

  /** A method of the event object; returns its status. */
  invoke(client: BusClient, method: string, data: Buffer | undefined): number {
    if (data === undefined) return UbusStatus.INVALID_ARGUMENT;
    if (method === 'register') return this.#register(client, tableFromBytes(data));
    if (method === 'send') return this.#send(client, tableFromBytes(data));
    return UbusStatus.INVALID_COMMAND;
  }

  forget(object: BusObject): void {
    this.#registrations = this.#registrations.filter((registration) => registration.object !== object);
  }

  objectChanged(id: 'ubus.object.add' | 'ubus.object.remove', object: BusObject): void {
    this.#deliver(undefined, id, { id: object.id | 0, path: object.path as string });
  }

  #register(client: BusClient, { object: id, pattern }: BlobmsgTable): number {
    if (typeof id !== 'number' || typeof pattern !== 'string') return UbusStatus.INVALID_ARGUMENT;
    if (pattern === '') return UbusStatus.PERMISSION_DENIED;
    const object = this.#objects.byId(id >>> 0);
    if (object === undefined) return UbusStatus.NOT_FOUND;
    if (object.owner !== client) return UbusStatus.PERMISSION_DENIED;
    this.#registrations.push({ object, pattern });
    return UbusStatus.OK;
  }

  #send(client: BusClient, { id, data }: BlobmsgTable): number {
    if (typeof id !== 'string' || data === null || typeof data !== 'object') return UbusStatus.INVALID_ARGUMENT;
    if (id.startsWith('ubus.')) return UbusStatus.PERMISSION_DENIED;
    this.#deliver(client, id, data as BlobmsgTable);
    return UbusStatus.OK;
  }

  /** Once for each object however many of its patterns match; never to the sender. */
  #deliver(sender: BusClient | undefined, id: string, data: BlobmsgTable): void {
    const matching = this.#registrations.filter(
      ({ object, pattern }) =>
        object.owner !== sender && (pattern.endsWith('*') ? id.startsWith(pattern.slice(0, -1)) : id === pattern),
    );
    const listeners = new Set(matching.map(({ object }) => object));
    if (listeners.size === 0) return;
    this.#seq = (this.#seq + 1) & 0xffff;
    for (const object of listeners) {
      object.owner.send(MessageType.INVOKE, this.#seq, 0, { objectId: object.id, method: id, data });
    }
  }
}
