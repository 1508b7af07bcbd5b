import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { UbusClient } from '../../../openwrt/node-openwrt-ubus/src/client.ts';

const MAIN = fileURLToPath(new URL('../../support/ubus-daemon/main.ts', import.meta.url));
const PHONE = 'aa:bb:cc:00:00:01';

async function startProcess(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'ubus-main-'));
  const path = join(folder, 'ubus.sock');
  const child = spawn(process.execPath, [MAIN, path, 'br-guest', '192.168.44.1', 'guest0,guest1'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async (): Promise<unknown> => JSON.parse((await lines.next()).value as string);
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  t.teardown(async () => {
    child.stdin.end();
    await ended;
    rmSync(folder, { recursive: true });
  });
  t.same(await read(), { ready: true, socket: path });
  const command = async (order: object | string): Promise<unknown> => {
    child.stdin.write(`${typeof order === 'string' ? order : JSON.stringify(order)}\n`);
    return await read();
  };
  return { path, command, ended, end: () => child.stdin.end() };
}

t.test('the stand-in as a process of its own does what its standard input says', async (t) => {
  const { path, command, ended, end } = await startProcess(t);
  const client = new UbusClient({ path, reconnectMs: { first: 5, longest: 20 } });
  t.teardown(() => client.close());
  await client.ready();
  const clients = async (ifname: string): Promise<readonly string[]> => {
    const reply = await client.call(`hostapd.${ifname}`, 'get_clients');
    return Object.keys(reply?.['clients'] as object);
  };
  t.same(await command({ do: 'stationJoins', mac: PHONE, ifname: 'guest0' }), { ok: true });
  t.same(await clients('guest0'), [PHONE]);
  t.same(await command({ do: 'stationLeaves', mac: PHONE, ifname: 'guest0' }), { ok: true });
  t.same(await clients('guest0'), []);
  t.same(await command({ do: 'leaseAck', mac: PHONE, ip: '192.168.44.9' }), { ok: true });
  t.same(await command({ do: 'restartHostapd', afterMs: 1 }), { ok: true });
  t.same(await command({ do: 'stopBus' }), { ok: true });
  t.same(await command({ do: 'startBus' }), { ok: true });
  await client.ready();
  const device = await client.call('network.device', 'status', { name: 'br-guest' });
  t.same(device?.['bridge-members'], ['guest0', 'guest1']);
  t.match(await command({ do: 'fly' }), { ok: false, error: /unknown command/ });
  t.match(await command('{'), { ok: false });
  t.match(await command({ do: 'stationFades', mac: PHONE, ifname: 'nowhere' }), { ok: false, error: /no BSS nowhere/ });
  end();
  t.equal(await ended, 0);
});
