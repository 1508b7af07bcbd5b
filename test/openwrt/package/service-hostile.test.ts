/** The init script runs as root on what the agent's user wrote: its links, and the paths that its configuration names. */
import { once } from 'node:events';
import { mkdirSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import t from 'tap';
import { Router, SHELLS } from './support/router.ts';

const [shell = '/bin/sh'] = SHELLS;

/** A router that sells; `options` by section, one UCI statement a line. */
function selling(options: Readonly<Record<string, string>>, network = ''): Router {
  const sections = Object.entries({ agent: '', ...options }).map(
    ([type, lines]) => `config ${type} '${type}'\n${type === 'agent' ? "option enabled '1'\n" : ''}${lines}`,
  );
  return new Router(shell, {
    shareagent: `${sections.join('')}config network 'network'\nlist guest_device 'br-guest'\n${network}`,
  });
}

const mountsOf = (router: Router, kind: 'mount' | 'mount-rw'): readonly string[] =>
  router
    .lines('procd.instance')
    .filter((line) => line.startsWith(`${kind} `))
    .flatMap((line) => line.split(' ').slice(1));

for (const each of SHELLS) {
  t.test(
    `${each}: what root put there becomes the agent’s, but no link is followed, nor any folder entered`,
    async (t) => {
      const router = new Router(each, { shareagent: "config agent 'agent'\noption enabled '1'\n" });
      t.teardown(() => router.close());
      const { root } = router;
      router.write('etc/shadow', 'root:HASH');
      router.write('etc/shareagent/device.key', 'restored from a backup');
      router.write('etc/shareagent/portal/logo.svg', '<svg/>');
      symlinkSync(`${root}/etc/shadow`, `${root}/etc/shareagent/x`);
      symlinkSync(`${root}/etc`, `${root}/etc/shareagent/portal/y`);
      mkdirSync(`${root}/var/run/shareagent`, { recursive: true });
      symlinkSync(`${root}/etc/shadow`, `${root}/var/run/shareagent/clock-synced`);
      t.same(await router.service('start'), ['started']);
      t.same(router.lines('owners'), [
        `chown -h shareagent:shareagent ${root}/etc/shareagent ${root}/var/run/shareagent`,
        `chown -h shareagent:shareagent ${root}/etc/shareagent/device.key`,
        `chown -h shareagent:shareagent ${root}/etc/shareagent/portal`,
        `chown root:shareagent ${root}/etc/config/shareagent`,
      ]);
      t.equal(router.read('etc/shadow'), 'root:HASH');
    },
  );
}

t.test('root makes dnsmasq’s lease file or one in /tmp, through no link, and nothing else', async (t) => {
  const leases = async (path: string, prepare: (router: Router) => void = () => {}): Promise<Router> => {
    const router = selling({}, '');
    t.teardown(() => router.close());
    await router.uci('set', `shareagent.network.lease_file=${router.root}${path}`);
    prepare(router);
    t.same(await router.service('start'), ['started']);
    return router;
  };
  const usual = await leases('/tmp/other.leases');
  t.ok(usual.has('tmp/other.leases'));
  t.ok(mountsOf(usual, 'mount').includes(`${usual.root}/tmp/other.leases`));
  const elsewhere = await leases('/etc/uci-defaults/made-by-root');
  t.notOk(elsewhere.has('etc/uci-defaults/made-by-root'));
  t.match(elsewhere.read('syslog'), 'network.lease_file: there is no');
  t.notMatch(mountsOf(elsewhere, 'mount').join(' '), 'made-by-root', 'ujail starts nothing when a mount is not there');
  const linked = await leases('/tmp/linked', ({ root }) => symlinkSync(`${root}/etc/made`, `${root}/tmp/linked`));
  t.notOk(linked.has('etc/made'));
  const owners = await leases('/srv/leases', (router) => {
    mkdirSync(`${router.root}/srv`);
    router.write('etc/config/dhcp', `config dnsmasq\noption leasefile '${router.root}/srv/leases'\n`);
  });
  t.ok(owners.has('srv/leases'), 'where root’s own configuration of dnsmasq has it');
});

t.test('the certificate’s folder and the portal’s are in the jail, to be read', async (t) => {
  const router = selling({ portal: '' });
  t.teardown(() => router.close());
  const { root } = router;
  for (const name of ['etc/ssl/portal.crt', 'etc/acme/portal.key', 'srv/portal/terms.txt']) router.write(name, 'x');
  symlinkSync(`${root}/etc/acme/portal.key`, `${root}/etc/ssl/portal.key`);
  await router.uci('set', `shareagent.portal.tls_cert=${root}/etc/ssl/portal.crt`);
  await router.uci('set', `shareagent.portal.tls_key=${root}/etc/ssl/portal.key`);
  await router.uci('set', `shareagent.portal.folder=${root}/srv/portal`);
  await router.service('start');
  const shown = mountsOf(router, 'mount');
  for (const name of ['etc/ssl', 'etc/acme', 'srv/portal']) t.ok(shown.includes(`${root}/${name}`), name);
  await router.uci('set', `shareagent.portal.tls_key=${root}/nowhere/portal.key`);
  t.same(await router.service('reload'), ['restarted']);
  t.notMatch(mountsOf(router, 'mount').join(' '), 'nowhere');
  t.match(router.read('syslog'), 'portal.tls_key: no file');
});

t.test(
  'another bus than the router’s own is in the jail: its folder, since a new ubusd makes a new socket',
  async (t) => {
    const router = selling({});
    t.teardown(() => router.close());
    const { root } = router;
    const shown = async (path: string): Promise<readonly string[]> => {
      const server = createServer();
      mkdirSync(dirname(`${root}${path}`), { recursive: true });
      server.listen(`${root}${path}`);
      await once(server, 'listening');
      await router.uci('set', `shareagent.network.ubus_socket=${root}${path}`);
      await router.service('reload');
      server.close();
      return buses();
    };
    /** Beside the router's own. */
    const buses = (): readonly string[] =>
      mountsOf(router, 'mount').filter((mount) => mount.includes('bus') && mount !== `${root}/var/run/ubus`);
    await router.service('start');
    t.same(await shown('/mnt/bus/u.sock'), [`${root}/mnt/bus`]);
    t.same(await shown('/var/run/bus.sock'), [`${root}/var/run/bus.sock`], 'not all sockets of the router');
    t.same(await shown('/var/run/ubus/ubus.sock'), [], 'its folder is shown in any case');
    await router.uci('set', `shareagent.network.ubus_socket=${root}/gone/bus.sock`);
    await router.service('reload');
    t.same(buses(), []);
    t.match(router.read('syslog'), 'network.ubus_socket: no file');
  },
);

t.test(
  'a ledger elsewhere: its folder is in the jail if it is the agent’s, else nothing starts and nothing stops',
  async (t) => {
    const router = selling({ storage: '' });
    t.teardown(() => router.close());
    const { root } = router;
    await router.uci('set', `shareagent.storage.database=${root}/mnt/usb/ledger.db`);
    t.same(await router.service('start'), []);
    t.match(
      router.read('syslog'),
      `storage.database: '${root}/mnt/usb' must be a folder of the user shareagent: mkdir -p`,
    );
    mkdirSync(`${root}/mnt/usb`, { recursive: true });
    t.same(await router.service('start', { AGENT_UID: '64999' }), [], 'not what is another’s');
    t.same(await router.service('start'), ['started']);
    t.same(mountsOf(router, 'mount-rw').slice(0, 3), [
      `${root}/etc/shareagent`,
      `${root}/var/run/shareagent`,
      `${root}/mnt/usb`,
    ]);
    await router.uci('set', 'shareagent.storage.database=/mnt/a b/ledger.db');
    t.same(await router.service('reload'), [], 'the running agent keeps what it had');
    t.match(router.read('syslog'), 'storage.database: no plain path');
  },
);
