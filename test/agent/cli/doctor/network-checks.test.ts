import { readFileSync } from 'node:fs';
import t from 'tap';
import {
  bridgeFilterFinding,
  conntrackFinding,
  firewallRuleFinding,
  flowtableFinding,
  guestDeviceFinding,
  nftFindings,
  offloadFinding,
  portFinding,
} from '../../../../agent/cli/doctor/network-checks.ts';
import type { DoctorProbe, FileFact, NftFact } from '../../../../agent/cli/doctor/probe.ts';
import { unscriptedProbe } from '../recording-io.ts';
import { guestDevice } from '../sample-owner.ts';

const DIRECTORY: FileFact = { kind: 'directory', mode: 0o755, uid: 0 };
const probe = (overrides: Partial<DoctorProbe>): DoctorProbe => ({ ...unscriptedProbe, ...overrides });
const withTexts = (texts: Readonly<Record<string, string>>): DoctorProbe =>
  probe({ text: async (path) => await Promise.resolve(texts[path]) });
const withNames =
  (names: Readonly<Record<string, readonly string[]>>): DoctorProbe['names'] =>
  (path) =>
    Promise.resolve(names[path] ?? []);

t.test('each ability of nft is a check of its own', async (t) => {
  const facts: readonly NftFact[] = [
    { name: 'quota', ok: true, detail: 'cuts in the kernel' },
    { name: 'maps', ok: false, detail: 'refused', fix: 'Install kmod-nft-core.' },
    { name: 'json', ok: false, detail: 'refused' },
  ];
  t.same(await nftFindings(probe({ nft: () => Promise.resolve({ ok: true, value: facts }) })), [
    { name: 'nft quota', status: 'ok', detail: 'cuts in the kernel' },
    { name: 'nft maps', status: 'fail', detail: 'refused', fix: 'Install kmod-nft-core.' },
    { name: 'nft json', status: 'fail', detail: 'refused', fix: 'Install the kernel module that the detail names.' },
  ]);
  t.match(await nftFindings(probe({ nft: () => Promise.resolve({ ok: false, message: 'no nft' }) })), [
    { name: 'nft', status: 'fail', detail: 'no nft', fix: /Install nftables/ },
  ]);
});

t.test('a guest device must be a bridge, and should have ports', async (t) => {
  const files =
    (paths: readonly string[]): DoctorProbe['file'] =>
    (path) =>
      Promise.resolve(paths.includes(path) ? DIRECTORY : undefined);
  const name = 'guest device br-guest';
  const path = '/sys/class/net/br-guest';
  const finding = async (paths: readonly string[], ports: readonly string[] = []) =>
    await guestDeviceFinding(probe({ file: files(paths), names: withNames({ [`${path}/brif`]: ports }) }), guestDevice);
  t.match(await finding([]), { name, status: 'fail', detail: 'does not exist', fix: /guest_device/ });
  t.match(await finding([path]), { name, status: 'fail', detail: 'is not a bridge', fix: /Make br-guest a bridge/ });
  t.match(await finding([path, `${path}/bridge`]), {
    name,
    status: 'warn',
    detail: 'is a bridge without ports',
    fix: /wifi-iface/,
  });
  t.same(await finding([path, `${path}/bridge`], ['phy0-ap0', 'lan3']), {
    name,
    status: 'ok',
    detail: 'bridge with phy0-ap0, lan3',
  });
});

t.test('bridged frames should stay out of the hooks of the router', async (t) => {
  const path = '/proc/sys/net/bridge/bridge-nf-call-';
  t.match(await bridgeFilterFinding(withTexts({})), { status: 'ok' });
  t.match(await bridgeFilterFinding(withTexts({ [`${path}iptables`]: '0\n' })), { status: 'ok' });
  t.match(await bridgeFilterFinding(withTexts({ [`${path}iptables`]: '1\n', [`${path}ip6tables`]: '1\n' })), {
    status: 'warn',
    detail: /on for iptables, ip6tables/,
    fix: 'Set net.bridge.bridge-nf-call-iptables=0 and net.bridge.bridge-nf-call-ip6tables=0 with sysctl -w, and in /etc/sysctl.conf.',
  });
});

