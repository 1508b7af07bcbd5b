/**
 * The stand-in daemon and an OpenWrt's services as a process of their own, driven by JSON lines:
 *
 *   node main.ts SOCKET [GUEST_DEVICE [GUEST_IP4 [BSS,BSS]]]
 *   > {"do":"stationJoins","mac":"aa:bb:cc:00:00:01","ifname":"phy0-ap0"}
 *   < {"ok":true}
 *
 * Prints {"ready":true,"socket":...} first, then one line for each command, in order. Ends with its standard input.
 */
import { createInterface } from 'node:readline';
import { UbusDaemon } from './daemon.ts';
import { OpenwrtServices } from './openwrt-services.ts';

type Command =
  | { readonly do: 'addBss'; readonly ifname: string }
  | { readonly do: 'stationJoins' | 'stationLeaves' | 'stationFades'; readonly mac: string; readonly ifname: string }
  | { readonly do: 'leaseAck' | 'leaseRelease'; readonly mac: string; readonly ip: string; readonly name?: string }
  | { readonly do: 'configChange'; readonly config: string }
  /** hostapd restarts: objects and stations go, objects come back after `afterMs`. */
  | { readonly do: 'restartHostapd'; readonly afterMs?: number }
  /** ubusd goes away; startBus brings it back, and the services with it. */
  | { readonly do: 'stopBus' | 'startBus' };

const [socketPath, guestDevice = 'br-guest', guestIp4 = '192.168.44.1', bssList = ''] = process.argv.slice(2);
if (socketPath === undefined) throw new Error('usage: main.ts SOCKET [GUEST_DEVICE [GUEST_IP4 [BSS,BSS]]]');

let daemon: UbusDaemon | undefined = await UbusDaemon.start(socketPath);
const bss = bssList.split(',').filter((name) => name !== '');
const services = new OpenwrtServices({ socketPath, guestDevice, guestIp4, bss });
await services.start();
print({ ready: true, socket: socketPath });

for await (const line of createInterface({ input: process.stdin })) {
  try {
    await execute(JSON.parse(line) as Command);
    print({ ok: true });
  } catch (error) {
    print({ ok: false, error: (error as Error).message });
  }
}
await services.close();
await daemon?.close();

function print(reply: object): void {
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}

async function execute(command: Command): Promise<void> {
  switch (command.do) {
    case 'addBss':
      return await services.hostapd.addBss(command.ifname);
    case 'stationJoins':
      return await services.stationJoins(command.mac, command.ifname);
    case 'stationLeaves':
      return await services.stationLeaves(command.mac, command.ifname);
    case 'stationFades':
      return services.hostapd.fades(command.mac, command.ifname);
    case 'leaseAck':
      return await services.leaseAck(command.mac, command.ip, command.name);
    case 'leaseRelease':
      return await services.leaseRelease(command.mac, command.ip);
    case 'configChange':
      return await services.system.configChange(command.config);
    case 'restartHostapd':
      await services.hostapd.dies();
      await new Promise((resolve) => setTimeout(resolve, command.afterMs ?? 1_050));
      return await services.hostapd.respawned();
    case 'stopBus':
      await daemon?.close();
      daemon = undefined;
      return await services.lost();
    case 'startBus':
      daemon ??= await UbusDaemon.start(socketPath as string);
      return await services.restored();
    default:
      throw new Error(`unknown command ${JSON.stringify(command satisfies never)}`);
  }
}
