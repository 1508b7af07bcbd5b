/** One netlink socket: whole answers, retried where the kernel asks for it, bounded in size and time. */
import type { Addon } from './addon.ts';
import { errorFromErrno, NetlinkError } from './error.ts';
import { encodeMessage, type Request } from './message.ts';

export type SocketOptions = {
  /** Path of a network namespace, as /run/netns/NAME. */
  readonly netns?: string;
  /** Longest wait for the kernel; it answers within microseconds. */
  readonly timeoutMs?: number;
  /** Largest answer that is taken. */
  readonly maxBytes?: number;
};

const TIMEOUT_MS = 200;
const FIRST_BYTES = 1 << 18;
const MAX_BYTES = 1 << 24;
/** A dump that others keep changing is given up after this many attempts. */
const ATTEMPTS = 6;

export class NetlinkSocket {
  readonly #addon: Addon;
  readonly #protocol: number;
  readonly #netns: string | undefined;
  readonly #timeoutMs: number;
  readonly #maxBytes: number;
  #fd: number | undefined;
  #sequence = 0;
  #reply: Buffer;

  /** @param protocol NETLINK_ROUTE 0, NETLINK_NETFILTER 12. The socket is opened when it is first used. */
  constructor(addon: Addon, protocol: number, options: SocketOptions = {}) {
    this.#addon = addon;
    this.#protocol = protocol;
    this.#netns = options.netns;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#maxBytes = options.maxBytes ?? MAX_BYTES;
    this.#reply = Buffer.allocUnsafeSlow(Math.min(FIRST_BYTES, this.#maxBytes));
  }

  /**
   * The kernel's whole answer, as `decode` understands it. The bytes that it gets are overwritten by the next request.
   * @throws NetlinkError: the kernel's errno; EINTR, ENOBUFS if it stays so; ETIMEDOUT; EMSGSIZE beyond `maxBytes`
   */
  request<T>(request: Request, decode: (answer: Buffer) => T): T {
    for (let attempt = 1; ; attempt++) {
      try {
        return decode(this.#exchange(request));
      } catch (error) {
        // What is left of the answer must not be taken for the next one's.
        this.close();
        if (!(error instanceof NetlinkError) || attempt >= ATTEMPTS || !this.#canRetry(error.code)) throw error;
      }
    }
  }

  close(): void {
    if (this.#fd !== undefined) this.#addon.close(this.#fd);
    this.#fd = undefined;
  }

  #exchange(request: Request): Buffer {
    this.#fd ??= checked('cannot open the socket', this.#addon.open(this.#protocol, this.#netns));
    this.#sequence = (this.#sequence + 1) >>> 0;
    const message = encodeMessage(request, this.#sequence);
    const length = this.#addon.exchange(this.#fd, message, this.#reply, this.#timeoutMs);
    return this.#reply.subarray(0, checked('no answer', length));
  }

  #canRetry(code: string): boolean {
    if (code !== 'EMSGSIZE') return code === 'EINTR' || code === 'ENOBUFS';
    if (this.#reply.length >= this.#maxBytes) return false;
    this.#reply = Buffer.allocUnsafeSlow(Math.min(this.#reply.length * 4, this.#maxBytes));
    return true;
  }
}

function checked(message: string, result: number): number {
  if (result < 0) throw errorFromErrno(message, result);
  return result;
}
