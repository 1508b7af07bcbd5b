/**
 * How many large bodies are in memory at once, while they come and while they are worked on. Nobody is known before the body is
 * read, and every connection may bring one: without a bound they take more memory than there is. Small bodies, as routers send
 * them, need no room, so whoever takes all of it keeps only large ones waiting.
 */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';

export type BodyRoomLimits = {
  /** Bodies up to so many bytes need no room. */
  readonly smallBytes: number;
  /** Large bodies of one source. */
  readonly source: number;
  /** Large bodies of all sources together; each at most 4 MiB. */
  readonly all: number;
};

export const DEFAULT_BODY_ROOM: BodyRoomLimits = { smallBytes: 16 * 1024, source: 16, all: 64 };

export class BodyRoom {
  readonly #limits: BodyRoomLimits;
  readonly #bySource = new Map<string, number>();
  #all = 0;

  constructor(limits: BodyRoomLimits = DEFAULT_BODY_ROOM) {
    this.#limits = limits;
  }

  /** Large bodies in memory now. */
  get taken(): number {
    return this.#all;
  }

  /** False: there is no room for the body that these headers announce. Room is given back when `response` is over. */
  enter(headers: IncomingHttpHeaders, source: string, response: ServerResponse): boolean {
    const length = headers['content-length'];
    const isSmall =
      length === undefined ? headers['transfer-encoding'] === undefined : Number(length) <= this.#limits.smallBytes;
    if (isSmall) return true;
    const ofSource = this.#bySource.get(source) ?? 0;
    if (ofSource >= this.#limits.source || this.#all >= this.#limits.all) return false;
    this.#bySource.set(source, ofSource + 1);
    this.#all += 1;
    let isOver = false;
    const leave = () => {
      if (isOver) return;
      isOver = true;
      this.#leave(source);
    };
    response.once('finish', leave).once('close', leave);
    return true;
  }

  #leave(source: string): void {
    this.#all -= 1;
    const left = (this.#bySource.get(source) ?? 1) - 1;
    if (left === 0) this.#bySource.delete(source);
    else this.#bySource.set(source, left);
  }
}
