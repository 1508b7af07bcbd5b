/**
 * Guests below layer 3: a MAC with a session belongs to the port that it joined on, an IPv4 address with a session to its
 * MAC (an IPv6 address: chain nd_claims of the inet table), and guests do not see each other. In the bridge family a rule may name a port that does not exist (yet).
 */
import type { DeviceName } from '../../core/model.ts';
import {
  ACCEPT,
  anyDevice,
  concat,
  DROP,
  differs,
  ETHER_SOURCE,
  equals,
  jump,
  meta,
  oneOf,
  payload,
  RETURN,
  rawNetwork,
  rewriteByKey,
} from './nft-expr.ts';
import type { Json } from './nft-json.ts';
import { baseChain, grantSet, type TableSpec } from './table-spec.ts';

/**
 * What the frame carries once the kernel took off its VLAN tag. The type in the Ethernet header is no measure: a tag of VLAN 0, which
 * the kernel takes off and forgets, would hide an ARP packet from it.
 */
const PROTOCOL = meta('protocol');
const AT_ITS_PORT = equals(concat(ETHER_SOURCE, meta('iifname')), '@port');
/** The lower 12 bits of a VLAN tag name the VLAN (IEEE 802.1Q, 9.6); a tag in a tag is the beginning of what the frame carries. */
const INNER_VLAN: Json = { '&': [rawNetwork(0, 16), 0xfff] };

/** Before anything else on the bridge, so that a stolen MAC is not even learned. */
const PRIORITY = -310;

export function renderBridgeTable({ guestPorts }: { readonly guestPorts: readonly DeviceName[] }): TableSpec {
  const ports = anyDevice(guestPorts);
  const apart = [equals(meta('iifname'), ports), equals(meta('oifname'), ports), DROP];
  return {
    family: 'bridge',
    sets: [
      grantSet('port', ['ether_addr', 'ifname']),
      grantSet('bound', 'ether_addr'),
      { ...grantSet('arp_home', 'ipv4_addr'), map: 'ether_addr' },
    ],
    counters: [],
    chains: [
      baseChain('guest_port', 'filter', 'prerouting', PRIORITY, [
        // First what nearly every frame is, decided in one rule: IPv4 of a guest at its port.
        [equals(PROTOCOL, 'ip'), AT_ITS_PORT, ACCEPT],
        [differs(PROTOCOL, 'ip'), jump('claims')],
        [AT_ITS_PORT, ACCEPT],
        [equals(ETHER_SOURCE, '@bound'), DROP],
      ]),
      { name: 'claims', rules: claimRules() },
      baseChain('guest_apart', 'filter', 'forward', PRIORITY, guestPorts.length === 0 ? [] : [apart]),
    ],
  };
}

/**
 * Whoever claims a guest's IPv4 address confirms the guest: the router's neighbour table cannot be poisoned. A tag of VLAN 0 in another
 * tag would be taken off as well, behind our back.
 */
function claimRules(): Json[][] {
  return [
    [equals(PROTOCOL, 'ip6'), RETURN],
    [equals(PROTOCOL, oneOf(['8021q', '8021ad'])), equals(INNER_VLAN, 0), DROP],
    // nft lists this rule without its first word. So a look that knows no earlier listing finds it changed, and writes it again.
    [equals(PROTOCOL, 'arp'), rewriteByKey(payload('arp', 'saddr ether'), payload('arp', 'saddr ip'), 'arp_home')],
  ];
}
