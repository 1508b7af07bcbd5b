/** Loading the static deny table: twice, without the bridge family, for the router's own devices; never text from UCI. */
import t from 'tap';
import { renderInetTable } from '../../../agent/adapters/nft/render-table.ts';
import { installCommands } from '../../../agent/adapters/nft/table-spec.ts';
import { parseDeviceName } from '../../../agent/core/names.ts';
import { denyTable } from '../../../tools/make-deny-table.ts';
import { Router, SHELLS } from './support/router.ts';

const SCRIPT = 'usr/libexec/shareagent/deny-table';

for (const shell of SHELLS) {
  t.test(`${shell}: load twice, remove twice`, async (t) => {
    const router = new Router(shell);
    t.teardown(() => router.close());
    t.equal((await router.run(SCRIPT, ['status'])).code, 1);
    t.equal((await router.run(SCRIPT, ['load'])).code, 0);
    t.same(JSON.parse(router.read('nft/inet')), denyTable('inet'), 'the defaults are loaded as they are');
    t.same(JSON.parse(router.read('nft/bridge')), denyTable('bridge'));
    // As if the agent had sold since: a table that stands is not touched.
    router.write('nft/inet', 'with sessions');
    t.equal((await router.run(SCRIPT, ['load'])).code, 0);
    t.equal(router.read('nft/inet'), 'with sessions');
    t.equal((await router.run(SCRIPT, ['status'])).code, 0);
    t.equal((await router.run(SCRIPT, ['remove'])).code, 0);
    t.notOk(router.has('nft/inet') || router.has('nft/bridge'));
    t.equal((await router.run(SCRIPT, ['remove'])).code, 0);
    t.notOk(router.lines('syslog').some((line) => line.includes('daemon.err')));
  });
}

const [shell = '/bin/sh'] = SHELLS;

t.test('a kernel without the bridge family still gets the table that holds guests back', async (t) => {
  const router = new Router(shell);
  t.teardown(() => router.close());
  t.equal((await router.run(SCRIPT, ['load'], { NFT_WITHOUT_BRIDGE: '1' })).code, 0);
  t.ok(router.has('nft/inet'));
  t.match(router.read('syslog'), 'install kmod-nft-bridge');
});

t.test('several devices and another port give what the agent itself would load', async (t) => {
  const names = ['br-guest', 'br-cafe'];
  const shareagent = `config network 'network'
list guest_device 'br-guest'
list guest_device 'br-cafe'
config portal 'portal'
option port '8088'
`;
  const router = new Router(shell, { shareagent });
  t.teardown(() => router.close());
  await router.run(SCRIPT, ['load']);
  const guestDevices = names.map(parseDeviceName).filter((name) => name !== undefined);
  const facts = { guestDevices, guestIndexes: [], guestPorts: [], portalPort: 8088, hasRates: false, isStrict: false };
  t.same(JSON.parse(router.read('nft/inet')), { nftables: installCommands(renderInetTable(facts)) });
});

t.test('a device name that could be more than a name never reaches a rule', async (t) => {
  const names = ['a"]}}', '-h', 'x y', '$(id)', 'br;accept', 'longer-than-an-interface', 'a|b', 'a\\nb'];
  const lists = names.map((name) => `list guest_device '${name}'`).join('\n');
  const router = new Router(shell, { shareagent: `config network 'network'\n${lists}\nlist guest_device 'br-ok'\n` });
  t.teardown(() => router.close());
  t.equal((await router.run(SCRIPT, ['load'])).code, 0);
  const text = router.read('nft/inet');
  const named = new Set([...text.matchAll(/"right": ("[^"]*"|\{ "set": \[ "[^\]]*\] \})/g)].map(([, name]) => name));
  t.match(text, '"br-ok"');
  for (const bad of names)
    t.notOk(
      [...named].some((name) => name?.includes(bad)),
      bad,
    );
  t.notOk(text.includes('"br-guest"'));
});

t.test(
  'a slip in the port or a device named twice still gives a table: a port as the agent reads it, else the default',
  async (t) => {
    const readings = {
      '99999': 2080,
      '0': 2080,
      '1023': 2080,
      '20800000000000': 2080,
      '80a': 2080,
      '03000': 3000,
      '1024': 1024,
      '65535': 65535,
    };
    for (const [text, portalPort] of Object.entries(readings)) {
      const lists = "config network 'network'\nlist guest_device 'br-cafe'\nlist guest_device 'br-cafe'\n";
      const router = new Router(shell, { shareagent: `${lists}config portal 'portal'\noption port '${text}'\n` });
      t.teardown(() => router.close());
      t.equal((await router.run(SCRIPT, ['load'])).code, 0);
      const guestDevices = ['br-cafe'].map(parseDeviceName).filter((name) => name !== undefined);
      const facts = { guestDevices, guestIndexes: [], guestPorts: [], portalPort, hasRates: false, isStrict: false };
      t.same(JSON.parse(router.read('nft/inet')), { nftables: installCommands(renderInetTable(facts)) }, text);
    }
  },
);

t.test('what nft refuses of the configuration is replaced by the table as it is shipped, and said', async (t) => {
  const shareagent = "config network 'network'\nlist guest_device 'br-cafe'\n";
  const router = new Router(shell, { shareagent });
  t.teardown(() => router.close());
  t.equal((await router.run(SCRIPT, ['load'], { NFT_REFUSES: 'br-cafe' })).code, 0);
  t.same(JSON.parse(router.read('nft/inet')), denyTable('inet'));
  t.match(router.read('syslog'), 'daemon.err deny-table: nft refused');
});

t.test('sections without a name are the agent’s, so they are the deny table’s too', async (t) => {
  const shareagent = "config network\nlist guest_device 'br-cafe'\nconfig portal\noption port '3000'\n";
  const router = new Router(shell, { shareagent });
  t.teardown(() => router.close());
  await router.run(SCRIPT, ['load']);
  t.match(router.read('nft/inet'), /"br-cafe"/);
  t.match(router.read('nft/inet'), / 3000$/m);
  t.notMatch(router.read('nft/inet'), /"br-guest"/);
});
