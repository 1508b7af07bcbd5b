/**
 * Layer-3 byte counters beside the router, in packet filters of guest and internet that the agent cannot touch:
 * `wire` is what passes the guest's own interface to and from outside networks, `beyond` what reaches or leaves the
 * guest's own server on the internet side. Traffic with the router itself (DHCP, DNS, portal) is not counted.
 */
import { GUEST_NET4, GUEST_NET6, serverOfGuest } from './addresses.ts';
import { LabError } from './errors.ts';
import type { Host } from './host.ts';

export type WireBytes = {
  readonly down4: bigint;
  readonly down6: bigint;
  readonly up4: bigint;
  readonly up6: bigint;
};

const RAW = -400;

export async function installWireCounters(host: Host): Promise<void> {
  const outside6 = `{ ${GUEST_NET6}, fe80::/10, ff00::/8 }`;
  const group4 = '{ 224.0.0.0/4, 255.255.255.255 }';
  await host.must(['nft', '-f', '/dev/stdin'], {
    input: `
table inet wire {
  counter down4 { }
  counter down6 { }
  counter up4 { }
  counter up6 { }
  chain in {
    type filter hook prerouting priority ${RAW};
    iifname "eth0" ip saddr != { ${GUEST_NET4}, 0.0.0.0 } ip daddr != ${group4} counter name down4
    iifname "eth0" ip6 saddr != ${outside6} ip6 daddr != ff00::/8 counter name down6
  }
  chain out {
    type filter hook postrouting priority 400;
    oifname "eth0" ip daddr != ${GUEST_NET4} ip daddr != ${group4} counter name up4
    oifname "eth0" ip6 daddr != ${outside6} counter name up6
  }
}
`,
  });
}

export async function installBeyondCounters(internet: Host, guests: number): Promise<void> {
  const lines: string[] = [];
  const counters: string[] = [];
  for (let i = 0; i < guests; i++) {
    const server = serverOfGuest(i);
    for (const name of ['down4', 'down6', 'up4', 'up6']) counters.push(`counter g${i}${name} { }`);
    lines.push(`add rule inet beyond out ip saddr ${server.ip4} counter name g${i}down4`);
    lines.push(`add rule inet beyond out ip6 saddr ${server.ip6} counter name g${i}down6`);
    lines.push(`add rule inet beyond in ip daddr ${server.ip4} counter name g${i}up4`);
    lines.push(`add rule inet beyond in ip6 daddr ${server.ip6} counter name g${i}up6`);
  }
  await internet.must(['nft', '-f', '/dev/stdin'], {
    input: `
table inet beyond {
  ${counters.join('\n  ')}
  chain in {
    type filter hook prerouting priority ${RAW};
    iifname != "eth0" return
  }
  chain out {
    type filter hook postrouting priority 400;
    oifname != "eth0" return
  }
}
${lines.join('\n')}
`,
  });
}

/** What passed the guest's interface since it was built. */
export async function readWire(host: Host): Promise<WireBytes> {
  const values = await readCounters(host, 'wire');
  return {
    down4: take(values, 'down4'),
    down6: take(values, 'down6'),
    up4: take(values, 'up4'),
    up6: take(values, 'up6'),
  };
}

/** What left (down) and reached (up) the guest's server on the internet. */
export async function readBeyond(internet: Host, index: number): Promise<WireBytes> {
  const values = await readCounters(internet, 'beyond');
  const of = (name: string): bigint => take(values, `g${index}${name}`);
  return { down4: of('down4'), down6: of('down6'), up4: of('up4'), up6: of('up6') };
}

export function sumOf(bytes: WireBytes): bigint {
  return bytes.down4 + bytes.down6 + bytes.up4 + bytes.up6;
}

export function difference(later: WireBytes, earlier: WireBytes): WireBytes {
  return {
    down4: later.down4 - earlier.down4,
    down6: later.down6 - earlier.down6,
    up4: later.up4 - earlier.up4,
    up6: later.up6 - earlier.up6,
  };
}

/** Bytes of the interface's own statistics, Ethernet headers included. */
export async function readInterfaceBytes(
  host: Host,
  device: string,
): Promise<{ readonly rx: bigint; readonly tx: bigint }> {
  const text = await host.must(['ip', '-j', '-s', 'link', 'show', 'dev', device]);
  const [link] = JSON.parse(text) as readonly {
    readonly stats64: { readonly rx: { bytes: number }; readonly tx: { bytes: number } };
  }[];
  if (link === undefined) throw new LabError('LAB_LINK', `${host.name} has no interface ${device}`);
  return { rx: BigInt(link.stats64.rx.bytes), tx: BigInt(link.stats64.tx.bytes) };
}

async function readCounters(host: Host, table: string): Promise<ReadonlyMap<string, bigint>> {
  const text = await host.must(['nft', '-j', 'list', 'counters', 'table', 'inet', table]);
  const parsed = JSON.parse(text) as {
    readonly nftables: readonly { readonly counter?: { name: string; bytes: number } }[];
  };
  const values = new Map<string, bigint>();
  for (const { counter } of parsed.nftables) if (counter !== undefined) values.set(counter.name, BigInt(counter.bytes));
  return values;
}

function take(values: ReadonlyMap<string, bigint>, name: string): bigint {
  const value = values.get(name);
  if (value === undefined) throw new LabError('LAB_COUNTER', `There is no counter ${name} in the lab's own table`);
  return value;
}
