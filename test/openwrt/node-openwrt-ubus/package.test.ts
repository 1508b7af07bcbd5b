/** What `npm publish` would send: built, packed, installed into an empty project, imported, typed, run. */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PACKAGE = join(ROOT, 'openwrt', 'node-openwrt-ubus');
const TSC = join(ROOT, 'node_modules', '.bin', 'tsc');

const execute = promisify(execFile);
/** By env: tap puts its loaders into NODE_OPTIONS of each child, and what is tested here must run without them. */
const run = (file: string, args: readonly string[], options: { readonly cwd?: string } = {}) =>
  execute('env', ['-u', 'NODE_OPTIONS', file, ...args], options);

type Manifest = {
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly dependencies?: object;
};

const CONSUMER = `
import { UbusClient, type UbusClientOptions } from 'node-openwrt-ubus';
import { BlobmsgType, double } from 'node-openwrt-ubus/blobmsg';
import { UbusError, UbusStatus } from 'node-openwrt-ubus/status';
import type { Subscription } from 'node-openwrt-ubus/subscription';

const options: UbusClientOptions = { path: '/nowhere' };
const client = new UbusClient(options);
export const reply: Promise<unknown> = client.call('a', 'b', { ratio: double(2), n: BlobmsgType.INT32 });
export function follow(): Promise<Subscription> {
  return client.subscribe('hostapd.*', { onNotify: ({ data }) => console.log(data['address']) });
}
export const status: number = new UbusError(UbusStatus.NOT_FOUND, 'x').status;
// @ts-expect-error a symbol can not be sent
export const refused = () => client.call('a', 'b', { bad: Symbol('x') });
reply.catch(() => console.log('imported', status));
`;

t.test('the package holds what it exports, and works without this repository', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ubus-package-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const source = join(folder, 'package');
  for (const name of ['package.json', 'README.md', 'LICENSE']) cpSync(join(PACKAGE, name), join(source, name));
  await run(TSC, ['-p', join(PACKAGE, 'tsconfig.build.json'), '--outDir', join(source, 'dist')]);
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '--offline'], {
    cwd: source,
  });
  const [packed] = JSON.parse(stdout) as [{ files: { path: string }[]; name: string }];
  const paths = new Set(packed.files.map(({ path }) => path));
  const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as Manifest;
  t.equal(manifest.dependencies, undefined, 'no dependencies');
  for (const target of [...Object.values(manifest.exports), ...Object.values(manifest.bin)]) {
    const files = typeof target === 'string' ? [target] : [target.types, target.default];
    for (const file of files) t.ok(paths.has(file.replace(/^\.\//, '')), `${file} is packed`);
  }
  for (const path of paths) t.match(path, /^(?:dist\/.*\.(?:js|d\.ts)|README\.md|LICENSE|package\.json)$/);

  const project = join(folder, 'project');
  for (const path of paths) {
    const target = join(project, 'node_modules', 'node-openwrt-ubus', path);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(join(source, path), target);
  }
  mkdirSync(join(project, 'node_modules', '@types'));
  symlinkSync(join(ROOT, 'node_modules', '@types', 'node'), join(project, 'node_modules', '@types', 'node'));
  writeFileSync(join(project, 'package.json'), '{"type":"module"}');
  writeFileSync(join(project, 'main.ts'), CONSUMER);
  const flags = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
  const typed = await run(TSC, [...flags, 'main.ts'], { cwd: project }).catch((error) => error);
  t.equal(typed.stdout, '', 'a strict project compiles against its types');
  const used = await run(process.execPath, ['main.ts'], { cwd: project });
  t.equal(used.stdout, 'imported 4\n');

  const cli = join(project, 'node_modules', 'node-openwrt-ubus', manifest.bin['ubus-js'] as string);
  t.ok(existsSync(cli));
  t.match(readFileSync(cli, 'utf8'), /^#!\/usr\/bin\/env node\n/);
  const failed = await run(process.execPath, [cli, '-s', '/nowhere', 'list']).catch((error) => error);
  t.same([failed.code, failed.stderr], [255, 'Failed to connect to ubus\n']);
});
