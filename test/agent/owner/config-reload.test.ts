import t from 'tap';
import { OPTION_TABLE } from '../../../agent/adapters/uci/option-table.ts';
import type { AgentConfig } from '../../../agent/core/config.ts';
import { ConfigReload, type ConfigText, LIVE_OPTIONS, RESTART_OPTIONS } from '../../../agent/owner/config-reload.ts';
import { testConfig } from '../core/support/story.ts';

type Logged = { readonly event: string; readonly details: object };

function reloading(started = testConfig()) {
  const logged: Logged[] = [];
  const changes: (readonly string[])[] = [];
  const keep = (details: object, event: string) => void logged.push({ event, details });
  let text: ConfigText = { ok: true, config: started };
  const reload = new ConfigReload(started);
  reload.connect({
    read: () => text,
    log: { info: keep, warn: keep, error: keep },
    onChange: (changed) => void changes.push(changed),
  });
  const write = (change: (config: AgentConfig) => AgentConfig) => {
    text = { ok: true, config: testConfig(change) };
    return reload.reload();
  };
  const spoil = (...errors: string[]) => {
    text = { ok: false, errors };
    return reload.reload();
  };
  return { reload, logged, changes, write, spoil };
}

t.test('every option of the configuration is either live or named as one that needs a restart', (t) => {
  const many = ['window', 'package'];
  const all = Object.entries(OPTION_TABLE).flatMap(([section, { options }]) =>
    many.includes(section) ? [`${section}[]`] : Object.keys(options).map((option) => `${section}.${option}`),
  );
  t.same([...Object.keys(LIVE_OPTIONS), ...Object.keys(RESTART_OPTIONS)].sort(), all.sort());
  t.end();
});

t.test('a new price counts at once for whoever holds the view', (t) => {
  const { reload, write, changes, logged } = reloading();
  const { view } = reload;
  const result = write((config) => ({
    ...config,
    price: { ...config.price, tariff: { unitsPerMb: 20n, unitsPerMinute: 3n } },
  }));
  t.same(result, { changed: ['price.per_mb', 'price.per_minute'], restartNeeded: [], errors: [] });
  t.same(view.price.tariff, { unitsPerMb: 20n, unitsPerMinute: 3n });
  t.same(changes, [['price.per_mb', 'price.per_minute']]);
  t.match(logged, [{ event: 'config-applied', details: { changed: ['price.per_mb', 'price.per_minute'] } }]);
  t.end();
});

t.test('each live option changes the view when it is written', (t) => {
  const next = (config: AgentConfig): AgentConfig => ({
    ...config,
    logLevel: 'debug',
    network: {
      ...config.network,
      rate: { downBytesPerS: 1n, upBytesPerS: 2n },
      place: { country: 'CH', geohash: 'u0qj' },
    },
    portal: {
      ...config.portal,
      name: 'Other',
      welcome: 'Hello',
      colour: '#000000',
      colourDark: '#ffffff',
      folder: '/elsewhere',
      venueUrl: 'https://cafe.example/',
      faucetUnits: 100_000n,
      tls: { certPath: '/c.pem', keyPath: '/k.pem' },
    },
    price: {
      tariff: { unitsPerMb: 1n, unitsPerMinute: 1n },
      windows: [{ fromMinute: 1, toMinute: 2, tariff: { unitsPerMb: 1n, unitsPerMinute: 0n } }],
      packages: [{ name: 'Tea', units: 5_000n }],
      minDeposit: 2_000n,
      openFee: 60n,
      trialBytes: 1n,
      trialBytesPerDay: 2n,
      trial: { seconds: 1, perHour: 2, rate: { downBytesPerS: 3n, upBytesPerS: 4n } },
      gardenDomains: ['example.org'],
      giftBytesPerDay: 5n,
    },
    chain: { ...config.chain, channelSeconds: 7_200, marginSeconds: 60, claimRatio: 30, gasWorthUnits: 40n },
    proofs: { intervalSeconds: 61 },
    session: { graceSeconds: 1, absentSeconds: 2, sampleMs: config.session.sampleMs, flushSeconds: 3, flushBytes: 4n },
  });
  const { reload, write } = reloading();
  const { changed } = write(next);
  t.same(
    changed,
    Object.keys(LIVE_OPTIONS).filter((name) => name !== 'agent.enabled'),
  );
  const { view } = reload;
  t.strictSame({ ...view }, { ...testConfig(next), storage: view.storage });
  write((config) => config);
  t.notOk('rate' in view.network, 'a rate that was taken out is gone');
  t.end();
});

