/**
 * Changes single options in a configuration file and leaves every other line, comments included, as it is: what `uci set`
 * and `uci commit` do, without a right on rpcd's `uci` object, which would be a right on every file of the router.
 */
import { readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { parseUci } from './parse-uci.ts';
import { writeDurably, writeInPlace } from './torn-write.ts';
import { quoteUci } from './uci-text.ts';

/** One option of the only section of its type. */
export type OptionChange = { readonly section: string; readonly option: string; readonly value: string };

/** The text with the change, or undefined if the line that sets the option is not one that can be replaced. */
export function withOption(text: string, { section: type, option: name, value }: OptionChange): string | undefined {
  const parsed = parseUci(text);
  if (!parsed.ok) return undefined;
  const statement = `\toption ${name} ${quoteUci(value)}`;
  const lines = text.split('\n');
  const section = parsed.uci.sections.find((candidate) => candidate.type === type);
  if (section === undefined) {
    const end = text === '' || text.endsWith('\n') ? '' : '\n';
    return `${text}${end}\nconfig ${type} ${quoteUci(type)}\n${statement}\n`;
  }
  const known = section.options.find((candidate) => candidate.name === name);
  if (known === undefined) lines.splice(section.line, 0, statement);
  else if (/^\s*(option|o)\s/.test(lines[known.line - 1] ?? '')) lines[known.line - 1] = statement;
  else return undefined;
  const changed = lines.join('\n');
  return valueIn(changed, type, name) === value ? changed : undefined;
}

/**
 * Replaces the file's text so that after a power cut it is either the old or the new one. Where the directory may not be
 * written (the agent is no root, and /etc/config is root's) the file itself is written, with `pendingPath` to mend it.
 * @throws the file system's error
 */
export function replaceFile(path: string, text: string, pendingPath: string): void {
  const { mode } = statSync(path);
  const temporary = `${path}.new`;
  try {
    writeDurably(temporary, text, mode & 0o777);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!['EACCES', 'EPERM', 'EROFS', 'EBUSY'].includes(code)) throw error;
    writeInPlace(path, text, pendingPath);
  }
}

export function readText(path: string): string {
  return readFileSync(path, 'utf8');
}

function valueIn(text: string, type: string, name: string): string | undefined {
  const parsed = parseUci(text);
  const section = parsed.ok ? parsed.uci.sections.find((candidate) => candidate.type === type) : undefined;
  return section?.options.find((candidate) => candidate.name === name)?.values[0];
}
