/** The bytes of every file on the lab's internet: one block over and over, so that each offset has a known value. */

export const PAYLOAD_BLOCK = Buffer.from(Uint8Array.from({ length: 65_521 }, (_, i) => (i * 31 + (i >> 8)) & 0xff));
const DOUBLE = Buffer.concat([PAYLOAD_BLOCK, PAYLOAD_BLOCK]);

/** True if `chunk` is what a file holds at `offset`. */
export function isPayload(chunk: Buffer, offset: number): boolean {
  for (let done = 0; done < chunk.length; ) {
    const from = (offset + done) % PAYLOAD_BLOCK.length;
    const length = Math.min(chunk.length - done, PAYLOAD_BLOCK.length);
    if (chunk.compare(DOUBLE, from, from + length, done, done + length) !== 0) return false;
    done += length;
  }
  return true;
}

/** The part of a file from `offset`, at most one block long. */
export function payloadAt(offset: number, length: number): Buffer {
  const from = offset % PAYLOAD_BLOCK.length;
  return DOUBLE.subarray(from, from + Math.min(length, PAYLOAD_BLOCK.length));
}
