/**
 * UCI text to sections and options, as libuci reads it: named sections that come twice are merged, a repeated option
 * replaces, a repeated list appends, and the one-letter forms (p, c, o, l) count. Never throws; reports every fault it
 * can, each with its line and what was expected.
 *
 * @see https://openwrt.org/docs/guide-user/base-system/uci#file_syntax
 */
import type { UciOption, UciPackage, UciSection } from './uci-text.ts';
import { readStatement, type UciCursor, type UciFault, type UciWord } from './uci-words.ts';

export type { UciFault } from './uci-words.ts';
export type UciParsed =
  | { readonly ok: true; readonly uci: UciPackage }
  | { readonly ok: false; readonly faults: readonly UciFault[] };

/** A router's largest file, /etc/config/firewall with hundreds of rules, has some 50 kB. */
export const MAX_UCI_CHARACTERS = 1_000_000;
const MAX_SECTIONS = 4096;
const MAX_OPTIONS = 256;
const MAX_LIST_VALUES = 1024;
/** More than anybody mends in one go. */
const MAX_FAULTS = 20;

type OpenOption = { name: string; isList: boolean; values: string[]; line: number };
type OpenSection = { type: string; name?: string; line: number; options: Map<string, OpenOption> };
type Reading = { name?: string; readonly sections: OpenSection[]; current?: OpenSection };

export function parseUci(text: string): UciParsed {
  if (text.length > MAX_UCI_CHARACTERS) {
    return {
      ok: false,
      faults: [{ line: 1, expected: `at most ${MAX_UCI_CHARACTERS} characters`, got: `${text.length}` }],
    };
  }
  const nul = text.indexOf('\0');
  if (nul >= 0) {
    return {
      ok: false,
      faults: [{ line: text.slice(0, nul).split('\n').length, expected: 'text', got: 'a NUL character' }],
    };
  }
  const cursor: UciCursor = { text, position: 0, line: 1 };
  const reading: Reading = { sections: [] };
  const faults: UciFault[] = [];
  while (faults.length < MAX_FAULTS) {
    const statement = readStatement(cursor);
    if (statement.kind === 'end') break;
    const fault = statement.kind === 'fault' ? statement.fault : applyStatement(reading, statement.words);
    if (fault !== undefined) faults.push(fault);
  }
  return faults.length > 0 ? { ok: false, faults } : { ok: true, uci: packageFrom(reading) };
}

function applyStatement(reading: Reading, words: readonly UciWord[]): UciFault | undefined {
  const [keyword, first, second] = words as [UciWord, UciWord | undefined, UciWord | undefined, UciWord | undefined];
  switch (keyword.text) {
    case 'package':
    case 'p':
      return tooMany(words, 2) ?? applyPackage(reading, keyword, first);
    case 'config':
    case 'c':
      return tooMany(words, 3) ?? applyConfig(reading, keyword, first, second);
    case 'option':
    case 'o':
      return tooMany(words, 3) ?? applyOption(reading, keyword, first, second, false);
    case 'list':
    case 'l':
      return tooMany(words, 3) ?? applyOption(reading, keyword, first, second, true);
    default:
      return { line: keyword.line, expected: '"config", "option", "list" or "package"', got: printed(keyword.text) };
  }
}

function applyPackage(reading: Reading, keyword: UciWord, name: UciWord | undefined): UciFault | undefined {
  const { line } = keyword;
  if (name === undefined || !/^[A-Za-z0-9_-]+$/.test(name.text)) {
    return { line, expected: 'a package name of letters, digits, "_" and "-"', got: printed(name?.text) };
  }
  if (reading.name !== undefined || reading.sections.length > 0) {
    return { line, expected: 'one package line, before the first section', got: printed(name.text) };
  }
  reading.name = name.text;
  return undefined;
}

function applyConfig(
  reading: Reading,
  keyword: UciWord,
  type: UciWord | undefined,
  name: UciWord | undefined,
): UciFault | undefined {
  const { line } = keyword;
  if (type === undefined || !/^[\x21-\x7e]+$/.test(type.text)) {
    return { line, expected: 'a section type after "config"', got: printed(type?.text) };
  }
  const isNamed = name !== undefined && name.text !== '';
  if (isNamed && !isName(name.text)) {
    return { line, expected: 'a section name of letters, digits and "_"', got: printed(name.text) };
  }
  const known = isNamed ? reading.sections.find((section) => section.name === name.text) : undefined;
  if (known !== undefined && known.type !== type.text) {
    return {
      line,
      expected: `section "${known.name}" to be of type "${known.type}" as in line ${known.line}`,
      got: printed(type.text),
    };
  }
  if (known === undefined && reading.sections.length >= MAX_SECTIONS) {
    return { line, expected: `at most ${MAX_SECTIONS} sections`, got: 'more' };
  }
  const fresh = { type: type.text, line, options: new Map(), ...(isNamed ? { name: name.text } : {}) };
  if (known === undefined) reading.sections.push(fresh);
  reading.current = known ?? fresh;
  return undefined;
}

function applyOption(
  reading: Reading,
  keyword: UciWord,
  name: UciWord | undefined,
  value: UciWord | undefined,
  isList: boolean,
): UciFault | undefined {
  const { line } = keyword;
  if (name === undefined || !isName(name.text)) {
    return {
      line,
      expected: `an option name of letters, digits and "_" after "${keyword.text}"`,
      got: printed(name?.text),
    };
  }
  const options = reading.current?.options;
  if (options === undefined)
    return { line, expected: 'a "config" line before the first option', got: printed(name.text) };
  const known = options.get(name.text);
  if (known === undefined && options.size >= MAX_OPTIONS) {
    return { line, expected: `at most ${MAX_OPTIONS} options in a section`, got: 'more' };
  }
  const earlier = isList && known !== undefined ? known.values : [];
  if (earlier.length >= MAX_LIST_VALUES)
    return { line, expected: `at most ${MAX_LIST_VALUES} values in a list`, got: 'more' };
  earlier.push(value?.text ?? '');
  options.set(name.text, { name: name.text, isList, values: earlier, line });
  return undefined;
}

function tooMany(words: readonly UciWord[], limit: number): UciFault | undefined {
  const extra = words[limit];
  return extra === undefined
    ? undefined
    : { line: extra.line, expected: 'the end of the line', got: printed(extra.text) };
}

function isName(text: string): boolean {
  return /^[A-Za-z0-9_]+$/.test(text);
}

/** At most 40 characters of what stands there, on one line. */
function printed(text: string | undefined): string {
  if (text === undefined) return 'nothing';
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 37)}...` : text);
}

function packageFrom(reading: Reading): UciPackage {
  const sections = reading.sections.map(
    (section): UciSection => ({ ...section, options: [...section.options.values()] satisfies UciOption[] }),
  );
  return reading.name === undefined ? { sections } : { name: reading.name, sections };
}
