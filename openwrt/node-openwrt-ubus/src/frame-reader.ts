/**
 * Cuts the byte stream of a ubus socket into frames, wherever reads split or merged them. Memory follows what was
 * received, never what a length field claims.
 */
import { MAX_MESSAGE_LENGTH, MESSAGE_HEADER_LENGTH } from './blob.ts';
import { MIN_FRAME_LENGTH } from './message.ts';

const FIRST_CAPACITY = 65_536;

/** Tells where frames are: from `start` to `end` (exclusive) of `bytes`, which are valid only until `onFrame` returns. */
export class FrameScanner {
  readonly #onFrame: (bytes: Buffer, start: number, end: number) => void;
  #held = Buffer.alloc(0);
  #heldLength = 0;

  constructor(onFrame: (bytes: Buffer, start: number, end: number) => void) {
    this.#onFrame = onFrame;
  }

  /** Takes the next bytes. @throws FrameError if a length can not be; the stream is then lost. */
  push(chunk: Buffer): void {
    if (this.#heldLength === 0) {
      const used = this.#cut(chunk);
      if (used < chunk.length) this.#hold(chunk.subarray(used));
      return;
    }
    this.#hold(chunk);
    const bytes = this.#held.subarray(0, this.#heldLength);
    // Not worth a look at each single byte: a frame that is still short costs one length check.
    const used = this.#cut(bytes);
    this.#heldLength -= used;
    if (used === 0) return;
    if (this.#heldLength === 0 && this.#held.length > FIRST_CAPACITY) this.#held = Buffer.alloc(0);
    else this.#held.copyWithin(0, used, used + this.#heldLength);
  }

  #cut(bytes: Buffer): number {
    let offset = 0;
    while (bytes.length - offset >= MIN_FRAME_LENGTH) {
      const root = bytes.readUInt32BE(offset + MESSAGE_HEADER_LENGTH) & 0xffffff;
      if (root < 4 || root > MAX_MESSAGE_LENGTH) throw new FrameError(root);
      const length = MESSAGE_HEADER_LENGTH + root;
      if (bytes.length - offset < length) break;
      this.#onFrame(bytes, offset, offset + length);
      offset += length;
    }
    return offset;
  }

  #hold(bytes: Buffer): void {
    const needed = this.#heldLength + bytes.length;
    if (needed > this.#held.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#held.length, FIRST_CAPACITY));
      this.#held.copy(grown, 0, 0, this.#heldLength);
      this.#held = grown;
    }
    bytes.copy(this.#held, this.#heldLength);
    this.#heldLength = needed;
  }
}

/** The same with each frame as a view: valid only until `onFrame` returns. */
export class FrameReader extends FrameScanner {
  constructor(onFrame: (frame: Buffer) => void) {
    super((bytes, start, end) => onFrame(bytes.subarray(start, end)));
  }
}

/** A frame length below 4 or above 1 MiB: what follows in the stream can not be found any more. */
export class FrameError extends Error {
  override readonly name = 'FrameError';

  constructor(length: number) {
    super(`ubus frame length must be 4..${MAX_MESSAGE_LENGTH}, got ${length}`);
  }
}
