import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import type { SectionSpec } from '../../../../agent/adapters/uci/option-spec.ts';
import { OPTION_TABLE } from '../../../../agent/adapters/uci/option-table.ts';
import {
  type ConfigReading,
  configErrorText,
  configFromUci,
  readConfig,
} from '../../../../agent/adapters/uci/read-config.ts';
import '../../../support/own-testdir.ts';

const SPECS: readonly (readonly [string, SectionSpec])[] = Object.entries(OPTION_TABLE);

/** Everything that must be set, and nothing else. */
const COMPLETE = `
config agent 'agent'
	option enabled '1'
config chain 'chain'
	option payee '0x00000000000000000000000000000000000000AA'
	option rpc_url 'http://127.0.0.1:8545'
	option chain_id '31337'
	option channels '0x${'22'.repeat(20)}'
	option token '0x${'33'.repeat(20)}'
	option token_name 'SSP Test Token'
	option registry '0x${'44'.repeat(20)}'
`;

function errors(text: string): readonly string[] {
  const reading = configFromUci(text);
  return reading.ok ? [] : reading.errors.map(configErrorText);
}

function config(text: string): Extract<ConfigReading, { ok: true }>['config'] {
  const reading = configFromUci(text);
  if (!reading.ok) throw new Error(reading.errors.map(configErrorText).join('\n'));
  return reading.config;
}

t.test('a complete file gives the whole configuration, with the defaults of the table', (t) => {
  t.same(config(COMPLETE), {
    isEnabled: true,
    logLevel: 'info',
    controlSocketPath: '/var/run/shareagent/control.sock',
    network: {
      guestDevices: ['br-guest'],
      leaseFile: '/tmp/dhcp.leases',
      ubusSocket: '/var/run/ubus/ubus.sock',
    },
    portal: { port: 2080, host: 'portal.lan', name: 'SSP WiFi', folder: '/etc/shareagent/portal' },
    price: {
      tariff: { unitsPerMb: 1000n, unitsPerMinute: 0n },
      windows: [],
      packages: [],
      minDeposit: 10_000n,
      openFee: 500n,
      trialBytes: 1_000_000n,
      trialBytesPerDay: 200_000_000n,
      trial: { seconds: 0, perHour: 60, rate: { downBytesPerS: 250_000n, upBytesPerS: 62_500n } },
      gardenDomains: [],
      giftBytesPerDay: 10_000_000_000n,
    },
    chain: {
      rpcUrl: 'http://127.0.0.1:8545',
      chainId: 31337n,
      channels: `0x${'22'.repeat(20)}`,
      token: `0x${'33'.repeat(20)}`,
      tokenName: 'SSP Test Token',
      tokenVersion: '1',
      registry: `0x${'44'.repeat(20)}`,
      payee: '0x00000000000000000000000000000000000000aa',
      channelSeconds: 604_800,
      exitDelaySeconds: 3600,
      marginSeconds: 900,
      rpcBackups: [],
      confirmations: 1,
      claimRatio: 20,
    },
    proofs: { intervalSeconds: 600, budgetBytes: 2_097_152n, collectorBackups: [] },
    storage: { databasePath: '/etc/shareagent/ledger.db', deviceKeyPath: '/etc/shareagent/device.key' },
    session: { graceSeconds: 30, absentSeconds: 300, sampleMs: 1000, flushSeconds: 60, flushBytes: 5_000_000n },
  });
  t.end();
});

