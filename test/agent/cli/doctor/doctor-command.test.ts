import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { StatusAnswer } from '../../../../agent/cli/control-schema.ts';
import type { DoctorProbe } from '../../../../agent/cli/doctor/probe.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';
import { runLine, unscriptedProbe } from '../recording-io.ts';
import { sampleStatus } from '../sample-owner.ts';

const COMPLETE = `config agent
	option enabled 1
config chain
	option payee '0x${'11'.repeat(20)}'
	option rpc_url 'http://127.0.0.1:8545'
	option chain_id '31337'
	option channels '0x${'22'.repeat(20)}'
	option token '0x${'33'.repeat(20)}'
	option token_name 'SSP Test Token'
	option registry '0x${'44'.repeat(20)}'
`;

/** A router on which all is well. */
const healthy: DoctorProbe = {
  ...unscriptedProbe,
  nft: () => Promise.resolve({ ok: true, value: [{ name: 'quota', ok: true, detail: 'cuts in the kernel' }] }),
  text: (path) => {
    if (path.endsWith('nf_conntrack_max')) return Promise.resolve('1000');
    if (path === '/proc/net/tcp') return Promise.resolve('   0: 00000000:0820 00000000:0000 0A 00000000:00000000\n');
    return Promise.resolve(path === '/tmp/dhcp.leases' ? '' : undefined);
  },
  file: (path) => Promise.resolve({ kind: path.endsWith('device.key') ? 'file' : 'directory', mode: 0o600, uid: 0 }),
  names: () => Promise.resolve(['phy0-ap0']),
  offload: () => Promise.resolve({ ok: true, value: [] }),
  isAnswered: () => Promise.resolve(true),
  disk: () => Promise.resolve({ ok: true, value: { path: '/etc', freeBytes: 20_000_000n, isMemory: false } }),
  backends: () => Promise.resolve({ ok: true, value: [{ name: 'native', ok: true, ratePerS: 12_000.4 }] }),
  uid: () => 0,
  wallS: () => 1_795_000_000,
  status: () => Promise.resolve(sampleStatus as unknown as StatusAnswer),
  rpc: (_url, method) => {
    const values: Readonly<Record<string, unknown>> = {
      eth_chainId: '0x7a69',
      eth_getCode: '0x60',
      eth_getBalance: '0x5',
      eth_getBlockByNumber: { timestamp: '0x1' },
    };
    return Promise.resolve({ ok: true, value: values[method] });
  },
};

function fileWith(test: Parameters<typeof temporaryDirectory>[0], text: string): string {
  const path = join(temporaryDirectory(test), 'config');
  writeFileSync(path, text);
  return path;
}

t.test('on a healthy router every check is ok', async (t) => {
  const config = fileWith(t, COMPLETE);
  const { exitCode, out } = await runLine(['doctor', '--config', config], { probe: healthy });
  t.equal(exitCode, 0);
  t.equal(
    out.replace(config, 'CONFIG'),
    [
      'ok    config                 CONFIG is right',
      'ok    nft quota              cuts in the kernel',
      "ok    bridge netfilter       off: bridged frames stay out of the router's hooks",
      'ok    conntrack              0 of 1000 connections',
      'ok    flow offload           not configured (no /etc/config/firewall)',
      'ok    firewall rule          no fw4 here (no /etc/config/firewall)',
      'ok    guest device br-guest  bridge with phy0-ap0',
      'ok    flowtables             none that guests could get into',
      'ok    ubus                   reachable on /var/run/ubus/ubus.sock',
      'ok    leases                 0 in /tmp/dhcp.leases',
      'ok    port 2080              the portal listens',
      'ok    disk                   20.0 MB free at /etc',
      'ok    device key             /etc/shareagent/device.key, mode 0600',
      'ok    signatures             native, 12000 a second',
      'ok    clock                  2026-11-18 11:06 UTC, synced',
      'ok    chain                  http://127.0.0.1:8545, chain 31337',
      `ok    contract channels      0x${'22'.repeat(20)}`,
      `ok    contract token         0x${'33'.repeat(20)}`,
      `ok    gas                    0x${'d1'.repeat(20)} holds 5 wei`,
      'ok    agent                  0.1.0, selling',
      '',
      '20 checks: 20 ok, 0 warnings, 0 failed.',
    ].join('\n'),
  );
});

t.test('a failed check gives exit code 1 and what to do; a warning does not', async (t) => {
  const config = fileWith(t, COMPLETE);
  const failing: DoctorProbe = { ...healthy, isAnswered: () => Promise.resolve(false) };
  const failed = await runLine(['doctor', '--config', config], { probe: failing });
  t.equal(failed.exitCode, 1);
  t.match(failed.out, /^fail {2}ubus {19}\S.*\n {29}-> Run as root/m);
  t.match(failed.out, '20 checks: 19 ok, 0 warnings, 1 failed.');
  const warned = await runLine(['doctor', '--config', config], {
    probe: { ...healthy, names: () => Promise.resolve([]) },
  });
  t.equal(warned.exitCode, 0);
  t.match(warned.out, '1 warning, 0 failed.');
});

t.test('as JSON each check has name, status, detail and, if something is wrong, a fix', async (t) => {
  const config = fileWith(t, COMPLETE);
  const { out } = await runLine(['doctor', '--json', '--config', config], {
    probe: { ...healthy, status: () => Promise.resolve(undefined) },
  });
  const document = JSON.parse(out);
  t.equal(document.ok, false, 'the port is taken although no agent runs');
  for (const check of document.checks) {
    t.match(check, { name: String, status: /^(ok|warn|fail)$/, detail: String });
    t.equal('fix' in check, check.status !== 'ok', check.name);
  }
  t.notOk(
    document.checks.some(({ name }: { name: string }) => name === 'gas'),
    'the device is not known',
  );
});

t.test('a disabled agent is a warning, and its chain is not asked', async (t) => {
  const probe: DoctorProbe = {
    ...healthy,
    rpc: unscriptedProbe.rpc,
    status: () => Promise.resolve(undefined),
    text: () => Promise.resolve(undefined),
  };
  const { out } = await runLine(['doctor', '--config', fileWith(t, '')], { probe });
  t.match(out, /^warn {2}config {17}.* is right, but nothing is sold\n/);
  t.match(out, /^warn {2}agent .*not running/m);
});

t.test(
  'a wrong configuration is a failure for each error, and the rest of the router is still looked at',
  async (t) => {
    const config = fileWith(t, 'config price\n\toption per_mb x\n\toption foo 1\n');
    const probe: DoctorProbe = { ...healthy, status: unscriptedProbe.status, disk: unscriptedProbe.disk };
    const { exitCode, out } = await runLine(['doctor', '--config', config], { probe });
    t.equal(exitCode, 1);
    t.match(out, /^fail {2}config .*per_mb: must be an SSP amount/m);
    t.match(out, /^fail {2}config .*foo: unknown option/m);
    t.match(out, /^ok {4}conntrack /m);
  },
);
