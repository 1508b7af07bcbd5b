/**
 * The files of a proof log's directory: 0000000001.seg, 0000000002.seg, ... The one that grows is opened with O_DSYNC: a write is
 * durable when it returns, as if fdatasync had followed it, in one call instead of two.
 *
 * @see open(2), O_DSYNC
 */
import { constants, writeSync } from 'node:fs';
import { copyFile, type FileHandle, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ProofLogError } from './proof-log.ts';
import { readFrames, SEGMENT_MAGIC } from './segment-frame.ts';

/** A test lets disks fail here. */
export type OpenFile = (path: string, flags: string | number, mode?: number) => Promise<FileHandle>;

const SEGMENT_NAME = /^(\d{10})\.seg$/;
const GROWING = constants.O_RDWR | constants.O_DSYNC;

/** Oldest first. @throws ProofLogError LOG_CORRUPT if one is missing */
export async function segmentNumbers(directory: string): Promise<readonly number[]> {
  const numbers = (await readdir(directory))
    .map((name) => SEGMENT_NAME.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
  const missing = numbers.findIndex((number, i) => number !== i + 1);
  if (missing === -1) return numbers;
  throw new ProofLogError(`segment ${missing + 1} of ${directory} is missing`, { code: 'LOG_CORRUPT' });
}

export function segmentPath(directory: string, segment: number): string {
  return join(directory, `${String(segment).padStart(10, '0')}.seg`);
}

export async function createSegment(openFile: OpenFile, directory: string, segment: number): Promise<FileHandle> {
  // Truncating: a file of that number can only be what an earlier attempt left before its first frame.
  const file = await openFile(segmentPath(directory, segment), GROWING | constants.O_CREAT | constants.O_TRUNC, 0o600);
  try {
    await writeFully(file, SEGMENT_MAGIC, 0);
    await file.sync();
  } catch (error) {
    await file.close();
    throw error;
  }
  await syncDirectory(openFile, directory);
  return file;
}

export async function syncDirectory(openFile: OpenFile, directory: string): Promise<void> {
  const file = await openFile(directory, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Opens the segment that grows, with the offset where its last whole frame ends. */
export async function openLast(
  openFile: OpenFile,
  directory: string,
  segment: number,
): Promise<{ file: FileHandle; offset: number }> {
  const path = segmentPath(directory, segment);
  const file = await openFile(path, GROWING);
  let offset = 0;
  for await (const frame of readFrames(file, 0)) offset = frame.end;
  const { size } = await file.stat();
  if (offset === 0) {
    await file.close();
    if (size > SEGMENT_MAGIC.length) await copyFile(path, `${path}.torn-0`, constants.COPYFILE_FICLONE);
    return { file: await createSegment(openFile, directory, segment), offset: SEGMENT_MAGIC.length };
  }
  if (size > offset) {
    await copyFile(path, `${path}.torn-${offset}`, constants.COPYFILE_FICLONE);
    await file.truncate(offset);
  }
  // Whoever died in the middle of a write has left whole frames that may be in memory only, even a file that no directory
  // names durably. They are taken up like any other, and their senders told so.
  await file.sync();
  await syncDirectory(openFile, directory);
  return { file, offset };
}

export async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}

/** The same, while nothing else is done. */
export function writeNow(file: FileHandle, bytes: Uint8Array, position: number): void {
  for (let written = 0; written < bytes.length; )
    written += writeSync(file.fd, bytes, written, bytes.length - written, position + written);
}

export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}