t.test('flow offload is found in the configuration of the firewall', async (t) => {
  const finding = async (text: string) => await offloadFinding(withTexts({ '/etc/config/firewall': text }));
  t.match(await offloadFinding(withTexts({})), { status: 'ok', detail: /not configured/ });
  t.match(await finding("config defaults\n\toption input 'REJECT'\n"), {
    status: 'ok',
    detail: 'off: every packet is counted',
  });
  t.match(await finding("config defaults\n\toption flow_offloading '0'\n"), { status: 'ok' });
  t.match(
    await finding("config zone\n\toption flow_offloading '1'\n"),
    { status: 'ok' },
    'another section does not count',
  );
  t.same(await finding("config defaults\n\toption flow_offloading '1'\n\toption flow_offloading_hw '1'\n"), {
    name: 'flow offload',
    status: 'fail',
    detail: 'flow_offloading and flow_offloading_hw is on: offloaded packets are not counted',
    fix: 'uci set firewall.@defaults[0].flow_offloading=0; uci set firewall.@defaults[0].flow_offloading_hw=0; uci commit firewall; service firewall restart',
  });
  t.match(await finding('config defaults\n\toption flow_offloading true\n'), { status: 'fail' });
  t.match(await finding("config defaults 'x\n"), { status: 'warn', detail: /line 1, expected a closing '/ });
});

t.test('a flowtable that guests can get into hides traffic', async (t) => {
  const finding = async (...value: readonly string[]) =>
    await flowtableFinding(probe({ offload: () => Promise.resolve({ ok: true, value }) }), [guestDevice]);
  t.match(await finding(), { status: 'ok', detail: 'none that guests could get into' });
  t.match(await finding('inet fw4 ft on phy0-ap0'), {
    status: 'fail',
    detail: 'inet fw4 ft on phy0-ap0: packets in it are not counted',
    fix: /^Switch off whatever makes a flowtable \(fw4: flow_offloading\)/,
  });
  const failing = probe({ offload: () => Promise.resolve({ ok: false, message: 'no permission' }) });
  t.match(await flowtableFinding(failing, [guestDevice]), { status: 'warn', detail: 'no permission', fix: /root/ });
});

t.test('connections must be tracked, and the table must not be full', async (t) => {
  const path = '/proc/sys/net/netfilter/nf_conntrack_';
  const finding = async (max: string, count: string) =>
    await conntrackFinding(withTexts({ [`${path}max`]: max, [`${path}count`]: count }));
  t.match(await conntrackFinding(withTexts({})), { status: 'fail', fix: /kmod-nf-conntrack/ });
  t.match(await finding('1000\n', '799\n'), { status: 'ok', detail: '799 of 1000 connections' });
  t.match(await finding('1000\n', '800\n'), { status: 'warn', fix: 'sysctl -w net.netfilter.nf_conntrack_max=2000' });
});

t.test("the portal's port is free, or held by the agent", async (t) => {
  const line = (port: string, state: string): string =>
    `  sl  local_address rem_address   st\n   0: 0100007F:${port} 00000000:0000 ${state} 00000000:00000000 00:00000000\n`;
  const line6 = `   0: 00000000000000000000000000000000:0820 00000000000000000000000000000000:0000 0A 00000000:00000000\n`;
  const withTables = (tcp: string, tcp6 = ''): DoctorProbe =>
    withTexts({ '/proc/net/tcp': tcp, '/proc/net/tcp6': tcp6 });
  t.match(await portFinding(withTables(''), 2080, false), { name: 'port 2080', status: 'ok', detail: 'free' });
  t.match(await portFinding(withTexts({}), 2080, false), { status: 'ok' });
  t.match(
    await portFinding(withTables(line('0820', '01')), 2080, false),
    { status: 'ok' },
    'a connection is no listener',
  );
  t.match(await portFinding(withTables(line('0821', '0A')), 2080, false), { status: 'ok' });
  t.match(await portFinding(withTables(line('0820', '0A')), 2080, false), {
    status: 'fail',
    fix: /netstat -tlnp \| grep :2080/,
  });
  t.match(await portFinding(withTables('', line6), 2080, false), {
    status: 'fail',
    detail: 'taken by another program',
  });
  t.match(await portFinding(withTables(line('0820', '0A')), 2080, true), {
    status: 'ok',
    detail: 'the portal listens',
  });
  t.match(await portFinding(withTables(''), 2080, true), { status: 'fail', fix: /logread/ });
});

t.test('the rule that fw4 is to load counts once it is in the kernel, not while it is a file', async (t) => {
  const rule = readFileSync(
    new URL('../../../../openwrt/files/usr/share/nftables.d/chain-pre/input/shareagent.nft', import.meta.url),
    'utf8',
  );
  const [, comment = ''] = /comment "([^"]+)"/.exec(rule) ?? [];
  t.not(comment, '');
  const onFw4 = (value: Awaited<ReturnType<DoctorProbe['fw4Input']>>): DoctorProbe => ({
    ...withTexts({ '/etc/config/firewall': 'config defaults\n' }),
    fw4Input: () => Promise.resolve(value),
  });
  t.match(await firewallRuleFinding(onFw4({ ok: true, value: ['other', comment] })), { status: 'ok' });
  t.match(await firewallRuleFinding(onFw4({ ok: true, value: ['other'] })), { status: 'warn', fix: /^fw4 reload/ });
  t.match(await firewallRuleFinding(onFw4({ ok: true, value: undefined })), {
    status: 'warn',
    fix: /firewall restart/,
  });
  t.match(await firewallRuleFinding(onFw4({ ok: false, message: 'no nft' })), { status: 'warn', detail: 'no nft' });
  t.match(await firewallRuleFinding(withTexts({})), { status: 'ok', detail: /no fw4 here/ });
});
