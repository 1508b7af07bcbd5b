/**
 * Receives the notifications of every object whose path matches, now and later. A notification does not say which object
 * it comes from (hostapd names its interface only since 24.10), so each object gets a subscriber object of its own.
 *
 * What is subscribed is brought in line with a LOOKUP whenever an object comes or goes, so lost events heal and a service
 * that restarts ten times leaves one subscription, not ten.
 */
import { type Attachment, type AttachmentHost, guarded } from './attachment.ts';
import { type BlobmsgTable, tableFromBytes } from './blobmsg.ts';
import type { UbusConnection } from './connection.ts';
import { type Message, MessageType } from './message.ts';
import { addObject, lookup, removeObject, subscribe, type UbusObject } from './requests.ts';
import { UbusStatus } from './status.ts';

export type Notification = { readonly object: UbusObject; readonly type: string; readonly data: BlobmsgTable };

export type SubscriptionHandlers = {
  /** A number returned is the status for the rare notification that asks for one (hostapd's notify_response). */
  readonly onNotify: (notification: Notification) => unknown;
  /** Subscribed to an object, new or come back: read its state now, what happened before was not seen. */
  readonly onAttach?: (object: UbusObject) => void;
  /** The object is gone, while the bus is here. Not called when the whole bus goes. */
  readonly onDetach?: (object: UbusObject) => void;
  /** Leaves out objects that match the path but are not meant. */
  readonly accepts?: (object: UbusObject) => boolean;
};

/** A router has a handful of BSSs and DHCP servers; a bus flooded with names must not make us follow. */
const MAX_TARGETS = 64;

/** After a failed pass; about what libubus waits before it reconnects. */
const RETRY_MS = 1_000;

type Target = { readonly object: UbusObject; readonly subscriberId: number };

export class Subscription implements Attachment {
  readonly pattern: string;
  readonly #host: AttachmentHost;
  readonly #handlers: SubscriptionHandlers;
  readonly #targets = new Map<number, Target>();
  #connection: UbusConnection | undefined;
  /** The connection that a pass is running on: one at a time, but a pass that hangs on a dead one does not count. */
  #aligning: UbusConnection | undefined;
  #isStale = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(host: AttachmentHost, pattern: string, handlers: SubscriptionHandlers) {
    this.#host = host;
    this.pattern = pattern;
    this.#handlers = handlers;
  }

  /** Objects subscribed to at this moment. */
  objects(): readonly UbusObject[] {
    return this.#connection?.isOpen === true ? [...this.#targets.values()].map(({ object }) => object) : [];
  }

  matches(path: string): boolean {
    return this.pattern.endsWith('*') ? path.startsWith(this.pattern.slice(0, -1)) : path === this.pattern;
  }

  async attach(connection: UbusConnection): Promise<void> {
    if (this.#connection !== connection) this.#targets.clear();
    this.#connection = connection;
    this.#isStale = true;
    if (this.#aligning !== connection) await this.#align(connection);
  }

  async detach(): Promise<void> {
    clearTimeout(this.#retry);
    const connection = this.#connection;
    this.#connection = undefined;
    const targets = [...this.#targets.values()];
    this.#targets.clear();
    if (connection?.isOpen === true)
      await Promise.all(targets.map(({ subscriberId }) => removeObject(connection, subscriberId)));
  }

  async close(): Promise<void> {
    this.#host.release(this);
    await this.detach();
  }

  /** Compares with the bus again; call it where a lost message would matter. */
  rescan(): void {
    const connection = this.#connection;
    if (connection?.isOpen !== true) return;
    this.#isStale = true;
    if (this.#aligning === connection) return;
    void this.#align(connection).catch((error: Error) => this.#tryLater(connection, error));
  }

  #tryLater(connection: UbusConnection, error: Error): void {
    // A lost connection is the client's to report and repair.
    if (!connection.isOpen || this.#connection !== connection) return;
    this.#host.onProblem(error);
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.rescan(), RETRY_MS);
  }

  /** One pass at a time; a change seen meanwhile makes another one. */
  async #align(connection: UbusConnection): Promise<void> {
    this.#aligning = connection;
    try {
      do {
        this.#isStale = false;
        await this.#pass(connection);
      } while (this.#isStale && this.#connection === connection && connection.isOpen);
    } finally {
      if (this.#aligning === connection) this.#aligning = undefined;
    }
  }

  async #pass(connection: UbusConnection): Promise<void> {
    const found = await lookup(connection, this.pattern);
    const wanted = found
      .filter((object) => guarded(this.#host, () => this.#handlers.accepts?.(object) ?? true) === true)
      .slice(0, MAX_TARGETS);
    for (const id of [...this.#targets.keys()]) {
      if (!wanted.some((object) => object.id === id)) this.#drop(connection, id);
    }
    for (const object of wanted) {
      if (this.#connection !== connection) return;
      if (!this.#targets.has(object.id)) await this.#add(connection, object);
    }
  }

  async #add(connection: UbusConnection, object: UbusObject): Promise<void> {
    let isGone = false;
    const subscriberId = await addObject(connection, {
      onInvoke: (message) => this.#deliver(connection, object, message),
      onUnsubscribed: (target) => {
        isGone = true;
        this.#drop(connection, target);
      },
    });
    try {
      await subscribe(connection, subscriberId, object.id, `subscribe ${object.path}`);
    } catch (error) {
      // Gone again since the lookup, or not permitted: ubusd says "not found" for both. An add event brings us back.
      await removeObject(connection, subscriberId);
      this.#host.onProblem(error as Error);
      return;
    }
    if (isGone) {
      // It went in the same breath; its successor may be there already.
      await removeObject(connection, subscriberId);
      this.#isStale = true;
      return;
    }
    if (this.#connection !== connection) return;
    this.#targets.set(object.id, { object, subscriberId });
    guarded(this.#host, () => this.#handlers.onAttach?.(object));
  }

  #drop(connection: UbusConnection, targetId: number): void {
    const target = this.#targets.get(targetId);
    if (target === undefined) return;
    this.#targets.delete(targetId);
    removeObject(connection, target.subscriberId).catch((error: Error) => this.#tryLater(connection, error));
    guarded(this.#host, () => this.#handlers.onDetach?.(target.object));
    // It may be back already, under a new id.
    this.rescan();
  }

  #deliver(connection: UbusConnection, object: UbusObject, { seq, peer, attributes }: Message): void {
    const status = guarded(this.#host, () => {
      const data = attributes.data === undefined ? {} : tableFromBytes(attributes.data);
      const answer = this.#handlers.onNotify({ object, type: attributes.method ?? '', data });
      return typeof answer === 'number' ? answer : UbusStatus.OK;
    });
    if (attributes.noReply === 1) return;
    const objectId = attributes.objectId as number;
    guarded(this.#host, () =>
      connection.post(
        MessageType.STATUS,
        seq,
        peer,
        { status: status ?? UbusStatus.UNKNOWN_ERROR, objectId },
        'answer to a notification',
      ),
    );
  }
}
