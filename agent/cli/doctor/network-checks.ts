/** Is the guest network such that every byte is counted once and can be stopped? */
import { parseUci } from '../../adapters/uci/parse-uci.ts';
import type { AgentConfig } from '../../core/config.ts';
import type { DeviceName } from '../../core/model.ts';
import { broken, doubtful, type Finding, fine } from './finding.ts';
import { listeners } from './listeners.ts';
import type { DoctorProbe } from './probe.ts';

const FIREWALL_CONFIG = '/etc/config/firewall';
/** Above this share of the table, new connections are soon refused. */
const CONNTRACK_WARN_SHARE = 0.8;

/** What nft and the kernel can do; agent/adapters/nft tries it out. */
export async function nftFindings(probe: DoctorProbe): Promise<readonly Finding[]> {
  const facts = await probe.nft();
  if (!facts.ok)
    return [broken('nft', facts.message, 'Install nftables: opkg install nftables-json (or apk add nftables-json).')];
  return facts.value.map(({ name, ok, detail, fix }) =>
    ok
      ? fine(`nft ${name}`, detail)
      : broken(`nft ${name}`, detail, fix ?? 'Install the kernel module that the detail names.'),
  );
}

export async function guestDeviceFinding(probe: DoctorProbe, device: DeviceName): Promise<Finding> {
  const name = `guest device ${device}`;
  const directory = `/sys/class/net/${device}`;
  if ((await probe.file(directory)) === undefined) {
    return broken(
      name,
      'does not exist',
      `Create the bridge, or name the right one: uci set shareagent.network.guest_device=...`,
    );
  }
  if ((await probe.file(`${directory}/bridge`)) === undefined) {
    const fix = `Make ${device} a bridge (config device, option type bridge): stations are bound to its ports.`;
    return broken(name, 'is not a bridge', fix);
  }
  const ports = await probe.names(`${directory}/brif`);
  if (ports.length === 0) {
    return doubtful(
      name,
      'is a bridge without ports',
      'Attach the guest WiFi: option network of its wifi-iface must name the guest interface.',
    );
  }
  return fine(name, `bridge with ${ports.join(', ')}`);
}

/** Bridged frames that also pass the router's hooks meet rules that were written for routed packets. */
export async function bridgeFilterFinding(probe: DoctorProbe): Promise<Finding> {
  const name = 'bridge netfilter';
  const families = ['iptables', 'ip6tables'];
  const values = await Promise.all(
    families.map((family) => probe.text(`/proc/sys/net/bridge/bridge-nf-call-${family}`)),
  );
  const active = families.filter((_, i) => values[i]?.trim() === '1');
  if (active.length === 0) return fine(name, "off: bridged frames stay out of the router's hooks");
  const settings = active.map((family) => `net.bridge.bridge-nf-call-${family}=0`);
  const fix = `Set ${settings.join(' and ')} with sysctl -w, and in /etc/sysctl.conf.`;
  return doubtful(
    name,
    `on for ${active.join(', ')}: traffic among guests also passes the router's rules and is dropped or counted there`,
    fix,
  );
}

/** Offloaded packets skip every hook: 595 MB passed and 552 bytes were counted on OpenWrt 24.10.7. */
export async function offloadFinding(probe: DoctorProbe): Promise<Finding> {
  const name = 'flow offload';
  const text = await probe.text(FIREWALL_CONFIG);
  if (text === undefined) return fine(name, `not configured (no ${FIREWALL_CONFIG})`);
  const parsed = parseUci(text);
  if (!parsed.ok) {
    const [fault] = parsed.faults;
    const detail = `${FIREWALL_CONFIG} cannot be read: line ${fault?.line}, expected ${fault?.expected}, got ${fault?.got}`;
    return doubtful(name, detail, `Mend ${FIREWALL_CONFIG}; fw4 does not read it either.`);
  }
  const options = parsed.uci.sections.filter(({ type }) => type === 'defaults').flatMap((section) => section.options);
  const isOn = (option: string): boolean => {
    const value = options.findLast(({ name: known }) => known === option)?.values.at(-1) ?? '0';
    return ['1', 'yes', 'on', 'true', 'enabled'].includes(value);
  };
  const active = ['flow_offloading', 'flow_offloading_hw'].filter(isOn);
  if (active.length === 0) return fine(name, 'off: every packet is counted');
  const settings = active.map((option) => `uci set firewall.@defaults[0].${option}=0`).join('; ');
  return broken(
    name,
    `${active.join(' and ')} is on: offloaded packets are not counted`,
    `${settings}; uci commit firewall; service firewall restart`,
  );
}

