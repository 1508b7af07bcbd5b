/**
 * Listens with the portal on the guest devices' own addresses and nowhere else: no wildcard, so nothing of it is reachable
 * from the uplink or the private network, whatever the firewall says. Addresses that appear later are taken up.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { DriverLog } from '../driver.ts';

/** One connection handler for every address; `app.server` of a Fastify app that is ready takes connections as events. */
export type ConnectionSink = { emit(event: 'connection', socket: Socket): boolean };

export type PortalListenerDeps = {
  readonly sink: ConnectionSink;
  readonly port: number;
  /** Addresses of the guest devices now; link-local ones with their zone ("fe80::1%br-guest"). */
  readonly addresses: () => readonly string[];
  readonly log: DriverLog;
};

const REBIND_MS = 5_000;

export class PortalListener {
  readonly #deps: PortalListenerDeps;
  readonly #servers = new Map<string, Server>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(deps: PortalListenerDeps) {
    this.#deps = deps;
  }

  /** Binds what is there now and looks for changes from then on. */
  async start(): Promise<void> {
    await this.rebind();
    this.#timer = setInterval(() => void this.rebind(), REBIND_MS);
  }

  /** Takes no connection any more. Those under way are the sink's to end: an open stream would keep this waiting for ever. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    for (const server of this.#servers.values()) server.close();
    this.#servers.clear();
  }

  /** Takes up new addresses and lets go of those that went. Never rejects. */
  async rebind(): Promise<void> {
    const wanted = this.#wanted();
    if (wanted === undefined || this.#isClosed) return;
    for (const [address, server] of this.#servers) {
      if (wanted.has(address)) continue;
      server.close();
      this.#servers.delete(address);
    }
    await Promise.all(
      [...wanted].filter((address) => !this.#servers.has(address)).map((address) => this.#bind(address)),
    );
  }

  /** Undefined if the addresses cannot be read: then everything stays as it is. */
  #wanted(): ReadonlySet<string> | undefined {
    try {
      return new Set(this.#deps.addresses());
    } catch (err) {
      this.#deps.log.warn({ err }, 'portal-addresses-not-read');
      return undefined;
    }
  }

  #bind(host: string): Promise<void> {
    const { sink, port, log } = this.#deps;
    const server = createServer((socket) => sink.emit('connection', socket));
    this.#servers.set(host, server);
    return new Promise((done) => {
      server.once('listening', () => {
        // Closed, or its address gone, while it was being bound.
        if (this.#servers.get(host) === server) log.info({ host, port }, 'portal-listening');
        else server.close();
        done();
      });
      server.on('error', (err) => {
        // IPv6 addresses are tentative for a second after they appear (RFC 4862 5.4): the next round takes them up.
        log.warn({ host, port, err }, 'portal-not-listening');
        if (this.#servers.get(host) === server) this.#servers.delete(host);
        done();
      });
      server.listen({ host, port, exclusive: true });
    });
  }
}
