/** The small scripts: time sync, sysupgrade, migration of the configuration, after installation and before removal. */
import { once } from 'node:events';
import { mkdirSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { Router, SHELLS } from './support/router.ts';

const FLAG = 'var/run/shareagent-clock/synced';
/** Read by fw4 whenever it loads its rules. */
const BUS_RULES = 'usr/share/acl.d/shareagent.json';
const FIREWALL_RULE = 'usr/share/nftables.d/chain-pre/input/shareagent.nft';

for (const shell of SHELLS) {
  t.test(`${shell}: the clock counts as set from the first synchronised poll until NTP loses it`, async (t) => {
    const router = new Router(shell);
    t.teardown(() => router.close());
    const ntp = (ACTION: string, stratum?: string) =>
      router.run('etc/hotplug.d/ntp/50-shareagent', [], { ACTION, ...(stratum === undefined ? {} : { stratum }) });
    await ntp('stratum', '16');
    t.notOk(router.has(FLAG));
    await ntp('periodic');
    t.notOk(router.has(FLAG), 'a poll that says nothing of the stratum proves nothing');
    await ntp('stratum', '3');
    t.ok(router.has(FLAG));
    await ntp('unsync', '16');
    t.notOk(router.has(FLAG));
    await ntp('step');
    t.ok(router.has(FLAG));
    t.notOk(router.has('var/run/shareagent'), 'nothing of it lies where the agent’s user could leave a link');
  });

  t.test(`${shell}: an option is renamed in a section without a name as well`, async (t) => {
    const router = new Router(shell, { shareagent: "config price\noption cost_mb '0.3'\n" });
    t.teardown(() => router.close());
    router.write('renamed', 'price.cost_mb price.per_mb\n');
    const env = { SHAREAGENT_RENAMED: `${router.root}/renamed`, SHAREAGENT_KEPT: `${router.root}/kept` };
    await router.run('usr/libexec/shareagent/migrate-config', [], env);
    const { shareagent = '' } = await router.config();
    t.match(shareagent, ".per_mb='0.3'");
    t.notMatch(shareagent, 'cost_mb');
    t.equal(shareagent.match(/=price$/gm)?.length, 1, 'no second section');
  });

  t.test(
    `${shell}: an option that was renamed keeps its value, one that was dropped goes, twice the same`,
    async (t) => {
      const shareagent =
        "config price 'price'\noption cost_mb '0.3'\noption old_mb '0.4'\noption gone '1'\nconfig chain 'chain'\noption rpc 'http://a'\n";
      const router = new Router(shell, { shareagent });
      t.teardown(() => router.close());
      router.write(
        'renamed',
        '# comment\nprice.cost_mb price.per_mb\nprice.old_mb price.per_mb\nprice.gone -\nchain.rpc rpc.url\nprice.never price.was\n',
      );
      const env = {
        SHAREAGENT_RENAMED: `${router.root}/renamed`,
        SHAREAGENT_KEPT: `${router.root}/etc/shareagent-root`,
      };
      const before = router.read('etc/config/shareagent');
      router.write('etc/rc.local', 'root’s');
      mkdirSync(join(router.root, 'etc/shareagent'), { recursive: true });
      for (const name of ['config-before-migration', 'config-before-migration.new', 'guest-network-made']) {
        symlinkSync(join(router.root, 'etc/rc.local'), join(router.root, 'etc/shareagent', name));
      }
      t.equal((await router.run('usr/libexec/shareagent/migrate-config', [], env)).code, 0);
      const after = (await router.config())['shareagent'];
      t.match(after, "shareagent.price.per_mb='0.3'");
      t.match(after, "shareagent.rpc.url='http://a'");
      t.notMatch(after, /cost_mb|old_mb|gone|chain\.rpc/);
      t.equal(router.read('etc/shareagent-root/config-before-migration'), before);
      t.equal(router.read('etc/rc.local'), 'root’s', 'no link in the agent’s folder leads root to it');
      router.forget('etc/shareagent-root/config-before-migration');
      await router.run('usr/libexec/shareagent/migrate-config', [], env);
      t.equal((await router.config())['shareagent'], after);
      t.notOk(router.has('etc/shareagent-root/config-before-migration'), 'nothing to do, nothing kept');
    },
  );
}

const [shell = '/bin/sh'] = SHELLS;

t.test('the shipped list of renamed options is readable and changes nothing of a fresh file', async (t) => {
  const router = new Router(shell);
  t.teardown(() => router.close());
  const before = await router.config();
  t.equal((await router.run('etc/uci-defaults/50_shareagent-config')).code, 0);
  t.same(await router.config(), before);
});

t.test('installed, used, removed: the router is as it was, the owner’s ledger is still there', async (t) => {
  const router = new Router(shell);
  t.teardown(() => router.close());
  const before = await router.config();
  const planted = join(router.root, 'etc/made-by-root');
  mkdirSync(join(router.root, 'etc/shareagent'), { recursive: true });
  symlinkSync(planted, join(router.root, 'etc/shareagent/guest-network-made'));
  await router.run('etc/uci-defaults/60_shareagent-network');
  t.notOk(router.has('etc/made-by-root'), 'the mark is not made through a link of the agent');
  t.ok(router.has('etc/shareagent-root/guest-network-made'));
  await router.run('usr/libexec/shareagent/after-install');
  t.same(router.lines('reloads'), ['reload_config']);
  t.same(router.lines('told'), ['killall -HUP ubusd'], 'the bus lets the new user in');
  t.ok(router.has(BUS_RULES));
  t.ok(router.has('nft/inet'), 'guests are held back from the first moment');
  t.ok(router.has(FIREWALL_RULE));
  router.write('etc/shareagent/ledger.db', 'money');
  router.write('var/run/shareagent/control.sock', '');
  router.write(FLAG, '');

  await router.run('usr/libexec/shareagent/before-remove', [], { SHAREAGENT_INIT: `${router.root}/bin/logger` });
  t.same(await router.config(), before);
  t.notOk(router.has('nft/inet') || router.has('nft/bridge') || router.has('var/run/shareagent'));
  t.notOk(router.has('var/run/shareagent-clock'));
  t.notOk(router.has(BUS_RULES));
  t.same(router.lines('told'), ['killall -HUP ubusd', 'killall -HUP ubusd'], 'and does not any more');
  t.notOk(router.has(FIREWALL_RULE), 'the firewall, loaded anew without the guest network, does not find it');
  t.equal(router.read('etc/shareagent/ledger.db'), 'money');
  t.notOk(router.has('etc/shareagent-root'), 'the mark is gone, and the folder with it');
});

t.test('a removal waits for the agent to be gone, wherever its control socket is', async (t) => {
  const router = new Router(shell);
  t.teardown(() => router.close());
  const path = join(router.root, 'other.sock');
  const server = createServer().listen(path);
  await once(server, 'listening');
  await router.uci('set', `shareagent.agent.control_socket=${path}`);
  // What the removal does next, after the wait, with the socket there or not.
  router.write(
    'usr/libexec/shareagent/guest-network',
    `#!/bin/sh\n[ -S '${path}' ] && echo early >"$ROUTER_ROOT/early"\nexit 0\n`,
  );
  const gone = setTimeout(() => server.close(), 500);
  t.teardown(() => clearTimeout(gone));
  await router.run('usr/libexec/shareagent/before-remove', [], { SHAREAGENT_INIT: `${router.root}/bin/logger` });
  t.notOk(router.has('early'));
  t.notOk(server.listening);
});

t.test('an upgrade touches neither network nor tables', async (t) => {
  const router = new Router(shell);
  t.teardown(() => router.close());
  await router.run('etc/uci-defaults/60_shareagent-network');
  await router.run('usr/libexec/shareagent/deny-table', ['load']);
  router.write('nft/inet', 'with sessions');
  const before = await router.config();
  const env = { PKG_UPGRADE: '1' };
  t.equal((await router.run('usr/libexec/shareagent/before-remove', [], env)).code, 0);
  t.equal((await router.run('usr/libexec/shareagent/after-install', [], env)).code, 0);
  t.same(await router.config(), before);
  t.ok(router.has(FIREWALL_RULE), 'nor the rule for the firewall');
  t.ok(router.has(BUS_RULES), 'nor those of the bus');
  t.same(router.lines('told'), ['killall -HUP ubusd'], 'which may be others in the new version');
  t.equal(router.read('nft/inet'), 'with sessions');
  t.same(router.lines('reloads'), []);
});

t.test('sysupgrade keeps the ledger, copied while the agent has closed it, which then starts again', async (t) => {
  const router = new Router(shell);
  t.teardown(() => router.close());
  t.equal(router.read('lib/upgrade/keep.d/shareagent'), '/etc/shareagent/\n/etc/shareagent-root/\n');
  // A stand-in of sysupgrade: it reads the hooks as the real one does, and makes its list of files after ours ran.
  router.write('etc/shareagent/ledger.db', '');
  router.write('etc/shareagent/ledger.db-wal', '');
  router.write(
    'etc/init.d/shareagent',
    `#!/bin/sh\necho "$1" >>"$ROUTER_ROOT/actions"\n[ "$1" = stop ] && rm "$ROUTER_ROOT/etc/shareagent/ledger.db-wal"\nexit 0\n`,
  );
  router.write(
    'sysupgrade',
    `uci() { echo "$ROUTER_ROOT/etc/shareagent/ledger.db"; }
list_files() { ls "$ROUTER_ROOT/etc/shareagent" >"$ROUTER_ROOT/list"; }
sysupgrade_init_conffiles=list_files
. "$ROUTER_ROOT/lib/upgrade/shareagent.sh"
for hook in $sysupgrade_init_conffiles; do "$hook" x; done
`,
  );
  t.equal((await router.run('sysupgrade', [], { CONF_BACKUP_LIST: '1' })).code, 0);
  t.same(router.lines('list'), ['ledger.db', 'ledger.db-wal']);
  t.notOk(router.has('actions'), 'a look at the list stops nothing');
  t.equal((await router.run('sysupgrade')).code, 0);
  t.same(router.lines('list'), ['ledger.db']);
  const deadline = performance.now() + 10_000;
  while (router.lines('actions').length < 3 && performance.now() < deadline)
    await new Promise((done) => setTimeout(done, 50));
  t.same(router.lines('actions'), ['running', 'stop', 'start']);
});
