import { createHash } from 'node:crypto';
import t from 'tap';
import { attributesFromBytes, BlobWriter } from '../../../openwrt/node-openwrt-ubus/src/blob.ts';
import {
  type BlobmsgField,
  BlobmsgType,
  fieldsFromBytes,
  tableFromFields,
  writeFields,
  writeTable,
} from '../../../openwrt/node-openwrt-ubus/src/blobmsg.ts';
import { FrameError, FrameReader } from '../../../openwrt/node-openwrt-ubus/src/frame-reader.ts';
import {
  bytesFromMessage,
  MessageType,
  messageFromBytes,
  type OutgoingAttributes,
} from '../../../openwrt/node-openwrt-ubus/src/message.ts';
import { bytesOfFrame, GOLDEN_FILES, type GoldenFrame, goldenCase, goldenCases } from '../../support/ubus-golden.ts';

const ATTRIBUTE_KEYS: Readonly<Record<string, keyof OutgoingAttributes>> = {
  STATUS: 'status',
  OBJPATH: 'objectPath',
  OBJID: 'objectId',
  METHOD: 'method',
  OBJTYPE: 'objectType',
  SIGNATURE: 'signature',
  DATA: 'data',
  TARGET: 'target',
  ACTIVE: 'active',
  NO_REPLY: 'noReply',
  SUBSCRIBERS: 'subscribers',
  USER: 'user',
  GROUP: 'group',
};

function typeNumber(name: string): number {
  return name.startsWith('?') ? Number(name.slice(1)) : MessageType[name as keyof typeof MessageType];
}

/** The recorded decoding of a nested list, as our typed fields. */
function fieldsFromRecord(record: unknown): BlobmsgField[] {
  return (record as { name: string; type: keyof typeof BlobmsgType; value: unknown }[]).map(({ name, type, value }) => {
    const id = BlobmsgType[type];
    if (Array.isArray(value)) return { name, type: id, value: fieldsFromRecord(value) };
    if (type === 'INT64') return { name, type: id, value: BigInt(value as string) };
    return { name, type: id, value: value as string | number | null };
  });
}

function bytesOfFields(fields: readonly BlobmsgField[]): Buffer {
  const writer = new BlobWriter();
  writeFields(writer, fields);
  return writer.bytes();
}

/** What our encoder makes of the recorded decoding; blobmsg lists go through typed fields. */
function encodeRecord(frame: GoldenFrame): Buffer {
  const attributes: Record<string, unknown> = {};
  for (const [name, value] of frame.attrs ?? []) {
    const key = ATTRIBUTE_KEYS[name] as string;
    attributes[key] = key === 'data' || key === 'signature' ? bytesOfFields(fieldsFromRecord(value)) : value;
  }
  return bytesFromMessage(
    new BlobWriter(),
    typeNumber(frame.type as string),
    frame.seq as number,
    frame.peer as number,
    attributes,
  );
}

/** Decodes to attributes and writes them again, without interpreting them. */
function reframe(bytes: Buffer): Buffer {
  const writer = new BlobWriter();
  writer.raw(bytes.subarray(0, 8));
  const root = writer.begin(0, false);
  for (const attribute of attributesFromBytes(bytes.subarray(12))) {
    const start = writer.begin(attribute.id, attribute.isExtended);
    writer.raw(attribute.payload);
    writer.end(start);
  }
  writer.end(root);
  return writer.bytes();
}

/** Decodes as the client does, down to typed fields, and encodes that. */
function reencode(bytes: Buffer, isRaw: boolean): Buffer {
  const { type, seq, peer, attributes } = messageFromBytes(bytes);
  const { signature, data } = attributes;
  const outgoing: OutgoingAttributes = { ...attributes };
  if (signature !== undefined) outgoing.signature = bytesOfFields(fieldsFromBytes(signature));
  if (data !== undefined && !isRaw) outgoing.data = bytesOfFields(fieldsFromBytes(data));
  return bytesFromMessage(new BlobWriter(), type, seq, peer, outgoing);
}

