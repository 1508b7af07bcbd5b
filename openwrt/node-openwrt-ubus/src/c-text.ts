/**
 * Text as C programs on the bus see it: up to the first NUL; bytes that are not UTF-8 become U+FFFD. Names of fields come
 * again and again, so short ones are kept and compared instead of being decoded each time.
 */

/** Slots for names; a name that meets another in its slot takes it over, so memory is bounded whatever the bus sends. */
const SLOTS = 1_024;
const LONGEST_KEPT = 32;
/** Below this a loop here is faster than a call into C++. */
const LONGEST_LOOP = 64;

const names: (string | undefined)[] = new Array<string | undefined>(SLOTS).fill(undefined);

/** Text in bytes[start, end); a NUL must stand at or before `end`. */
export function textFromBytes(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('utf8', start, nulAt(bytes, start, end));
}

/** The same for names, which repeat. */
export function nameFromBytes(bytes: Buffer, start: number, end: number): string {
  const length = end - start;
  if (length > LONGEST_KEPT) return textFromBytes(bytes, start, end);
  let hash = length;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === 0 || byte > 0x7f) return textFromBytes(bytes, start, end);
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  const slot = hash & (SLOTS - 1);
  const known = names[slot];
  if (known !== undefined && isSame(known, bytes, start, length)) return known;
  const name = bytes.toString('latin1', start, end);
  names[slot] = name;
  return name;
}

function isSame(name: string, bytes: Buffer, start: number, length: number): boolean {
  if (name.length !== length) return false;
  for (let i = 0; i < length; i++) if (name.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}

function nulAt(bytes: Buffer, start: number, end: number): number {
  if (end - start > LONGEST_LOOP) {
    const nul = bytes.indexOf(0, start);
    return nul >= 0 && nul < end ? nul : end;
  }
  let at = start;
  while (at < end && bytes[at] !== 0) at += 1;
  return at;
}
