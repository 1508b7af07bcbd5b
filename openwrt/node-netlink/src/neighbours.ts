/**
 * Neighbours: which link-layer address an IP address has, as RTM_GETNEIGH dumps them. Needs no capability.
 *
 * @see rtnetlink(7); include/uapi/linux/neighbour.h (struct ndmsg: family, padding, index, state, flags, type)
 */
import {
  Attributes,
  encodeAttribute,
  type Message,
  malformed,
  messagesOf,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  type Request,
} from './message.ts';

export const NETLINK_ROUTE = 0;

const RTM_NEWNEIGH = 28;
const RTM_GETNEIGH = 30;
const NDMSG_BYTES = 12;
const NDA_DST = 1;
const NDA_LLADDR = 2;
const NDA_IFINDEX = 8;
/** AF_INET, AF_INET6. */
const FAMILIES = { 4: 2, 6: 10 } as const;

export type Neighbour = {
  /** The device's number. */
  readonly index: number;
  /** NUD_ bits: 0x02 reachable, 0x04 stale, 0x08 delay, 0x10 probe, 0x80 permanent; others are not resolved. */
  readonly state: number;
  /** IP address as hex digits. */
  readonly address: string;
  /** Link-layer address as hex digits; empty if there is none yet. */
  readonly link: string;
};

/** @param index number of the device; a kernel that does not know this filter lists all, so look at each one’s `index` */
export function neighboursRequest(version: 4 | 6, index: number): Request {
  const header = Buffer.alloc(NDMSG_BYTES);
  header.writeUInt8(FAMILIES[version], 0);
  const wanted = Buffer.alloc(4);
  wanted.writeUInt32LE(index, 0);
  return {
    type: RTM_GETNEIGH,
    flags: NLM_F_REQUEST | NLM_F_DUMP,
    payload: Buffer.concat([header, encodeAttribute(NDA_IFINDEX, wanted)]),
  };
}

/** @throws NetlinkError EBADMSG if anything is not as the kernel writes it */
export function decodeNeighbours(answer: Buffer): Neighbour[] {
  return [...messagesOf(answer)].map((message) => neighbourFrom(answer, message));
}

function neighbourFrom(answer: Buffer, { type, start, end }: Message): Neighbour {
  if (type !== RTM_NEWNEIGH || end - start < NDMSG_BYTES) throw malformed(`a message of type ${type}`, start);
  let address = '';
  let link = '';
  const attributes = new Attributes(answer, { start: start + NDMSG_BYTES, end });
  while (attributes.next()) {
    if (attributes.type === NDA_DST) address = answer.toString('hex', attributes.start, attributes.end);
    else if (attributes.type === NDA_LLADDR) link = answer.toString('hex', attributes.start, attributes.end);
  }
  return { index: answer.readUInt32LE(start + 4), state: answer.readUInt16LE(start + 8), address, link };
}
