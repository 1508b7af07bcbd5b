/**
 * Messages of the ubus socket: 8 byte header, one root attribute, typed attributes in it (ubusmsg.h).
 * Keys of MessageAttributes stand in wire order and are written in that order: libubus and ubusd each have their own.
 */
import { type BlobWriter, MESSAGE_HEADER_LENGTH, visitAttributes } from './blob.ts';
import { type BlobmsgInputTable, writeTable } from './blobmsg.ts';
import { nameFromBytes, textFromBytes } from './c-text.ts';

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

/** Numbers of the attributes (enum ubus_msg_attr). */
const AttributeId = {
  STATUS: 1,
  OBJPATH: 2,
  OBJID: 3,
  METHOD: 4,
  OBJTYPE: 5,
  SIGNATURE: 6,
  DATA: 7,
  TARGET: 8,
  ACTIVE: 9,
  NO_REPLY: 10,
  SUBSCRIBERS: 11,
  USER: 12,
  GROUP: 13,
} as const;

/** Encodes a whole message. @throws RangeError if it is larger than ubusd takes. */
export function bytesFromMessage(
  writer: BlobWriter,
  type: number,
  seq: number,
  peer: number,
  attributes: OutgoingAttributes,
): Buffer {
  writer.reset();
  writeMessage(writer, type, seq, peer, attributes);
  return writer.bytes();
}

/** Writes a whole message behind what was written. @throws RangeError if it is larger than ubusd takes. */
export function writeMessage(
  writer: BlobWriter,
  type: number,
  seq: number,
  peer: number,
  attributes: OutgoingAttributes,
): void {
  writer.startMessage();
  writer.u16(type);
  writer.u16(seq);
  writer.u32(peer);
  const root = writer.begin(0, false);
  for (const key of Object.keys(attributes) as (keyof MessageAttributes)[]) writeAttribute(writer, key, attributes);
  writer.end(root);
}

/**
 * Decodes one whole frame, which stands in bytes[start, end). Attributes that are unknown, or whose size or terminator is
 * wrong, are absent, as in ubusd; of two with one id the later counts. Never throws for a frame that FrameReader gave.
 */
export function messageFromBytes(bytes: Buffer, start = 0, end = bytes.length): Message {
  return {
    version: bytes.readUInt8(start),
    type: bytes.readUInt8(start + 1),
    seq: bytes.readUInt16BE(start + 2),
    peer: bytes.readUInt32BE(start + 4),
    attributes: attributesFromPayload(bytes, start + MIN_FRAME_LENGTH, end),
  };
}

/** Decodes the payload of a root attribute, which stands in bytes[start, end). */
export function attributesFromPayload(bytes: Buffer, start = 0, end = bytes.length): MessageAttributes {
  const attributes: MessageAttributes = {};
  visitAttributes(bytes, start, end, (id, _isExtended, from, to) => {
    readAttribute(attributes, bytes, id, from, to);
  });
  return attributes;
}

function writeAttribute(writer: BlobWriter, key: keyof MessageAttributes, attributes: OutgoingAttributes): void {
  switch (key) {
    case 'status':
      writeU32(writer, AttributeId.STATUS, attributes.status);
      break;
    case 'objectPath':
      writeText(writer, AttributeId.OBJPATH, attributes.objectPath);
      break;
    case 'objectId':
      writeU32(writer, AttributeId.OBJID, attributes.objectId);
      break;
    case 'method':
      writeText(writer, AttributeId.METHOD, attributes.method);
      break;
    case 'objectType':
      writeU32(writer, AttributeId.OBJTYPE, attributes.objectType);
      break;
    case 'signature':
      writeNested(writer, AttributeId.SIGNATURE, attributes.signature);
      break;
    case 'data':
      writeNested(writer, AttributeId.DATA, attributes.data);
      break;
    case 'target':
      writeU32(writer, AttributeId.TARGET, attributes.target);
      break;
    case 'active':
      writeU8(writer, AttributeId.ACTIVE, attributes.active);
      break;
    case 'noReply':
      writeU8(writer, AttributeId.NO_REPLY, attributes.noReply);
      break;
    case 'subscribers':
      writeIds(writer, AttributeId.SUBSCRIBERS, attributes.subscribers);
      break;
    case 'user':
      writeText(writer, AttributeId.USER, attributes.user);
      break;
    case 'group':
      writeText(writer, AttributeId.GROUP, attributes.group);
      break;
  }
}

