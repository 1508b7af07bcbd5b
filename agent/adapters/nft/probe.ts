/**
 * What this nft and this kernel can do, tried out without leaving anything behind: the rules that the agent needs are
 * loaded with `nft --check`, which the kernel judges and throws away.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeviceName } from '../../core/model.ts';
import { whyNotFromKernel } from './kernel-sets.ts';
import { type NftPlace, runNft } from './nft-child.ts';
import { NftDialogue } from './nft-dialogue.ts';
import { NftError } from './nft-error.ts';
import type { NftCommand } from './nft-json.ts';
import { renderBridgeTable } from './render-bridge.ts';
import { renderInetTable } from './render-table.ts';
import { installCommands } from './table-spec.ts';

export type NftFeature = {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do about it; only if it is not ok. */
  readonly fix?: string;
};

/** Oldest nft that the rules were tried with (Debian 12; OpenWrt 23.05 has 1.0.8). */
const OLDEST_NFT = [1, 0, 6];
const CAP_NET_ADMIN = 12n;

/** Never throws: what cannot be tried is a feature that is not ok. */
export async function probeNft(nftPath = 'nft'): Promise<readonly NftFeature[]> {
  let runtimeDir: string;
  try {
    runtimeDir = await mkdtemp(join(tmpdir(), 'shareagent-probe-'));
  } catch (error) {
    const detail = `not tried: ${error instanceof Error ? error.message : String(error)}`;
    return [{ name: 'version', ok: false, detail, fix: `Let the agent's user write in ${tmpdir()}, or set TMPDIR.` }];
  }
  const place = { nftPath, runtimeDir };
  try {
    const version = await versionFeature(place);
    if (!version.ok && version.detail.startsWith('cannot be run')) return [version];
    return [
      version,
      await capabilityFeature(),
      await jsonFeature(place),
      await dialogueFeature(place),
      countersFeature(),
      await loadFeature(place, 'rules', tablesOf('inet'), 'Install kmod-nft-core, kmod-nft-nat and kmod-nft-fib.'),
      await loadFeature(
        place,
        'port binding',
        tablesOf('bridge'),
        'Install kmod-nft-bridge; without it a copied MAC works from any port.',
      ),
    ];
  } finally {
    await rm(runtimeDir, { recursive: true, force: true });
  }
}

async function versionFeature(place: NftPlace): Promise<NftFeature> {
  const name = 'version';
  const fix = `Install nftables ${OLDEST_NFT.join('.')} or newer: opkg install nftables-json.`;
  try {
    const { stdout } = await runNft(place, ['--version']);
    const match = /v([0-9]+)\.([0-9]+)\.([0-9]+)/.exec(stdout);
    if (match === null) return { name, ok: false, detail: `unknown: ${stdout.trim().slice(0, 60)}`, fix };
    const version = match.slice(1).map(Number);
    const isNewEnough = comparedVersions(version, OLDEST_NFT) >= 0;
    const detail = version.join('.');
    return isNewEnough ? { name, ok: true, detail } : { name, ok: false, detail, fix };
  } catch (error) {
    return { name, ok: false, detail: `cannot be run: ${messageOf(error)}`, fix };
  }
}

async function capabilityFeature(): Promise<NftFeature> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const hex = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  const ok = ((BigInt(`0x${hex}`) >> CAP_NET_ADMIN) & 1n) === 1n;
  if (ok) return { name: 'CAP_NET_ADMIN', ok, detail: 'held' };
  return { name: 'CAP_NET_ADMIN', ok, detail: 'missing', fix: 'Run as root, or give the service CAP_NET_ADMIN.' };
}

async function jsonFeature(place: NftPlace): Promise<NftFeature> {
  try {
    await runNft(place, ['-j', 'list', 'tables']);
    return { name: 'JSON', ok: true, detail: 'supported' };
  } catch (error) {
    return {
      name: 'JSON',
      ok: false,
      detail: messageOf(error),
      fix: 'Install nftables-json instead of nftables-nojson.',
    };
  }
}

/** Only a matter of speed: OpenWrt's nft has none and is then run once for each transaction. */
async function dialogueFeature(place: NftPlace): Promise<NftFeature> {
  const dialogue = new NftDialogue(place);
  const name = 'interactive mode';
  try {
    await dialogue.ask('{"nftables":[]}');
    return { name, ok: true, detail: 'supported' };
  } catch {
    return { name, ok: true, detail: 'not supported; each change runs nft once (about 10 ms)' };
  } finally {
    dialogue.close();
  }
}

/** Only a matter of speed as well: without netlink each reading of the counters is nft's. */
function countersFeature(): NftFeature {
  const why = whyNotFromKernel();
  const name = 'counters';
  if (why === undefined) return { name, ok: true, detail: 'read from the kernel by netlink' };
  return { name, ok: true, detail: `listed by nft (ten times the processor time): ${why}` };
}

async function loadFeature(
  place: NftPlace,
  name: string,
  commands: readonly NftCommand[],
  fix: string,
): Promise<NftFeature> {
  const file = join(place.runtimeDir, 'check.json');
  try {
    await writeFile(file, JSON.stringify({ nftables: commands }), { mode: 0o600 });
    await runNft(place, ['-j', '-c', '-f', file]);
    return { name, ok: true, detail: 'accepted by the kernel' };
  } catch (error) {
    return { name, ok: false, detail: messageOf(error), fix };
  }
}

/** The real tables under a name of their own, so that a running agent's are not in the way. */
function tablesOf(family: 'inet' | 'bridge'): readonly NftCommand[] {
  const device = 'lo' as DeviceName;
  const guestIndexes = [{ device, index: 1 }];
  const facts = {
    guestDevices: [device],
    guestIndexes,
    guestPorts: [device],
    portalPort: 2050,
    hasRates: true,
    isStrict: false,
  };
  const spec = family === 'inet' ? renderInetTable(facts) : renderBridgeTable(facts);
  const text = JSON.stringify(installCommands(spec)).replaceAll('"shareagent"', '"shareagent_probe"');
  return JSON.parse(text) as readonly NftCommand[];
}

function comparedVersions(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < b.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function messageOf(error: unknown): string {
  return error instanceof NftError && error.stderr !== '' ? error.stderr.trim().slice(0, 200) : String(error);
}
