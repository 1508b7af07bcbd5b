/**
 * The built page against iOS 14 and Chrome 80, by MDN's compatibility data: syntax, functions and styles that are newer fail
 * here, and not in a guest's sheet.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import t from 'tap';
import { buildPage, TARGETS } from '../../../tools/build-page.ts';

const OLDEST = { chrome_android: 80, safari_ios: 14 } as const;
/** Ours or a library's own names, which newer interfaces happen to have too. */
const OWN_NAMES = 'changed destroy device equals finished last locale s suffix token unit'.split(' ');
/** Put in by old-browsers.ts. */
const PUT_IN = ['hasOwn', 'setBigUint64'];
/** Looks only: where they are not known, the page is as usable. */
const LOOKS = ['accent-color', 'appearance', 'color-scheme', 'text-size-adjust', ':focus-visible'];

type Support = { readonly version_added?: string | boolean | null; readonly prefix?: string; readonly flags?: unknown };
type Compat = { readonly support: Readonly<Record<string, Support | readonly Support[]>> };
/** `__compat` and the features below it. */
type Feature = { readonly [name: string]: Feature | undefined };

await buildPage();
const built = (name: string) =>
  readFileSync(new URL(`../../../captive-portal/page/dist/${name}`, import.meta.url), 'utf8');
const data = JSON.parse(
  readFileSync(fileURLToPath(import.meta.resolve('@mdn/browser-compat-data')), 'utf8'),
) as Readonly<Record<string, Feature>>;

function isOld({ support }: Compat): boolean {
  return Object.entries(OLDEST).every(([browser, oldest]) =>
    [support[browser] ?? []].flat().some((one) => {
      const { version_added: since, prefix, flags } = one as Support;
      if (typeof since !== 'string' || prefix !== undefined || flags !== undefined) return false;
      return Number.parseFloat(since.replace('≤', '')) <= oldest;
    }),
  );
}

const compatOf = (feature: Feature | undefined) => feature?.['__compat'] as Compat | undefined;

function featuresOf(tree: Feature | undefined): readonly (readonly [name: string, Feature])[] {
  return Object.entries(tree ?? {}).flatMap(([name, feature]) =>
    name === '__compat' || feature === undefined || compatOf(feature) === undefined ? [] : [[name, feature] as const],
  );
}

/** Each name with whether any feature of that name is old enough. */
function ages(features: readonly (readonly [name: string, Feature])[]): ReadonlyMap<string, boolean> {
  const known = new Map<string, boolean>();
  for (const [name, feature] of features) {
    const compat = compatOf(feature);
    known.set(name, known.get(name) === true || (compat !== undefined && isOld(compat)));
  }
  return known;
}

const interfaces = [
  ...featuresOf(data['api']),
  ...featuresOf(data['javascript']?.['builtins']),
  ...featuresOf(data['javascript']?.['builtins']?.['Intl']),
];
const members = ages(
  interfaces.flatMap(([, feature]) =>
    featuresOf(feature).map(([name, member]) => [name.replace(/_static$|_event$/, ''), member] as const),
  ),
);
const globals = ages(interfaces);
const tooNew = (names: Iterable<string>, known: ReadonlyMap<string, boolean>) =>
  [...new Set(names)].filter((name) => known.get(name) === false).sort();

/** `.name` and bare names of a script, those in strings too. */
const membersOf = (script: string) => [...script.matchAll(/\.([A-Za-z_$][\w$]*)/g)].map(([, name = '']) => name);
const globalsOf = (script: string) => [...script.matchAll(/(?<![.\w$])[A-Za-z_$][\w$]*/g)].map(([name]) => name);

t.test('the syntax is that of 2020: nothing of it would be lowered', async (t) => {
  const lowered = async (script: string) => {
    const options = { supported: { destructuring: true }, charset: 'utf8' } as const;
    const [old, now] = await Promise.all([
      transform(script, { ...options, target: [...TARGETS] }),
      transform(script, { ...options, target: 'esnext' }),
    ]);
    return old.code !== now.code;
  };
  t.equal(await lowered(built('page.js')), false);
  for (const script of ['class A { #a = 1; b() { return this.#a } }', 'a ??= b()', 'x = /(?<=a)b/.test(y)']) {
    t.equal(await lowered(script), true, `the check sees ${script}`);
  }
});

t.test('no function is called that came later', (t) => {
  const script = built('page.js');
  t.strictSame(tooNew(membersOf(script), members), [...OWN_NAMES, ...PUT_IN].sort());
  t.strictSame(tooNew(globalsOf(script), globals), []);
  const later =
    'a.at(-1); b.replaceAll(c, d); e.findLast(f); AbortSignal.timeout(9); crypto.randomUUID(); g.showModal()';
  t.strictSame(tooNew(membersOf(later), members), ['at', 'findLast', 'randomUUID', 'replaceAll', 'showModal']);
  t.strictSame(tooNew(globalsOf('structuredClone(new WeakRef(a))'), globals), ['WeakRef', 'structuredClone']);
  t.end();
});

const properties = ages(featuresOf(data['css']?.['properties']));
const selectors = ages(featuresOf(data['css']?.['selectors']));

/** Properties and pseudo-classes newer than the oldest phones; prefixed ones are for engines of their own. */
function newStyles(style: string): readonly string[] {
  const names = [...style.matchAll(/[{;]([a-z][a-z-]*):/g)].map(([, name = '']) => name);
  const pseudo = [...style.matchAll(/::?([a-z][a-z-]*)(?=[^;{}]*\{)/g)].map(([, name = '']) => name);
  return [...tooNew(names, properties), ...tooNew(pseudo, selectors).map((name) => `:${name}`)];
}

t.test('no style is needed that came later', (t) => {
  const style = built('page.css');
  t.strictSame(newStyles(style), LOOKS);
  t.notMatch(style, /display:(inline-)?flex[^}]*gap:(?!0[;}])/, 'a gap in a flex box came with iOS 14.1');
  const values = new Set([...style.matchAll(/([\w-]+)\(/g)].map(([, name]) => name));
  t.strictSame([...values].sort(), ['media', 'min', 'minmax', 'repeat', 'var'], 'functions of values');
  t.strictSame(newStyles('a:has(b){inset:0;aspect-ratio:1;margin-inline:0}'), [
    'aspect-ratio',
    'inset',
    'margin-inline',
    ':has',
  ]);
  t.end();
});
