/**
 * Answers the splash page before Node's HTTP server sees it: a plain GET for a fixed file costs one write, a tenth of the rest.
 * Only requests that can mean nothing else are taken: whole in one piece, GET, HTTP/1.1, exactly one Host and it is the portal's,
 * no body, no cookie, no upgrade. Everything else goes to the HTTP server with every byte it sent, and so does what follows on
 * that connection. What is sent here the app itself has said to the same question before, to nobody in particular.
 */
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { KEEP_ALIVE_MS, MAX_HEADER_BYTES } from './limits.ts';

/** What an answer may depend on. */
type Question = { readonly path: string; readonly encoding: string; readonly language: string };
type Answer = { readonly head: string; readonly body: Buffer; second: number; wire: Buffer };

const PATHS: ReadonlySet<string> = new Set(['/', '/page.js', '/page.css', '/icon.svg']);
/** No two of its parts can take the same character: else one request of 40 headers would keep it busy for days. */
const GET = /^GET ([\x21-\x7e]{1,64}) HTTP\/1\.1\r\n((?:[A-Za-z0-9-]{1,64}:[\x20-\x7e]{0,2000}\r\n){1,40})\r\n$/;
/** Headers that make a request more than a plain question for a file. */
const NOT_PLAIN =
  /^(?:content-length|transfer-encoding|connection|expect|upgrade|te|trailer|cookie|range|if-[a-z-]+|x-http-method-override):/im;
/** A connection is handed on after so many: the HTTP server's own limits count there. */
const MAX_ANSWERS = 1_000;
/** Distinct questions kept; ten languages in the spellings of a few browsers. */
const MAX_KEPT = 64;
/** Requests remembered word for word: phones of one kind send the same bytes, and need not be understood again. */
const MAX_HEARD = 128;

export class FastLane {
  readonly #app: FastifyInstance;
  readonly #host: string;
  readonly #answers = new Map<string, Answer>();
  readonly #heard = new Map<string, Answer>();
  readonly #sockets = new Set<Socket>();

  constructor(app: FastifyInstance, host: string) {
    this.#app = app;
    this.#host = host.toLowerCase();
  }

  /** Serves the connection until it asks for something else; then it is `next`'s, with what it sent last. */
  take(socket: Socket, next: (socket: Socket) => void): void {
    let answered = 0;
    const end = () => void socket.destroy();
    // The server lets connections be half open: one that will say no more is ended here.
    const onEnd = () => void socket.end();
    const onClose = () => void this.#sockets.delete(socket);
    const onData = (chunk: Buffer): void => {
      const answer = answered < MAX_ANSWERS && socket.writableLength === 0 ? this.#answerTo(chunk) : undefined;
      if (answer !== undefined) {
        answered += 1;
        socket.write(answer);
        return;
      }
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

  /** Ends what is still here. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Bytes to send; undefined if the request is not plain, or its answer is not known yet. */
  #answerTo(chunk: Buffer): Buffer | undefined {
    if (chunk.length > MAX_HEADER_BYTES) return undefined;
    const text = chunk.toString('latin1');
    const known = this.#heard.get(text);
    if (known !== undefined) return dated(known);
    const question = questionFrom(text, this.#host);
    if (question === undefined) return undefined;
    const key = `${question.path}\n${question.encoding}\n${question.language}`;
    const answer = this.#answers.get(key);
    if (answer === undefined) {
      void this.#learn(key, question).catch(() => undefined);
      return undefined;
    }
    keep(this.#heard, text, answer, MAX_HEARD);
    return dated(answer);
  }

  /** Asks the app, as nobody: for the next one who asks the same. */
  async #learn(key: string, { path, encoding, language }: Question): Promise<void> {
    const asked = {
      ...(encoding !== '' && { 'accept-encoding': encoding }),
      ...(language !== '' && { 'accept-language': language }),
    };
    const {
      statusCode,
      headers,
      rawPayload: body,
    } = await this.#app.inject({ url: path, headers: { host: this.#host, ...asked } });
    if (statusCode !== 200 || headers['set-cookie'] !== undefined) return;
    const lines = Object.entries(headers).filter(([name]) => !['date', 'connection', 'keep-alive'].includes(name));
    const head = `HTTP/1.1 200 OK\r\n${lines.map(([name, value]) => `${name}: ${String(value)}\r\n`).join('')}`;
    keep(this.#answers, key, { head, body, second: 0, wire: body }, MAX_KEPT);
  }
}

/** The oldest makes room. */
function keep<T>(map: Map<string, T>, key: string, value: T, limit: number): void {
  const [oldest] = map.keys();
  if (map.size >= limit && oldest !== undefined) map.delete(oldest);
  map.set(key, value);
}

function questionFrom(text: string, host: string): Question | undefined {
  const [, path = '', headers = ''] = GET.exec(text) ?? [];
  if (!PATHS.has(path) || NOT_PLAIN.test(headers)) return undefined;
  const hosts = valuesOf(headers, 'host');
  const encodings = valuesOf(headers, 'accept-encoding');
  const languages = valuesOf(headers, 'accept-language');
  if (hosts.length !== 1 || encodings.length > 1 || languages.length > 1) return undefined;
  if (hosts[0]?.toLowerCase().replace(/:\d{1,5}$/, '') !== host) return undefined;
  return { path, encoding: encodings[0] ?? '', language: languages[0] ?? '' };
}

function valuesOf(headers: string, name: string): readonly string[] {
  return headers
    .split('\r\n')
    .filter((line) => line.slice(0, name.length + 1).toLowerCase() === `${name}:`)
    .map((line) => line.slice(name.length + 1).trim());
}

/** With the time of day, made once a second. */
function dated(answer: Answer): Buffer {
  const second = Math.floor(Date.now() / 1_000);
  if (second !== answer.second) {
    answer.second = second;
    const date = new Date(second * 1_000).toUTCString();
    answer.wire = Buffer.concat([
      Buffer.from(`${answer.head}date: ${date}\r\nconnection: keep-alive\r\n\r\n`, 'latin1'),
      answer.body,
    ]);
  }
  return answer.wire;
}
