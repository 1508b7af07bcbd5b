/** Names inside signed structs: printable ASCII of 1..32 characters in a bytes32, left-aligned, as Solidity writes bytes32("name"). */
import { bytesFromHex, type Hex, hexFromBytes } from './hex.ts';

const SHORT_TEXT = /^[\x21-\x7e]{1,32}$/;

/** True for 1..32 characters of ASCII without spaces: each such text is exactly one bytes32. */
export function isShortText(text: string): boolean {
  return SHORT_TEXT.test(text);
}

/** @throws RangeError for any other text. */
export function bytes32FromText(text: string): Hex {
  if (!isShortText(text))
    throw new RangeError(`text must be 1..32 printable ASCII characters, got ${text.slice(0, 40)}`);
  return hexFromBytes(Uint8Array.from({ length: 32 }, (_, i) => (i < text.length ? text.charCodeAt(i) : 0)));
}

/** The text of a bytes32, or undefined if it is not one that bytes32FromText makes. */
export function textFromBytes32(word: Hex): string | undefined {
  const bytes = bytesFromHex(word);
  const end = bytes.indexOf(0);
  const used = end === -1 ? bytes : bytes.subarray(0, end);
  const text = String.fromCharCode(...used);
  return isShortText(text) && bytes.subarray(used.length).every((byte) => byte === 0) ? text : undefined;
}
