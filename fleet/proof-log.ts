/**
 * Where uploads are kept for ever, in the order of their arrival. The one source of truth: everything else the collector
 * knows can be made again from it. Implemented by segment files (segment-log.ts); an object store can take their place.
 */

/** The end of a frame: a reader that has processed it goes on from here. Compared by segment, then by offset. */
export type LogPosition = { readonly segment: number; readonly offset: number };

/** A segment that gets no more frames. */
export type SegmentRef = { readonly segment: number; readonly bytes: number };

export type LogFrame = { readonly payload: Uint8Array; readonly position: LogPosition };

export type ProofLog = {
  /**
   * Resolves once the payload is durable; concurrent calls share one sync.
   *
   * @throws ProofLogError LOG_FULL: nothing was stored, later calls may succeed. LOG_FAILED: the log takes nothing more
   */
  readonly append: (payload: Uint8Array) => Promise<LogPosition>;
  /**
   * The same for several payloads, at most MAX_APPEND_BYTES together: all of them or none, unless the process dies.
   * Positions are in the order of the payloads, which is their order in the log.
   */
  readonly appendAll: (payloads: readonly Uint8Array[]) => Promise<readonly LogPosition[]>;
  /** All frames after `after`, oldest first. @throws ProofLogError LOG_CORRUPT */
  readonly frames: (after?: LogPosition) => AsyncIterable<LogFrame>;
  /** Sealed segments after number `after`, oldest first: they never change again. */
  readonly segments: (after?: number) => Promise<readonly SegmentRef[]>;
  /** The frames of one sealed segment. @throws ProofLogError LOG_CORRUPT */
  readonly read: (ref: SegmentRef) => AsyncIterable<LogFrame>;
  /** Position after the last durable frame. */
  readonly end: () => LogPosition;
  readonly close: () => Promise<void>;
};

/** Some thousand proofs, and a bound on what one sync can keep waiting. */
export const MAX_APPEND_BYTES = 4 * 1024 * 1024;

export type ProofLogErrorCode = 'LOG_FULL' | 'LOG_FAILED' | 'LOG_CORRUPT' | 'LOG_CLOSED';

export class ProofLogError extends Error {
  readonly code: ProofLogErrorCode;

  constructor(message: string, options: { code: ProofLogErrorCode; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = 'ProofLogError';
    this.code = options.code;
  }
}

export function isAfter(a: LogPosition, b: LogPosition): boolean {
  return a.segment > b.segment || (a.segment === b.segment && a.offset > b.offset);
}
