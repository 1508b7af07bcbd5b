/**
 * Live views as server-sent events: `event: view`, data = ViewJson. Bounded per guest and fairly in all; a reader that is behind
 * misses intermediate views and gets the next one, since each view is the whole truth. One text per guest, however many listen.
 *
 * @see HTML, "Server-sent events"
 */
import type { ServerResponse } from 'node:http';
import type { Mac } from '../agent/core/model.ts';
import type { GuestDesk, GuestView } from '../agent/ports.ts';
import { FairPool } from './fair-pool.ts';
import {
  MAX_STREAM_BACKLOG_BYTES,
  MAX_STREAM_BEATS,
  MAX_STREAMS,
  MAX_STREAMS_PER_GUEST,
  STREAM_HEARTBEAT_MS,
} from './limits.ts';
import { viewJsonFromView } from './view-json.ts';

/** The streams of one guest with the heartbeat they began at, and how to hear no more of it. */
type Listening = { readonly responses: Map<ServerResponse, number>; readonly unwatch: () => void };

export class EventStreams {
  readonly #desk: GuestDesk;
  readonly #guests = new Map<Mac, Listening>();
  readonly #heartbeat: NodeJS.Timeout;
  readonly #places = new FairPool<Mac>(MAX_STREAMS);
  #beats = 0;

  constructor(desk: GuestDesk) {
    this.#desk = desk;
    this.#heartbeat = setInterval(() => this.beat(), STREAM_HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  hasRoomFor(mac: Mac): boolean {
    return (this.#guests.get(mac)?.responses.size ?? 0) < MAX_STREAMS_PER_GUEST && this.#places.hasRoomFor(mac);
  }

  /** Takes over a response whose headers are set and not yet sent. */
  open(mac: Mac, response: ServerResponse): void {
    // Hung up while the kernel was asked who it is: its end was told already. Or asked behind another request, whose turn may never end.
    if (response.destroyed || response.socket === null || response.socket.destroyed) {
      response.destroy();
      return;
    }
    const release = this.#places.hold(mac, () => response.destroy());
    if (release === undefined) return void response.destroy();
    this.#listeningTo(mac).responses.set(response, this.#beats);
    response.once('close', () => {
      release();
      this.#forget(mac, response);
    });
    response.write('retry: 3000\n\n');
    send(response, eventText(this.#desk.view(mac)));
  }

  /**
   * Sends every stream its view; one that still has not read the last ones is ended. An old one too: a phone that went away says no
   * goodbye, and TCP waits a quarter of an hour for it. A browser that is there begins anew by itself.
   */
  beat(): void {
    this.#beats += 1;
    for (const [mac, { responses }] of this.#guests) {
      this.#tell(mac, this.#desk.view(mac));
      for (const [response, since] of responses) {
        if (response.writableLength > MAX_STREAM_BACKLOG_BYTES) response.destroy();
        else if (this.#beats - since >= MAX_STREAM_BEATS) response.end(BEGIN_ANEW);
      }
    }
  }

  get size(): number {
    return this.#places.size;
  }

  close(): void {
    clearInterval(this.#heartbeat);
    for (const { responses } of this.#guests.values()) for (const response of responses.keys()) response.end();
  }

  #listeningTo(mac: Mac): Listening {
    const known = this.#guests.get(mac);
    if (known !== undefined) return known;
    const made = {
      responses: new Map<ServerResponse, number>(),
      unwatch: this.#desk.watch(mac, (view) => this.#tell(mac, view)),
    };
    this.#guests.set(mac, made);
    return made;
  }

  #tell(mac: Mac, view: GuestView): void {
    const text = eventText(view);
    for (const response of this.#guests.get(mac)?.responses.keys() ?? []) send(response, text);
  }

  #forget(mac: Mac, response: ServerResponse): void {
    const listening = this.#guests.get(mac);
    if (listening?.responses.delete(response) !== true || listening.responses.size > 0) return;
    this.#guests.delete(mac);
    listening.unwatch();
  }
}

/** A guest who pays as it goes waits for no view longer than that. */
const BEGIN_ANEW = 'retry: 200\n\n';

function eventText(view: GuestView): string {
  return `event: view\ndata: ${JSON.stringify(viewJsonFromView(view))}\n\n`;
}

function send(response: ServerResponse, text: string): void {
  if (response.destroyed || response.writableLength > MAX_STREAM_BACKLOG_BYTES) return;
  response.write(text);
}
