/**
 * procd's `config.change` for one configuration file: it comes from rpcd (LuCI, `ubus call uci commit`) and reload_config, not
 * from the shell's `uci commit`. Attaching counts as a change too: what happened while the bus was away was not seen.
 */
import type { UbusClient } from '../../../openwrt/node-openwrt-ubus/src/client.ts';

/** rpcd names the file `config`, reload_config `package`. */
const NAME_FIELDS = ['config', 'package'] as const;

export async function followConfigChanges(client: UbusClient, config: string, onChange: () => void): Promise<void> {
  let hasAttached = false;
  await client.subscribe('service', {
    onAttach: () => {
      // The first time nothing was missed: the file has just been read.
      if (hasAttached) onChange();
      hasAttached = true;
    },
    onNotify: ({ type, data }) => {
      if (type === 'config.change' && NAME_FIELDS.some((field) => data[field] === config)) onChange();
    },
  });
}
