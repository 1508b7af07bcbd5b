/** Hex of bytes where Node is: protocol/hex.ts has to run in a browser, and takes five times as long. */
import type { Hex } from '../protocol/hex.ts';

/** As long as a signature. A small array of V8's own heap would have to be moved out of it before native code can read it. */
const scratch = Buffer.allocUnsafeSlow(64);

export function hexOf(bytes: Uint8Array): Hex {
  const { length } = bytes;
  if (length > scratch.length) return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('hex')}`;
  scratch.set(bytes);
  return `0x${scratch.toString('hex', 0, length)}`;
}
