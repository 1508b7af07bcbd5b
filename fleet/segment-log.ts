/**
 * The proof log as files of one directory (segment-files.ts), of which only the last one grows. Frames that arrive while a write
 * is under way are written together after it.
 *
 * After a failed write nothing more is taken: what the kernel dropped, it would call clean the next time.
 */
import { type FileHandle, mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  isAfter,
  type LogFrame,
  type LogPosition,
  MAX_APPEND_BYTES,
  type ProofLog,
  ProofLogError,
  type SegmentRef,
} from './proof-log.ts';
import {
  createSegment,
  isDiskFull,
  type OpenFile,
  openLast,
  segmentNumbers,
  segmentPath,
  syncDirectory,
  writeFully,
  writeNow,
} from './segment-files.ts';
import { framedLength, readFrames, SEGMENT_MAGIC, writeFrames } from './segment-frame.ts';

export type SegmentLogOptions = {
  readonly directory: string;
  /** A segment that is longer gets no more frames. Default 64 MiB. */
  readonly segmentBytes?: number;
  /** How files are opened; a test lets disks fail here. */
  readonly openFile?: OpenFile;
};

type Waiting = {
  readonly payloads: readonly Uint8Array[];
  /** As frames. */
  readonly length: number;
  readonly resolve: (positions: readonly LogPosition[]) => void;
  readonly reject: (error: ProofLogError) => void;
};

const DEFAULT_SEGMENT_BYTES = 64 * 1024 * 1024;
const SCRATCH_BYTES = 256 * 1024;
/** A disk with a cache that outlives a power cut takes a tenth of it; then a hop to another thread is most of a write. */
const QUICK_MS = 1;

export class SegmentLog implements ProofLog {
  readonly #directory: string;
  readonly #segmentBytes: number;
  readonly #openFile: OpenFile;
  #file: FileHandle;
  #end: LogPosition;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #refusal: ProofLogError | undefined;
  #syncs = 0;
  /** Milliseconds that a write takes. */
  #usualMs = Number.POSITIVE_INFINITY;
  /** Not where a test has opened the file: its disk would be passed by. */
  readonly #mayBlock: boolean;
  /** Where a group is put together: only one write is under way at a time. */
  #scratch = Buffer.alloc(SCRATCH_BYTES);

  private constructor(options: Required<SegmentLogOptions>, file: FileHandle, end: LogPosition) {
    this.#directory = options.directory;
    this.#segmentBytes = options.segmentBytes;
    this.#openFile = options.openFile;
    this.#mayBlock = options.openFile === open;
    this.#file = file;
    this.#end = end;
  }

  /**
   * Opens or creates the log. A torn end, which nobody was told is durable, is cut off after a copy of the segment was
   * put aside.
   *
   * @throws ProofLogError LOG_CORRUPT if a segment is missing
   */
  static async open(options: SegmentLogOptions): Promise<SegmentLog> {
    const { directory, segmentBytes = DEFAULT_SEGMENT_BYTES, openFile = open } = options;
    const made = await mkdir(directory, { recursive: true, mode: 0o700 });
    if (made !== undefined) await syncDirectory(openFile, dirname(made));
    const numbers = await segmentNumbers(directory);
    const last = numbers.at(-1);
    if (last === undefined) {
      const file = await createSegment(openFile, directory, 1);
      return new SegmentLog({ directory, segmentBytes, openFile }, file, { segment: 1, offset: SEGMENT_MAGIC.length });
    }
    const { file, offset } = await openLast(openFile, directory, last);
    return new SegmentLog({ directory, segmentBytes, openFile }, file, { segment: last, offset });
  }

  /** Syncs so far: how many groups the frames shared. */
  get syncs(): number {
    return this.#syncs;
  }

  end(): LogPosition {
    return this.#end;
  }

  async append(payload: Uint8Array): Promise<LogPosition> {
    const [position] = await this.appendAll([payload]);
    return position as LogPosition;
  }