t.test('every option that is set arrives in its unit', (t) => {
  const all = config(`${COMPLETE}
config network 'network'
	list guest_device br-a
	list guest_device br-b
	option rate_down 8000
	option rate_up 800
config price 'price'
	option per_mb '0.25 SSP'
	option per_minute 0.01
	option trial_bytes 500kB
	option trial_bytes_per_day '1 GB'
config window 'night'
	option from 22:00
	option to 06:30
	option per_mb 0.05
config window
	option from 12:00
	option to 12:01
	option per_mb 0
config package
	option name 'Café pause'
	option price 5
config chain 'chain'
	option channel_life 1d
	option voucher_margin 90
	option gas_worth 0.02
config proofs
	option collector_url 'https://collector.example/'
	option collector '0x${'55'.repeat(20)}'
config session
	option grace 2m
`);
  t.same(all.network.guestDevices, ['br-a', 'br-b']);
  t.same(all.network.rate, { downBytesPerS: 1_000_000n, upBytesPerS: 100_000n });
  t.same(all.price.tariff, { unitsPerMb: 2500n, unitsPerMinute: 100n });
  t.same(all.price.windows, [
    { fromMinute: 1320, toMinute: 390, tariff: { unitsPerMb: 500n, unitsPerMinute: 0n } },
    { fromMinute: 720, toMinute: 721, tariff: { unitsPerMb: 0n, unitsPerMinute: 0n } },
  ]);
  t.same(all.price.packages, [{ name: 'Café pause', units: 50_000n }]);
  t.equal(all.price.trialBytes, 500_000n);
  t.equal(all.price.trialBytesPerDay, 1_000_000_000n);
  t.equal(all.chain.channelSeconds, 86_400);
  t.equal(all.chain.marginSeconds, 90);
  t.equal(all.chain.gasWorthUnits, 200n);
  t.equal(all.chain.rpcUrl, 'http://127.0.0.1:8545', 'a named section that comes twice is merged');
  t.same(all.proofs, {
    intervalSeconds: 600,
    budgetBytes: 2_097_152n,
    collectorBackups: [],
    collectorUrl: 'https://collector.example/',
    collector: `0x${'55'.repeat(20)}`,
  });
  t.equal(all.session.graceSeconds, 120);
  t.end();
});

t.test('a wrong value is named with option, expectation, value and line', (t) => {
  t.same(errors("config price 'price'\n\toption per_mb 'abc'\n"), [
    "shareagent.price.per_mb: must be an SSP amount from 0 to 1000000 with at most 4 decimals, such as 0.1, got 'abc' (line 2)",
  ]);
  t.same(errors('config package\n\toption name x\n\toption price 0.00001\n'), [
    "shareagent.@package[0].price: must be an SSP amount from 0.0001 to 1000000 with at most 4 decimals, such as 5, got '0.00001' (line 3)",
  ]);
  t.end();
});

t.test('a guest cannot be gone on chain before its quote is', (t) => {
  t.match(errors("config chain 'chain'\n\toption exit_delay 14m\n"), [/chain.exit_delay: .* 15m to 30d/]);
  t.same(errors("config chain 'chain'\n\toption exit_delay 15m\n"), []);
  t.end();
});

t.test('a misspelt option or section names the nearest known one', (t) => {
  t.same(errors("config price 'price'\n\toption per_mbb '1'\n"), [
    'shareagent.price.per_mbb: unknown option, did you mean "per_mb"? (line 2)',
  ]);
  t.same(errors("config prize 'price'\n"), [
    'shareagent.price: unknown section type "prize", did you mean "price"? (line 1)',
  ]);
  t.match(
    errors('config storage\n\toption colour red\n')[0],
    /@storage\[0\].colour: unknown option; known are database, device_key/,
  );
  t.end();
});

t.test('an option named like a property of every object is unknown too', (t) => {
  t.match(errors('config price\n\toption constructor 1\n\toption __proto__ 1\n'), [/unknown option/, /unknown option/]);
  t.match(errors('config __proto__\n'), [/unknown section type/]);
  t.end();
});

t.test('all errors are reported at once', (t) => {
  t.match(errors('config agent\n\toption enabled yes\nconfig price\n\toption per_mb -1\nconfig foo\n'), [
    /unknown section type "foo".*line 5/,
    /enabled: must be 0 \(no\) or 1 \(yes\), got 'yes' \(line 2\)/,
    /per_mb: .* got '-1' \(line 4\)/,
  ]);
  t.end();
});

t.test('what has no default must be set once the agent is enabled, and not before', (t) => {
  t.same(
    errors('config agent\n\toption enabled 1\n').map((text) => text.slice(0, text.indexOf(':'))),
    ['payee', 'rpc_url', 'chain_id', 'channels', 'token', 'token_name', 'registry'].map(
      (name) => `shareagent.chain.${name}`,
    ),
  );
  t.match(
    errors("config agent\n\toption enabled 1\nconfig chain 'chain'\n\toption payee ''\n")[0],
    /payee: must be set: an address/,
  );
  t.equal(config('').isEnabled, false);
  t.match(errors('config window\n\toption from 10:00\n'), [
    /@window\[0\].to: must be set: a time of day/,
    /@window\[0\].per_mb: must be set: an SSP amount/,
  ]);
  t.end();
});

