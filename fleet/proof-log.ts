/**
 * Where uploads are kept for ever, in the order of their arrival. The one source of truth: everything else the collector
 * knows can be made again from it. Implemented by segment files (segment-log.ts); an object store can take their place.
 */

/** The end of a frame: a reader that has processed it goes on from here. Compared by segment, then by offset. */
export type LogPosition = { readonly segment: number; readonly offset: number };

export type LogFrame = { readonly payload: Uint8Array; readonly position: LogPosition };

export type ProofLog = {
  /**
   * Resolves once the payload is durable; concurrent calls share one sync.
   *
   * @throws ProofLogError LOG_FULL: nothing was stored, later calls may succeed. LOG_FAILED: the log takes nothing more
   */
  readonly append: (payload: Uint8Array) => Promise<LogPosition>;
  /** All frames after `after`, oldest first. @throws ProofLogError LOG_CORRUPT */
  readonly frames: (after?: LogPosition) => AsyncIterable<LogFrame>;
  /** Position after the last durable frame. */
  readonly end: () => LogPosition;
  readonly close: () => Promise<void>;
};

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
