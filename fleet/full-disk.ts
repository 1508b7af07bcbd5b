/**
 * What the collector does while its disk is full: nothing is taken, everybody is told so (507) and when to come again, and once
 * somebody has made room it goes on by itself, as after a restart.
 */
import { once } from 'node:events';
import { statfsSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { isDiskFull } from './segment-files.ts';
import { diskFullAnswer } from './upload-answer.ts';

export type FullDisk = {
  readonly directory: string;
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer };
  /** Aborted: the process is to end. */
  readonly signal: AbortSignal;
};

/** What a restart may have to write again, and some proofs more. */
const ROOM_BYTES = 1024 * 1024;
const LOOK_MS = 500;

/** Of the file system, or of SQLite upon it. */
export function isOutOfRoom(error: unknown): boolean {
  return isDiskFull(error) || (error instanceof Error && 'code' in error && error.code === 'SQLITE_FULL');
}

/** Answers in the collector's place until there is room, or it is to end. */
export async function untilRoom({ directory, host, port, tls, signal }: FullDisk): Promise<void> {
  const server =
    tls === undefined ? createHttpServer(refuse) : createHttpsServer({ ...tls, minVersion: 'TLSv1.3' }, refuse);
  server.listen(port, host);
  await once(server, 'listening');
  try {
    while (!signal.aborted && freeBytes(directory) < ROOM_BYTES) {
      await delay(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }
}

const refuse: RequestListener = (request, response) => {
  const { status, retryAfterS, json } = diskFullAnswer();
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'retry-after': `${retryAfterS}`,
    connection: 'close',
  };
  request.resume();
  request.once('end', () => response.writeHead(status, headers).end(JSON.stringify(json)));
};

function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}
