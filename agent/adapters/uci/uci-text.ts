/** What a UCI file says, before anyone knows what it means. Lines count from 1. */

export type UciOption = {
  readonly name: string;
  readonly isList: boolean;
  /** One value for an option; one or more for a list. */
  readonly values: readonly string[];
  /** Where it was set last. */
  readonly line: number;
};

export type UciSection = {
  readonly type: string;
  /** Absent for an anonymous section, which uci addresses as @type[n]. */
  readonly name?: string;
  readonly line: number;
  readonly options: readonly UciOption[];
};

export type UciPackage = { readonly name?: string; readonly sections: readonly UciSection[] };

/** UCI text that parseUci reads back as the same package. */
export function renderUci(uci: UciPackage): string {
  const head = uci.name === undefined ? [] : [`package ${uci.name}\n`];
  return [...head, ...uci.sections.map(renderSection)].join('\n');
}

/** A value between single quotes, in which only the single quote itself is special. */
export function quoteUci(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}

function renderSection(section: UciSection): string {
  const name = section.name === undefined ? '' : ` ${quoteUci(section.name)}`;
  const lines = section.options.flatMap((option) =>
    option.values.map((value) => `\t${option.isList ? 'list' : 'option'} ${option.name} ${quoteUci(value)}`),
  );
  return [`config ${section.type}${name}`, ...lines, ''].join('\n');
}
