/**
 * Sees every message on the bus (ubus monitor). ubusd lets only root do this, and drops what a monitor does not read in
 * time, like for any client.
 */
import { type Attachment, type AttachmentHost, guarded } from './attachment.ts';
import { visitAttributes } from './blob.ts';
import type { UbusConnection } from './connection.ts';
import { attributesFromPayload, type MessageAttributes } from './message.ts';
import { invoke } from './requests.ts';

/** System object for monitors. */
const MONITOR_OBJECT = 3;

/** Numbers of the attributes of a MONITOR message (enum in ubusmsg.h); another set than that of all other messages. */
const MonitorAttribute = { CLIENT: 0, PEER: 1, SEND: 2, SEQ: 3, TYPE: 4, DATA: 5 } as const;

export type MonitoredMessage = {
  /** The client that ubusd exchanged it with. */
  readonly clientId: number;
  /** Header of the message; see MessageType. */
  readonly peer: number;
  readonly seq: number;
  readonly type: number;
  /** True: from ubusd to the client. */
  readonly isSent: boolean;
  /** Its root payload, not decoded; a view, valid until the handler returns. It may hold anything. */
  readonly payload: Buffer;
};

/** Reads the payload of a MONITOR message; undefined if an attribute is missing. */
export function monitoredFromBytes(bytes: Buffer): MonitoredMessage | undefined {
  const numbers: (number | undefined)[] = [];
  let isSent: boolean | undefined;
  let payload: Buffer | undefined;
  visitAttributes(bytes, 0, bytes.length, (id, _isExtended, start, end) => {
    if (id === MonitorAttribute.DATA) payload = bytes.subarray(start, end);
    else if (id === MonitorAttribute.SEND && end - start === 1) isSent = bytes[start] !== 0;
    else if (end - start === 4) numbers[id] = bytes.readUInt32BE(start);
  });
  const clientId = numbers[MonitorAttribute.CLIENT];
  const peer = numbers[MonitorAttribute.PEER];
  const type = numbers[MonitorAttribute.TYPE];
  if (clientId === undefined || peer === undefined || type === undefined) return undefined;
  if (isSent === undefined || payload === undefined) return undefined;
  return { clientId, peer, seq: numbers[MonitorAttribute.SEQ] ?? 0, type, isSent, payload };
}

/** Attributes of a monitored message, as the client or ubusd would read them; views into its payload. */
export function attributesOfMonitored({ payload }: MonitoredMessage): MessageAttributes {
  return attributesFromPayload(payload);
}

/** Starts monitoring on a connection; ends with it. @throws UbusError PERMISSION_DENIED to all but root */
export async function startMonitor(
  connection: UbusConnection,
  onMessage: (message: MonitoredMessage | undefined) => void,
): Promise<void> {
  // The answer to "add" is itself the first message that the monitor sees.
  connection.onMonitor = (payload) => onMessage(monitoredFromBytes(payload));
  await invoke(connection, MONITOR_OBJECT, 'add', {}, 'monitor');
}

export class Monitor implements Attachment {
  readonly #host: AttachmentHost;
  readonly #onMessage: (message: MonitoredMessage) => void;
  #connection: UbusConnection | undefined;

  constructor(host: AttachmentHost, onMessage: (message: MonitoredMessage) => void) {
    this.#host = host;
    this.#onMessage = onMessage;
  }

  async attach(connection: UbusConnection): Promise<void> {
    await startMonitor(connection, (message) => {
      if (message !== undefined) guarded(this.#host, () => this.#onMessage(message));
    });
    this.#connection = connection;
  }

  async detach(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection?.isOpen !== true) return;
    connection.onMonitor = undefined;
    await invoke(connection, MONITOR_OBJECT, 'remove', {}, 'end of monitor');
  }

  async close(): Promise<void> {
    this.#host.release(this);
    await this.detach();
  }
}
