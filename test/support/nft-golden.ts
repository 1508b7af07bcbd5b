/** Golden files of what goes to nft: one command per line, so that a diff names the rule that changed. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { NftCommand } from '../../agent/adapters/nft/nft-json.ts';

const FOLDER = new URL('../golden/nft/', import.meta.url);

/** Both texts to compare; with UPDATE_GOLDEN=1 the file is written first. */
export function golden(
  name: string,
  transactions: readonly (readonly NftCommand[])[],
): { readonly actual: string; readonly expected: string } {
  const file = new URL(`${name}.json`, FOLDER);
  const actual = textOf(transactions);
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(file, actual);
  }
  return { actual, expected: readFileSync(file, 'utf8') };
}

function textOf(transactions: readonly (readonly NftCommand[])[]): string {
  const blocks = transactions.map((commands) => {
    const lines = commands.map((command) => `  ${JSON.stringify(command)}`);
    return `{"nftables": [\n${lines.join(',\n')}\n]}`;
  });
  return `[\n${blocks.join(',\n')}\n]\n`;
}
