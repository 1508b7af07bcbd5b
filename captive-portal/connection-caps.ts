/**
 * How many connections one address, one guest and all guests may hold. Refused ones are destroyed without an answer.
 * Addresses are counted at once; the guest behind one is asked of the kernel, so a guest with 50 IPv6 addresses gains nothing.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { MAX_CONNECTIONS, MAX_CONNECTIONS_PER_ADDRESS, MAX_CONNECTIONS_PER_GUEST } from './limits.ts';

/** Installs the caps on a server. `identify` names the guest behind an address, as the kernel sees it. */
export function capConnections(server: Server, identify: (address: string) => Promise<string | undefined>): void {
  const perAddress = new Tally(MAX_CONNECTIONS_PER_ADDRESS);
  const perGuest = new Tally(MAX_CONNECTIONS_PER_GUEST);
  // Not server.maxConnections: that counts only what this server accepted itself, and it may be handed its connections.
  const inAll = new Tally(MAX_CONNECTIONS);
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress;
    // Gone before it was accepted.
    if (address === undefined) return;
    if (!perAddress.hold(address, socket) || !inAll.hold('', socket)) return void socket.destroy();
    identify(address).then(
      (guest) => {
        if (guest !== undefined && !socket.destroyed && !perGuest.hold(guest, socket)) socket.destroy();
      },
      // The neighbour table cannot be read: each request fails by itself with its reason; the address cap holds meanwhile.
      () => {},
    );
  });
}

/** Open sockets by key; a key without sockets is forgotten, so it is bounded by the number of connections. */
class Tally {
  readonly #counts = new Map<string, number>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Counts the socket until it closes; false if the key has its share. */
  hold(key: string, socket: Socket): boolean {
    const count = this.#counts.get(key) ?? 0;
    if (count >= this.#limit) return false;
    this.#counts.set(key, count + 1);
    socket.once('close', () => this.#release(key));
    return true;
  }

  #release(key: string): void {
    const count = (this.#counts.get(key) ?? 1) - 1;
    if (count === 0) this.#counts.delete(key);
    else this.#counts.set(key, count);
  }
}
