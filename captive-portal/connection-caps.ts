/**
 * How many connections one address, one guest, all who have not paid and all guests may hold. Refused ones are destroyed without an
 * answer. Addresses are counted at once; the guest behind one is asked of the kernel, so a guest with 50 IPv6 addresses gains nothing.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { FairPool } from './fair-pool.ts';
import {
  MAX_CONNECTIONS,
  MAX_CONNECTIONS_OF_UNPAID,
  MAX_CONNECTIONS_PER_ADDRESS,
  MAX_CONNECTIONS_PER_GUEST,
} from './limits.ts';

export type WhoConnects<Guest extends string> = {
  /** The guest behind an address, as the kernel sees it. */
  readonly identify: (address: string) => Promise<Guest | undefined>;
  /** False for strangers and trials: MACs are made up for nothing, so they have no more than a share of all connections. */
  readonly hasPaid: (guest: Guest) => boolean;
};

/** Installs the caps on a server. */
export function capConnections<Guest extends string>(server: Server, { identify, hasPaid }: WhoConnects<Guest>): void {
  const perAddress = new Tally(MAX_CONNECTIONS_PER_ADDRESS);
  const perGuest = new Tally(MAX_CONNECTIONS_PER_GUEST);
  // Not server.maxConnections: that counts only what this server accepted itself, and it may be handed its connections.
  const inAll = new Tally(MAX_CONNECTIONS);
  const ofUnpaid = new FairPool<Guest | undefined>(MAX_CONNECTIONS_OF_UNPAID);
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress;
    // Gone before it was accepted.
    if (address === undefined) return;
    if (!perAddress.hold(address, socket) || !inAll.hold('', socket)) return void socket.destroy();
    const judge = (guest: Guest | undefined): void => {
      if (socket.destroyed) return;
      if (guest !== undefined && !perGuest.hold(guest, socket)) return void socket.destroy();
      if (guest !== undefined && hasPaid(guest)) return;
      const release = ofUnpaid.hold(guest, () => socket.destroy());
      if (release === undefined) socket.destroy();
      else socket.once('close', release);
    };
    // What cannot be asked (the neighbour table) each request is told by itself, with its reason; the other caps hold meanwhile.
    identify(address).then(judge).catch(ignored);
  });
}

function ignored(): void {}

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
