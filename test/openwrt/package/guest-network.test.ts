/** The guest network in UCI: made once, made twice the same, followed, removed without a trace; in every shell there is. */
import t from 'tap';
import { Router, SHELLS } from './support/router.ts';

const NETWORK = 'usr/libexec/shareagent/guest-network';
const DEFAULTS = 'etc/uci-defaults/60_shareagent-network';

for (const shell of SHELLS) {
  t.test(`${shell}: setup, twice, and removal`, async (t) => {
    const router = new Router(shell);
    t.teardown(() => router.close());
    const before = await router.config();
    t.equal((await router.run(DEFAULTS)).code, 0);
    const made = await router.config();
    t.match(made['network'], "network.shareagent_bridge.name='br-guest'");
    t.match(made['network'], "network.shareagent.ipaddr='10.77.0.1'");
    for (const radio of ['radio0', 'radio1']) {
      const at = `wireless.shareagent_${radio}`;
      t.match(made['wireless'], `${at}.device='${radio}'`);
      t.match(made['wireless'], `${at}.isolate='1'`, 'guests of one radio do not reach each other');
      t.match(made['wireless'], `${at}.disabled='1'`, 'no open WiFi before its owner wants it');
    }
    t.match(made['dhcp'], "dhcp.shareagent.dhcp_option='114,http://portal.lan/captive-portal/api'", 'RFC 8910, DHCPv4');
    t.match(
      made['dhcp'],
      "dhcp.shareagent.captive_portal_uri='http://portal.lan/captive-portal/api'",
      'and RA option 37',
    );
    t.match(made['dhcp'], "dhcp.shareagent_portal.ip='10.77.0.1'");
    t.match(made['dhcp'], "dhcp.shareagent_garden.name='garden4' 'garden6'");
    t.match(made['dhcp'], "dhcp.shareagent_garden.table='shareagent'");
    t.match(made['firewall'], "firewall.shareagent_zone.forward='REJECT'");
    t.match(made['firewall'], "firewall.shareagent_http.dest_port='80 2080'");
    t.match(made['firewall'], "firewall.shareagent_include.fw4_compatible='1'");
    for (const name of ['shareagent', 'system']) t.equal(made[name], before[name], `${name} is not touched`);

    const again = await router.run(NETWORK, ['setup', 'apply']);
    t.equal(again.stdout.trim(), '', 'nothing changed');
    t.same(await router.config(), made);
    t.same(router.lines('reloads'), [], 'so nothing is reloaded');

    const removed = await router.run(NETWORK, ['remove', 'apply']);
    t.equal(removed.stdout.trim(), 'network wireless dhcp firewall');
    t.same(await router.config(), before, 'as if it had never been there');
    t.same(router.lines('reloads'), [
      'network reload',
      'wifi reload',
      'dnsmasq reload',
      'odhcpd reload',
      'firewall reload',
    ]);
    t.equal((await router.run(NETWORK, ['remove'])).stdout.trim(), '', 'removing twice is nothing');
  });
}

const [shell = '/bin/sh'] = SHELLS;

t.test('what the owner deletes or changes stays so after an upgrade', async (t) => {
  const router = new Router(shell);
  t.teardown(() => router.close());
  await router.run(DEFAULTS);
  await router.uci('delete', 'wireless.shareagent_radio1');
  await router.uci('set', 'wireless.shareagent_radio0.ssid=Café');
  const owners = await router.config();
  t.equal((await router.run(DEFAULTS)).code, 0);
  t.same(await router.config(), owners);
});

t.test('an owner who has br-guest already keeps it; only garden and firewall include are added', async (t) => {
  const network = "config device 'guests'\noption name 'br-guest'\noption type 'bridge'\n";
  const router = new Router(shell, { network });
  t.teardown(() => router.close());
  const before = await router.config();
  t.equal((await router.run(NETWORK, ['setup'])).stdout.trim(), 'dhcp firewall');
  const { network: after, wireless } = await router.config();
  t.equal(after, before['network']);
  t.equal(wireless, before['wireless']);
  t.match(router.read('syslog'), 'br-guest is there already');
});

t.test('an address that is taken is not taken again', async (t) => {
  const network =
    "config interface 'lan'\noption ipaddr '10.77.0.1'\nconfig interface 'iot'\nlist ipaddr '10.78.3.1/24'\n";
  const router = new Router(shell, { network });
  t.teardown(() => router.close());
  await router.run(NETWORK, ['setup']);
  t.match((await router.config())['network'], "network.shareagent.ipaddr='10.79.0.1'");
});

