/** A connection as the stand-in daemon sees it. */
import type { OutgoingAttributes } from '../../../openwrt/node-openwrt-ubus/src/message.ts';

/** Who is at the other end of a connection: what the real daemon reads from SO_PEERCRED, the account files and /proc. */
export type Credentials = {
  readonly uid: number;
  readonly gid: number;
  readonly user: string;
  readonly group: string;
  /** Names of further groups. */
  readonly groups?: readonly string[];
};

export const ROOT: Credentials = { uid: 0, gid: 0, user: 'root', group: 'root' };

export type BusClient = {
  readonly id: number;
  readonly credentials: Credentials;
  /** Queues a whole frame, or drops it if the client does not read; monitors are not told. */
  readonly write: (frame: Buffer) => void;
  /** Tells monitors of a whole frame and queues it. */
  readonly forward: (frame: Buffer) => void;
  /** The same for a message that the daemon makes. */
  readonly send: (type: number, seq: number, peer: number, attributes: OutgoingAttributes) => void;
};
