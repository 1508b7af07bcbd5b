/** A connection as the stand-in daemon sees it. */
import type { OutgoingAttributes } from '../../../openwrt/node-openwrt-ubus/src/message.ts';

export type BusClient = {
  readonly id: number;
  /** Queues a message for this client, or drops it if the client does not read. */
  /** Queues a whole frame, or drops it; monitors are not told. */
  readonly write: (frame: Buffer) => void;
  readonly send: (type: number, seq: number, peer: number, attributes: OutgoingAttributes) => void;
};