t.test(
  'port and name of the portal are followed where the sections are, and reload only what they change',
  async (t) => {
    const router = new Router(shell);
    t.teardown(() => router.close());
    await router.uci('set', 'shareagent.portal=portal');
    await router.uci('set', 'shareagent.portal.port=8088');
    t.equal((await router.run(NETWORK, ['sync', 'apply'])).stdout.trim(), '', 'nothing is made by it');
    await router.run(NETWORK, ['setup']);
    await router.uci('set', 'shareagent.portal.port=8090');
    t.equal((await router.run(NETWORK, ['sync', 'apply'])).stdout.trim(), 'firewall');
    await router.uci('set', 'shareagent.portal.host=pay.home');
    t.equal((await router.run(NETWORK, ['sync', 'apply'])).stdout.trim(), 'dhcp');
    const { firewall, dhcp } = await router.config();
    t.match(firewall, "firewall.shareagent_http.dest_port='80 8090'");
    t.match(dhcp, "dhcp.shareagent.dhcp_option='114,http://pay.home/captive-portal/api'\n");
    t.match(dhcp, "dhcp.shareagent_portal.name='pay.home'");
    t.same(router.lines('reloads'), ['firewall reload', 'dnsmasq reload', 'odhcpd reload']);
    await router.uci('set', 'shareagent.portal.tls_cert=/etc/ssl/portal.crt');
    t.equal((await router.run(NETWORK, ['sync', 'apply'])).stdout.trim(), 'dhcp');
    const { dhcp: secure } = await router.config();
    t.match(secure, "dhcp.shareagent.dhcp_option='114,https://pay.home:8090/captive-portal/api'\n");
    t.match(secure, "dhcp.shareagent.captive_portal_uri='https://pay.home:8090/captive-portal/api'\n");
  },
);

t.test('wifi on and off concern our networks only', async (t) => {
  const router = new Router(shell);
  t.teardown(() => router.close());
  const stock = (await router.config())['wireless'] ?? '';
  await router.run(NETWORK, ['setup']);
  await router.run(NETWORK, ['wifi', 'on', 'apply']);
  const { wireless = '' } = await router.config();
  t.equal(wireless.match(/disabled='0'/g)?.length, 2);
  t.ok(wireless.startsWith(stock.split('wireless.radio1')[0] ?? '?'), 'the home network is as it was');
  t.same(router.lines('reloads'), ['wifi reload']);
  t.equal((await router.run(NETWORK, ['wifi', 'maybe'])).code, 2);
});

t.test('the walled garden follows garden.domain, and nothing that is no name gets to dnsmasq', async (t) => {
  const router = new Router(shell);
  t.teardown(() => router.close());
  await router.run(NETWORK, ['setup']);
  await router.uci('add_list', 'dhcp.shareagent_garden.domain=old.example.org');
  t.equal(
    (await router.run(NETWORK, ['sync', 'apply'])).stdout.trim(),
    '',
    'without a section garden it is the owner’s',
  );
  await router.uci('set', 'shareagent.garden=garden');
  const names = [
    'bank.example.org',
    'a.xn--p1ai',
    'com',
    'x.org/10.0.0.1',
    '*.org',
    '-a.org',
    'a..org',
    '10.0.0.1',
    '$(id).org',
  ];
  for (const name of names) await router.uci('add_list', `shareagent.garden.domain=${name}`);
  t.equal((await router.run(NETWORK, ['sync', 'apply'])).stdout.trim(), 'dhcp');
  const { dhcp } = await router.config();
  t.match(dhcp, "dhcp.shareagent_garden.domain='a.xn--p1ai' 'bank.example.org'\n");
  t.match(router.read('syslog'), 'a name in garden.domain is none');
  t.equal((await router.run(NETWORK, ['sync', 'apply'])).stdout.trim(), '', 'the same again is nothing');
  t.same(router.lines('reloads'), ['dnsmasq reload', 'odhcpd reload']);
  await router.uci('delete', 'shareagent.garden.domain');
  t.equal((await router.run(NETWORK, ['sync', 'apply'])).stdout.trim(), 'dhcp');
  t.notMatch((await router.config())['dhcp'], 'shareagent_garden.domain');
});

/** A real uci gives a value with its line breaks; the stand-in reads one statement a line, so this option is played. */
function answer(router: Router, option: string, text: string): void {
  const played = `case "$*" in *.${option}) printf '${text}'; exit 0 ;; esac\ncommand=$1`;
  router.write('bin/uci', router.read('bin/uci').replace('command=$1', played));
}

t.test('what could be more than a host or a port never gets to dnsmasq and the firewall', async (t) => {
  const router = new Router(shell);
  t.teardown(() => router.close());
  await router.run(NETWORK, ['setup']);
  const before = await router.config();
  router.write('etc/config/shareagent', "config portal 'portal'\noption port '80 1-65535'\n");
  answer(router, 'host', 'x\\ndhcp-script=/evil\\n');
  t.equal((await router.run(NETWORK, ['sync', 'apply'])).stdout.trim(), '', 'the defaults stand');
  const { dhcp, firewall } = await router.config();
  t.same([dhcp, firewall], [before['dhcp'], before['firewall']]);
  t.match(router.read('syslog'), 'portal.host is no host name');
  t.match(router.read('syslog'), 'portal.port is no port');
});

t.test('a name with a line break in it is not what hostapd gets', async (t) => {
  const router = new Router(shell);
  t.teardown(() => router.close());
  answer(router, 'portal*.name', 'x\\nwpa=0\\n');
  await router.run(NETWORK, ['setup']);
  t.match((await router.config())['wireless'], "shareagent_radio0.ssid='SSP WiFi'");
});

t.test('a section portal without a name is followed as the agent follows it', async (t) => {
  const router = new Router(shell);
  t.teardown(() => router.close());
  await router.run(NETWORK, ['setup']);
  router.write('etc/config/shareagent', "config portal\noption port '3000'\noption host 'pay.home'\n");
  t.equal((await router.run(NETWORK, ['sync', 'apply'])).stdout.trim(), 'firewall dhcp');
  const { firewall, dhcp } = await router.config();
  t.match(firewall, "firewall.shareagent_http.dest_port='80 3000'");
  t.match(dhcp, "dhcp.shareagent_portal.name='pay.home'");
});
