/** System object 3 of the stand-in daemon: clients that see the messages of all. */
import { BlobWriter, MESSAGE_HEADER_LENGTH } from '../../../openwrt/node-openwrt-ubus/src/blob.ts';
import { MessageType, MIN_FRAME_LENGTH } from '../../../openwrt/node-openwrt-ubus/src/message.ts';
import { UbusStatus } from '../../../openwrt/node-openwrt-ubus/src/status.ts';
import type { BusClient } from './bus-client.ts';

/** Takes whole frames, as they are. */
type RawClient = Pick<BusClient, 'id' | 'credentials' | 'write'>;

export class MonitorList {
  readonly #seqs = new Map<RawClient, number>();

  /** A method of the monitor object; returns its status. */
  invoke(client: RawClient, method: string): number {
    // Only root in both respects, whatever the access files say.
    if (client.credentials.uid !== 0 || client.credentials.gid !== 0) return UbusStatus.PERMISSION_DENIED;
    if (method === 'add') this.#seqs.set(client, 0);
    else if (method === 'remove') this.#seqs.delete(client);
    else return UbusStatus.METHOD_NOT_FOUND;
    return UbusStatus.OK;
  }

  forget(client: RawClient): void {
    this.#seqs.delete(client);
  }

  /** Tells them of a frame that the daemon exchanged with a client. */
  tell(clientId: number, frame: Buffer, isSent: boolean): void {
    for (const [monitor, seq] of this.#seqs) {
      this.#seqs.set(monitor, seq + 1);
      monitor.write(monitorFrame(seq + 1, clientId, frame, isSent));
    }
  }
}

function monitorFrame(seq: number, clientId: number, frame: Buffer, isSent: boolean): Buffer {
  const writer = new BlobWriter();
  writer.u16(MessageType.MONITOR);
  writer.u16(seq & 0xffff);
  writer.u32(0);
  const root = writer.begin(0, false);
  const numbers: readonly (readonly [number, number])[] = [
    [0, clientId],
    [1, frame.readUInt32BE(4)],
    [3, frame.readUInt16BE(2)],
    [4, frame.readUInt8(1)],
  ];
  for (const [id, value] of numbers) {
    const start = writer.begin(id, false);
    writer.u32(value);
    writer.end(start);
  }
  const send = writer.begin(2, false);
  writer.u8(isSent ? 1 : 0);
  writer.end(send);
  const data = writer.begin(5, false);
  writer.raw(frame.subarray(MIN_FRAME_LENGTH, MESSAGE_HEADER_LENGTH + (frame.readUInt32BE(8) & 0xffffff)));
  writer.end(data);
  writer.end(root);
  return writer.bytes();
}
