/**
 * Finds the netlink addon: beside the bundle or the executable, else where a checkout compiles it. Without it everything works,
 * by running nft and ip.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ADDON_FILE, type Addon, compiledAddon, loadAddon } from '../../openwrt/node-netlink/src/addon.ts';

/** @throws Error that says what is missing, or why it does not load */
export function openNetlinkAddon(): Addon {
  // A binary has no URL of its own script.
  const own: string | undefined = import.meta.url;
  const beside = [own === undefined ? undefined : fileURLToPath(own), process.argv[1], process.execPath]
    .filter((path) => path !== undefined)
    .map((path) => join(dirname(path), ADDON_FILE));
  const path = [...beside, compiledAddon()].find((candidate) => candidate !== undefined && existsSync(candidate));
  if (path === undefined) throw new Error(`${ADDON_FILE} is not there: it is compiled where a C compiler is`);
  return loadAddon(path);
}
