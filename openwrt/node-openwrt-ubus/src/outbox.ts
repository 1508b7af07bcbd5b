/**
 * Messages on their way to ubusd. What is sent in one turn of the event loop goes out in one write, from memory that is used
 * again as soon as the kernel has taken it: on a busy bus the system call costs more than all encoding.
 */
import type { Socket } from 'node:net';
import { BlobWriter } from './blob.ts';
import { type OutgoingAttributes, writeMessage } from './message.ts';

/** A burst is not held back until its end: the kernel's buffer of a unix socket is about this size. */
const FLUSH_AT = 65_536;

export class Outbox {
  readonly #socket: Socket;
  readonly #writer = new BlobWriter();
  #isScheduled = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Bytes that the kernel has not taken yet. */
  get queuedBytes(): number {
    return this.#writer.length + this.#socket.writableLength;
  }

  /** @throws RangeError if the message is larger than ubusd takes, or holds what blobmsg can not; nothing is sent then */
  append(type: number, seq: number, peer: number, attributes: OutgoingAttributes): void {
    const start = this.#writer.startMessage();
    try {
      writeMessage(this.#writer, type, seq, peer, attributes);
    } catch (error) {
      this.#writer.truncate(start);
      throw error;
    }
    if (this.#writer.length >= FLUSH_AT) this.flush();
    else if (!this.#isScheduled) {
      this.#isScheduled = true;
      process.nextTick(this.#flushLater);
    }
  }

  flush(): void {
    if (this.#writer.length === 0) return;
    this.#socket.write(this.#writer.view());
    // What the kernel took at once is free again; what it did not stays where it is until it does.
    if (this.#socket.writableLength === 0) this.#writer.reset();
    else this.#writer.renew();
  }

  readonly #flushLater = (): void => {
    this.#isScheduled = false;
    this.flush();
  };
}
