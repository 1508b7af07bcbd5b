/**
 * One port for http and https: the first byte of a connection tells which it is. Without a certificate, or with one that cannot be
 * read, everything is http as before: then only the captive portal API loses its TLS, and phones find the page by redirect.
 * The certificate is read again when its file has changed, so a renewal needs neither restart nor signal.
 *
 * @see RFC 8908 section 4.1 (the API is https), RFC 8446 section 5.1 (a handshake record begins with 22)
 */
import { readFileSync, statSync } from 'node:fs';
import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import { HEADERS_TIMEOUT_MS, MAX_CONNECTIONS_PER_ADDRESS, MAX_WAITING_AT_DOOR } from './limits.ts';
import type { PortalLog } from './portal-context.ts';

/** Certificate chain and key, both PEM. */
export type CertificateFiles = { readonly certPath: string; readonly keyPath: string };
export type ConnectionHandler = (socket: Socket) => void;

/** First byte of every TLS connection: a handshake record. */
const TLS_HANDSHAKE = 22;
const LOOK_AGAIN_MS = 60_000;

export class TlsDoor {
  readonly #files: () => CertificateFiles | undefined;
  readonly #log: PortalLog;
  /** Connections that have not said yet what they are, by address. */
  readonly #waiting = new Map<string, number>();
  /** Ends one of them; those that wait longest come first. */
  readonly #endings = new Set<() => void>();
  #context: SecureContext | undefined;
  /** Names and change times of the files that were read last, so that the same trouble is logged once. */
  #seen = '';
  readonly #timer: NodeJS.Timeout;

  /** `files` is asked anew at each look: the owner may change them while the portal runs. */
  constructor(files: () => CertificateFiles | undefined, log: PortalLog) {
    this.#files = files;
    this.#log = log;
    this.look();
    this.#timer = setInterval(() => this.look(), LOOK_AGAIN_MS).unref();
  }

  /** True while https is spoken. */
  get isOpen(): boolean {
    return this.#context !== undefined;
  }

  /** Connections that have not said yet what they are. */
  get waiting(): number {
    return this.#endings.size;
  }

  /** Reads the certificate if it is not the one read last. One that is wrong leaves the one before in use. */
  look(): void {
    const files = this.#files();
    if (files === undefined) {
      this.#context = undefined;
      this.#seen = '';
      return;
    }
    const stamp = `${files.certPath} ${stampOf(files.certPath)} ${files.keyPath} ${stampOf(files.keyPath)}`;
    if (stamp === this.#seen) return;
    this.#seen = stamp;
    try {
      const [cert, key] = [readFileSync(files.certPath), readFileSync(files.keyPath)];
      // Throws if the two do not belong together.
      this.#context = createSecureContext({ cert, key, minVersion: 'TLSv1.2' });
      this.#log.info({ cert: files.certPath }, 'portal-certificate-read');
    } catch (err) {
      this.#log.warn({ err, cert: files.certPath }, 'portal-certificate-not-read');
    }
  }

  /** Hands the connection on: as it is, or once its handshake is done. One that does not make up its mind is ended. */
  accept(socket: Socket, next: ConnectionHandler): void {
    const context = this.#context;
    if (context === undefined) next(socket);
    else this.#ask(socket, context, next);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#context = undefined;
  }

  #ask(socket: Socket, context: SecureContext, next: ConnectionHandler): void {
    const end = () => void socket.destroy();
    const release = this.#hold(socket.remoteAddress ?? '', end);
    if (release === undefined) {
      end();
      return;
    }
    const timer = setTimeout(end, HEADERS_TIMEOUT_MS).unref();
    const leave = () => {
      clearTimeout(timer);
      release();
    };
    const onward: ConnectionHandler = (ready) => {
      socket.off('error', end);
      socket.off('close', leave);
      leave();
      next(ready);
    };
    socket.on('error', end);
    socket.once('close', leave);
    socket.once('data', (first: Buffer) => {
      socket.pause();
      socket.unshift(first);
      if (first[0] === TLS_HANDSHAKE) {
        shakeHands(socket, context, onward);
        return;
      }
      onward(socket);
      // After whoever takes over has set its listeners: what was put back comes first.
      process.nextTick(() => socket.resume());
    });
  }

  /**
   * Counts a connection that has not said yet what it is; undefined if its address has too many. If there are too many in all, the one
   * that waits longest goes: whoever comes now has as long for its handshake as a flood needs to fill the room, not none.
   */
  #hold(address: string, end: () => void): (() => void) | undefined {
    const own = this.#waiting.get(address) ?? 0;
    if (own >= MAX_CONNECTIONS_PER_ADDRESS) return undefined;
    const [longest] = this.#endings;
    if (this.#endings.size >= MAX_WAITING_AT_DOOR && longest !== undefined) {
      this.#endings.delete(longest);
      longest();
    }
    this.#waiting.set(address, own + 1);
    this.#endings.add(end);
    return () => {
      const left = (this.#waiting.get(address) ?? 1) - 1;
      if (left === 0) this.#waiting.delete(address);
      else this.#waiting.set(address, left);
      this.#endings.delete(end);
    };
  }
}

function shakeHands(socket: Socket, secureContext: SecureContext, onward: ConnectionHandler): void {
  const secure = new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: ['http/1.1'] });
  const onError = () => void socket.destroy();
  secure.on('error', onError);
  secure.once('secure', () => {
    secure.off('error', onError);
    onward(secure);
  });
}

function stampOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? 'none' : `${stat.mtimeMs} ${stat.ino} ${stat.size}`;
}
