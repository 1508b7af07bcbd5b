import fc from 'fast-check';
import t from 'tap';
import { attributesFromBytes, BlobWriter } from '../../../openwrt/node-openwrt-ubus/src/blob.ts';
import {
  BlobmsgError,
  type BlobmsgField,
  BlobmsgType,
  double,
  fieldsFromBytes,
  int8,
  int16,
  int64,
  MAX_DEPTH,
  tableFromBytes,
  tableFromFields,
  writeFields,
  writeTable,
} from '../../../openwrt/node-openwrt-ubus/src/blobmsg.ts';
import { jsonText } from '../../../openwrt/node-openwrt-ubus/src/cli/json-text.ts';
import { FrameError, FrameReader } from '../../../openwrt/node-openwrt-ubus/src/frame-reader.ts';
import { messageFromBytes } from '../../../openwrt/node-openwrt-ubus/src/message.ts';
import { GOLDEN_FILES, goldenCases } from '../../support/ubus-golden.ts';

const SEED = 20_261_122;

const frames = GOLDEN_FILES.flatMap((file) => goldenCases(file))
  .flatMap((golden) => golden.frames)
  .filter(({ hex }) => hex !== undefined && hex.length < 4_000)
  .map(({ hex }) => Buffer.from(hex as string, 'hex'));

/** Decodes as far as it goes. Only BlobmsgError may come out; what decoded must survive another round. */
function decodeAll(bytes: Buffer): void {
  try {
    const fields = fieldsFromBytes(bytes);
    const again = fieldsFromBytes(bytesOf(fields));
    if (JSON.stringify(again, text) !== JSON.stringify(fields, text)) throw new Error('decoded fields do not survive');
    tableFromFields(fields);
  } catch (error) {
    if (!(error instanceof BlobmsgError)) throw error;
  }
}

function text(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : Object.is(value, -0) ? '-0' : value;
}

function bytesOf(fields: readonly BlobmsgField[]): Buffer {
  const writer = new BlobWriter();
  writeFields(writer, fields);
  return writer.bytes();
}

function feed(bytes: Buffer): void {
  const reader = new FrameReader((frame) => {
    const { attributes } = messageFromBytes(frame);
    if (attributes.data !== undefined) decodeAll(attributes.data);
    if (attributes.signature !== undefined) decodeAll(attributes.signature);
  });
  try {
    reader.push(bytes);
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
  }
}

const name = fc.string({ unit: 'binary', maxLength: 12 }).map((raw) => raw.replaceAll('\0', ''));
const scalar: fc.Arbitrary<Pick<BlobmsgField, 'type' | 'value'>> = fc.oneof(
  fc.constant({ type: BlobmsgType.UNSPEC, value: null }),
  name.map((value) => ({ type: BlobmsgType.STRING, value })),
  fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map((value) => ({ type: BlobmsgType.INT64, value })),
  fc.integer().map((value) => ({ type: BlobmsgType.INT32, value })),
  fc.integer({ min: -32_768, max: 32_767 }).map((value) => ({ type: BlobmsgType.INT16, value })),
  fc.integer({ min: 0, max: 255 }).map((value) => ({ type: BlobmsgType.INT8, value })),
  fc.double({ noNaN: true }).map((value) => ({ type: BlobmsgType.DOUBLE, value })),
);
const { fields } = fc.letrec<{ fields: BlobmsgField[]; field: BlobmsgField }>((tie) => ({
  fields: fc.array(tie('field'), { maxLength: 5 }),
  field: fc.oneof(
    { maxDepth: 4 },
    fc.tuple(name, scalar).map(([name, rest]) => ({ name, ...rest })),
    fc.tuple(name, tie('fields')).map(([name, value]) => ({ name, type: BlobmsgType.TABLE, value })),
    tie('fields').map((value) => ({ name: '', type: BlobmsgType.ARRAY, value })),
  ),
}));

t.test('whatever fields are written are read again, with their types', (t) => {
  fc.assert(
    fc.property(fields, (written) => {
      const read = fieldsFromBytes(bytesOf(written));
      // A text that is not Unicode comes back with U+FFFD in its place.
      return JSON.stringify(read, text) === JSON.stringify(written, text).replaceAll(/\\ud[89a-f]../g, '\uFFFD');
    }),
    { seed: SEED, numRuns: 3_000 },
  );
  t.end();
});

