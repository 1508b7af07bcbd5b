/**
 * A million hostile frames against the decoders: recorded frames of the real bus with lengths, types and bytes changed as
 * libubox's own bugs were found (length 0 to 3, beyond the parent, around padding, all ones). Seeded: input n is always the
 * same. Nothing but the declared errors may come out, nothing may be read outside the frame, and both decoders agree.
 */
import t from 'tap';
import { BlobWriter } from '../../../openwrt/node-openwrt-ubus/src/blob.ts';
import {
  BlobmsgError,
  type BlobmsgField,
  type BlobmsgTable,
  fieldsFromBytes,
  tableFromBytes,
  tableFromFields,
  writeFields,
} from '../../../openwrt/node-openwrt-ubus/src/blobmsg.ts';
import { jsonText } from '../../../openwrt/node-openwrt-ubus/src/cli/json-text.ts';
import { FrameError, FrameScanner } from '../../../openwrt/node-openwrt-ubus/src/frame-reader.ts';
import { MessageType, MIN_FRAME_LENGTH, messageFromBytes } from '../../../openwrt/node-openwrt-ubus/src/message.ts';
import { monitoredFromBytes } from '../../../openwrt/node-openwrt-ubus/src/monitor.ts';
import { GOLDEN_FILES, goldenCases } from '../../support/ubus-golden.ts';

const INPUTS = 1_000_000;
const SEED = 0x7562_7573;
const HOSTILE_LENGTHS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 0xff, 0xffff, 0x10_0000, 0x10_0001, 0xff_fffe, 0xff_ffff];
const HOSTILE_BYTES = [0, 1, 3, 7, 0x7f, 0x80, 0x83, 0x88, 0xff];

/** The thorough checks cost more than all decoding; every input gets the others. */
const THOROUGH_EACH = 64;

/** One in so many goes through the stream reader, the others straight to the decoders. */
const STREAM_EACH = 4;

/** Marsaglia's xorshift32. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const frames = GOLDEN_FILES.flatMap((file) => goldenCases(file))
  .flatMap((golden) => golden.frames)
  .filter(({ hex }) => hex !== undefined && hex.length < 400)
  .map(({ hex }) => Buffer.from(hex as string, 'hex'))
  // Those with something nested: there is little to get wrong in the others.
  .filter((frame) => messageFromBytes(frame).attributes.data !== undefined || frame[1] === MessageType.MONITOR);

/** Places in each frame where a length stands, found by walking what is well-formed. */
const lengthOffsets = frames.map((frame) => {
  const offsets: number[] = [];
  const walk = (start: number, end: number): void => {
    for (let at = start; end - at >= 4; ) {
      const length = frame.readUInt32BE(at) & 0xffffff;
      if (length < 4 || at + length > end) return;
      offsets.push(at);
      if (length > 8) walk(at + 4, at + length);
      at += (length + 3) & ~3;
    }
  };
  walk(12, frame.length);
  return offsets;
});

/** Behind each frame stands this, which no decoder may see. */
const SENTINEL = 'OUTSIDE!';
const scratch = Buffer.alloc(1_024);

/** Input n in place; a view of `scratch`. */
function mutated(random: (below: number) => number): Buffer {
  const index = random(frames.length);
  const frame = frames[index] as Buffer;
  frame.copy(scratch);
  scratch.write(SENTINEL, frame.length, 'latin1');
  for (let mutations = 1 + random(4); mutations > 0; mutations--) {
    if (random(2) === 0) {
      const offsets = lengthOffsets[index] as number[];
      const at = random(16) === 0 ? 8 : (offsets[random(offsets.length)] ?? 8);
      const near = (scratch.readUInt32BE(at) & 0xffffff) + random(9) - 4;
      const length = random(2) === 0 ? near & 0xffffff : (HOSTILE_LENGTHS[random(HOSTILE_LENGTHS.length)] as number);
      scratch.writeUIntBE(length, at + 1, 3);
    } else {
      const byte = random(3) === 0 ? random(256) : (HOSTILE_BYTES[random(HOSTILE_BYTES.length)] as number);
      scratch[random(frame.length)] = byte;
    }
  }
  // A read may end anywhere.
  return scratch.subarray(0, random(8) === 0 ? random(frame.length + 1) : frame.length);
}

function text(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : Object.is(value, -0) ? '-0' : value;
}

function decoded<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof BlobmsgError) return undefined;
    throw error;
  }
}

function checkThoroughly(bytes: Buffer, table: BlobmsgTable | undefined): void {
  const fields = decoded<BlobmsgField[]>(() => fieldsFromBytes(bytes));
  const plain = fields === undefined ? undefined : tableFromFields(fields);
  const whole = JSON.stringify(table, text);
  if (JSON.stringify(plain, text) !== whole) throw new Error('the two decoders differ');
  if (whole?.includes(SENTINEL)) throw new Error('read outside the frame');
  if (jsonText(bytes, true).includes(SENTINEL)) throw new Error('printed what is outside the frame');
  if (fields === undefined) return;
  const writer = new BlobWriter();
  writeFields(writer, fields);
  if (JSON.stringify(fieldsFromBytes(writer.bytes()), text) !== JSON.stringify(fields, text))
    throw new Error('what was decoded does not survive another round');
}

t.test('a million hostile frames do nothing but fail', { timeout: 60_000 }, (t) => {
  // Half a million errors are expected; where they were made does not matter.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const random = randomFrom(SEED);
  const ends = { frames: 0, tables: 0, refused: 0, broken: 0 };
  let isThorough = false;
  const decode = (bytes: Buffer, start: number, end: number): void => {
    ends.frames += 1;
    const { type, attributes } = messageFromBytes(bytes, start, end);
    if (type === MessageType.MONITOR) monitoredFromBytes(bytes.subarray(start + MIN_FRAME_LENGTH, end));
    for (const part of [attributes.data, attributes.signature]) {
      if (part === undefined) continue;
      const table = decoded(() => tableFromBytes(part));
      if (table === undefined) ends.refused += 1;
      else ends.tables += 1;
      if (isThorough) checkThoroughly(part, table);
    }
  };
  for (let n = 0; n < INPUTS; n++) {
    const bytes = mutated(random);
    isThorough = n % THOROUGH_EACH === 0;
    try {
      if (n % STREAM_EACH === 0) new FrameScanner(decode).push(bytes);
      else if (bytes.length >= MIN_FRAME_LENGTH) decode(bytes, 0, bytes.length);
    } catch (error) {
      if (!(error instanceof FrameError)) throw new Error(`input ${n}: ${bytes.toString('hex')}`, { cause: error });
      ends.broken += 1;
    }
  }
  Error.stackTraceLimit = stackTraceLimit;
  // Hostile, but not so hostile that nothing gets through.
  for (const [end, count] of Object.entries(ends)) t.ok(count > INPUTS / 200, `${end}: ${count}`);
  t.end();
});
