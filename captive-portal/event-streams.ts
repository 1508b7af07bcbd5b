/**
 * Live views as server-sent events: `event: view`, data = ViewJson. Bounded per guest and in all; a reader that is behind
 * misses intermediate views and gets the next one, since each view is the whole truth.
 *
 * @see HTML, "Server-sent events"
 */
import type { ServerResponse } from 'node:http';
import type { Mac } from '../agent/core/model.ts';
import type { GuestDesk, GuestView } from '../agent/ports.ts';
import { MAX_STREAM_BACKLOG_BYTES, MAX_STREAMS, MAX_STREAMS_PER_GUEST, STREAM_HEARTBEAT_MS } from './limits.ts';
import { viewJsonFromView } from './view-json.ts';

type Stream = { readonly mac: Mac; readonly response: ServerResponse; readonly unwatch: () => void };

export class EventStreams {
  readonly #desk: GuestDesk;
  readonly #streams = new Set<Stream>();
  readonly #heartbeat: NodeJS.Timeout;

  constructor(desk: GuestDesk) {
    this.#desk = desk;
    this.#heartbeat = setInterval(() => this.beat(), STREAM_HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  hasRoomFor(mac: Mac): boolean {
    const own = [...this.#streams].filter((stream) => stream.mac === mac).length;
    return own < MAX_STREAMS_PER_GUEST && this.#streams.size < MAX_STREAMS;
  }

  /** Takes over a response whose headers are set and not yet sent. */
  open(mac: Mac, response: ServerResponse): void {
    response.write('retry: 3000\n\n');
    const unwatch = this.#desk.watch(mac, (view) => send(response, view));
    const stream: Stream = { mac, response, unwatch };
    this.#streams.add(stream);
    response.once('close', () => {
      this.#streams.delete(stream);
      unwatch();
    });
    send(response, this.#desk.view(mac));
  }

  /** Sends every stream its view; one that still has not read the last ones is ended. */
  beat(): void {
    for (const { mac, response } of this.#streams) {
      if (response.writableLength > MAX_STREAM_BACKLOG_BYTES) response.destroy();
      else send(response, this.#desk.view(mac));
    }
  }

  get size(): number {
    return this.#streams.size;
  }

  close(): void {
    clearInterval(this.#heartbeat);
    for (const { response } of this.#streams) response.end();
  }
}

function send(response: ServerResponse, view: GuestView): void {
  if (response.destroyed || response.writableLength > MAX_STREAM_BACKLOG_BYTES) return;
  response.write(`event: view\ndata: ${JSON.stringify(viewJsonFromView(view))}\n\n`);
}
