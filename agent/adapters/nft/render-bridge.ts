/**
 * Guests below layer 3: a MAC with a session belongs to the port that it joined on, an IPv4 address with a session to its
 * MAC (an IPv6 address: chain nd_claims of the inet table), and guests do not see each other. In the bridge family a rule may name a port that does not exist (yet).
 */
import type { DeviceName } from '../../core/model.ts';
import { ACCEPT, anyDevice, concat, DROP, ETHER_SOURCE, equals, meta, payload, rewriteByKey } from './nft-expr.ts';
import { baseChain, grantSet, type TableSpec } from './table-spec.ts';

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
        // Whoever claims a guest's IPv4 address confirms the guest: the router's neighbour table cannot be poisoned.
        [rewriteByKey(payload('arp', 'saddr ether'), payload('arp', 'saddr ip'), 'arp_home')],
        [equals(concat(ETHER_SOURCE, meta('iifname')), '@port'), ACCEPT],
        [equals(ETHER_SOURCE, '@bound'), DROP],
      ]),
      baseChain('guest_apart', 'filter', 'forward', PRIORITY, guestPorts.length === 0 ? [] : [apart]),
    ],
  };
}
