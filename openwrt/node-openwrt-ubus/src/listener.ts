/** Receives events (ubus listen) whose id equals a pattern, or starts with it if it ends in "*". */
import { type Attachment, type AttachmentHost, guarded } from './attachment.ts';
import { type BlobmsgTable, tableFromBytes } from './blobmsg.ts';
import type { UbusConnection } from './connection.ts';
import type { Message } from './message.ts';
import { addObject, registerEvents, removeObject } from './requests.ts';

export type EventHandler = (id: string, data: BlobmsgTable) => void;

export class Listener implements Attachment {
  readonly pattern: string;
  readonly #host: AttachmentHost;
  readonly #onEvent: EventHandler;
  #connection: UbusConnection | undefined;
  #objectId = 0;

  constructor(host: AttachmentHost, pattern: string, onEvent: EventHandler) {
    this.#host = host;
    this.pattern = pattern;
    this.#onEvent = onEvent;
  }

  async attach(connection: UbusConnection): Promise<void> {
    const objectId = await addObject(connection, { onInvoke: (message) => this.#deliver(message) });
    try {
      await registerEvents(connection, objectId, this.pattern);
    } catch (error) {
      // A listener that is denied is tried again; its objects must not pile up.
      if (connection.isOpen) await removeObject(connection, objectId);
      throw error;
    }
    this.#objectId = objectId;
    this.#connection = connection;
  }

  async detach(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection?.isOpen === true) await removeObject(connection, this.#objectId);
  }

  async close(): Promise<void> {
    this.#host.release(this);
    await this.detach();
  }

  #deliver({ attributes }: Message): void {
    guarded(this.#host, () => {
      this.#onEvent(attributes.method ?? '', attributes.data === undefined ? {} : tableFromBytes(attributes.data));
    });
  }
}
