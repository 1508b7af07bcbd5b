/**
 * Messages of the ubus socket: 8 byte header, one root attribute, typed attributes in it (ubusmsg.h).
 * Keys of MessageAttributes stand in wire order and are written in that order: libubus and ubusd each have their own.
 */
import { type BlobWriter, MESSAGE_HEADER_LENGTH, visitAttributes } from './blob.ts';
import { type BlobmsgInputTable, writeTable } from './blobmsg.ts';

export const MessageType = {
  HELLO: 0,
  STATUS: 1,
  DATA: 2,
  PING: 3,
  LOOKUP: 4,
  INVOKE: 5,
  ADD_OBJECT: 6,
  REMOVE_OBJECT: 7,
  SUBSCRIBE: 8,
  UNSUBSCRIBE: 9,
  NOTIFY: 10,
  MONITOR: 11,
} as const;

/** Smallest whole message: header and an empty root attribute. */
export const MIN_FRAME_LENGTH = MESSAGE_HEADER_LENGTH + 4;

export type MessageAttributes = {
  status?: number;
  objectPath?: string;
  objectId?: number;
  method?: string;
  objectType?: number;
  /** Payload bytes; views, valid only until the handler returns. Decode with tableFromBytes. */
  signature?: Buffer;
  data?: Buffer;
  target?: number;
  active?: number;
  noReply?: number;
  subscribers?: number[];
  user?: string;
  group?: string;
};

/** What can be sent: as received, or with tables in place of bytes. */
export type OutgoingAttributes = Omit<MessageAttributes, 'signature' | 'data' | 'subscribers'> & {
  signature?: Buffer | BlobmsgInputTable;
  data?: Buffer | BlobmsgInputTable;
  subscribers?: readonly number[];
};

export type Message = {
  readonly version: number;
  readonly type: number;
  readonly seq: number;
  readonly peer: number;
  readonly attributes: MessageAttributes;
};

type Kind = 'u32' | 'u8' | 'text' | 'bytes' | 'ids';

const ATTRIBUTES: Readonly<Record<keyof MessageAttributes, { readonly id: number; readonly kind: Kind }>> = {
  status: { id: 1, kind: 'u32' },
  objectPath: { id: 2, kind: 'text' },
  objectId: { id: 3, kind: 'u32' },
  method: { id: 4, kind: 'text' },
  objectType: { id: 5, kind: 'u32' },
  signature: { id: 6, kind: 'bytes' },
  data: { id: 7, kind: 'bytes' },
  target: { id: 8, kind: 'u32' },
  active: { id: 9, kind: 'u8' },
  noReply: { id: 10, kind: 'u8' },
  subscribers: { id: 11, kind: 'ids' },
  user: { id: 12, kind: 'text' },
  group: { id: 13, kind: 'text' },
};

/** Attribute names by id. */
const KEYS: readonly (keyof MessageAttributes | undefined)[] = Array.from({ length: 14 }, (_, id) =>
  (Object.keys(ATTRIBUTES) as (keyof MessageAttributes)[]).find((key) => ATTRIBUTES[key].id === id),
);

/** Encodes a whole message. @throws RangeError if it is larger than ubusd takes. */
export function bytesFromMessage(
  writer: BlobWriter,
  type: number,
  seq: number,
  peer: number,
  attributes: OutgoingAttributes,
): Buffer {
  writer.reset();
  writer.u8(0);
  writer.u8(type);
  writer.u16(seq);
  writer.u32(peer);
  const root = writer.begin(0, false);
  for (const key of Object.keys(attributes) as (keyof MessageAttributes)[]) {
    const value = attributes[key];
    if (value !== undefined) writeAttribute(writer, key, value);
  }
  writer.end(root);
  return writer.bytes();
}

/**
 * Decodes one whole frame. Attributes that are unknown, or whose size or terminator is wrong, are absent, as in ubusd;
 * of two with one id the later counts. Never throws for a frame that FrameReader gave.
 */
export function messageFromBytes(frame: Buffer): Message {
  const attributes: MessageAttributes = {};
  visitAttributes(frame, MIN_FRAME_LENGTH, frame.length, (id, _isExtended, start, end) => {
    readAttribute(attributes, frame, id, start, end);
  });
  return {
    version: frame.readUInt8(0),
    type: frame.readUInt8(1),
    seq: frame.readUInt16BE(2),
    peer: frame.readUInt32BE(4),
    attributes,
  };
}

function writeAttribute(
  writer: BlobWriter,
  key: keyof MessageAttributes,
  value: NonNullable<OutgoingAttributes[keyof OutgoingAttributes]>,
): void {
  const { id, kind } = ATTRIBUTES[key];
  const start = writer.begin(id, false);
  if (kind === 'u32') writer.u32(value as number);
  else if (kind === 'u8') writer.u8(value as number);
  else if (kind === 'text') {
    writer.text(value as string);
    writer.u8(0);
  } else if (kind === 'ids') {
    for (const subscriber of value as readonly number[]) {
      const item = writer.begin(0, false);
      writer.u32(subscriber);
      writer.end(item);
    }
  } else if (Buffer.isBuffer(value)) writer.raw(value);
  else writeTable(writer, value as BlobmsgInputTable);
  writer.end(start);
}

function readAttribute(attributes: MessageAttributes, bytes: Buffer, id: number, start: number, end: number): void {
  const key = KEYS[id];
  if (key === undefined) return;
  const value = valueFromBytes(ATTRIBUTES[key].kind, bytes, start, end);
  // The kind of a key decides the type of its value, which the compiler can not follow.
  if (value !== undefined) (attributes as Record<string, typeof value>)[key] = value;
}

function valueFromBytes(
  kind: Kind,
  bytes: Buffer,
  start: number,
  end: number,
): number | string | Buffer | number[] | undefined {
  switch (kind) {
    case 'u32':
      return end - start === 4 ? bytes.readUInt32BE(start) : undefined;
    case 'u8':
      return end - start === 1 ? bytes[start] : undefined;
    case 'text':
      return textOrAbsent(bytes, start, end);
    case 'bytes':
      return bytes.subarray(start, end);
    case 'ids':
      return idsFromBytes(bytes, start, end);
  }
}

function textOrAbsent(bytes: Buffer, start: number, end: number): string | undefined {
  if (end <= start || bytes[end - 1] !== 0) return undefined;
  // C readers stop at the first NUL; a path must not mean one thing here and another in ubusd.
  return bytes.toString('utf8', start, bytes.indexOf(0, start));
}

function idsFromBytes(bytes: Buffer, start: number, end: number): number[] {
  const ids: number[] = [];
  visitAttributes(bytes, start, end, (_id, _isExtended, itemStart, itemEnd) => {
    if (itemEnd - itemStart === 4) ids.push(bytes.readUInt32BE(itemStart));
  });
  return ids;
}
