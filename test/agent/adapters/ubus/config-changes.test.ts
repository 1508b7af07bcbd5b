import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { followConfigChanges } from '../../../../agent/adapters/ubus/config-changes.ts';
import { UbusClient } from '../../../../openwrt/node-openwrt-ubus/src/client.ts';
import { UbusDaemon } from '../../../support/ubus-daemon/daemon.ts';

const folder = mkdtempSync(join(tmpdir(), 'ubus-config-'));
t.teardown(() => rmSync(folder, { recursive: true }));

async function connect(t: Test, path: string): Promise<UbusClient> {
  const client = new UbusClient({ path, reconnectMs: { first: 5, longest: 20 } });
  t.teardown(() => client.close());
  await client.ready();
  return client;
}

/** Counts changes and waits for the next one. */
class Changes {
  count = 0;
  #wake: () => void = () => undefined;
  readonly push = (): void => {
    this.count += 1;
    this.#wake();
  };
  async until(count: number): Promise<void> {
    while (this.count < count) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}

t.test('a change of our file counts, under the names of rpcd and of reload_config; others do not', async (t) => {
  const path = join(folder, 'a.sock');
  const daemon = await UbusDaemon.start(path);
  t.teardown(() => daemon.close());
  const procd = await connect(t, path);
  const service = await procd.publish('service', {});
  const changes = new Changes();
  await followConfigChanges(await connect(t, path), 'shareagent', changes.push);
  while (!service.hasSubscribers) await new Promise((resolve) => setImmediate(resolve));
  service.notify('config.change', { config: 'network' });
  service.notify('instance.start', { service: 'shareagent', config: 'shareagent' });
  service.notify('config.change', { config: 'shareagent' });
  await changes.until(1);
  service.notify('config.change', { package: 'shareagent' });
  await changes.until(2);
  t.equal(changes.count, 2);
});

t.test('procd that came back counts as a change: what happened meanwhile was not seen', async (t) => {
  const path = join(folder, 'b.sock');
  const daemon = await UbusDaemon.start(path);
  t.teardown(() => daemon.close());
  const procd = await connect(t, path);
  const first = await procd.publish('service', {});
  const changes = new Changes();
  await followConfigChanges(await connect(t, path), 'shareagent', changes.push);
  while (!first.hasSubscribers) await new Promise((resolve) => setImmediate(resolve));
  t.equal(changes.count, 0);
  await first.close();
  await procd.publish('service', {});
  await changes.until(1);
  t.equal(changes.count, 1);
});