function writeU32(writer: BlobWriter, id: number, value: number | undefined): void {
  if (value === undefined) return;
  const start = writer.begin(id, false);
  writer.u32(value);
  writer.end(start);
}

function writeU8(writer: BlobWriter, id: number, value: number | undefined): void {
  if (value === undefined) return;
  const start = writer.begin(id, false);
  writer.u8(value);
  writer.end(start);
}

function writeText(writer: BlobWriter, id: number, value: string | undefined): void {
  if (value === undefined) return;
  const start = writer.begin(id, false);
  writer.text(value);
  writer.u8(0);
  writer.end(start);
}

function writeNested(writer: BlobWriter, id: number, value: Buffer | BlobmsgInputTable | undefined): void {
  if (value === undefined) return;
  const start = writer.begin(id, false);
  if (Buffer.isBuffer(value)) writer.raw(value);
  else writeTable(writer, value);
  writer.end(start);
}

function writeIds(writer: BlobWriter, id: number, ids: readonly number[] | undefined): void {
  if (ids === undefined) return;
  const start = writer.begin(id, false);
  for (const item of ids) writeU32(writer, 0, item);
  writer.end(start);
}

function readAttribute(attributes: MessageAttributes, bytes: Buffer, id: number, start: number, end: number): void {
  switch (id) {
    case AttributeId.STATUS:
      if (end - start === 4) attributes.status = bytes.readUInt32BE(start);
      break;
    case AttributeId.OBJPATH:
      if (isText(bytes, start, end)) attributes.objectPath = textFromBytes(bytes, start, end - 1);
      break;
    case AttributeId.OBJID:
      if (end - start === 4) attributes.objectId = bytes.readUInt32BE(start);
      break;
    case AttributeId.METHOD:
      if (isText(bytes, start, end)) attributes.method = nameFromBytes(bytes, start, end - 1);
      break;
    case AttributeId.OBJTYPE:
      if (end - start === 4) attributes.objectType = bytes.readUInt32BE(start);
      break;
    case AttributeId.SIGNATURE:
      attributes.signature = bytes.subarray(start, end);
      break;
    case AttributeId.DATA:
      attributes.data = bytes.subarray(start, end);
      break;
    case AttributeId.TARGET:
      if (end - start === 4) attributes.target = bytes.readUInt32BE(start);
      break;
    case AttributeId.ACTIVE:
      if (end - start === 1) attributes.active = bytes.readUInt8(start);
      break;
    case AttributeId.NO_REPLY:
      if (end - start === 1) attributes.noReply = bytes.readUInt8(start);
      break;
    case AttributeId.SUBSCRIBERS:
      attributes.subscribers = idsFromBytes(bytes, start, end);
      break;
    case AttributeId.USER:
      if (isText(bytes, start, end)) attributes.user = nameFromBytes(bytes, start, end - 1);
      break;
    case AttributeId.GROUP:
      if (isText(bytes, start, end)) attributes.group = nameFromBytes(bytes, start, end - 1);
      break;
    default:
      break;
  }
}

/** C readers stop at the first NUL; a path must not mean one thing here and another in ubusd. */
function isText(bytes: Buffer, start: number, end: number): boolean {
  return end > start && bytes[end - 1] === 0;
}

function idsFromBytes(bytes: Buffer, start: number, end: number): number[] {
  const ids: number[] = [];
  visitAttributes(bytes, start, end, (_id, _isExtended, itemStart, itemEnd) => {
    if (itemEnd - itemStart === 4) ids.push(bytes.readUInt32BE(itemStart));
  });
  return ids;
}
