/** Everything that stands around a story: world, chain, collector, bus, agent, guests with filled pass codes. */
import { fileURLToPath } from 'node:url';
import { loadOrCreateKey } from '../../agent/adapters/device-key.ts';
import { addressFromSecretKey } from '../../protocol/signature.ts';
import { PORTAL_NAME } from './addresses.ts';
import { AgentProcess, deviceKeyPath, PORTAL_PORT, REGISTRY } from './agent.ts';
import { Bus } from './bus.ts';
import { LabChain } from './chain.ts';
import { LabCollector } from './collector.ts';
import { Guest } from './guest.ts';
import type { Lab } from './lab.ts';
import { buildWorld, type World } from './world.ts';

export type Scene = {
  readonly lab: Lab;
  readonly world: World;
  readonly chain: LabChain;
  readonly collector: LabCollector;
  readonly bus: Bus;
  readonly agent: AgentProcess;
  readonly guests: readonly Guest[];
  /** What DHCP option 114 says. */
  readonly captiveUrl: string;
  /** How long the agent took from its start to its first answer. */
  readonly startMs: number;
};

export type SceneOptions = {
  readonly guests: number;
  /** Agent options beyond the lab's, by section. */
  readonly options?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** How the agent is started; from the sources unless said otherwise. */
  readonly command?: readonly string[];
};

/** 20 SSP on every pass code. */
const PASS_CODE_UNITS = 200_000n;
/** What the package's boot script loads before the agent: nobody gets out of a router that is still starting. */
const DENY_TABLES = ['inet', 'bridge'].map((family) =>
  fileURLToPath(new URL(`../../openwrt/files/usr/share/shareagent/deny-${family}.json`, import.meta.url)),
);
const CAPTIVE_URL = `http://${PORTAL_NAME}/captive-portal/api`;

export async function openScene(lab: Lab, options: SceneOptions): Promise<Scene> {
  const world = await buildWorld(lab, { guests: options.guests, portalPort: PORTAL_PORT, captiveUrl: CAPTIVE_URL });
  for (const table of DENY_TABLES) await world.router.must(['nft', '-j', '-f', table]);
  const [chain, bus] = await Promise.all([LabChain.start(world), Bus.start(world)]);
  const device = addressFromSecretKey(loadOrCreateKey(deviceKeyPath(lab)));
  const collector = await LabCollector.start(world, { chain: chain.addresses, registry: REGISTRY, device });
  const agent = new AgentProcess(world, {
    chain: chain.addresses,
    ubusSocket: bus.socketPath,
    collector: { url: collector.url, address: collector.address },
    ...(options.options === undefined ? {} : { options: options.options }),
    ...(options.command === undefined ? {} : { command: options.command }),
  });
  await chain.giveGas(device);
  const startMs = await agent.start();
  const guests: Guest[] = [];
  for (const host of world.guests) guests.push(new Guest(world, host, bus, await chain.passCode(PASS_CODE_UNITS)));
  return { lab, world, chain, collector, bus, agent, guests, captiveUrl: CAPTIVE_URL, startMs };
}
