/** The netlink addon for a target. One file for glibc and musl; without a compiler the agent does without it. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ADDON_FILE } from '../openwrt/node-netlink/src/addon.ts';
import type { Target } from './build-binary-target.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Compiles it. @returns its path, or undefined, having said so, where no compiler for the target is */
export function netlinkAddon({ name, nodeArch, triple }: Target): string | undefined {
  const output = `${ROOT}build/netlink/${name}/${ADDON_FILE}`;
  const compiler = nodeArch === process.arch ? (process.env['CC'] ?? 'cc') : `${triple}-gcc`;
  try {
    const env = { ...process.env, CC: compiler };
    execFileSync('sh', [`${ROOT}openwrt/node-netlink/compile`, output], {
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return output;
  } catch {
    console.error(`${name}: no netlink addon (${compiler} is missing or failed); counters will be read by nft`);
    return undefined;
  }
}

/** Puts it beside the agent in `folder`, where there is one. */
export function carryNetlinkAddon(target: Target, folder: string): void {
  const addon = netlinkAddon(target);
  if (addon !== undefined && existsSync(addon)) copyFileSync(addon, join(folder, ADDON_FILE));
}
