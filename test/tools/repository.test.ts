/** What no linter looks for: names that hide what a file is about, addresses of one machine, a lockfile tied to one registry. */
import { globSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ROOMS = [
  'protocol',
  'agent',
  'captive-portal',
  'contracts',
  'fleet',
  'openwrt',
  'test',
  'tools',
  'docs',
  '.ci',
  '*',
];
const BUILT = ['node_modules', '.tap', 'build', 'dist', 'out', 'cache'];

const FILES = globSync(
  ROOMS.map((room) => (room === '*' ? '*' : `${room}/**/*`)),
  { cwd: ROOT, exclude: (path) => BUILT.includes(basename(path)) },
).filter((path) => statSync(join(ROOT, path)).isFile());
const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

t.test('the files are there to be looked at', (t) => {
  t.ok(FILES.includes('protocol/hex.ts') && FILES.includes('package.json') && FILES.includes('.ci/run'));
  t.end();
});

t.test('no file is called utils, helpers, common, misc or index', (t) => {
  t.same(
    FILES.filter((path) => /^(utils?|helpers?|common|misc|index)\.(ts|js|mjs)$/.test(basename(path))),
    [],
  );
  t.end();
});

t.test('no file names a place on the machine where it was written', (t) => {
  // Put together here, so that this file is not one of them.
  const place = ['', 'work', ''].join('/');
  const found = FILES.filter((path) => new RegExp(`(^|[^A-Za-z0-9_.@-])${place}`, 'm').test(textOf(path)));
  t.same(found, []);
  t.end();
});

t.test('the lockfile holds no address of a registry, and a digest for every package', (t) => {
  const lock = JSON.parse(textOf('package-lock.json')) as { packages: Record<string, { [field: string]: unknown }> };
  for (const [path, entry] of Object.entries(lock.packages)) {
    t.equal(entry['resolved'], undefined, path);
    if (path !== '') t.match(entry['integrity'], /^sha512-/, path);
  }
  t.end();
});

t.test('the pinned Node is the one that package.json asks for', (t) => {
  const version = /^version=(\d+)\./m.exec(textOf('tools/fetch-node'))?.[1];
  const { engines } = JSON.parse(textOf('package.json')) as { engines: { node: string } };
  t.equal(engines.node, `>=${version}`);
  t.end();
});
