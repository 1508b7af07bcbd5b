/**
 * Sections of UCI text to values by the option table, and every complaint about them. An unknown section or option is an
 * error, not ignored: a misspelt price must not silently become the default.
 */
import { nearestName } from './nearest-name.ts';
import type { Option, SectionSpec } from './option-spec.ts';
import { OPTION_TABLE, type SectionType, type SectionValues } from './option-table.ts';
import type { UciOption, UciPackage, UciSection } from './uci-text.ts';

/** `path` as the uci command writes it: "shareagent.price.per_mb", "shareagent.@package[0].price". */
export type ConfigError = { readonly path: string; readonly message: string; readonly line?: number };

export type ReadSection<Type extends SectionType> = {
  /** As the uci command addresses it. */
  readonly path: string;
  readonly values: SectionValues<Type>;
  /** Line of an option that is set, else of its section. */
  readonly lineOf: (name: string) => number | undefined;
};

const PACKAGE = 'shareagent';
const SECTION_TYPES = Object.keys(OPTION_TABLE) as SectionType[];

/** Complaints about sections as such: unknown ones, and more of a type than there may be. */
export function sectionErrors(uci: UciPackage): readonly ConfigError[] {
  const errors: ConfigError[] = [];
  for (const section of uci.sections) {
    const path = pathOf(section, uci);
    const spec: SectionSpec | undefined = isSectionType(section.type) ? OPTION_TABLE[section.type] : undefined;
    if (spec === undefined) {
      const message = `unknown section type "${section.type.slice(0, 40)}"${suggestion(section.type, SECTION_TYPES)}`;
      errors.push({ path, message, line: section.line });
    } else if (sameType(uci, section.type).indexOf(section) >= spec.max) {
      const message = `section type "${section.type}" may come ${spec.max === 1 ? 'once' : `${spec.max} times`}`;
      errors.push({ path, message, line: section.line });
    }
  }
  return errors;
}

/** The one section of a type that comes once; its defaults if it is missing. */
export function readOnly<Type extends SectionType>(
  uci: UciPackage,
  type: Type,
  mustBeComplete: boolean,
  errors: ConfigError[],
): ReadSection<Type> {
  const section = sameType(uci, type)[0] ?? { type, name: type, line: 0, options: [] };
  return readSection(uci, section, type, mustBeComplete, errors);
}

/** All sections of a type, in the order of the file. What is there must always be complete. */
export function readEach<Type extends SectionType>(
  uci: UciPackage,
  type: Type,
  errors: ConfigError[],
): readonly ReadSection<Type>[] {
  return sameType(uci, type).map((section) => readSection(uci, section, type, true, errors));
}

function readSection<Type extends SectionType>(
  uci: UciPackage,
  section: UciSection,
  type: Type,
  mustBeComplete: boolean,
  errors: ConfigError[],
): ReadSection<Type> {
  const specs: Readonly<Record<string, Option<unknown>>> = OPTION_TABLE[type].options;
  const path = pathOf(section, uci);
  for (const { name, line } of section.options) {
    if (Object.hasOwn(specs, name)) continue;
    errors.push({
      path: `${path}.${name.slice(0, 40)}`,
      message: `unknown option${suggestion(name, Object.keys(specs))}`,
      line,
    });
  }
  const set = new Map(section.options.map((option) => [option.name, option]));
  const values = Object.entries(specs).map(([name, spec]) => {
    const report = (message: string): void => {
      const line = set.get(name)?.line ?? section.line;
      errors.push({ path: `${path}.${name}`, message, ...(line > 0 ? { line } : {}) });
    };
    return [name, valueFrom(spec, set.get(name), mustBeComplete, report)] as const;
  });
  return {
    path,
    values: Object.fromEntries(values) as SectionValues<Type>,
    lineOf: (name) => set.get(name)?.line ?? (section.line > 0 ? section.line : undefined),
  };
}

/** An empty value counts as not set, as for the uci command. */
function valueFrom(
  spec: Option<unknown>,
  option: UciOption | undefined,
  mustBeComplete: boolean,
  report: (message: string) => void,
): unknown {
  const texts = (option?.values ?? []).filter((text) => text !== '');
  if (spec.presence === 'list') return listOf(spec, texts, report);
  if (option?.isList === true) report('must be an option, got a list');
  const text = texts.at(-1);
  if (text !== undefined) return parsedOr(spec, text, report);
  if (spec.presence === 'default') return spec.kind.parse(spec.text);
  if (spec.presence === 'optional') return undefined;
  if (mustBeComplete) report(`must be set: ${spec.kind.expected}`);
  return spec.placeholder;
}

function listOf(
  spec: Extract<Option<unknown>, { presence: 'list' }>,
  texts: readonly string[],
  report: (message: string) => void,
): readonly unknown[] {
  const wanted = texts.length === 0 ? spec.texts : texts;
  if (wanted.length > spec.max) report(`must be at most ${spec.max} values, got ${wanted.length}`);
  if (new Set(wanted).size !== wanted.length) report('must not name the same value twice');
  return wanted.slice(0, spec.max).map((text) => parsedOr(spec, text, report));
}

/** The parsed text; after a complaint undefined, which never leaves the reader. */
function parsedOr(spec: Option<unknown>, text: string, report: (message: string) => void): unknown {
  const value = spec.kind.parse(text);
  if (value === undefined) {
    const shown = text.length > 60 ? `${text.slice(0, 57)}...` : text;
    report(`must be ${spec.kind.expected}, got '${shown}'`);
  }
  return value;
}

function pathOf(section: UciSection, uci: UciPackage): string {
  if (section.name !== undefined) return `${PACKAGE}.${section.name}`;
  return `${PACKAGE}.@${section.type.slice(0, 40)}[${sameType(uci, section.type).indexOf(section)}]`;
}

function sameType(uci: UciPackage, type: string): readonly UciSection[] {
  return uci.sections.filter((section) => section.type === type);
}

function isSectionType(type: string): type is SectionType {
  return Object.hasOwn(OPTION_TABLE, type);
}

function suggestion(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return nearest === undefined ? `; known are ${known.join(', ')}` : `, did you mean "${nearest}"?`;
}
