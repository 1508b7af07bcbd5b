/**
 * The portal that takes the connections now. The page is made once, with the owner's name and look in it: when they change another
 * portal takes its place, and the pages that are open connect anew. Connections come to it through the door, http or https.
 */
import type { Socket } from 'node:net';

/** What of a Fastify app is needed here. */
export type SwappablePortal = {
  readonly server: { emit(event: 'connection', socket: Socket): boolean; emit(event: 'listening'): boolean };
  ready(): PromiseLike<unknown>;
  close(): PromiseLike<unknown>;
};

/** Where connections come in before the portal sees them; captive-portal/tls-door.ts is one. */
export type PortalDoor = {
  accept(socket: Socket, next: (socket: Socket) => void): void;
  /** Told before each new portal: what the door was made from may have changed as well. */
  look(): void;
  close(): void;
};

const OPEN_DOOR: PortalDoor = { accept: (socket, next) => next(socket), look: () => undefined, close: () => undefined };

export class PortalSwap {
  readonly #build: () => SwappablePortal;
  readonly #door: PortalDoor;
  #current: SwappablePortal | undefined;
  #renewing: Promise<void> = Promise.resolve();

  constructor(build: () => SwappablePortal, door: PortalDoor = OPEN_DOOR) {
    this.#build = build;
    this.#door = door;
  }

  /** For PortalListener. A connection that comes before the first portal is ready is ended. */
  emit(event: 'connection', socket: Socket): boolean {
    const isThere = this.#current !== undefined;
    if (isThere) this.#door.accept(socket, (ready) => this.#hand(event, ready));
    else socket.destroy();
    return isThere;
  }

  /** Another portal from now on; the one before is closed. One at a time, in the order asked for. */
  renew(): Promise<void> {
    const next = this.#renewing.then(() => this.#renewOnce());
    this.#renewing = next.catch(() => undefined);
    return next;
  }

  async close(): Promise<void> {
    await this.#renewing;
    this.#door.close();
    await this.#current?.close();
    this.#current = undefined;
  }

  /** To the portal of this moment: there may be another one since the connection came to the door. */
  #hand(event: 'connection', socket: Socket): void {
    if (this.#current === undefined) socket.destroy();
    else this.#current.server.emit(event, socket);
  }

  async #renewOnce(): Promise<void> {
    this.#door.look();
    const portal = this.#build();
    await portal.ready();
    // Node starts its header and request timeouts when a server listens; this one is handed its connections instead.
    portal.server.emit('listening');
    const before = this.#current;
    this.#current = portal;
    await before?.close();
  }
}
