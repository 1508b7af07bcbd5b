/** What a running agent opens when its configuration names sisters. */
import t from 'tap';
import { ConfigReload } from '../../../agent/owner/config-reload.ts';
import { type OpenRoamingDeps, openRoaming } from '../../../agent/roaming/open-roaming.ts';
import type { Opened } from '../../../agent/settlement/close-all.ts';
import { testConfig } from '../core/support/story.ts';

/** A door and a timer are made of these; nobody knocks here. */
const idle = { driver: { state: { custody: new Map() } }, clock: { wall: () => ({ unixS: 0n, isSynced: false }) } };

t.test(
  'the live configuration of a router with sisters opens a door for them; without sisters there is none',
  async (t) => {
    const open = async (roaming: object): Promise<readonly string[]> => {
      const { view: config } = new ConfigReload({ ...testConfig(), ...roaming });
      const opened: Opened[] = [];
      const deps = { ...idle, config, sisters: () => ({ addresses: [] }) } as unknown as OpenRoamingDeps;
      await openRoaming(deps, opened);
      for (const { close } of opened.toReversed()) await close();
      return opened.map(({ name }) => name);
    };
    const roaming = { address: '127.0.0.1', port: 0, sisters: [] };
    t.same(await open({ roaming }), ['roaming', 'sister-door']);
    t.same(await open({}), []);
  },
);
