import { readFileSync } from 'node:fs';
import { Script } from 'node:vm';
import t from 'tap';
import {
  blankToolSources,
  dropCodeCaches,
  dropUnwindTables,
  isKept,
  slimIcu,
} from '../../../tools/build-binary-diet.ts';
import { sectionsOf } from '../../../tools/elf-sections.ts';

const HEADER_BYTES = 32;

/** ICU common data with these entries of 16 bytes each, after some other bytes, as in an executable. */
function imageWith(names: readonly string[]): { image: Buffer; base: number; dataOf: (name: string) => Buffer } {
  const table = 4 + names.length * 8;
  const nameOffsets: number[] = [];
  let texts = '';
  for (const name of names) {
    nameOffsets.push(table + texts.length);
    texts += `${name}\0`;
  }
  const dataStart = table + texts.length;
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16LE(HEADER_BYTES, 0);
  header.set([0xda, 0x27], 2);
  header.write('CmnD', 12);
  const body = Buffer.alloc(dataStart + names.length * 16, 0xaa);
  body.writeUInt32LE(names.length, 0);
  for (const [i, offset] of nameOffsets.entries()) {
    body.writeUInt32LE(offset, 4 + i * 8);
    body.writeUInt32LE(dataStart + i * 16, 8 + i * 8);
  }
  body.write(texts, table);
  const before = Buffer.from('CmnD: this one is text, not data');
  const base = before.length + HEADER_BYTES;
  const image = Buffer.concat([before, header, body]);
  const dataOf = (name: string) => {
    const at = base + dataStart + names.indexOf(name) * 16;
    return image.subarray(at, at + 16);
  };
  return { image, base, dataOf };
}

/** As many as make it a table, in the order that ICU's binary search needs. */
const NAMES = [
  ...Array.from({ length: 120 }, (_, i) => `icudt78l/aa_${String(i).padStart(3, '0')}.res`),
  'icudt78l/de.res',
  'icudt78l/en.res',
  'icudt78l/zone/en_GB.res',
  'icudt78l/zoneinfo64.res',
  'icudt78l/zz_end.res',
];

t.test('English, tables and time zones stay, other languages are zeros', (t) => {
  const { image, base, dataOf } = imageWith(NAMES);
  const size = image.length;
  const { kept, dropped, droppedBytes } = slimIcu(image);
  t.same({ kept, dropped, droppedBytes, size: image.length }, { kept: 3, dropped: 122, droppedBytes: 121 * 16, size });
  t.equal(image.readUInt32LE(base), 3);
  const names = [0, 1, 2].map((i) => {
    const at = base + image.readUInt32LE(base + 4 + i * 8);
    return image.toString('latin1', at, image.indexOf(0, at));
  });
  t.same(names, ['icudt78l/en.res', 'icudt78l/zone/en_GB.res', 'icudt78l/zoneinfo64.res']);
  t.equal(image.readUInt32LE(base + 8) + base, image.length - 4 * 16, 'the data of an entry that stays do not move');
  t.ok(dataOf('icudt78l/en.res').every((byte) => byte === 0xaa));
  t.ok(dataOf('icudt78l/de.res').every((byte) => byte === 0));
  t.end();
});

t.test('what stays of the real table', (t) => {
  const stay = 'res_index.res root.res pool.res en_US.res supplementalData.res uts46.nrm cnvalias.icu brkitr/char.brk';
  for (const name of stay.split(' ')) t.ok(isKept(`icudt78l/${name}`), name);
  const go =
    'de.res zh_Hant_TW.res coll/ja.res brkitr/cjdict.dict translit/root.res ibm-949_P110-1999.cnv confusables.cfu';
  for (const name of go.split(' ')) t.notOk(isKept(`icudt78l/${name}`), name);
  t.end();
});

t.test('an image without ICU is refused', (t) => {
  t.throws(() => slimIcu(Buffer.from('an executable, CmnD')), /no ICU data/);
  t.end();
});

t.test('sources of development tools become blanks of the same length, others stay', (t) => {
  const sources = { 'internal/deps/amaro/dist/index': 'strip()', 'internal/repl': 'ö → ß', fs: 'open()' };
  const image = Buffer.concat([
    Buffer.from('..strip()..open()..'),
    Buffer.from(sources['internal/repl'], 'utf16le'),
    Buffer.from('..'),
  ]);
  t.equal(blankToolSources(image, sources), 7 + 10);
  t.equal(image.toString('latin1'), `..${' '.repeat(7)}..open()..${' \0'.repeat(5)}..`);
  t.throws(() => blankToolSources(image, sources), /does not hold the source internal\/deps\/amaro/);
  t.end();
});

t.test('what V8 compiled becomes zeros where hundreds have its mark and version, and nothing else does', (t) => {
  // As this V8 writes it: the layout is that of the Node that is packed.
  const cache = new Script('function f() { return 1; } f();', { filename: 'x' }).createCachedData();
  const piece = Buffer.alloc(Math.ceil(cache.length / 8) * 8 + 8, 0x11);
  cache.copy(piece);
  const stranger = Buffer.alloc(64, 0x22);
  cache.copy(stranger, 0, 0, 4);
  const image = Buffer.concat([...Array.from({ length: 100 }, () => piece), stranger]);
  t.equal(dropCodeCaches(image), 100 * cache.length);
  t.ok(image.subarray(0, cache.length).every((byte) => byte === 0));
  t.ok(
    image.subarray(cache.length, piece.length).every((byte) => byte === 0x11),
    'not a byte behind it',
  );
  t.ok(image.subarray(-64).equals(stranger), 'the same mark, another version');
  t.throws(() => dropCodeCaches(image), /no compiled modules/);
  t.throws(
    () => dropCodeCaches(Buffer.concat(Array.from({ length: 100 }, () => cache.subarray(0, 32)))),
    /but its mark/,
  );
  t.end();
});

t.test('an executable keeps all but its unwind tables', (t) => {
  const image = readFileSync(process.execPath);
  const sections = sectionsOf(image);
  const of = (name: string) => sections.find((section) => section.name === name) ?? { offset: 0, size: 0 };
  const content = (name: string) => image.subarray(of(name).offset, of(name).offset + of(name).size);
  const text = Buffer.from(content('.rodata').subarray(0, 1000));
  t.ok(of('.eh_frame').size > 1_000_000);
  t.equal(dropUnwindTables(image), of('.eh_frame').size + of('.eh_frame_hdr').size + of('.gcc_except_table').size);
  t.ok(content('.eh_frame').every((byte) => byte === 0));
  t.ok(content('.rodata').subarray(0, 1000).equals(text));
  t.throws(() => dropUnwindTables(Buffer.from('#!/bin/sh')), /expected an ELF executable/);
  t.end();
});
