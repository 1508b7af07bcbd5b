/**
 * A file that can only be written where it lies (its folder is root's) would be torn by a power cut. So what is to stand in it
 * is made durable beside the ledger first; who reads the file next finishes what was begun.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** A pipe must not make the reader wait, and a link leads nowhere. */
const PENDING = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** Far above what a configuration can be. */
const MAX_PENDING_BYTES = 1 << 20;

/** Where the new text waits, for the file that the package installs. */
export const PENDING_CONFIG_PATH = '/etc/shareagent/config.pending';

/** @throws the file system's error; the file then holds the old text, or the pending one is there to mend it */
export function writeInPlace(path: string, text: string, pendingPath: string): void {
  const temporary = `${pendingPath}.new`;
  writeDurably(temporary, text);
  renameSync(temporary, pendingPath);
  let isWritten = false;
  try {
    writeDurably(path, text);
    isWritten = true;
  } finally {
    // Refused before the first byte, or done: there is nothing to mend.
    if (isWritten || !isTorn(readFileSync(path, 'utf8'), text)) rmSync(pendingPath, { force: true });
  }
}

/** Finishes a write that was cut off. What somebody else has written since stays. Does not throw. */
export function mendTornFile(path: string, pendingPath: string): void {
  try {
    const text = pendingText(pendingPath);
    if (text !== undefined && isTorn(readFileSync(path, 'utf8'), text)) writeDurably(path, text);
    rmSync(pendingPath, { force: true });
  } catch {
    // Nothing is pending, as nearly always; or who asks may not write, and the agent itself will.
  }
}

/**
 * Root mends as well (`config check` before each start), in the folder that the agent's user owns: so only what that user could
 * read anyway is taken, a plain file of its own without another name. Else undefined.
 * @throws the file system's error, ELOOP for a link
 */
function pendingText(path: string): string | undefined {
  const file = openSync(path, PENDING);
  try {
    const status = fstatSync(file);
    const isPlain = status.isFile() && status.nlink === 1 && status.uid === statSync(dirname(path)).uid;
    return isPlain && status.size <= MAX_PENDING_BYTES ? readFileSync(file, 'utf8') : undefined;
  } finally {
    closeSync(file);
  }
}

/** A beginning of the text; flash may give NUL bytes for what did not get there. */
function isTorn(found: string, text: string): boolean {
  const written = found.replace(/\0+$/, '');
  return written.length < text.length && text.startsWith(written);
}

/** @throws the file system's error */
export function writeDurably(path: string, text: string, mode = 0o600): void {
  const file = openSync(path, 'w', mode);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
