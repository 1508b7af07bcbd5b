/** Roaming between the owner's routers, if any are configured: opened with the agent, closed with it. */
import type { AgentConfig } from '../core/config.ts';
import type { Roaming, Sisters } from '../roaming-port.ts';
import type { Opened } from '../settlement/close-all.ts';
import { RoamingDesk, type RoamingDeskDeps } from './roaming-desk.ts';
import { RoamingWatch } from './roaming-watch.ts';
import { buildSisterDoor } from './sister-door.ts';

export type OpenRoamingDeps = Omit<RoamingDeskDeps, 'config' | 'sisters'> & {
  readonly config: Pick<AgentConfig, 'chain' | 'roaming'>;
  readonly sisters: (list: NonNullable<AgentConfig['roaming']>['sisters']) => Sisters;
};

/** @throws if the door cannot be opened: another program listens there, or the address is not this router's. */
export async function openRoaming(
  { sisters: connect, ...deps }: OpenRoamingDeps,
  opened: Opened[],
): Promise<{ readonly roaming?: Roaming }> {
  const { roaming: settings } = deps.config;
  if (settings === undefined) return {};
  const sisters = connect(settings.sisters);
  const roaming = new RoamingDesk({ ...deps, sisters });
  const watch = new RoamingWatch({ ...deps, sisters, desk: roaming });
  opened.push({ name: 'roaming', close: () => watch.close() });
  const door = buildSisterDoor(roaming);
  opened.push({ name: 'sister-door', close: () => door.close() });
  await door.listen({ host: settings.address, port: settings.port });
  watch.start();
  return { roaming };
}
