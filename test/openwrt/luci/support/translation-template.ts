/** The gettext template of the app: texts in _() of its scripts, menu titles, the description of its rights. */
import type { MenuNode } from './app-files.ts';

type Message = { readonly text: string; readonly context: string | undefined };

const HEAD = `msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8"
`;
/** _('text') and _('text', 'context'), the quotes escaped by a backslash if at all. */
const CALL = /(?<![\w$])_\(\s*'((?:[^'\\\n]|\\.)*)'(?:\s*,\s*'((?:[^'\\\n]|\\.)*)')?\s*\)/g;
const ANY_CALL = /(?<![\w$])_\(/g;

/** Throws where a text is not one literal, because no translator would ever see it. */
export function translationTemplate(
  scripts: ReadonlyMap<string, string>,
  menu: Readonly<Record<string, MenuNode>>,
  aclDescription: string,
): string {
  const places = new Map<string, { readonly message: Message; readonly where: string[] }>();
  const note = (message: Message, where: string): void => {
    const key = `${message.context ?? ''}\u0004${message.text}`;
    const known = places.get(key);
    if (known === undefined) places.set(key, { message, where: [where] });
    else known.where.push(where);
  };
  for (const [path, source] of scripts) {
    const found = [...source.matchAll(CALL)];
    const calls = [...source.matchAll(ANY_CALL)].length;
    if (found.length !== calls)
      throw new Error(`${path}: ${calls} calls of _(), but ${found.length} with a literal text`);
    for (const match of found) {
      const line = source.slice(0, match.index).split('\n').length;
      note({ text: unescaped(match[1] ?? ''), context: match[2] }, `htdocs/luci-static/resources/${path}:${line}`);
    }
  }
  const menuFile = 'root/usr/share/luci/menu.d/luci-app-shareagent.json';
  for (const { title } of Object.values(menu))
    if (title !== undefined) note({ text: title, context: undefined }, menuFile);
  note({ text: aclDescription, context: undefined }, 'root/usr/share/rpcd/acl.d/luci-app-shareagent.json');
  return [HEAD, ...[...places.values()].sort(byText).map(entry)].join('\n');
}

function byText(a: { readonly message: Message }, b: { readonly message: Message }): number {
  return a.message.text < b.message.text ? -1 : a.message.text > b.message.text ? 1 : 0;
}

function entry({ message, where }: { readonly message: Message; readonly where: readonly string[] }): string {
  return [
    ...where.map((place) => `#: ${place}`),
    ...(message.context === undefined ? [] : [`msgctxt ${quoted(message.context)}`]),
    `msgid ${quoted(message.text)}`,
    'msgstr ""',
    '',
  ].join('\n');
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, '$1');
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
