/**
 * Builds what runs on a router without a checkout, into build/binary/TARGET/WEIGHT/, and packs it. Three weights:
 * `standalone` (one executable with its own Node, and glibc beside it), `small` (the same with a Node of which no router reads
 * the rest, packed as a squashfs image too), `thin` (script and addon, for a router that has Node). docs/binary.md says which
 * router takes which.
 *
 * Run: node tools/build-binary.ts [--target x86_64,aarch64] [--weight standalone,small,thin] [--out DIR] [--no-pack]
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { AGENT_VERSION } from '../agent/version.ts';
import { ADDON_FILE } from '../openwrt/binary/load-addon.ts';
import { bundleSolo, DIET_FLAGS } from './build-agent.ts';
import { pinnedNode, prebuiltAddon, writeExecutable, writeNode } from './build-binary-executable.ts';
import { packTar, squash } from './build-binary-pack.ts';
import { glibcOf, TARGETS, type Target, targetNamed } from './build-binary-target.ts';
import { carryNetlinkAddon } from './build-netlink-addon.ts';
import { WASM_FILE } from './bundle-verifier-worker.ts';
import { type Component, debianComponents, licencesOf, nodeComponent, npmComponents, sbomOf } from './sbom.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const WEIGHTS = ['standalone', 'small', 'thin'] as const;
type Weight = (typeof WEIGHTS)[number];

type Source = { readonly commit: string; readonly epochS: number };
type Job = { readonly target: Target; readonly weight: Weight; readonly folder: string; readonly source: Source };

/** Builds one weight for one target into `folder`, which is emptied first. */
async function buildOne(job: Job): Promise<void> {
  const { target, weight, folder, source } = job;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const components = weight === 'thin' ? await buildThin(job) : await buildStandalone(job);
  const subject = { version: AGENT_VERSION, target: target.triple, ...source };
  writeFileSync(join(folder, 'sbom.cdx.json'), sbomOf(subject, components));
  writeFileSync(join(folder, 'THIRD-PARTY-LICENCES.txt'), licencesOf(components));
  copyFileSync(`${ROOT}LICENSE`, join(folder, 'LICENSE'));
}

async function buildStandalone({ target, weight, folder, source }: Job): Promise<Component[]> {
  const workspace = `${folder}.tmp`;
  mkdirSync(workspace, { recursive: true });
  const script = join(workspace, 'shareagent.cjs');
  const inputs = await bundleSolo({ ...bundled(source), outfile: script });
  const node = join(workspace, 'node');
  writeNode(target, weight === 'small', node);
  await writeExecutable({ target, node, script, output: join(folder, 'agent'), workspace });
  const glibc = glibcOf(target);
  copyFileSync(WASM_FILE, join(folder, basename(WASM_FILE)));
  // It is inside too; beside, it needs no folder that is writable and executable, which procd's jail does not give.
  copyFileSync(prebuiltAddon(target, 'linux'), join(folder, ADDON_FILE));
  carryNetlinkAddon(target, folder);
  for (const path of glibc.files) copyFileSync(path, join(folder, basename(path)));
  chmodSync(join(folder, target.loader), 0o755);
  copyFileSync(`${ROOT}openwrt/binary/shareagent.sh`, join(folder, 'shareagent'));
  chmodSync(join(folder, 'shareagent'), 0o755);
  const pins = readFileSync(`${ROOT}tools/fetch-node`, 'utf8');
  const pin = new RegExp(`arch=${target.nodeArch}; want=(sha512-\\S+)`).exec(pins)?.[1] ?? '';
  const nodeFolder = resolve(pinnedNode(target), '../..');
  return [...npmComponents(ROOT, inputs), nodeComponent(nodeFolder, pin), ...debianComponents(glibc.packages)];
}

async function buildThin({ target, folder, source }: Job): Promise<Component[]> {
  const script = join(folder, 'shareagent.cjs');
  const inputs = await bundleSolo({ ...bundled(source), outfile: script });
  rmSync(`${script}.LEGAL.txt`, { force: true });
  // A router's own Node is linked with the router's own C library.
  copyFileSync(prebuiltAddon(target, 'linuxmusl'), join(folder, ADDON_FILE));
  carryNetlinkAddon(target, folder);
  copyFileSync(WASM_FILE, join(folder, basename(WASM_FILE)));
  const launcher = readFileSync(`${ROOT}openwrt/binary/shareagent-thin.sh`, 'utf8');
  writeFileSync(join(folder, 'shareagent'), launcher.replace('@FLAGS@', DIET_FLAGS.join(' ')), { mode: 0o755 });
  return npmComponents(ROOT, inputs);
}

function bundled({ commit }: Source) {
  return { commit, targets: TARGETS.map(({ triple }) => triple) };
}

/** Commit, marked if the sources were changed since, and its time. Without git, as in a source tarball, there is no name. */
function sourceOf(): Source {
  try {
    const git = (...args: string[]) => execFileSync('git', ['-C', ROOT, ...args], { encoding: 'utf8' }).trim();
    const commit = git('rev-parse', '--short=12', 'HEAD');
    const changed = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '-changed';
    return { commit: `${commit}${changed}`, epochS: Number(git('log', '-1', '--format=%ct')) };
  } catch {
    return { commit: 'unknown', epochS: Number(process.env['SOURCE_DATE_EPOCH'] ?? 0) };
  }
}

function listOf(text: string | undefined, known: readonly string[]): string[] {
  const names = text?.split(',') ?? [...known];
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`no ${unknown.join(', ')}; there are ${known.join(', ')}`);
  return names;
}

function digestsOf(out: string): string {
  const paths = globSync(`${out}/**/*`, { withFileTypes: true }).filter((entry) => entry.isFile());
  const lines = paths
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => basename(path) !== 'SHA256SUMS')
    .map((path) => `${createHash('sha256').update(readFileSync(path)).digest('hex')}  ${relative(out, path)}\n`);
  return lines.sort((a, b) => (a.slice(64) < b.slice(64) ? -1 : 1)).join('');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      target: { type: 'string' },
      weight: { type: 'string' },
      out: { type: 'string', default: `${ROOT}build/binary` },
      'no-pack': { type: 'boolean', default: false },
    },
  });
  const targets = listOf(
    values.target,
    TARGETS.map(({ name }) => name),
  ).map(targetNamed);
  const weights = listOf(values.weight, WEIGHTS) as Weight[];
  const out = resolve(values.out);
  const source = sourceOf();
  for (const target of targets) {
    for (const weight of weights) {
      const folder = join(out, target.name, weight);
      await buildOne({ target, weight, folder, source });
      if (values['no-pack']) continue;
      const packed = join(out, `shareagent-${AGENT_VERSION}-${target.name}-${weight}`);
      packTar(folder, `${packed}.tar.xz`, target, source.epochS);
      if (weight === 'small') squash(folder, `${packed}.squashfs`, target, source.epochS);
    }
  }
  writeFileSync(join(out, 'SHA256SUMS'), digestsOf(out));
}

await main();
