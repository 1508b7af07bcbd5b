/**
 * Makes SQLite's write-ahead log durable without holding up the event loop: the very fdatasync that synchronous=FULL does
 * at the end of each commit, on the same file, but in a thread of Node's pool. On flash it takes from 1 ms to some 100 ms.
 *
 * The log is one file from when the database is opened until it is closed (checkpoints write it anew from its start), and
 * fdatasync concerns the file, whichever descriptor wrote to it. This descriptor is opened before anything is written that
 * it answers for, so the kernel reports any failure to write back to it (Linux 4.13 and later, errseq_t).
 *
 * @see https://www.sqlite.org/wal.html, section 2.3 "Performance Considerations"; fsync(2)
 */
import { closeSync, fdatasync, fdatasyncSync, openSync } from 'node:fs';

/** No file's number: the kernel answers EBADF. */
const CLOSED = 0x7fff_ffff;

export class LogSync {
  #descriptor: number;
  #underWay = 0;
  #isClosed = false;

  /** `databasePath` of a database that is open in WAL mode. @throws if there is no log */
  constructor(databasePath: string) {
    this.#descriptor = openSync(`${databasePath}-wal`, 'r');
  }

  /** Rejects with what the kernel says: the data may be lost, and a second try may falsely succeed. */
  sync(): Promise<void> {
    this.#underWay += 1;
    return new Promise((resolve, reject) => {
      fdatasync(this.#descriptor, (error) => {
        this.#underWay -= 1;
        this.#closeIfIdle();
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  syncNow(): void {
    fdatasyncSync(this.#descriptor);
  }

  close(): void {
    this.#isClosed = true;
    this.#closeIfIdle();
  }

  /** Not under a sync that still runs: the number may be another file's by then. */
  #closeIfIdle(): void {
    if (!this.#isClosed || this.#underWay > 0 || this.#descriptor === CLOSED) return;
    closeSync(this.#descriptor);
    this.#descriptor = CLOSED;
  }
}
