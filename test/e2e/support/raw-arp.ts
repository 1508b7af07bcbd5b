/** ARP packets that no honest network stack sends. Node has no raw sockets; perl is part of every Debian. */
import type { Host } from '../../lab/host.ts';

/** VLAN tags before the ARP packet, outermost first: EtherType and tag, in hex. */
export type Tags = '' | '81000000' | '8100e000' | '88a80000' | '8100000081000000' | '88a8000081000000';

const SEND = `
my ($index, $frame) = @ARGV;
socket(my $raw, 17, 3, 0x0300) or die "socket: $!";
send($raw, pack('H*', $frame), 0, pack('SnlSCCa8', 17, 3, $index, 0, 0, 6, "")) or die "send: $!";
`;

/** Asks for `asked` in the name of `claimed`, as station `mac`: who answers learns that `claimed` is at `mac`. */
export async function sendArp(
  host: Host,
  { mac, claimed, asked, tags }: { mac: string; claimed: string; asked: string; tags: Tags },
): Promise<void> {
  const [link] = JSON.parse(await host.must(['ip', '-j', 'link', 'show', 'dev', 'eth0'])) as [{ ifindex: number }];
  const sender = mac.replaceAll(':', '');
  // Ethernet header, then RFC 826: Ethernet, IPv4, lengths, request, sender, target.
  const request = `0001080006040001${sender}${hexOf(claimed)}000000000000${hexOf(asked)}`;
  const frame = `ffffffffffff${sender}${tags}0806${request}`.padEnd(120, '0');
  await host.must(['perl', '-e', SEND, String(link.ifindex), frame]);
}

/** What the router's neighbour table says of an address; undefined if nothing. */
export async function neighbourMac(router: Host, address: string): Promise<string | undefined> {
  const rows = JSON.parse(await router.must(['ip', '-j', 'neigh', 'show', address])) as { lladdr?: string }[];
  return rows[0]?.lladdr;
}

function hexOf(ip4: string): string {
  return ip4
    .split('.')
    .map((byte) => Number(byte).toString(16).padStart(2, '0'))
    .join('');
}
