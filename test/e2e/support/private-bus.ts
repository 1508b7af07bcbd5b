/** A message bus of one namespace's own: what runs there finds no host's bus. */
import { existsSync, writeFileSync } from 'node:fs';
import type { Lab } from '../../lab/lab.ts';

const SETTINGS = (socket: string) => `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=${socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_destination="*"/>
<allow receive_type="method_call"/><allow receive_type="method_return"/><allow receive_type="error"/><allow receive_type="signal"/></policy>
</busconfig>`;

export const hasBusDaemon = existsSync('/usr/bin/dbus-daemon');

export type PrivateBus = {
  /** Shell lines that start it and wait for it. It ends with the shell, or with what the shell becomes. */
  readonly start: string;
  /** For whoever shall use it. */
  readonly env: { readonly DBUS_SYSTEM_BUS_ADDRESS: string };
};

export function privateBus(lab: Lab, name: string): PrivateBus {
  const socket = lab.path(`${name}-bus`);
  const file = lab.path(`${name}-bus.conf`);
  writeFileSync(file, SETTINGS(socket));
  return {
    start: `setpriv --pdeathsig KILL dbus-daemon --config-file=${file} --nofork --nopidfile &
    while [ ! -S ${socket} ]; do sleep 0.05; done`,
    env: { DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${socket}` },
  };
}
