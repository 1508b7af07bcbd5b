/**
 * The package is upgraded while guests surf: its own scripts run on the lab's router with the real nft, procd's part (stop
 * the old agent, start the new one) is played by the test. No paid flow is cut, no byte is lost to the meter or given away.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { passedAndMetered } from '../lab/passed.ts';
import { openTestScene } from '../lab/test-scene.ts';
import { until } from '../lab/wait.ts';

const LIBEXEC = fileURLToPath(new URL('../../openwrt/files/usr/libexec/shareagent/', import.meta.url));
const SHARE = fileURLToPath(new URL('../../openwrt/files/usr/share/shareagent/', import.meta.url));
const STAND_INS = fileURLToPath(new URL('../openwrt/package/support/', import.meta.url));
/**
 * As procd starts it: another user than root, with one capability and no way to another. The lab's folder becomes that
 * user's, as /etc/shareagent and /var/run/shareagent are on a router.
 */
const UNPRIVILEGED = `for last; do :; done
chown -R 65534:65534 "\${last%/*}"
exec setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs --bounding-set -all,+net_admin \\
  --inh-caps -all,+net_admin --ambient-caps -all,+net_admin "$@"`;
const COMMAND = fileURLToPath(new URL('../../agent/cli/shareagent.ts', import.meta.url));
/** Not in a user namespace, which knows root only, nor where others may not read the checkout. */
const canBeNobody =
  spawnSync('setpriv', [
    ...['--reuid', '65534', '--regid', '65534', '--clear-groups'],
    ...['sh', '-c', 'test -r "$1" && test -x "$2"', 'sh', COMMAND, process.execPath],
  ]).status === 0;
const scene = await openTestScene(
  canBeNobody ? { command: ['sh', '-c', UNPRIVILEGED, 'sh', process.execPath, COMMAND] } : {},
);
const { guest, other, agent, world } = scene;
const { router, lab } = world;
/** UCI and the system log of the router; nft is the real one. */
const tools = lab.path('tools');
const config = lab.path('uci');
for (const folder of [tools, config]) mkdirSync(folder, { recursive: true });
for (const [name, body] of [
  ['logger', 'exit 0'],
  ['uci', `exec "${STAND_INS}uci" "$@"`],
  ['reload_config', 'echo reload_config >>"$TMPDIR/reloads"'],
] as const) {
  writeFileSync(join(tools, name), `#!/bin/sh\n${body}\n`);
  chmodSync(join(tools, name), 0o755);
}
writeFileSync(join(config, 'shareagent'), "config network 'network'\nlist guest_device 'br-guest'\n");

/** A script of the package on the router. @returns its output */
function script(name: string, ...args: readonly string[]): Promise<string> {
  const env = [
    `PATH=${tools}:${process.env['PATH']}`,
    `UCI_CONFIG_DIR=${config}`,
    `SHAREAGENT_SHARE=${SHARE}`,
    `TMPDIR=${lab.path('')}`,
  ];
  return router.must(['env', ...env, 'PKG_UPGRADE=1', 'sh', `${LIBEXEC}${name}`, ...args]);
}

/** Rules of our tables without what counts: handles, counters, quota use. */
async function rules(): Promise<string> {
  return (await router.must(['nft', '-s', 'list', 'table', 'inet', 'shareagent'])).replace(/used \d+ \w+/g, '');
}

await guest.join();
await guest.buy(20n);

t.test(
  'the agent that sells is nobody in particular, with CAP_NET_ADMIN and nothing else',
  {
    skip: !canBeNobody && 'another user than root is not to be had here',
  },
  async (t) => {
    const status = await router.must(['cat', `/proc/${agent.pid}/status`]);
    const NET_ADMIN = (1n << 12n).toString(16).padStart(16, '0');
    t.match(status, /^Uid:\t65534\t65534\t65534\t65534$/m);
    t.match(status, /^NoNewPrivs:\t1$/m);
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) t.match(status, `${set}:\t${NET_ADMIN}\n`);
  },
);

t.test('an upgrade of the package while a guest downloads: no paid flow is cut', async (t) => {
  const flow = await guest.startDownload(4, 6_000_000, 1_500_000);
  await until('the download to run', 5_000, async () => (await guest.flow(flow)).bytes > 200_000);
  // opkg and apk: prerm of the old one, stop, files, postinst of the new one, start.
  await script('before-remove');
  await agent.stop();
  const atStop = await guest.flow(flow);
  await until('the flow to move while nothing runs', 3_000, async () => {
    const now = await guest.flow(flow);
    return now.isDone || now.bytes > atStop.bytes;
  });
  const before = await rules();
  await script('after-install');
  await script('deny-table', 'load');
  t.equal(await rules(), before, 'loading the deny table over a selling one, again and again, changes nothing');
  await agent.start();
  t.match(await guest.finish(flow, 20_000), { isIntact: true, bytes: 6_000_000 });
  const { passed, metered } = await passedAndMetered(scene, guest);
  t.equal(metered, passed, 'and the meter equals the wire');
  t.equal((await agent.sessions()).filter(({ macs }) => macs.includes(guest.mac)).length, 1, 'in one session');
});

t.test(
  'without the agent the deny table holds guests back; removing it leaves no trace in the packet filter',
  async (t) => {
    await other.join();
    await agent.stop();
    await script('deny-table', 'remove');
    await script('deny-table', 'remove');
    t.notMatch(await router.must(['nft', 'list', 'tables']), 'shareagent');
    t.equal(await other.reaches(4), true, 'without it guests get out: the next check means something');
    await script('deny-table', 'load');
    t.equal(await other.reaches(4), false);
    t.equal(await other.reaches(6), false);
  },
);
