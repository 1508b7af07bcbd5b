/**
 * Netlink messages: a header of 16 bytes in the machine's own order, then a family's header and attributes (u16 length, u16
 * type, padded to 4 bytes). Nothing is read beyond the bytes at hand.
 *
 * @see netlink(7); include/uapi/linux/netlink.h
 */
import { endianness } from 'node:os';
import { errorFromErrno, NetlinkError } from './error.ts';

const HEADER_BYTES = 16;
const ATTRIBUTE_HEADER_BYTES = 4;
const NLMSG_NOOP = 1;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
export const NLM_F_REQUEST = 0x1;
export const NLM_F_DUMP = 0x300;
/** The kernel's data changed between two parts of a dump. */
const NLM_F_DUMP_INTR = 0x10;
/** NLA_F_NESTED and NLA_F_NET_BYTEORDER are flags beside the type. */
const TYPE_MASK = 0x3fff;

export type Request = { readonly type: number; readonly flags: number; readonly payload: Uint8Array };

/** @throws Error on a machine with the other byte order: no supported router has it */
export function encodeMessage({ type, flags, payload }: Request, sequence: number): Buffer {
  if (endianness() !== 'LE') throw new Error('netlink: this machine is big-endian, which is not supported');
  const message = Buffer.alloc(aligned(HEADER_BYTES + payload.length));
  message.writeUInt32LE(message.length, 0);
  message.writeUInt16LE(type, 4);
  message.writeUInt16LE(flags, 6);
  message.writeUInt32LE(sequence, 8);
  message.set(payload, HEADER_BYTES);
  return message;
}

export function encodeAttribute(type: number, value: Uint8Array): Buffer {
  const attribute = Buffer.alloc(aligned(ATTRIBUTE_HEADER_BYTES + value.length));
  attribute.writeUInt16LE(ATTRIBUTE_HEADER_BYTES + value.length, 0);
  attribute.writeUInt16LE(type, 2);
  attribute.set(value, ATTRIBUTE_HEADER_BYTES);
  return attribute;
}

/** A text as the kernel's NLA_STRING wants it. */
export function zeroEnded(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'utf8');
}

/** A stretch of a buffer: `[start, end)`. */
export type Span = { readonly start: number; readonly end: number };

export type Message = Span & { readonly type: number };

/**
 * The messages of a whole answer, without its end. `start` to `end` is what follows the header.
 * @throws NetlinkError with the kernel's error, EINTR if the dump is not of one moment, EBADMSG if the answer is cut short
 */
export function* messagesOf(answer: Buffer): Generator<Message> {
  let at = 0;
  while (at + HEADER_BYTES <= answer.length) {
    const length = answer.readUInt32LE(at);
    const type = answer.readUInt16LE(at + 4);
    if (length < HEADER_BYTES || length > answer.length - at) throw malformed('a message', at);
    if ((answer.readUInt16LE(at + 6) & NLM_F_DUMP_INTR) !== 0) throw new NetlinkError('dump interrupted', 'EINTR');
    const start = at + HEADER_BYTES;
    if (type === NLMSG_ERROR || type === NLMSG_DONE) {
      // The end of a dump may carry an error too; both begin with it.
      const errno = length >= HEADER_BYTES + 4 ? answer.readInt32LE(start) : 0;
      if (errno !== 0) throw errorFromErrno('the kernel refused', errno);
      if (type === NLMSG_DONE) return;
    } else if (type !== NLMSG_NOOP) {
      yield { type, start, end: at + length };
    }
    at += aligned(length);
  }
  throw malformed('the end', at);
}

/** Goes through the attributes of a stretch: `next()`, then `type`, `start`, `end` of the value. */
export class Attributes {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  type = 0;
  start = 0;
  end = 0;

  constructor(bytes: Buffer, { start, end }: Span) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** False at the end. @throws NetlinkError EBADMSG if an attribute reaches beyond the stretch */
  next(): boolean {
    const left = this.#end - this.#at;
    if (left < ATTRIBUTE_HEADER_BYTES) {
      if (left > 0) throw malformed('an attribute', this.#at);
      return false;
    }
    const length = this.#bytes.readUInt16LE(this.#at);
    if (length < ATTRIBUTE_HEADER_BYTES || length > left) throw malformed('an attribute', this.#at);
    this.type = this.#bytes.readUInt16LE(this.#at + 2) & TYPE_MASK;
    this.start = this.#at + ATTRIBUTE_HEADER_BYTES;
    this.end = this.#at + length;
    this.#at += Math.min(aligned(length), left);
    return true;
  }
}

export function malformed(what: string, at: number): NetlinkError {
  return new NetlinkError(`${what} at byte ${at} is malformed`, 'EBADMSG');
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}
