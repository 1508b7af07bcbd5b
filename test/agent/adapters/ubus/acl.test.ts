import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { UbusObject } from '../../../../agent/adapters/ubus/bus-object.ts';
import { followConfigChanges } from '../../../../agent/adapters/ubus/config-changes.ts';
import { UbusStationSource } from '../../../../agent/adapters/ubus/station-source.ts';
import type { DeviceName, Mac } from '../../../../agent/core/model.ts';
import { UbusClient } from '../../../../openwrt/node-openwrt-ubus/src/client.ts';
import { type Credentials, ROOT } from '../../../support/ubus-daemon/bus-client.ts';
import { UbusDaemon } from '../../../support/ubus-daemon/daemon.ts';
import { OpenwrtServices } from '../../../support/ubus-daemon/openwrt-services.ts';

type Acl = {
  readonly user: string;
  readonly access: Readonly<Record<string, { readonly methods: readonly string[] }>>;
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  readonly listen: readonly string[];
};

const ACL = JSON.parse(
  readFileSync(new URL('../../../../openwrt/files/usr/share/acl.d/shareagent.json', import.meta.url), 'utf8'),
) as Acl;
const AGENT: Credentials = { uid: 32_768, gid: 32_768, user: 'shareagent', group: 'shareagent' };
const PHONE = 'aa:bb:cc:00:00:01';

/** Remembers what the agent does on the bus. */
class RecordingClient extends UbusClient {
  readonly calls = new Set<string>();
  readonly published: string[] = [];
  readonly patterns: string[] = [];

  override call(...args: Parameters<UbusClient['call']>): ReturnType<UbusClient['call']> {
    this.calls.add(`${args[0]} ${args[1]}`);
    return super.call(...args);
  }

  override publish(...args: Parameters<UbusClient['publish']>): ReturnType<UbusClient['publish']> {
    this.published.push(args[0]);
    return super.publish(...args);
  }

  override subscribe(...args: Parameters<UbusClient['subscribe']>): ReturnType<UbusClient['subscribe']> {
    this.patterns.push(args[0]);
    return super.subscribe(...args);
  }
}

/** ubusd's rule: a name that ends in "*" stands for everything that begins so. */
function covers(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}

async function isHeldToIt(t: Test, client: UbusClient): Promise<void> {
  for (const [name, method] of [
    ['network.interface', 'status'],
    ['service', 'list'],
    ['system', 'board'],
  ] as const)
    await t.rejects(client.call(name, method), /Permission denied|Not found/, `${name} ${method}`);
  await t.rejects(client.publish('uci', {}), { code: 'UBUS_INVALID_ARGUMENT' });
  await t.rejects(client.send('guest.joined'), { code: 'UBUS_PERMISSION_DENIED' });
}

t.test('the access file allows what the agent does on the bus, and no object that could make it root', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ubus-acl-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'bus');
  // The daemon holds the agent to the file; everybody else on the bus is root.
  let next = ROOT;
  const daemon = await UbusDaemon.start(path, { accessFiles: [ACL], credentials: () => next });
  t.teardown(() => daemon.close());
  const services = new OpenwrtServices({ socketPath: path });
  t.teardown(() => services.close());
  await services.start();
  services.hostapd.appears(PHONE, 'phy0-ap0');
  next = AGENT;
  const client = new RecordingClient({ path });
  t.teardown(() => client.close());
  await client.ready();
  const source = new UbusStationSource({ client, guestDevices: ['br-guest' as DeviceName] });
  t.teardown(() => source.close());
  await source.start(() => undefined);
  while ((await source.kick(PHONE as Mac)) === 'not-found') await source.stations();
  let changes = 0;
  await followConfigChanges(client, 'shareagent', () => {
    changes += 1;
  });
  const object = new UbusObject({ client, path: 'shareagent', onProblem: (error) => t.fail(error.message) });
  await object.publish({});

  t.equal(ACL.user, 'shareagent');
  for (const call of client.calls) {
    const [name = '', method = ''] = call.split(' ');
    const isAllowed = Object.entries(ACL.access).some(
      ([pattern, { methods }]) => covers(pattern, name) && methods.includes(method),
    );
    t.ok(isAllowed, `${call} is allowed`);
  }
  t.same([...client.calls].sort(), [
    'hostapd.phy0-ap0 del_client',
    'hostapd.phy0-ap0 get_clients',
    'network.device status',
  ]);
  t.same([...ACL.subscribe].sort(), [...client.patterns].sort());
  t.same(ACL.publish, client.published);
  t.same(ACL.listen, ['ubus.object.*']);
  // ubusd hides objects of which nothing may be called, and what is hidden cannot be found to subscribe to.
  for (const pattern of client.patterns) t.ok(ACL.access[pattern]?.methods.length, `${pattern} can be seen`);
  for (const name of ['uci', 'file', 'rc', 'session', 'rpc-sys', 'container', 'hotplug.net']) {
    t.notOk(
      Object.keys(ACL.access).some((pattern) => covers(pattern, name)),
      `${name} is out of reach`,
    );
  }
  t.notOk(
    ACL.access['service']?.methods.some((method) => ['set', 'add', 'delete', 'signal', 'state'].includes(method)),
  );
  // What procd tells is heard; an object of which nothing may be called would not even be found.
  await services.system.configChange('shareagent');
  await client.ping();
  t.equal(changes, 1);
  await isHeldToIt(t, client);
});
