/**
 * The bytes of a segment file: an 8-byte magic, then frames of u32 length, u32 CRC-32 of the payload, payload; big-endian.
 * A frame that is cut short or does not match its CRC ends what can be read.
 */
import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

export const SEGMENT_MAGIC = Buffer.from('SSPLOG01', 'latin1');
export const FRAME_HEADER_BYTES = 8;
/** Far more than the longest upload and its verdict; a length beyond this is damage, not a frame. */
export const MAX_PAYLOAD_BYTES = 4 * 1024 * 1024;

const READ_BYTES = 1024 * 1024;

/** Bytes that the payloads take as frames. @throws RangeError for a payload that no reader would accept */
export function framedLength(payloads: readonly Uint8Array[]): number {
  let length = 0;
  for (const payload of payloads) {
    if (payload.length === 0 || payload.length > MAX_PAYLOAD_BYTES) {
      throw new RangeError(`a frame holds 1..${MAX_PAYLOAD_BYTES} bytes, got ${payload.length}`);
    }
    length += FRAME_HEADER_BYTES + payload.length;
  }
  return length;
}

/** Puts headers and payloads one after another from `at`. @returns where each frame ends */
export function writeFrames(payloads: readonly Uint8Array[], bytes: Buffer, at: number): number[] {
  let end = at;
  return payloads.map((payload) => {
    bytes.writeUInt32BE(payload.length, end);
    bytes.writeUInt32BE(crc32(payload), end + 4);
    bytes.set(payload, end + FRAME_HEADER_BYTES);
    end += FRAME_HEADER_BYTES + payload.length;
    return end;
  });
}

/**
 * Whole frames of a file from `offset` (0 = its start), each with the offset at which it ends. Ends silently where the
 * first frame is not whole: the caller knows whether that is the end of the file.
 */
export async function* readFrames(
  file: FileHandle,
  offset: number,
): AsyncGenerator<{ readonly payload: Uint8Array; readonly end: number }> {
  let position = offset;
  let buffer = Buffer.alloc(0);
  if (position === 0) {
    const { buffer: magic, bytesRead } = await file.read(
      Buffer.alloc(SEGMENT_MAGIC.length),
      0,
      SEGMENT_MAGIC.length,
      0,
    );
    if (bytesRead < SEGMENT_MAGIC.length || !magic.equals(SEGMENT_MAGIC)) return;
    position = SEGMENT_MAGIC.length;
  }
  for (;;) {
    const frame = frameAt(buffer);
    if (frame === 'damaged') return;
    if (frame !== 'short') {
      position += FRAME_HEADER_BYTES + frame.length;
      buffer = buffer.subarray(FRAME_HEADER_BYTES + frame.length);
      yield { payload: frame, end: position };
      continue;
    }
    const chunk = Buffer.alloc(READ_BYTES);
    const { bytesRead } = await file.read(chunk, 0, READ_BYTES, position + buffer.length);
    if (bytesRead === 0) return;
    buffer = Buffer.concat([buffer, chunk.subarray(0, bytesRead)]);
  }
}

function frameAt(buffer: Buffer): Uint8Array | 'short' | 'damaged' {
  if (buffer.length < FRAME_HEADER_BYTES) return 'short';
  const length = buffer.readUInt32BE(0);
  if (length === 0 || length > MAX_PAYLOAD_BYTES) return 'damaged';
  if (buffer.length < FRAME_HEADER_BYTES + length) return 'short';
  const payload = buffer.subarray(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + length);
  return crc32(payload) === buffer.readUInt32BE(4) ? payload : 'damaged';
}
