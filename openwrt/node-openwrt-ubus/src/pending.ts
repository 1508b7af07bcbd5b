/** Requests that wait for their STATUS: sequence numbers, deadlines, aborts. One timer serves them all. */
import type { Message, MessageAttributes } from './message.ts';
import { UbusError, UbusStatus } from './status.ts';

export type RequestOptions = {
  /** Milliseconds; Infinity waits as long as the connection lives. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** Called once for each DATA, and once at the end. Attributes hold views: decode before returning. */
export type RequestHandler = {
  readonly onData: (attributes: MessageAttributes) => void;
  readonly onEnd: (error: Error | undefined, status: MessageAttributes) => void;
  /** Sees each STATUS with this number, also those of others than the peer, and returns true for the one that is the end. */
  readonly onStatus?: (message: Message) => boolean;
};

/** One request; settled by PendingRequests. */
export type Pending = {
  readonly peer: number;
  readonly what: string;
  readonly timeoutMs: number;
  readonly deadlineMs: number;
  readonly handler: RequestHandler;
  readonly signal: AbortSignal | undefined;
  onAbort: (() => void) | undefined;
  replies: number;
  failure: Error | undefined;
};

const NO_ATTRIBUTES: MessageAttributes = {};

/** Longest delay of a Node timer. */
const LONGEST_DELAY_MS = 0x7fff_ffff;

export class PendingRequests {
  readonly #bySeq = new Map<number, Pending>();
  #seq = 0;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;

  get size(): number {
    return this.#bySeq.size;
  }

  get(seq: number): Pending | undefined {
    return this.#bySeq.get(seq);
  }

  /** A sequence number that no pending request uses; 16 bit, never 0. */
  nextSeq(): number {
    do this.#seq = (this.#seq % 0xffff) + 1;
    while (this.#bySeq.has(this.#seq));
    return this.#seq;
  }

  add(
    seq: number,
    peer: number,
    what: string,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    handler: RequestHandler,
  ): void {
    const deadlineMs = performance.now() + timeoutMs;
    const pending: Pending = {
      peer,
      what,
      timeoutMs,
      deadlineMs,
      handler,
      signal,
      onAbort: undefined,
      replies: 0,
      failure: undefined,
    };
    this.#bySeq.set(seq, pending);
    if (signal !== undefined) {
      pending.onAbort = () => this.settle(seq, signal.reason as Error);
      signal.addEventListener('abort', pending.onAbort, { once: true });
    }
    if (deadlineMs < this.#timerAtMs) this.#wakeAt(deadlineMs);
  }

  settle(seq: number, error: Error | undefined, status: MessageAttributes = NO_ATTRIBUTES): void {
    const pending = this.#bySeq.get(seq);
    if (pending === undefined) return;
    this.#bySeq.delete(seq);
    if (pending.onAbort !== undefined) pending.signal?.removeEventListener('abort', pending.onAbort);
    pending.handler.onEnd(error, status);
  }

  isWaitingFor(peer: number): boolean {
    for (const pending of this.#bySeq.values()) if (pending.peer === peer) return true;
    return false;
  }

  /** Fails what `concerns` says, each with an error of its own. */
  fail(concerns: (pending: Pending) => boolean, errorFor: (pending: Pending) => Error): void {
    for (const [seq, pending] of [...this.#bySeq]) if (concerns(pending)) this.settle(seq, errorFor(pending));
  }

  /** Fails everything and stops the timer. */
  end(errorFor: (pending: Pending) => Error): void {
    this.fail(() => true, errorFor);
    clearTimeout(this.#timer);
    this.#timerAtMs = Number.POSITIVE_INFINITY;
  }

  /** The timer stands at the earliest deadline of its time; most requests are answered long before theirs. */
  #wakeAt(deadlineMs: number): void {
    clearTimeout(this.#timer);
    this.#timerAtMs = deadlineMs;
    const delayMs = Math.min(LONGEST_DELAY_MS, Math.max(1, Math.ceil(deadlineMs - performance.now())));
    this.#timer = setTimeout(() => this.#expire(), delayMs);
  }

  #expire(): void {
    const nowMs = performance.now();
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    this.fail(
      ({ deadlineMs }) => deadlineMs <= nowMs,
      ({ what, timeoutMs }) => new UbusError(UbusStatus.TIMEOUT, `${what}: no answer in ${timeoutMs} ms`),
    );
    let earliestMs = Number.POSITIVE_INFINITY;
    for (const { deadlineMs } of this.#bySeq.values()) earliestMs = Math.min(earliestMs, deadlineMs);
    if (earliestMs < this.#timerAtMs) this.#wakeAt(earliestMs);
  }
}
