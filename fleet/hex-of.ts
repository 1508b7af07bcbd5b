/** Hex of bytes where Node is: protocol/hex.ts has to run in a browser, and takes five times as long. */
import type { Hex } from '../protocol/hex.ts';

export function hexOf(bytes: Uint8Array): Hex {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')}`;
}
