/**
 * Small files that are on disk whole, or as they were. Root writes some of them for the agent, in a directory that the agent's
 * user owns: the name in between is nobody's guess, no link is followed, and the file becomes that user's.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;

/** Replaces the file, or makes it. On disk when it returns. @throws the file system's error, and the file is as it was */
export function replaceWholeFile(path: string, text: string, mode: number): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  const file = openSync(temporary, 'wx', mode);
  try {
    try {
      giveToOwnerOf(dirname(path), file);
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncDirectory(path);
}

/** Adds to the file's end, all of `text` or nothing. On disk when it returns. @throws the file system's error */
export function appendWhole(path: string, text: string, mode: number): void {
  const file = openSync(path, APPEND, mode);
  try {
    giveToOwnerOf(dirname(path), file);
    const { size } = fstatSync(file);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } catch (error) {
      ftruncateSync(file, size);
      throw error;
    }
  } finally {
    closeSync(file);
  }
}

/** Names in a directory are on disk once the directory is. */
export function syncDirectory(path: string): void {
  const directory = openSync(dirname(path), 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** Only root can, and only root needs to. */
function giveToOwnerOf(directory: string, file: number): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(directory);
  fchownSync(file, uid, gid);
}
