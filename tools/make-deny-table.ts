/**
 * Writes the static deny tables: what `nft -j -f` loads at boot, before the agent. They are the enforcer's own tables with
 * no guest in them, so an agent that starts later finds its tables standing and adopts them. One file a family, because a
 * kernel without the bridge family refuses a whole transaction. The loader (openwrt/files/usr/libexec/shareagent/deny-table)
 * puts the router's guest devices and portal port in place of the defaults.
 *
 * Run: npm run deny-table (after a deliberate change of the rules), with --check to compare only.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { NftCommand } from '../agent/adapters/nft/nft-json.ts';
import { renderBridgeTable } from '../agent/adapters/nft/render-bridge.ts';
import { renderInetTable, type TableFacts } from '../agent/adapters/nft/render-table.ts';
import { installCommands } from '../agent/adapters/nft/table-spec.ts';
import { parseDeviceName } from '../agent/core/names.ts';

const FOLDER = new URL('../openwrt/files/usr/share/shareagent/', import.meta.url);

export const DENY_FAMILIES = ['inet', 'bridge'] as const;
export type DenyFamily = (typeof DENY_FAMILIES)[number];

/** The committed file of a family. */
export function denyTableFile(family: DenyFamily): URL {
  return new URL(`deny-${family}.json`, FOLDER);
}

/** What the file of a family holds. */
export function denyTable(family: DenyFamily): { readonly nftables: readonly NftCommand[] } {
  const guestDevices = ['br-guest'].map(parseDeviceName).filter((name) => name !== undefined);
  const facts: TableFacts = {
    guestDevices,
    guestIndexes: [],
    guestPorts: [],
    portalPort: 2080,
    hasRates: false,
    isStrict: false,
  };
  return { nftables: installCommands(family === 'inet' ? renderInetTable(facts) : renderBridgeTable(facts)) };
}

/** True if the committed files say what the renderers say, however they are laid out. */
export function isDenyTableCurrent(): boolean {
  return DENY_FAMILIES.every((family) => {
    const committed: unknown = JSON.parse(readFileSync(denyTableFile(family), 'utf8'));
    return JSON.stringify(committed) === JSON.stringify(denyTable(family));
  });
}

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    if (!isDenyTableCurrent()) {
      console.error('The deny tables are not what the renderers make: npm run deny-table');
      process.exitCode = 1;
    }
  } else {
    mkdirSync(FOLDER, { recursive: true });
    for (const family of DENY_FAMILIES) {
      writeFileSync(denyTableFile(family), `${JSON.stringify(denyTable(family), null, 2)}\n`);
    }
  }
}
