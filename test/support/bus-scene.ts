/** An agent between fake edges whose object is on a stand-in bus, and a caller there. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Test } from 'tap';
import { UbusObject } from '../../agent/adapters/ubus/bus-object.ts';
import { Hostnames } from '../../agent/bus/hostnames.ts';
import { publishShareagentObject } from '../../agent/bus/shareagent-object.ts';
import type { PriceResult } from '../../agent/bus-port.ts';
import type { AgentConfig } from '../../agent/core/config.ts';
import { ConfigReload } from '../../agent/owner/config-reload.ts';
import { createOwnerDesk } from '../../agent/owner/owner.ts';
import type { BlobmsgInputTable } from '../../openwrt/node-openwrt-ubus/src/blobmsg.ts';
import { UbusClient } from '../../openwrt/node-openwrt-ubus/src/client.ts';
import { PHONE } from '../agent/core/support/story.ts';
import { AgentScene, NODE } from './agent-scene.ts';
import { ScriptedTreasury } from './scripted-treasury.ts';
import { UbusDaemon } from './ubus-daemon/daemon.ts';

export async function onBus(t: Test, scene = new AgentScene()) {
  const path = join(mkdtempSync(join(tmpdir(), 'shareagent-object-')), 'bus');
  t.teardown(() => rmSync(dirname(path), { recursive: true }));
  const daemon = await UbusDaemon.start(path);
  t.teardown(() => daemon.close());
  const connect = async () => {
    const client = new UbusClient({ path });
    t.teardown(() => client.close());
    await client.ready();
    return client;
  };
  const { driver, journal, clock, config, stations, airCheck, log } = scene;
  const chain = { balanceOf: () => Promise.resolve({ ok: true as const, units: 0n }) };
  const reload = new ConfigReload(config);
  let file = config;
  const prices: object[] = [];
  const priceAnswer: { value: PriceResult } = { value: { ok: true } };
  reload.connect({ read: () => ({ ok: true, config: file }), log, onChange: () => undefined });
  const write = (change: (config: AgentConfig) => AgentConfig) => {
    file = change(file);
  };
  const notSelling = () => reload.saleTrouble ?? scene.notSelling;
  const checks = () => [reload.health()];
  const shared = { driver, journal, clock, node: NODE, notSelling, log, stations, airCheck, chain, reload };
  const owner = createOwnerDesk({ ...shared, version: '1.2.3', isBusConnected: () => true, checks });
  const refused: string[] = [];
  const hostnames = new Hostnames();
  const treasury = new ScriptedTreasury();
  const onProblem = (error: Error) => void refused.push(error.message);
  await publishShareagentObject({
    ...shared,
    config: reload.view,
    owner,
    hostnames,
    treasury,
    minuteOfDay: () => 22 * 60 + 5,
    bus: new UbusObject({ client: await connect(), path: 'shareagent', onProblem }),
    setPrice: (change) => {
      prices.push(change);
      const { value } = priceAnswer;
      const { unitsPerMb = 0n, unitsPerMinute = 0n } = change;
      if (value.ok)
        write((before) => ({ ...before, price: { ...before.price, tariff: { unitsPerMb, unitsPerMinute } } }));
      return value;
    },
    examine: () =>
      Promise.resolve([
        { name: 'nft', status: 'ok' as const, detail: 'works' },
        { name: 'clock', status: 'fail' as const, detail: 'wrong', fix: 'set it' },
        { name: 'disk', status: 'warn' as const, detail: 'small', fix: 'clean it' },
      ]),
  });
  const caller = await connect();
  const call = (method: string, args: BlobmsgInputTable = {}) => caller.call('shareagent', method, args);
  return { scene, treasury, caller, call, refused, prices, priceAnswer, hostnames, reload, write };
}

/** With a phone that has paid for 100 MB and taken 10 of them. */
export async function paying(t: Test) {
  const scene = new AgentScene();
  const bus = await onBus(t, scene);
  const result = await scene.desk.open(PHONE, scene.openRequest());
  if (!result.ok) throw new Error(result.reason);
  scene.download(10_000_000n);
  await scene.sample();
  return bus;
}
