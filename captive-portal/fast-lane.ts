/**
 * Answers the splash page before Node's HTTP server sees it: one look-up and one write, a fifth of the rest. It reads no HTTP: it
 * repeats an answer to the very bytes that the HTTP server has parsed and the app has answered before, with what is the same for
 * everybody. All else goes to the HTTP server with every byte it sent, and so does what follows on that connection.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply } from 'fastify';
import { KEEP_ALIVE_MS, MAX_REMEMBERED_REQUEST_BYTES, MAX_REMEMBERED_REQUESTS } from './limits.ts';

/** `wire`: the whole answer with the time of day of `second`. */
type Answer = { readonly head: string; readonly body: Buffer; second: number; wire: Buffer };

/** What makes a request more than a plain question for a file, or the connection's last; and what is nobody else's business. */
const NOT_PLAIN = [
  'authorization',
  'content-length',
  'cookie',
  'expect',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
] as const;

export class FastLane {
  readonly #sockets = new Set<Socket>();
  /** By the bytes of the request: phones of one kind send the same. */
  readonly #answers = new Map<string, Answer>();
  /** One for each file, in whatever words it was asked for. */
  readonly #byBody = new WeakMap<Buffer, Answer>();
  /** What was handed on last: the app answers it before another connection is read. */
  #handedOn: { readonly socket: Socket; readonly text: string } | undefined;

  /** Serves the connection until it asks for something else; then it is `next`'s, with what it sent last. */
  take(socket: Socket, next: (socket: Socket) => void): void {
    const end = () => void socket.destroy();
    // The server lets connections be half open: one that will say no more is ended here.
    const onEnd = () => void socket.end();
    const onClose = () => void this.#sockets.delete(socket);
    const onData = (chunk: Buffer): void => {
      const text = chunk.length > MAX_REMEMBERED_REQUEST_BYTES ? '' : chunk.toString('latin1');
      const answer = this.#answers.get(text);
      // One who does not read gets no more from here.
      if (answer !== undefined && socket.writableLength === 0) {
        socket.write(dated(answer));
        return;
      }
      this.#handedOn = { socket, text };
      this.#sockets.delete(socket);
      socket.off('data', onData).off('timeout', end).off('error', end).off('end', onEnd).off('close', onClose);
      socket.pause();
      socket.unshift(chunk);
      socket.setTimeout(0);
      next(socket);
      // After whoever takes over has set its listeners: what was put back comes first.
      process.nextTick(() => socket.resume());
    };
    this.#sockets.add(socket);
    socket.setTimeout(KEEP_ALIVE_MS);
    socket.on('data', onData).on('timeout', end).on('error', end).on('end', onEnd).on('close', onClose);
  }

  /**
   * To be told of an answer just before it is sent. It is kept for those who ask in the same bytes, if it depends on nothing else: the
   * caller sends the same `body` with the same headers to whoever asks so.
   */
  learn(request: IncomingMessage, reply: FastifyReply, body: Buffer): void {
    const handedOn = this.#handedOn;
    this.#handedOn = undefined;
    if (handedOn?.socket !== request.socket || !isPlain(request) || textOf(request) !== handedOn.text) return;
    const answer = this.#byBody.get(body) ?? answerFrom(reply, body);
    this.#byBody.set(body, answer);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size >= MAX_REMEMBERED_REQUESTS && oldest !== undefined) this.#answers.delete(oldest);
    this.#answers.set(handedOn.text, answer);
  }

  /** Ends what is still here. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

function isPlain({ method, httpVersion, headers }: IncomingMessage): boolean {
  const { connection = 'keep-alive' } = headers;
  return (
    method === 'GET' &&
    httpVersion === '1.1' &&
    connection.toLowerCase() === 'keep-alive' &&
    NOT_PLAIN.every((name) => headers[name] === undefined)
  );
}

/** The request as most programs write it: if these are the bytes that came, nothing else came with them. */
function textOf({ url = '', rawHeaders }: IncomingMessage): string {
  const parts = [`GET ${url} HTTP/1.1`];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) parts.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  return `${parts.join('\r\n')}\r\n\r\n`;
}

function answerFrom(reply: FastifyReply, body: Buffer): Answer {
  const lines = Object.entries(reply.getHeaders()).map(([name, value]) => `${name}: ${String(value)}\r\n`);
  const length = `content-length: ${body.length}\r\n`;
  const connection = `connection: keep-alive\r\nkeep-alive: timeout=${KEEP_ALIVE_MS / 1_000}\r\n`;
  return { head: `HTTP/1.1 200 OK\r\n${lines.join('')}${length}${connection}`, body, second: 0, wire: body };
}

/** With the time of day, made once a second. */
function dated(answer: Answer): Buffer {
  const second = Math.floor(Date.now() / 1_000);
  if (second !== answer.second) {
    answer.second = second;
    const date = `date: ${new Date(second * 1_000).toUTCString()}\r\n\r\n`;
    answer.wire = Buffer.concat([Buffer.from(answer.head + date, 'latin1'), answer.body]);
  }
  return answer.wire;
}