t.test('arbitrary bytes never break the decoders', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (raw) => {
      const bytes = Buffer.from(raw);
      attributesFromBytes(bytes);
      decodeAll(bytes);
      feed(bytes);
    }),
    { seed: SEED, numRuns: 7_000 },
  );
  t.end();
});

t.test('recorded frames with hostile lengths, types and bytes never break the decoders', (t) => {
  const mutation = fc.record({
    at: fc.nat(),
    byte: fc.oneof(fc.constantFrom(0, 1, 3, 4, 0x7f, 0x80, 0xff), fc.nat(255)),
  });
  fc.assert(
    fc.property(fc.nat(frames.length - 1), fc.array(mutation, { minLength: 1, maxLength: 6 }), (index, mutations) => {
      const bytes = Buffer.from(frames[index] as Buffer);
      // Four in five mutations behind the header: that is where nesting is.
      for (const { at, byte } of mutations)
        bytes[at % 5 === 0 ? at % 12 : 12 + (at % Math.max(1, bytes.length - 12))] = byte;
      feed(bytes);
    }),
    { seed: SEED, numRuns: 10_000 },
  );
  t.end();
});

t.test('nesting is followed to the depth that the ubus command takes and no further', (t) => {
  const nested = (depth: number): Buffer => {
    const writer = new BlobWriter();
    const starts: number[] = [];
    for (let i = 1; i < depth; i++) {
      starts.push(writer.begin(BlobmsgType.TABLE, true));
      writer.u32(0);
    }
    for (const start of starts.reverse()) writer.end(start);
    return writer.bytes();
  };
  t.ok(fieldsFromBytes(nested(MAX_DEPTH)));
  t.throws(() => fieldsFromBytes(nested(MAX_DEPTH + 1)), BlobmsgError);
  t.throws(() => fieldsFromBytes(nested(100_000)), BlobmsgError, 'no stack overflow');
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  t.throws(() => writeTable(new BlobWriter(), cycle as never), RangeError);
  const list: unknown[] = [];
  list.push(list);
  t.throws(() => writeTable(new BlobWriter(), { list } as never), RangeError);
  t.end();
});

t.test('a field called __proto__ is a field', (t) => {
  const table = tableFromBytes(
    bytesOf([
      { name: '__proto__', type: BlobmsgType.TABLE, value: [{ name: 'isAdmin', type: BlobmsgType.INT8, value: 1 }] },
    ]),
  );
  t.same(Object.keys(table), ['__proto__']);
  t.equal((table as { isAdmin?: boolean }).isAdmin, undefined);
  t.end();
});

t.test('what blobmsg can not hold is refused before it is sent', (t) => {
  const write = (table: object): void => writeTable(new BlobWriter(), table as never);
  t.throws(() => write({ text: 'a\0b' }), RangeError);
  t.throws(() => write({ 'a\0b': 1 }), RangeError);
  t.throws(() => write({ ['n'.repeat(65_536)]: 1 }), RangeError);
  t.throws(() => write({ big: 2n ** 63n }), RangeError);
  t.throws(() => write({ big: 'x'.repeat(1_048_577) }), RangeError);
  t.throws(() => int8(256), RangeError);
  t.throws(() => int16(32_768), RangeError);
  t.throws(() => int64(1.5), RangeError);
  t.same(tableFromBytes(bytesOf([])), {});
  t.end();
});

t.test('each kind of number gets the type that the ubus command gives it, or the one asked for', (t) => {
  const writer = new BlobWriter();
  const table = {
    a: 1,
    b: 2 ** 31,
    c: 1.5,
    d: 5n,
    e: double(2),
    f: int16(-5),
    g: int8(200),
    h: int64(7),
    i: undefined,
  };
  writeTable(writer, table);
  const types = fieldsFromBytes(writer.bytes()).map(({ name, type }) => `${name}${type}`);
  t.same(types, ['a5', 'b4', 'c8', 'd4', 'e8', 'f6', 'g7', 'h4']);
  t.end();
});

t.test('the text of a message that is nothing but nesting ends', (t) => {
  const levels = 100_000;
  const bytes = Buffer.alloc(levels * 8);
  for (let i = 0; i < levels; i++) bytes.writeUInt32BE((0x8100_0000 | (bytes.length - i * 8)) >>> 0, i * 8);
  t.match(jsonText(bytes, false), /^\{(\[)+null(\])+\}$/);
  t.end();
});
