/**
 * Takes out of a Node executable what an agent on a router never reads: the texts of ICU in other languages than English, its
 * converters and dictionaries (31 of 33 MB), the sources of Node's own development tools (TypeScript, parser, debugger,
 * test runner: 5 MB), what V8 had compiled of Node's own modules (3.3 MB) and the tables for C++ exceptions (4.7 MB). What goes is
 * overwritten in place by zeros or blanks, so that no address moves; packed, and on squashfs, runs of one byte cost nothing.
 *
 * @see https://unicode-org.github.io/icu/userguide/icu_data/ (common data, UDataInfo, "CmnD": icu4c/source/common/ucmndata.h)
 */
import { sectionsOf } from './elf-sections.ts';

/** MappedData: u16 header size, 0xda 0x27; UDataInfo follows, its format name stands at 12. */
const FORMAT_AT = 12;
const MAGIC = [0xda, 0x27] as const;
/** ICU's data have some 4,300 entries; another "CmnD" in the file is no table of contents. */
const MIN_ENTRIES = 100;
const MAX_ENTRIES = 20_000;
/** name offset, data offset: u32 each, from the count on. */
const ENTRY_BYTES = 8;

const LOCALE = /^[a-z]{2,3}(_[A-Za-z0-9]+)*$/;
/** Bundles that are named like a language and are none. */
const NOT_A_LOCALE = ['pool', 'root'];
/** Transliteration, spelled-out numbers: nothing at run time asks for them. */
const DROPPED_FOLDERS = ['translit', 'rbnf'];
/** What the encoding standard calls latin1; UTF-8 and UTF-16 need no table. */
const KEPT_CONVERTERS = ['ibm-5348_P100-1997.cnv'];

/** Sources of Node's own tools. Nothing that a program gets by `require` in normal use is among them. */
const TOOL_SOURCES =
  /^internal\/(deps\/(amaro|acorn|v8\/tools|minimatch)\/|debugger\/|test_runner\/|repl)|^(repl|internal\/main\/(repl|test_runner|inspect))$/;

export type IcuDiet = { readonly kept: number; readonly dropped: number; readonly droppedBytes: number };

/**
 * Leaves English and what is common to all languages in ICU's common data inside `image`, which is changed in place.
 *
 * @throws Error if the image holds no such data, as a Node built without ICU
 */
export function slimIcu(image: Buffer): IcuDiet {
  const base = icuBase(image);
  const count = image.readUInt32LE(base);
  const entries = Array.from({ length: count }, (_, i) => {
    const at = base + 4 + i * ENTRY_BYTES;
    const nameOffset = image.readUInt32LE(at);
    const dataOffset = image.readUInt32LE(at + 4);
    const nameAt = base + nameOffset;
    return { nameOffset, dataOffset, name: image.toString('latin1', nameAt, image.indexOf(0, nameAt)) };
  });
  const kept = entries.filter(({ name }) => isKept(name));
  let droppedBytes = 0;
  // The last entry's end is not written down; it stays.
  for (const [i, { name, dataOffset }] of entries.entries()) {
    const next = entries[i + 1];
    if (isKept(name) || next === undefined) continue;
    image.fill(0, base + dataOffset, base + next.dataOffset);
    droppedBytes += next.dataOffset - dataOffset;
  }
  image.writeUInt32LE(kept.length, base);
  for (const [i, { nameOffset, dataOffset }] of kept.entries()) {
    image.writeUInt32LE(nameOffset, base + 4 + i * ENTRY_BYTES);
    image.writeUInt32LE(dataOffset, base + 8 + i * ENTRY_BYTES);
  }
  image.fill(0, base + 4 + kept.length * ENTRY_BYTES, base + 4 + count * ENTRY_BYTES);
  return { kept: kept.length, dropped: count - kept.length, droppedBytes };
}

/** Whether an entry as `icudt78l/zone/de_AT.res` stays. */
export function isKept(path: string): boolean {
  const [folder, file] = path.split('/').slice(-2) as [string, string];
  if (DROPPED_FOLDERS.includes(folder) || file.endsWith('.cfu') || file.endsWith('.dict')) return false;
  if (file.endsWith('.cnv')) return KEPT_CONVERTERS.includes(file);
  if (!file.endsWith('.res')) return true;
  const name = file.slice(0, -'.res'.length);
  return !LOCALE.test(name) || NOT_A_LOCALE.includes(name) || name === 'en' || name.startsWith('en_') || isTable(name);
}

/** `res_index`, `icuver`: they hold no language. A language has two or three small letters. */
function isTable(name: string): boolean {
  return name.startsWith('res_') || !/^[a-z]{2,3}(_|$)/.test(name);
}