t.test('a section of a single kind may not come twice, a list has its bound, and an option is no list', (t) => {
  t.match(errors("config price 'price'\nconfig price 'other'\n"), [
    /shareagent.other: section type "price" may come once/,
  ]);
  t.match(errors('config package\n'.repeat(13)), [/@package\[12\]: section type "package" may come 12 times/]);
  const nine = Array.from({ length: 9 }, (_, i) => `\tlist guest_device br${i}\n`).join('');
  t.match(errors(`config network\n${nine}`), [/guest_device: must be at most 8 values, got 9/]);
  t.match(errors('config network\n\tlist guest_device a\n\tlist guest_device a\n'), [
    /must not name the same value twice/,
  ]);
  t.match(errors('config network\n\tlist lease_file /tmp/a\n'), [/lease_file: must be an option, got a list/]);
  t.end();
});

t.test('options that contradict each other are refused', (t) => {
  t.match(errors('config network\n\toption rate_down 100\n'), [/rate_up: must be above 0 when the other rate is set/]);
  t.match(errors('config network\n\toption rate_up 100\n'), [/rate_down: must be above 0 .*line 1/]);
  t.match(errors('config price\n\toption per_mb 0\n'), [/per_mb: must be above 0 when per_minute is 0/]);
  t.match(errors('config price\n\toption open_fee 0.06\n'), [
    /min_deposit: must be at least 20 times open_fee \(1\.2\), got 1/,
  ]);
  t.match(errors('config price\n\toption trial_bytes 300MB\n'), [
    /trial_bytes_per_day: must be at least trial_bytes \(300000000 bytes\)/,
  ]);
  t.match(errors('config window\n\toption from 10:00\n\toption to 10:00\n\toption per_mb 1\n'), [
    /to: must differ from "from"/,
  ]);
  t.match(errors('config package\n\toption name x\n\toption price 0.5\n'), [
    /price: must be at least price.min_deposit \(1\), got 0.5/,
  ]);
  t.match(errors('config chain\n\toption channel_life 20m\n'), [
    /voucher_margin: must be less than half of channel_life/,
  ]);
  t.match(errors('config proofs\n\toption collector_url http://a.example\n'), [
    /collector: must be set with collector_url/,
  ]);
  t.end();
});

t.test('faults of the text itself are reported like errors of options', (t) => {
  t.same(errors("config price 'price\n"), ["shareagent: expected a closing ', got the end of the file (line 1)"]);
  t.end();
});

t.test('a file that cannot be read is an error that says what to do', (t) => {
  const dir = t.testdir({ good: COMPLETE, directory: {} });
  t.equal(readConfig(join(dir, 'good')).ok, true);
  const missing = readConfig(join(dir, 'missing'));
  t.match(missing, { ok: false, errors: [{ message: /shareagent config default > FILE/ }] });
  t.match(readConfig(join(dir, 'directory')), { ok: false, errors: [{ message: /cannot be read \(EISDIR\)/ }] });
  t.end();
});

t.test('property: no text makes the reader throw, and what is refused has a reason', (t) => {
  const names = SPECS.flatMap(([type, spec]) => [type, ...Object.keys(spec.options)]);
  const word = fc.oneof(
    fc.constantFrom(...names, '1', '0', "''", '22:00', '99999999999999999999', '-1', '/x'),
    fc.string(),
  );
  const line = fc.tuple(fc.constantFrom('config', '\toption', '\tlist'), word, word).map((words) => words.join(' '));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
      const reading = configFromUci(lines.join('\n'));
      return reading.ok || (reading.errors.length > 0 && reading.errors.every(({ message }) => message.length < 300));
    }),
    { numRuns: 500 },
  );
  t.end();
});

t.test('a file longer than any configuration is refused', (t) => {
  const dir = t.testdir();
  writeFileSync(join(dir, 'long'), '#'.repeat(2_000_000));
  t.match(readConfig(join(dir, 'long')), { ok: false, errors: [{ message: /at most 1000000 characters/ }] });
  t.end();
});
