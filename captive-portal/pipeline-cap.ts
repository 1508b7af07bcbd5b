/**
 * How many requests a connection may have unanswered. Browsers wait for each answer; one who does not could put a thousand requests
 * into one piece, all of them parsed and answered before anybody else's turn, and their answers kept for as long as nobody reads them.
 *
 * @see RFC 9112 section 9.3.2 (a server may close the connection at any time, and clients are ready for it)
 */
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import type { Socket } from 'node:net';
import { MAX_PARSED_AT_ONCE_BYTES, MAX_UNANSWERED_REQUESTS } from './limits.ts';

/** Puts the cap before the app of a server. A connection that breaks it is ended without an answer. */
export function capPipelines(server: Server): void {
  const [serve] = server.listeners('request') as [RequestListener];
  const unanswered = new WeakMap<Socket, number>();
  const countOf = ({ socket }: IncomingMessage): number => unanswered.get(socket) ?? 0;
  const listener: RequestListener = (request, response) => {
    const count = countOf(request) + 1;
    // The rest of the slice is still parsed, and dropped here.
    if (count > MAX_UNANSWERED_REQUESTS || request.socket.destroyed) return void request.socket.destroy();
    unanswered.set(request.socket, count);
    response.once('close', () => unanswered.set(request.socket, countOf(request) - 1));
    serve(request, response);
  };
  server.removeListener('request', serve);
  server.on('request', listener);
  // Nobody needs what a request expects beyond "100-continue"; without a listener Node answers 417 with none of our headers.
  server.on('checkExpectation', listener);
}

/**
 * Lets the HTTP server parse a connection that was just given to it in slices, and no further once it has ended the connection or waits
 * for its answers to be read. By itself it parses all that has come, 64 kB, before it looks up.
 */
export function parseInSlices(socket: Socket): void {
  const [parse] = socket.listeners('data') as [((data: Buffer) => void)?];
  if (parse === undefined) return;
  socket.off('data', parse);
  socket.on('data', (data: Buffer) => {
    let at = 0;
    while (at < data.length && !socket.destroyed && !socket.isPaused()) {
      parse.call(socket, data.subarray(at, at + MAX_PARSED_AT_ONCE_BYTES));
      at += MAX_PARSED_AT_ONCE_BYTES;
    }
    if (at < data.length && !socket.destroyed) socket.unshift(data.subarray(at));
  });
}
