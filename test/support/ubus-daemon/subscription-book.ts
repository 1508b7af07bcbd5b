/** Who is told what objects of the stand-in daemon have to tell, and the telling. */
import {
  type Message,
  type MessageAttributes,
  MessageType,
  type OutgoingAttributes,
} from '../../../openwrt/node-openwrt-ubus/src/message.ts';
import { UbusStatus } from '../../../openwrt/node-openwrt-ubus/src/status.ts';
import type { AccessRules } from './access-rules.ts';
import type { BusClient } from './bus-client.ts';
import { type BusObject, DAEMON, type ObjectTable, type Subscription } from './object-table.ts';

export class SubscriptionBook {
  readonly #objects: ObjectTable;
  readonly #rules: () => AccessRules;

  constructor(objects: ObjectTable, rules: () => AccessRules) {
    this.#objects = objects;
    this.#rules = rules;
  }

  subscribe(client: BusClient, { objectId, target: targetId }: MessageAttributes): number {
    if (objectId === undefined || targetId === undefined) return UbusStatus.INVALID_ARGUMENT;
    const subscriber = this.#objects.byId(objectId);
    if (subscriber === undefined) return UbusStatus.NOT_FOUND;
    if (subscriber.owner !== client) return UbusStatus.INVALID_ARGUMENT;
    const target = this.#objects.byId(targetId);
    if (target === undefined || target.owner === DAEMON) return UbusStatus.NOT_FOUND;
    if (target.owner === client) return UbusStatus.INVALID_ARGUMENT;
    // Not PERMISSION_DENIED: what may not be subscribed to is not there.
    if (!this.#mayFollow(client, target)) return UbusStatus.NOT_FOUND;
    const subscription = { subscriber, target };
    target.subscribers.unshift(subscription);
    subscriber.targets.unshift(subscription);
    if (target.subscribers.length === 1) tellActive(target);
    return UbusStatus.OK;
  }

  unsubscribe(client: BusClient, { objectId, target: targetId }: MessageAttributes): number {
    if (objectId === undefined || targetId === undefined) return UbusStatus.INVALID_ARGUMENT;
    const subscriber = this.#objects.byId(objectId);
    if (subscriber === undefined) return UbusStatus.NOT_FOUND;
    if (subscriber.owner !== client) return UbusStatus.INVALID_ARGUMENT;
    const subscription = subscriber.targets.find(({ target }) => target.id === targetId);
    if (subscription === undefined) return UbusStatus.NOT_FOUND;
    end(subscription);
    return UbusStatus.OK;
  }

  notify(client: BusClient, { seq, peer, attributes }: Message): number | undefined {
    const { objectId, method, data, noReply } = attributes;
    if (objectId === undefined || method === undefined) return UbusStatus.INVALID_ARGUMENT;
    const object = this.#objects.byId(objectId);
    if (object === undefined) return UbusStatus.NOT_FOUND;
    if (object.owner !== client) return UbusStatus.PERMISSION_DENIED;
    const isAnswered = noReply === undefined || noReply === 0;
    if (isAnswered) {
      const subscribers = object.subscribers.map(({ subscriber }) => subscriber.id);
      client.send(MessageType.STATUS, seq, peer, { objectId, subscribers, status: UbusStatus.OK });
    }
    const { user, group } = client.credentials;
    for (const { subscriber } of object.subscribers) {
      const flag: OutgoingAttributes = isAnswered ? {} : { noReply: 1 };
      const delivery: OutgoingAttributes = { ...flag, objectId: subscriber.id, method, user, group };
      if (data !== undefined) delivery.data = data;
      subscriber.owner.send(MessageType.INVOKE, seq, client.id, delivery);
    }
    return undefined;
  }

  /** An object goes: it follows nobody any more, and those that followed it are told, once for each subscription. */
  drop(object: BusObject): void {
    for (const subscription of [...object.targets]) end(subscription);
    for (const subscription of [...object.subscribers]) {
      const { subscriber } = subscription;
      const attributes = { objectId: subscriber.id, target: object.id };
      subscriber.owner.send(MessageType.UNSUBSCRIBE, nextSeq(subscriber), 0, attributes);
      end(subscription);
    }
  }

  #mayFollow(client: BusClient, target: BusObject): boolean {
    if (target.path !== undefined) return this.#rules().allows(client.credentials, 'subscribe', target.path);
    const { user, group } = target.owner.credentials;
    return client.credentials.user === user || client.credentials.group === group;
  }
}

function end(subscription: Subscription): void {
  const { subscriber, target } = subscription;
  target.subscribers.splice(target.subscribers.indexOf(subscription), 1);
  subscriber.targets.splice(subscriber.targets.indexOf(subscription), 1);
  if (target.subscribers.length === 0) tellActive(target);
}

function tellActive(object: BusObject): void {
  const attributes = { objectId: object.id, active: object.subscribers.length > 0 ? 1 : 0 };
  object.owner.send(MessageType.NOTIFY, nextSeq(object), 0, attributes);
}

function nextSeq(object: BusObject): number {
  object.seq = (object.seq + 1) & 0xffff;
  return object.seq;
}