  async appendAll(payloads: readonly Uint8Array[]): Promise<readonly LogPosition[]> {
    if (this.#refusal !== undefined) throw this.#refusal;
    if (payloads.length === 0) return [];
    const length = framedLength(payloads);
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ payloads, length, resolve, reject });
      this.#writing ??= this.#writeAll();
    });
  }

  async segments(after = 0): Promise<readonly SegmentRef[]> {
    const numbers = (await segmentNumbers(this.#directory)).filter((n) => n > after && n < this.#end.segment);
    return await Promise.all(
      numbers.map(async (segment) => ({ segment, bytes: (await stat(segmentPath(this.#directory, segment))).size })),
    );
  }

  async *read({ segment }: SegmentRef): AsyncGenerator<LogFrame> {
    yield* this.#framesOf(segment, 0, this.#end);
  }

  async *frames(after: LogPosition = { segment: 0, offset: 0 }): AsyncGenerator<LogFrame> {
    const until = this.#end;
    for (const segment of await segmentNumbers(this.#directory)) {
      if (segment < after.segment || segment > until.segment) continue;
      yield* this.#framesOf(segment, segment === after.segment ? after.offset : 0, until);
    }
  }

  async close(): Promise<void> {
    this.#refusal ??= new ProofLogError('the proof log is closed', { code: 'LOG_CLOSED' });
    await this.#writing;
    await this.#file.close();
  }

  async *#framesOf(segment: number, offset: number, until: LogPosition): AsyncGenerator<LogFrame> {
    const file = await this.#openFile(segmentPath(this.#directory, segment), 'r');
    try {
      let end = offset;
      for await (const frame of readFrames(file, offset)) {
        const position = { segment, offset: frame.end };
        if (isAfter(position, until)) return;
        end = frame.end;
        yield { payload: frame.payload, position };
      }
      const expected = segment === until.segment ? until.offset : (await file.stat()).size;
      if (end < expected && expected > SEGMENT_MAGIC.length) {
        const message = `segment ${segment} of ${this.#directory} is damaged at byte ${end} of ${expected}`;
        throw new ProofLogError(message, { code: 'LOG_CORRUPT' });
      }
    } finally {
      await file.close();
    }
  }

  async #writeAll(): Promise<void> {
    // Not in the caller's turn, so that calls of one turn share the first sync too.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = takeGroup(this.#waiting);
      try {
        await this.#write(group);
      } catch (error) {
        this.#reject(group, error);
      }
    }
    // In the same turn as the look that found nothing waiting: whoever comes next has to start the writing again.
    this.#writing = undefined;
  }

  async #write(group: readonly Waiting[]): Promise<void> {
    const { bytes, ends } = this.#framesFrom(group);
    try {
      if (this.#end.offset >= this.#segmentBytes) await this.#startSegment();
      await this.#put(bytes);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      await this.#file.truncate(this.#end.offset);
      throw new ProofLogError('the disk is full', { code: 'LOG_FULL', cause: error });
    }
    this.#syncs += 1;
    const { segment, offset } = this.#end;
    this.#end = { segment, offset: offset + bytes.length };
    for (const [i, { resolve }] of group.entries()) {
      resolve((ends[i] as number[]).map((end) => ({ segment, offset: offset + end })));
    }
  }

  /** In this very turn where the disk answers sooner than a thread could be asked to ask it. */
  async #put(bytes: Uint8Array): Promise<void> {
    const startedMs = performance.now();
    if (this.#mayBlock && this.#usualMs < QUICK_MS) writeNow(this.#file, bytes, this.#end.offset);
    else await writeFully(this.#file, bytes, this.#end.offset);
    const ms = performance.now() - startedMs;
    this.#usualMs = this.#usualMs === Number.POSITIVE_INFINITY ? ms : 0.8 * this.#usualMs + 0.2 * ms;
  }

  /** The group's bytes, in the scratch buffer unless they are unusually many; where the frames of each call end in them. */
  #framesFrom(group: readonly Waiting[]): { readonly bytes: Buffer; readonly ends: readonly number[][] } {
    const length = group.reduce((sum, one) => sum + one.length, 0);
    const bytes = length > this.#scratch.length ? Buffer.allocUnsafe(length) : this.#scratch.subarray(0, length);
    let at = 0;
    const ends = group.map(({ payloads, length }) => {
      const start = at;
      at += length;
      return writeFrames(payloads, bytes, start);
    });
    return { bytes, ends };
  }

  async #startSegment(): Promise<void> {
    const segment = this.#end.segment + 1;
    const file = await createSegment(this.#openFile, this.#directory, segment);
    const full = this.#file;
    this.#file = file;
    this.#end = { segment, offset: SEGMENT_MAGIC.length };
    await full.close();
  }

  #reject(group: readonly Waiting[], error: unknown): void {
    if (error instanceof ProofLogError && error.code === 'LOG_FULL') {
      for (const { reject } of group) reject(error);
      return;
    }
    const message = `the proof log takes nothing more until it is reopened: ${error instanceof Error ? error.message : error}`;
    const failure = new ProofLogError(message, { code: 'LOG_FAILED', cause: error });
    this.#refusal = failure;
    const late = this.#waiting;
    this.#waiting = [];
    for (const { reject } of [...group, ...late]) reject(failure);
  }
}

function takeGroup(waiting: Waiting[]): readonly Waiting[] {
  let bytes = 0;
  const count = waiting.findIndex((one) => {
    bytes += one.length;
    return bytes > MAX_APPEND_BYTES;
  });
  return waiting.splice(0, count === -1 ? waiting.length : Math.max(1, count));
}
