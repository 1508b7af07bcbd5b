/** luci-app-shareagent against what it stands on: the bus, the rights, the configuration, the menu, its translations. */
import { existsSync, readFileSync } from 'node:fs';
import { URL } from 'node:url';
import t from 'tap';
import type { Option } from '../../../agent/adapters/uci/option-spec.ts';
import { OPTION_TABLE } from '../../../agent/adapters/uci/option-table.ts';
import { type BusMethodDeps, busMethods } from '../../../agent/bus/methods.ts';
import { acl, appText, menu, pluginText, RESOURCES, scripts, viewNames } from './support/app-files.ts';
import { type FormOption, recordApp } from './support/recording-luci.ts';
import { BUSY } from './support/sample-router.ts';
import { translationTemplate } from './support/translation-template.ts';

/** Of the contract: "LuCI shows the page only when the method is there". */
const NOT_YET = ['pass_list', 'pass_create'];

/** Methods and their arguments as the agent puts them on the bus; nothing is called, so that nothing is needed. */
function publishedMethods(): ReadonlyMap<string, readonly string[]> {
  const methods = Object.entries(busMethods({} as BusMethodDeps));
  return new Map(methods.map(([name, { args }]) => [name, Object.keys(args)]));
}

/** Every name in a reply, however deep. */
function fieldsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(fieldsOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...fieldsOf(inner)]);
}

