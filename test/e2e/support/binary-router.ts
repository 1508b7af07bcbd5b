/** A router and a guest on one wire, and the configuration with which a binary sells on it. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { OWNER, REGISTRY } from '../../lab/agent.ts';
import type { Host } from '../../lab/host.ts';
import type { Lab } from '../../lab/lab.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export type BinaryRouter = { readonly router: Host; readonly guest: Host };

export async function openBinaryRouter(lab: Lab): Promise<BinaryRouter> {
  // A router has no such cache; in a root of its own the binary would make the folder.
  delete process.env['NODE_COMPILE_CACHE'];
  const router = lab.addHost('router');
  const guest = lab.addHost('guest');
  await router.script([
    `ip link add g0 type veth peer name eth0 netns ${guest.netns}`,
    'ip addr add 10.9.0.1/24 dev g0',
    'ip link set g0 up',
  ]);
  await guest.script(['ip addr add 10.9.0.2/24 dev eth0', 'ip link set eth0 up']);
  return { router, guest };
}

/** `small`, not packed: half a minute less, and the same files. `out` gets the folder `TARGET/small`. */
export function buildSmall(target: string, out: string): void {
  const options = ['--target', target, '--weight', 'small', '--no-pack', '--out', out];
  execFileSync(process.execPath, [`${ROOT}tools/build-binary.ts`, ...options], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** @param home where the binary may write: '' in a root of its own */
export function binaryConfig(home: string): string {
  return `
config agent
	option enabled '1'
	option control_socket '${home}/run/control.sock'
config network
	list guest_device 'g0'
	option lease_file '${home}/tmp/leases'
	option ubus_socket '${home}/run/ubus.sock'
config portal
	option port '2080'
	option host 'portal.lan'
config price
	option per_mb '0.1'
	option per_minute '0'
	option min_deposit '1'
config chain
	option payee '${OWNER}'
	option rpc_url 'http://127.0.0.1:9'
	option chain_id '1337'
	option channels '${REGISTRY}'
	option token '${REGISTRY}'
	option token_name 'SSP Test Token'
	option registry '${REGISTRY}'
config storage
	option database '${home}/var/ledger.db'
	option device_key '${home}/var/device.key'
`;
}