for (const file of GOLDEN_FILES) {
  const frames = goldenCases(file).flatMap((golden) => golden.frames);
  const whole = frames.filter((frame) => frame.hex !== undefined && frame.malformed !== true);

  t.test(`every frame of ${file} is decoded and encoded again byte for byte`, (t) => {
    for (const frame of whole) {
      const bytes = Buffer.from(frame.hex as string, 'hex');
      const label = `${frame.case} ${frame.n}`;
      if (!reframe(bytes).equals(bytes)) t.fail(`${label}: attributes differ`);
      // MONITOR numbers its attributes differently, and a client must not know attribute 60.
      // We never write another version than 0.
      if (bytes[0] !== 0) continue;
      if (frame.type === 'MONITOR' || frame.attrs?.some(([name]) => ATTRIBUTE_KEYS[name] === undefined)) continue;
      if (!reencode(bytes, frame.raw === true).equals(bytes)) t.fail(`${label}: message differs`);
      if (frame.raw !== true && frame.attrs !== undefined && !encodeRecord(frame).equals(bytes)) {
        t.fail(`${label}: encoding of the recorded fields differs`);
      }
    }
    t.ok(whole.length > 200, `${whole.length} frames`);
    t.end();
  });

  t.test(`the frames of ${file} are found in the stream wherever reads split it`, (t) => {
    const stream = Buffer.concat(whole.map((frame) => Buffer.from(frame.hex as string, 'hex')));
    for (const size of [1, 7, 4_096, 65_536, stream.length]) {
      let count = 0;
      const hash = createHash('sha256');
      const reader = new FrameReader((frame) => {
        count += 1;
        hash.update(frame);
      });
      for (let i = 0; i < stream.length; i += size) reader.push(stream.subarray(i, i + size));
      t.equal(count, whole.length);
      t.equal(hash.digest('hex'), createHash('sha256').update(stream).digest('hex'));
    }
    t.end();
  });
}

t.test('JSON arguments become the types that the ubus command gives them', (t) => {
  const cases: readonly (readonly [string, Record<string, unknown>])[] = [
    ['call-arg-int32', { a: 1, b: -1, c: 0, max: 2147483647, min: -2147483648 }],
    ['call-arg-string-utf8', { s: 'Gäste ☕ 😀' }],
    ['call-arg-table', { empty: {}, t: { a: 1, u: { b: 'c', v: { deep: true } } } }],
    ['hostapd-station-lifecycle', { addr: 'aa:bb:cc:00:00:01', reason: 5, deauth: true, ban_time: 1500 }],
  ];
  for (const [name, args] of cases) {
    const invoke = goldenCase(name).frames.find((frame) => frame.type === 'INVOKE' && frame.dir === 'c2s');
    const want = messageFromBytes(Buffer.from(invoke?.hex as string, 'hex')).attributes.data as Buffer;
    const writer = new BlobWriter();
    writeTable(writer, args as never);
    t.equal(writer.bytes().toString('hex'), want.toString('hex'), name);
  }
  t.end();
});

t.test('all types that a service can send arrive with their exact values', (t) => {
  const reply = goldenCase('call-types').frames.find((frame) => frame.type === 'DATA' && frame.seq === 2);
  const data = messageFromBytes(Buffer.from(reply?.hex as string, 'hex')).attributes.data as Buffer;
  const table = tableFromFields(fieldsFromBytes(data));
  t.equal(table['int8_200'], true);
  t.equal(table['int16_neg'], -5);
  t.equal(table['uint32_big'], -294967296);
  t.equal(table['int64_big'], 9007199254740993n);
  t.equal(table['double_tiny'], 1e-9);
  t.equal(table['null'], null);
  t.same(table['array_mixed'], [1, 'two', true, 4.5, { k: 5 }]);
  t.same(table['table_empty'], {});
  t.end();
});

t.test('a reply just below 1 MiB is encoded as the real service did', (t) => {
  const reply = goldenCase('large-1M').frames.find((frame) => frame.sha256 !== undefined);
  t.equal(reply === undefined ? 0 : bytesOfFrame(reply).length, 1_048_540);
  t.end();
});

t.test('attributes of a wrong size or without a terminator are absent, as in ubusd', (t) => {
  const parse = (name: string): object =>
    messageFromBytes(Buffer.from(goldenCase(name).frames.find((frame) => frame.malformed)?.hex as string, 'hex'))
      .attributes;
  t.same(parse('malformed-objid-short'), { method: 'm' });
  t.same(parse('malformed-string-unterminated'), { objectId: 5 });
  t.same(parse('malformed-root-extended'), { objectPath: 'test' });
  t.end();
});

t.test('a length below 4 or above 1 MiB ends the stream and the largest legal one does not', (t) => {
  const head = (root: number): Buffer => Buffer.from(`0004000100000000${root.toString(16).padStart(8, '0')}`, 'hex');
  const push = (root: number): void => new FrameReader(() => t.fail('no frame')).push(head(root));
  t.throws(() => push(3), FrameError);
  t.throws(() => push(0), FrameError);
  t.throws(() => push(1_048_577), FrameError);
  push(1_048_576);
  t.end();
});
