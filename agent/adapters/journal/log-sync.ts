/**
 * Makes SQLite's write-ahead log durable without holding up the event loop: the very fdatasync that synchronous=FULL does
 * at the end of each commit, on the same file, but in a thread of Node's pool. On flash it takes from 1 ms to some 100 ms.
 *
 * The log is one file from when the database is opened until it is closed (checkpoints write it anew from its start), and
 * fdatasync concerns the file, whichever descriptor wrote to it. A failure to write back is told once on each descriptor
 * that was open then (Linux 4.13 and later, errseq_t): so every sync under way has a descriptor of its own, else one could
 * take the word meant for the other, and all are opened before anything is written that they answer for.
 *
 * @see https://www.sqlite.org/wal.html, section 2.3 "Performance Considerations"; fsync(2)
 */
import { closeSync, fdatasync, fdatasyncSync, openSync } from 'node:fs';

/** Syncs that may be under way in threads. While one runs the next group is written and its own sync begins. */
export const MAX_LOG_SYNCS = 2;

export class LogSync {
  /** Of syncs in threads; one is out of here while its sync runs. */
  readonly #free: number[];
  readonly #own: number;
  #isClosed = false;

  /** `databasePath` of a database that is open in WAL mode. @throws if there is no log */
  constructor(databasePath: string) {
    const open = () => openSync(`${databasePath}-wal`, 'r');
    this.#own = open();
    this.#free = Array.from({ length: MAX_LOG_SYNCS }, open);
  }

  /**
   * Rejects with what the kernel says: the data may be lost, and a second try may falsely succeed. Rejects as well after
   * close(), and while MAX_LOG_SYNCS are under way.
   */
  sync(): Promise<void> {
    const descriptor = this.#isClosed ? undefined : this.#free.pop();
    if (descriptor === undefined) {
      const why = this.#isClosed ? 'it is closed' : `${MAX_LOG_SYNCS} syncs are under way`;
      return Promise.reject(new Error(`the write-ahead log cannot be synced: ${why}`));
    }
    return new Promise((resolve, reject) => {
      fdatasync(descriptor, (error) => {
        // Not closed under a sync that still ran: the number might have been another file's by then.
        if (this.#isClosed) closeSync(descriptor);
        else this.#free.push(descriptor);
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  /** @throws what the kernel says, as sync() */
  syncNow(): void {
    fdatasyncSync(this.#own);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const descriptor of [this.#own, ...this.#free]) closeSync(descriptor);
    this.#free.length = 0;
  }
}
