/** Addresses of the portal bench's many guests: a network of their own, beside the lab's. */
export const BENCH_ROUTER = '10.99.0.1';

/** The i-th guest's, from 10.99.1.0 on. */
export function guestAddress(i: number): string {
  return `10.99.${1 + (i >> 8)}.${i & 255}`;
}

/** `ip -batch` lines for the guests' host: all addresses on one link, so that no table of neighbours fills up. */
export function addressLines(count: number): string {
  return batch(count, (i) => `addr add ${guestAddress(i)}/16 dev eth0`);
}

/** `ip -batch` lines for the router: each address is a station of its own, as its neighbour table says. */
export function neighbourLines(count: number, device: string): string {
  return batch(count, (i) => `neigh replace ${guestAddress(i)} lladdr ${macOf(i)} nud permanent dev ${device}`);
}

/** The guests' host sends from each address with its own MAC, and takes what is sent to any of them. */
export function stationRules(count: number): string {
  const macs = Array.from({ length: count }, (_, i) => `${guestAddress(i)} : ${macOf(i)}`).join(', ');
  return `table netdev crowd {
  chain in { type filter hook ingress device eth0 priority 0;
    ether daddr & ff:ff:ff:00:00:00 == 02:cd:00:00:00:00 meta pkttype set host
  }
  map macs { type ipv4_addr : ether_addr; elements = { ${macs} }; }
  chain out { type filter hook egress device eth0 priority 0;
    ether saddr set ip saddr map @macs
  }
}`;
}

function macOf(i: number): string {
  return `02:cd:00:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`;
}

function batch(count: number, line: (i: number) => string): string {
  return `${Array.from({ length: count }, (_, i) => line(i)).join('\n')}\n`;
}
