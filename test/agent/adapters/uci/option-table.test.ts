/** What is generated from the option table: the file that the package installs, and the reference of all options. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { renderDefaultFile } from '../../../../agent/adapters/uci/default-file.ts';
import { renderOptionDocument } from '../../../../agent/adapters/uci/option-document.ts';
import type { Option, SectionSpec } from '../../../../agent/adapters/uci/option-spec.ts';
import { OPTION_TABLE } from '../../../../agent/adapters/uci/option-table.ts';
import { configErrorText, configFromUci } from '../../../../agent/adapters/uci/read-config.ts';
import type { AgentConfig } from '../../../../agent/core/config.ts';

const ROOT = join(import.meta.dirname, '../../../..');
const SPECS: readonly (readonly [string, SectionSpec])[] = Object.entries(OPTION_TABLE);

function config(text: string): AgentConfig {
  const reading = configFromUci(text);
  if (!reading.ok) throw new Error(reading.errors.map(configErrorText).join('\n'));
  return reading.config;
}

t.test('every default and example of the table is accepted by its own kind', (t) => {
  const textsOf = (option: Option<unknown>): readonly string[] =>
    option.presence === 'list' ? option.texts : [option.presence === 'default' ? option.text : option.example];
  for (const [type, spec] of SPECS) {
    t.same(
      spec.shown.filter((name) => !Object.hasOwn(spec.options, name)),
      [],
      `${type}: shown options exist`,
    );
    for (const [name, option] of Object.entries(spec.options)) {
      for (const text of textsOf(option)) t.not(option.kind.parse(text), undefined, `${type}.${name} takes ${text}`);
      t.ok(option.doc.endsWith('.'), `${type}.${name} is documented with sentences`);
    }
  }
  t.end();
});

t.test('the default file is up to date, valid and not yet enabled', (t) => {
  const text = readFileSync(join(ROOT, 'openwrt/files/etc/config/shareagent'), 'utf8');
  t.equal(text, renderDefaultFile(), 'shareagent config default > openwrt/files/etc/config/shareagent');
  t.same(config(text), config(''));
  t.end();
});

t.test('the default file with every commented option taken in still holds the defaults', (t) => {
  const text = renderDefaultFile()
    .split('\n')
    .map((line) => line.replace(/^#(\t(?:option|list) |config )/, '$1'))
    .join('\n');
  const all = config(text);
  t.equal(all.price.windows.length, 1);
  t.equal(all.price.packages.length, 1);
  const { portal, proofs } = config('');
  // Where there is no default an example stands.
  const price = { ...all.price, windows: [], packages: [], gardenDomains: [] };
  const { rewards: _, gasWorthUnits: __, ...chain } = { ...all.chain, rpcBackups: [] };
  const { signerSocket: ___, ...storage } = all.storage;
  const { place, ...network } = all.network;
  t.same(place, { country: 'CH', geohash: 'u0qj' });
  const { roaming, ...alone } = { ...all, storage, network };
  t.match(roaming, { port: 2122, sisters: [{ url: 'http://192.0.2.9:2122' }] });
  t.same({ ...alone, portal, price, chain, proofs }, config(''));
  t.end();
});

t.test('docs/configuration.md is up to date and names every option', (t) => {
  const text = readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8');
  t.equal(text, renderOptionDocument(), 'shareagent config document > docs/configuration.md');
  for (const [type, spec] of SPECS) {
    t.match(text, `## ${type}\n`);
    for (const name of Object.keys(spec.options)) t.match(text, `| \`${name}\` |`);
  }
  t.end();
});
