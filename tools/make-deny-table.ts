/**
 * Writes the static deny table: what `nft -j -f` loads at boot, before the agent. It is the enforcer's own tables with no
 * guest in them, so an agent that starts later finds its tables standing and adopts them.
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

/** The committed file. */
export const DENY_TABLE_FILE = new URL('deny-table.json', FOLDER);

/** What the file holds. */
export function denyTable(): { readonly nftables: readonly NftCommand[] } {
  const guestDevices = ['br-guest'].map(parseDeviceName).filter((name) => name !== undefined);
  const facts: TableFacts = {
    guestDevices,
    guestIndexes: [],
    guestPorts: [],
    portalPort: 2050,
    hasRates: false,
    isStrict: false,
  };
  return { nftables: [...installCommands(renderInetTable(facts)), ...installCommands(renderBridgeTable(facts))] };
}

/** True if the committed file says what the renderers say, however it is laid out. */
export function isDenyTableCurrent(): boolean {
  const committed: unknown = JSON.parse(readFileSync(DENY_TABLE_FILE, 'utf8'));
  return JSON.stringify(committed) === JSON.stringify(denyTable());
}

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    if (!isDenyTableCurrent()) {
      console.error('deny-table.json is not what the renderers make: npm run deny-table');
      process.exitCode = 1;
    }
  } else {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(DENY_TABLE_FILE, `${JSON.stringify(denyTable(), null, 2)}\n`);
  }
}