/**
 * Blanks the sources of Node's own tools, given by name as the same version of Node tells them. @returns bytes blanked
 * @throws Error if one of them is not found, as in an image of another version
 */
export function blankToolSources(image: Buffer, sources: Readonly<Record<string, string>>): number {
  const names = Object.keys(sources).filter((name) => TOOL_SOURCES.test(name));
  let bytes = 0;
  for (const name of names) {
    const source = sources[name] ?? '';
    // V8 keeps a text in one byte a character where it can.
    const text = Buffer.from(source, /^[\0-\xff]*$/.test(source) ? 'latin1' : 'utf16le');
    const at = image.indexOf(text);
    if (at < 0) throw new Error(`this Node does not hold the source ${name}: image and running Node differ in version`);
    const blank = text.length === source.length ? ' ' : Buffer.from(' ', 'utf16le');
    image.fill(blank, at, at + text.length);
    bytes += text.length;
  }
  return bytes;
}

/** V8's SerializedCodeData: magic, version, source, flags, snapshot (u32 each), payload's length, checksum; padded to 32 bytes. */
const CACHE_HEADER_BYTES = 32;
const CACHE_LENGTH_AT = 20;
/** Upper half of the magic number; the lower one counts what this build of V8 refers to. */
const CACHE_MAGIC = Buffer.from([0xde, 0xc0]);
/** Node 24 has 388 modules with one. */
const MIN_CACHES = 100;
const MAX_CACHE_BYTES = 1 << 20;

/**
 * Blanks the code that V8 compiled of Node's modules when Node was built. It is good for the flags of that day only: under
 * DIET_FLAGS V8 refuses every one of them (getCacheUsage() of Node's internal binding `builtins` counts none), and compiles the source,
 * as it does where it finds zeros. @returns bytes blanked. @throws Error if there are none
 * @see src/snapshot/code-serializer.h of V8
 */
export function dropCodeCaches(image: Buffer): number {
  const byKind = new Map<string, number[]>();
  for (let found = image.indexOf(CACHE_MAGIC); found >= 0; found = image.indexOf(CACHE_MAGIC, found + 1)) {
    const at = found - 2;
    if (at < 0 || at % 8 !== 0 || at + CACHE_HEADER_BYTES > image.length) continue;
    // Magic and version are the same in all of them; whatever else begins like this is of another kind.
    const kind = image.toString('hex', at, at + 8);
    byKind.set(kind, [...(byKind.get(kind) ?? []), at]);
  }
  const caches = [...byKind.values()].find((places) => places.length >= MIN_CACHES);
  if (caches === undefined) throw new Error('no compiled modules in this Node: expected hundreds with one V8 version');
  let bytes = 0;
  for (const at of caches) {
    const end = at + CACHE_HEADER_BYTES + image.readUInt32LE(at + CACHE_LENGTH_AT);
    if (end > image.length || end - at > MAX_CACHE_BYTES) throw new Error(`no compiled module at ${at}, but its mark`);
    image.fill(0, at, end);
    bytes += end - at;
  }
  return bytes;
}

/** What a C++ exception needs to find its way; Node, V8 and ICU are compiled without, the addons bring their own. */
const UNWIND_SECTIONS = ['.eh_frame_hdr', '.eh_frame', '.gcc_except_table'];

/**
 * Blanks the unwind tables of the executable. What throws in spite of it ends the process, as it does where nobody catches.
 * @returns bytes blanked. @throws Error if a section is missing
 */
export function dropUnwindTables(image: Buffer): number {
  const sections = sectionsOf(image);
  return UNWIND_SECTIONS.reduce((bytes, name) => {
    const section = sections.find((each) => each.name === name);
    if (section === undefined) throw new Error(`this Node has no section ${name}`);
    image.fill(0, section.offset, section.offset + section.size);
    return bytes + section.size;
  }, 0);
}

function icuBase(image: Buffer): number {
  for (let at = image.indexOf('CmnD'); at >= 0; at = image.indexOf('CmnD', at + 1)) {
    const header = at - FORMAT_AT;
    if (header < 0 || image[header + 2] !== MAGIC[0] || image[header + 3] !== MAGIC[1]) continue;
    const base = header + image.readUInt16LE(header);
    const count = base + 4 <= image.length ? image.readUInt32LE(base) : 0;
    if (count >= MIN_ENTRIES && count <= MAX_ENTRIES) return base;
  }
  throw new Error('no ICU data in this Node: expected a table of contents ("CmnD") with hundreds of entries');
}
