/**
 * A file that can only be written where it lies (its folder is root's) would be torn by a power cut. So what is to stand in it
 * is made durable beside the ledger first; who reads the file next finishes what was begun.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

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
    const text = readFileSync(pendingPath, 'utf8');
    if (isTorn(readFileSync(path, 'utf8'), text)) writeDurably(path, text);
    rmSync(pendingPath, { force: true });
  } catch {
    // Nothing is pending, as nearly always; or who asks may not write, and the agent itself will.
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
