/** System object 1 of the stand-in daemon: who listens to which events, and their delivery. */
import type { BlobmsgInputTable } from '../../../openwrt/node-openwrt-ubus/src/blobmsg.ts';
import { BlobmsgType } from '../../../openwrt/node-openwrt-ubus/src/blobmsg.ts';
import { textFromBytes } from '../../../openwrt/node-openwrt-ubus/src/c-text.ts';
import { MessageType } from '../../../openwrt/node-openwrt-ubus/src/message.ts';
import { UbusStatus } from '../../../openwrt/node-openwrt-ubus/src/status.ts';
import type { AccessRules } from './access-rules.ts';
import type { BusClient } from './bus-client.ts';
import { type BusObject, FIRST_CLIENT_ID, type ObjectTable } from './object-table.ts';
import { rawField } from './raw-field.ts';

type Registration = { readonly object: BusObject; readonly key: string; readonly isPrefix: boolean };

export class EventRegistry {
  readonly #objects: ObjectTable;
  readonly #rules: () => AccessRules;
  #registrations: Registration[] = [];
  #seq = 0;

  constructor(objects: ObjectTable, rules: () => AccessRules) {
    this.#objects = objects;
    this.#rules = rules;
  }

  /** A method of the event object; returns its status. */
  invoke(client: BusClient, method: string, data: Buffer | undefined): number {
    if (method !== 'register' && method !== 'send') return UbusStatus.INVALID_COMMAND;
    if (data === undefined) return UbusStatus.INVALID_ARGUMENT;
    return method === 'register' ? this.#register(client, data) : this.#send(client, data);
  }

  forget(object: BusObject): void {
    this.#registrations = this.#registrations.filter((registration) => registration.object !== object);
  }

  objectChanged(id: 'ubus.object.add' | 'ubus.object.remove', object: BusObject): void {
    this.#deliver(undefined, id, { id: object.id | 0, path: object.path as string });
  }

  accessRulesChanged(sequence: number): void {
    this.#deliver(undefined, 'ubus.acl.sequence', { sequence });
  }

  #register(client: BusClient, data: Buffer): number {
    const id = rawField(data, 'object', BlobmsgType.INT32)?.readUInt32BE(0);
    const pattern = text(rawField(data, 'pattern', BlobmsgType.STRING));
    if (id === undefined || pattern === undefined) return UbusStatus.INVALID_ARGUMENT;
    if (id < FIRST_CLIENT_ID) return UbusStatus.PERMISSION_DENIED;
    const object = this.#objects.byId(id);
    if (object === undefined) return UbusStatus.NOT_FOUND;
    if (object.owner !== client || pattern === '') return UbusStatus.PERMISSION_DENIED;
    const isPrefix = pattern.endsWith('*');
    const key = isPrefix ? pattern.slice(0, -1) : pattern;
    if (!this.#rules().allows(client.credentials, 'listen', key)) return UbusStatus.PERMISSION_DENIED;
    this.#registrations.push({ object, key, isPrefix });
    this.#registrations.sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
    return UbusStatus.OK;
  }

  #send(client: BusClient, bytes: Buffer): number {
    const id = text(rawField(bytes, 'id', BlobmsgType.STRING));
    const data = rawField(bytes, 'data', BlobmsgType.TABLE);
    if (id === undefined || data === undefined) return UbusStatus.INVALID_ARGUMENT;
    if (id.startsWith('ubus.')) return UbusStatus.PERMISSION_DENIED;
    if (!this.#rules().allows(client.credentials, 'send', id)) return UbusStatus.PERMISSION_DENIED;
    this.#deliver(client, id, data);
    return UbusStatus.OK;
  }

  /** Once for each object however many of its patterns match, in the order of patterns; never to the sender. */
  #deliver(sender: BusClient | undefined, id: string, data: Buffer | BlobmsgInputTable): void {
    const matching = this.#registrations.filter(
      ({ object, key, isPrefix }) => object.owner !== sender && (isPrefix ? id.startsWith(key) : id === key),
    );
    for (const object of new Set(matching.map((registration) => registration.object))) {
      this.#seq = (this.#seq + 1) & 0xffff;
      object.owner.send(MessageType.INVOKE, this.#seq, 0, { objectId: object.id, method: id, data });
    }
  }
}

function text(value: Buffer | undefined): string | undefined {
  return value === undefined ? undefined : textFromBytes(value, 0, value.length);
}