t.test('the view has every section that the agent was started with, and no other', (t) => {
  t.notOk('roaming' in reloading().reload.view);
  const roaming = { address: '192.168.1.1', port: 2_081, sisters: [] };
  const { reload, write } = reloading({ ...testConfig(), roaming });
  t.same(reload.view.roaming, roaming);
  t.match(
    write((config) => config),
    { restartNeeded: ['roaming.address', 'roaming.port', 'roaming.sister'] },
  );
  t.same(reload.view.roaming, roaming, 'until the restart');
  t.end();
});

t.test('what needs a restart is named in log, status and health, and does not count before', (t) => {
  const { reload, write, logged, changes } = reloading();
  const move = (config: AgentConfig): AgentConfig => ({
    ...config,
    portal: { ...config.portal, port: 8_080 },
    storage: { ...config.storage, databasePath: '/elsewhere' },
    session: { ...config.session, sampleMs: 500 },
  });
  const needed = ['portal.port', 'storage.database', 'session.sample_ms'];
  t.same(write(move), { changed: [], restartNeeded: needed, errors: [] });
  t.same(reload.restartNeeded, needed);
  t.equal(reload.view.portal.port, 2_050);
  t.equal(reload.view.session.sampleMs, 1_000);
  t.same(changes, []);
  t.match(logged, [{ event: 'config-needs-restart', details: { options: needed } }]);
  t.match(reload.health(), { ok: false, message: /portal\.port, storage\.database/, fix: /restart/ });
  write((config) => config);
  t.match(reload.health(), { ok: true });
  t.end();
});

t.test('a file with errors changes nothing and says so until it is mended', (t) => {
  const { reload, spoil, write, logged } = reloading();
  const errors = ['shareagent.price.per_mb: must be a number, got "x" (line 3)'];
  t.same(spoil(...errors), { changed: [], restartNeeded: [], errors });
  t.equal(reload.view.price.tariff.unitsPerMb, 10n);
  t.match(logged, [{ event: 'config-not-applied', details: { errors } }]);
  t.match(reload.health(), { check: 'config', ok: false, message: /per_mb/, fix: /reload/ });
  write((config) => config);
  t.match(reload.health(), { ok: true });
  t.end();
});

t.test('switched off by the owner: nothing is sold, and whatever else the file lacks is not looked at', (t) => {
  const { reload, write } = reloading();
  t.equal(reload.saleTrouble, undefined);
  const off = (config: AgentConfig): AgentConfig => ({
    ...config,
    isEnabled: false,
    chain: { ...config.chain, chainId: 1n, channelSeconds: 1 },
    price: { ...config.price, tariff: { unitsPerMb: 99n, unitsPerMinute: 0n } },
  });
  t.same(write(off), { changed: ['agent.enabled'], restartNeeded: [], errors: [] });
  t.match(reload.saleTrouble, /switched off by the owner/);
  t.equal(reload.view.price.tariff.unitsPerMb, 10n);
  t.same(write((config) => config).changed, ['agent.enabled']);
  t.equal(reload.saleTrouble, undefined);
  t.end();
});

t.test('before the agent has started there is nothing to reload', (t) => {
  t.match(new ConfigReload(testConfig()).reload(), { errors: ['the agent is still starting'] });
  t.end();
});
