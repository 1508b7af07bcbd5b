/** The init script under stand-in procd: what it starts, how it is confined, what makes it another process. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { RESTART_OPTIONS } from '../../../agent/owner/config-reload.ts';
import { Router, SHELLS } from './support/router.ts';

const ON =
  "config agent 'agent'\noption enabled '1'\nconfig network 'network'\nlist guest_device 'br-guest'\nconfig price 'price'\noption per_mb '0.1'\n";
const FILES = new URL('../../../openwrt/files/', import.meta.url);
const [shell = '/bin/sh'] = SHELLS;

for (const each of SHELLS) {
  t.test(`${each}: nothing runs while it is disabled, but guests are behind the deny table`, async (t) => {
    const router = new Router(each);
    t.teardown(() => router.close());
    t.same(await router.service('start'), []);
    t.ok(router.has('nft/inet'));
    await router.uci('set', 'shareagent.agent.enabled=1');
    t.same(await router.service('reload'), ['started']);
    t.same(await router.service('reload'), ['unchanged']);
    await router.uci('set', 'shareagent.agent.enabled=0');
    t.same(await router.service('reload'), ['stopped']);
    t.ok(router.has('nft/inet'), 'and stay there');
  });
}

t.test('it runs unprivileged, jailed, with one capability, and procd never gives up on it', async (t) => {
  const router = new Router(shell, { shareagent: ON });
  t.teardown(() => router.close());
  t.same(await router.service('start'), ['started']);
  const params = router.lines('procd.instance');
  for (const wanted of ['respawn 3600 5 0', 'user shareagent', 'group shareagent', 'no_new_privs 1']) {
    t.ok(params.includes(wanted), wanted);
  }
  t.ok(params.includes(`command ${router.root}/usr/bin/shareagent run`));
  t.ok(params.includes('jail shareagent log procfs sysfs ronly requirejail'));
  t.ok(params.includes(`mount ${router.root}/var/run/ubus`), 'the bus, also when it starts anew');
  t.same(
    params.filter((line) => line.startsWith('mount-rw')),
    [`mount-rw ${router.root}/etc/shareagent ${router.root}/var/run/shareagent`, `mount-rw ${router.root}/etc/config`],
    'its own folders, and for price_set the one of which it owns a file',
  );
  t.same(router.lines('owners'), [
    `chown -h shareagent:shareagent ${router.root}/etc/shareagent ${router.root}/var/run/shareagent`,
    `chown root:shareagent ${router.root}/etc/config/shareagent`,
  ]);
  t.equal(router.modeOf('etc/config/shareagent'), 0o664);
  t.match(
    params.find((line) => line.startsWith('env ')),
    'TZ=America/New_York',
    'as Node names time zones',
  );
  const capabilities: unknown = JSON.parse(
    readFileSync(new URL('usr/share/shareagent/capabilities.json', FILES), 'utf8'),
  );
  const only = ['CAP_NET_ADMIN'];
  t.same(capabilities, { bounding: only, effective: only, ambient: only, permitted: only, inheritable: only });
  t.ok(
    params.includes(`mount ${router.root}/usr/sbin/nft ${router.root}/var/run/shareagent-clock`),
    'the clock’s flag is root’s',
  );
});

t.test('a price is the running agent’s to take over; a port, a key or another build is another process', async (t) => {
  const router = new Router(shell, { shareagent: ON });
  t.teardown(() => router.close());
  await router.service('start');
  await router.uci('set', 'shareagent.price.per_mb=0.2');
  t.notOk(router.has('asked') && router.lines('asked').includes('shareagent reload'));
  t.same(await router.service('reload'), ['unchanged']);
  t.equal(router.lines('asked').at(-1), 'shareagent reload', 'asked by its own socket: the bus may be away');
  await router.uci('add_list', 'shareagent.network.guest_device=br-cafe');
  t.same(await router.service('reload'), ['restarted']);
  router.write('usr/lib/shareagent/build-id', 'two\n');
  t.same(await router.service('start'), ['restarted'], 'as the postinst of an upgrade does it');
});

t.test('a watchdog that the agent has armed makes no other process of it, with a procd of 24.10 either', async (t) => {
  const router = new Router(shell, { shareagent: ON });
  t.teardown(() => router.close());
  t.same(await router.service('start'), ['started']);
  t.notMatch(router.read('procd.instance'), /^watchdog/m, 'who is kept from ubus is not killed for it');
  // What the agent's first feeding does to the instance, in service_handle_watchdog.
  router.write('procd.instance', `${router.read('procd.instance')}watchdog 1 60\n`);
  await router.uci('set', 'shareagent.price.per_mb=0.2');
  t.same(await router.service('reload'), ['unchanged']);
  t.same(await router.service('stop'), ['stopped']);
  t.same(await router.service('start'), ['started']);
  t.notMatch(router.read('procd.instance'), /^watchdog/m);
});

t.test('the list of options that need another process is the agent’s own', (t) => {
  const lines = readFileSync(new URL('usr/share/shareagent/restart-options', FILES), 'utf8').split('\n');
  const listed = lines.filter((line) => line !== '' && !line.startsWith('#'));
  t.same(listed.toSorted(), Object.keys(RESTART_OPTIONS).toSorted());
  t.end();
});

t.test('a slip in the file starts nothing, and stops nothing that runs', async (t) => {
  const router = new Router(shell, { shareagent: ON });
  t.teardown(() => router.close());
  await router.uci('set', 'shareagent.price.per_mb=cheap');
  t.same(await router.service('start'), []);
  t.match(router.read('syslog'), 'price.per_mb: no number');
  await router.uci('set', 'shareagent.price.per_mb=0.1');
  t.same(await router.service('reload'), ['started']);
  await router.uci('set', 'shareagent.price.per_mb=cheap');
  t.same(await router.service('reload'), [], 'the running agent keeps what it had');
  t.ok(router.has('procd.instance'));
});

t.test('without its user nothing is started as somebody else', async (t) => {
  const router = new Router(shell, { shareagent: ON });
  t.teardown(() => router.close());
  t.same(await router.service('start', { CHOWN_FAILS: '1' }), []);
  t.match(router.read('syslog'), "no user 'shareagent'");
});

t.test('a configuration that a power cut tore is mended before anything is read from it', async (t) => {
  const torn = async (script: () => Promise<unknown>, router: Router): Promise<void> => {
    router.write(
      'usr/bin/shareagent',
      '#!/bin/sh\npending=$ROUTER_ROOT/etc/shareagent/config.pending\n[ -f "$pending" ] && cat "$pending" >"$UCI_CONFIG_DIR/shareagent" && rm "$pending"\nexit 0\n',
    );
    router.write('etc/shareagent/config.pending', ON.replace('br-guest', 'br-cafe'));
    router.write('etc/config/shareagent', '');
    await script();
  };
  const router = new Router(shell);
  t.teardown(() => router.close());
  await torn(() => router.run('usr/libexec/shareagent/deny-table', ['load']), router);
  t.match(router.read('nft/inet'), '"br-cafe"', 'at boot, before the network');
  await torn(async () => t.same(await router.service('start'), ['started']), router);
});
