/**
 * The portal that takes the connections now. The page is made once, with the owner's name in it: when the name changes another
 * portal takes its place, and the pages that are open connect anew.
 */
import type { Socket } from 'node:net';

/** What of a Fastify app is needed here. */
export type SwappablePortal = {
  readonly server: { emit(event: 'connection', socket: Socket): boolean; emit(event: 'listening'): boolean };
  ready(): PromiseLike<unknown>;
  close(): PromiseLike<unknown>;
};

export class PortalSwap {
  readonly #build: () => SwappablePortal;
  #current: SwappablePortal | undefined;
  #renewing: Promise<void> = Promise.resolve();

  constructor(build: () => SwappablePortal) {
    this.#build = build;
  }

  /** For PortalListener. A connection that comes before the first portal is ready is ended. */
  emit(event: 'connection', socket: Socket): boolean {
    if (this.#current !== undefined) return this.#current.server.emit(event, socket);
    socket.destroy();
    return false;
  }

  /** Another portal from now on; the one before is closed. One at a time, in the order asked for. */
  renew(): Promise<void> {
    const next = this.#renewing.then(() => this.#renewOnce());
    this.#renewing = next.catch(() => undefined);
    return next;
  }

  async close(): Promise<void> {
    await this.#renewing;
    await this.#current?.close();
    this.#current = undefined;
  }

  async #renewOnce(): Promise<void> {
    const portal = this.#build();
    await portal.ready();
    // Node starts its header and request timeouts when a server listens; this one is handed its connections instead.
    portal.server.emit('listening');
    const before = this.#current;
    this.#current = portal;
    await before?.close();
  }
}