/** As in /usr/share/nftables.d/chain-pre/input/shareagent.nft. */
const PORTAL_RULE = 'ShareAgent: new connection to the portal';

/** fw4 reads the package's rule only when it loads its own: after an installation or an upgrade it may stand in a file only. */
export async function firewallRuleFinding(probe: DoctorProbe): Promise<Finding> {
  const name = 'firewall rule';
  if ((await probe.text(FIREWALL_CONFIG)) === undefined) return fine(name, `no fw4 here (no ${FIREWALL_CONFIG})`);
  const comments = await probe.fw4Input();
  if (!comments.ok) return doubtful(name, comments.message, 'Run doctor as root, with nft installed.');
  if (comments.value === undefined)
    return doubtful(name, "fw4's rules are not in the kernel", 'service firewall restart');
  if (comments.value.includes(PORTAL_RULE)) return fine(name, "the portal has its own bounds, beside fw4's SYN limit");
  return doubtful(
    name,
    "fw4 has not loaded the package's rule: one guest can keep the others from the portal",
    'fw4 reload (paid guests surf on); if that does not help, install the package again.',
  );
}

/** Whoever made it: a flowtable hides both directions of a flow, even one on the uplink alone; vendors have fast paths of their own. */
export async function flowtableFinding(probe: DoctorProbe, devices: readonly DeviceName[]): Promise<Finding> {
  const name = 'flowtables';
  const tables = await probe.offload(devices);
  if (!tables.ok) return doubtful(name, tables.message, 'Run doctor as root, with nft installed.');
  if (tables.value.length === 0) return fine(name, 'none that guests could get into');
  const fix = 'Switch off whatever makes a flowtable (fw4: flow_offloading); for the rest do what is said beside it.';
  return broken(name, `${tables.value.join('; ')}: packets in it are not counted`, fix);
}

/** Cut guests lose their connections through conntrack, and redirects need NAT. */
export async function conntrackFinding(probe: DoctorProbe): Promise<Finding> {
  const name = 'conntrack';
  const [maxText, countText] = await Promise.all(
    ['max', 'count'].map((which) => probe.text(`/proc/sys/net/netfilter/nf_conntrack_${which}`)),
  );
  const max = Number(maxText ?? 0);
  const count = Number(countText ?? 0);
  if (!(max > 0))
    return broken(name, 'the kernel does not track connections', 'Install kmod-nf-conntrack; fw4 loads it.');
  const detail = `${count} of ${max} connections`;
  if (count < max * CONNTRACK_WARN_SHARE) return fine(name, detail);
  return doubtful(
    name,
    `${detail}: new connections will be refused`,
    `sysctl -w net.netfilter.nf_conntrack_max=${max * 2}`,
  );
}

/** The portal's port: held by the running agent, or free. */
export async function portFinding(
  probe: DoctorProbe,
  port: AgentConfig['portal']['port'],
  isRunning: boolean,
): Promise<Finding> {
  const name = `port ${port}`;
  const tables = await Promise.all(['tcp', 'tcp6'].map((table) => probe.text(`/proc/net/${table}`)));
  const isTaken = tables.some((table) => table !== undefined && listeningPorts(table).includes(port));
  if (isRunning) {
    if (isTaken) return fine(name, 'the portal listens');
    return broken(name, 'the agent runs, but its portal does not listen', 'See why: logread -e shareagent.');
  }
  if (!isTaken) return fine(name, 'free');
  return broken(
    name,
    'taken by another program',
    `Find it with netstat -tlnp | grep :${port}, or set shareagent.portal.port to a free port.`,
  );
}

function listeningPorts(table: string): readonly number[] {
  return listeners(table).map(({ port }) => port);
}