function pluginMethods(): readonly string[] {
  return [...pluginText().matchAll(/^\t(\w+): \{$/gm)].map(([, name = '']) => name);
}

const { declarations, options } = await recordApp();

t.test('every method that a page declares is published, with these arguments', (t) => {
  const published = publishedMethods();
  for (const { object, method, params } of declarations) {
    if (object === 'luci.shareagent') t.ok(pluginMethods().includes(method), `the plugin has ${method}`);
    else if (!NOT_YET.includes(method)) {
      t.equal(object, 'shareagent');
      const known = published.get(method) ?? [];
      t.ok(published.has(method), `the agent has ${method}`);
      t.strictSame(
        params.filter((name) => !known.includes(name)),
        [],
        `${method} takes ${params.join(', ')}`,
      );
    }
  }
  t.ok(declarations.length > 10);
  t.end();
});

t.test('the replies that the pages are tried with use the words of docs/ubus.md', (t) => {
  const document = readFileSync(new URL('../../../docs/ubus.md', import.meta.url), 'utf8');
  const words = new Set(document.match(/\b[a-z][a-z_]*\b/g));
  for (const [method, reply] of Object.entries(BUSY.agent ?? {}))
    t.strictSame(
      [...new Set(fieldsOf(reply))].filter((field) => !words.has(field)),
      [],
      method,
    );
  t.end();
});

t.test('the rights are those that the pages need, and no more', (t) => {
  const { read, write } = acl();
  const granted = [read, write].flatMap(({ ubus }) =>
    Object.entries(ubus).flatMap(([object, methods]) => methods.map((method) => `${object} ${method}`)),
  );
  const declared = declarations.map(({ object, method }) => `${object} ${method}`);
  t.strictSame(granted.toSorted(), declared.toSorted());
  t.notMatch(
    JSON.stringify([read, write]),
    /\*|"file"|"exec"|"uci":\s*\{|"service"\s*:\s*\[/,
    'no wildcard, no file, no exec',
  );
  t.strictSame([read.uci, write.uci], [['shareagent'], ['shareagent']]);
  const changing = /session_|action|pass_|_set$|kick/;
  t.strictSame(
    Object.values(read.ubus)
      .flat()
      .filter((method) => changing.test(method)),
    [],
    'reading changes nothing and shows no codes',
  );
  t.end();
});

t.test('every option in a form is one of the configuration', (t) => {
  for (const { view, section, option } of options) t.ok(specOf(section, option), `${view}: ${section}.${option}`);
  t.ok(options.length > 30);
  t.end();
});

const SAMPLES = [
  '0',
  '1',
  '5',
  '0.1',
  '1.5',
  '0.00001',
  '1,5',
  '-1',
  '1000000',
  '1000001',
  '10000',
  '10001',
  '0.0001',
  ' 1',
  '1e3',
  '1MB',
  '0.5MB',
  '500kB',
  '1GB',
  '2GB',
  '1000GB',
  '1001GB',
  '999',
  '1000',
  '30s',
  '10m',
  '9m',
  '59s',
  '1h',
  '61m',
  '7d',
  '30d',
  '31d',
  '366d',
  '367d',
  '1d',
  '2d',
  '22:00',
  '24:00',
  '9:00',
  '00:00',
  'br-guest',
  '.',
  'a b',
  'much-too-long-a-device-name',
  'CH',
  'CHE',
  'ch:ezs42e',
  'CH:u0qj',
  'CH:',
  'CH:u0qa',
  'CH:u0qj123',
  'portal.lan',
  'Portal.lan',
  '192.168.1.1',
  'a..b',
  '1023',
  '1024',
  '2080',
  '65535',
  '65536',
  '10000000',
  '10000001',
  '99',
  '100',
  '60000',
  '60001',
  `0x${'1a'.repeat(20)}`,
  `0x${'1a'.repeat(19)}`,
  `0x${'1g'.repeat(20)}`,
  'https://a.example/x',
  'ftp://a.example',
  'http:// a',
  'http://',
  '#0b6b57',
  '#8A1C4A',
  '#6a6a6a',
  '#707070',
  '#ff9ec4',
  '#ffffff',
  '#12345g',
  '#fff',
  '/etc/shareagent/portal',
  '/etc/../x',
  'Café Zentral',
  'ab\u0007c',
  'x'.repeat(24),
  'x'.repeat(25),
  'x'.repeat(32),
  'x'.repeat(33),
  'x'.repeat(64),
  'x'.repeat(65),
  '9007199254740991',
  '9007199254740992',
];

t.test(
  'what a form lets through the agent takes, and what the agent takes plainly written the form lets through',
  (t) => {
    for (const option of options) {
      const spec = specOf(option.section, option.option);
      if (spec === undefined || option.validate === undefined) continue;
      const accepted = SAMPLES.filter((sample) => option.validate?.('', sample) === true);
      const parsed = SAMPLES.filter((sample) => sample.trim() === sample && spec.kind.parse(sample) !== undefined);
      t.strictSame(accepted, parsed, `${option.section}.${option.option}`);
      t.equal(option.validate('', ''), true, 'empty means the default');
    }
    t.end();
  },
);

t.test('a field without a value shows the default that then counts', (t) => {
  for (const option of options) {
    const spec = specOf(option.section, option.option);
    const isTyped = option.widget === 'Value';
    if (spec?.presence === 'default' && isTyped)
      t.equal(option.placeholder, spec.text, `${option.section}.${option.option}`);
  }
  t.end();
});

t.test('every typed field is checked while typing', (t) => {
  const unchecked = options.filter(
    ({ widget, validate }) => /Value|DynamicList/.test(widget) && widget !== 'ListValue' && !validate,
  );
  t.strictSame(
    unchecked.map(({ option }) => option),
    [],
  );
  t.end();
});

t.test('the menu names pages that exist, and every page', (t) => {
  const targets = Object.values(menu())
    .filter(({ action }) => action.type === 'view')
    .map(({ action }) => action.path);
  t.strictSame(
    targets.toSorted(),
    viewNames()
      .map((name) => `shareagent/${name}`)
      .toSorted(),
  );
  const root = menu()['admin/services/shareagent'];
  t.ok(menu()[root?.action.path ?? '']);
  t.strictSame(root?.depends?.acl, ['luci-app-shareagent']);
  t.strictSame(root?.depends?.uci, { shareagent: true });
  t.equal(menu()['admin/services/shareagent/passes']?.title, undefined, 'pass codes have no tab of their own');
  for (const [path, source] of scripts())
    for (const [, page = ''] of source.matchAll(/look\.link\('(\w+)'/g))
      t.ok(viewNames().includes(page), `${path} links to ${page}`);
  t.end();
});

t.test('every file of the app that a page requires is there', (t) => {
  const own = [...scripts().values()].flatMap((source) =>
    [...source.matchAll(/^'require (shareagent\.\w+)/gm)].map(([, name = '']) => name),
  );
  for (const name of new Set(own)) t.ok(existsSync(new URL(`${name.replace('.', '/')}.js`, RESOURCES)), name);
  t.end();
});

t.test('no page writes markup by hand', (t) => {
  for (const [path, source] of scripts()) {
    t.notMatch(source, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/, path);
    // E('p', {}, text) would make markup of the text: children are arrays, as node lists, or calls that make one.
    const bare = [...source.matchAll(/\bE\('\w+', \{[^}]*\}, (?!\[)([\w.]+)/g)].map(([, child = '']) => child);
    t.strictSame(
      bare.filter((child) => !/^(\w+\.map|list|this\.parts)$/.test(child)),
      [],
      path,
    );
  }
  t.end();
});

t.test('LuCI builds minify scripts with jsmin, which knows a regular expression by the sign before it', (t) => {
  for (const [path, source] of scripts()) t.notMatch(source, /(?:=>|\breturn|\btypeof|\bcase) \/[^/*]/, path);
  t.end();
});

t.test('the translation template is up to date', (t) => {
  const template = translationTemplate(scripts(), menu(), acl().description);
  t.equal(appText('po/templates/shareagent.pot'), template, 'else: node tools/make-luci-pot.ts');
  t.match(template, /msgctxt "hours, short"\nmsgid "h"/);
  t.throws(() => translationTemplate(new Map([['x.js', 'f(_(name))']]), {}, ''), {
    message: /x\.js: 1 calls of _\(\)/,
  });
  t.end();
});

function specOf(section: string, option: FormOption['option']): Option<unknown> | undefined {
  const table: Readonly<Record<string, { readonly options: Readonly<Record<string, Option<unknown>>> }>> = OPTION_TABLE;
  return table[section]?.options[option];
}
