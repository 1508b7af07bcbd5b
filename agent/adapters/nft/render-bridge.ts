/**
 * Guests below layer 3: a MAC with a session belongs to the port that it joined on, an address with a session to its MAC,
 * and guests do not see each other. In the bridge family a rule may name a port that does not exist (yet).
 */
import type { DeviceName } from '../../core/model.ts';
import {
  ACCEPT,
  anyDevice,
  concat,
  DROP,
  ETHER_SOURCE,
  equals,
  IP6_SOURCE,
  jump,
  meta,
  oneOf,
  payload,
  RETURN,
  rewriteByKey,
} from './nft-expr.ts';
import { baseChain, grantSet, type TableSpec } from './table-spec.ts';

/** Before anything else on the bridge, so that a stolen MAC is not even learned. */
const PRIORITY = -310;

export function renderBridgeTable({ guestPorts }: { readonly guestPorts: readonly DeviceName[] }): TableSpec {
  const ports = anyDevice(guestPorts);
  const apart = [equals(meta('iifname'), ports), equals(meta('oifname'), ports), DROP];
  const claims = ['nd-router-solicit', 'nd-neighbor-solicit', 'nd-neighbor-advert'];
  return {
    family: 'bridge',
    sets: [
      grantSet('port', ['ether_addr', 'ifname']),
      grantSet('bound', 'ether_addr'),
      { ...grantSet('arp_home', 'ipv4_addr'), map: 'ether_addr' },
      grantSet('nd_home', ['ipv6_addr', 'ether_addr']),
      grantSet('nd_owned', 'ipv6_addr'),
    ],
    counters: [],
    chains: [
      baseChain('guest_port', 'filter', 'prerouting', PRIORITY, [
        // Whoever claims a guest's IPv4 address confirms the guest: the router's neighbour table cannot be poisoned.
        [rewriteByKey(payload('arp', 'saddr ether'), payload('arp', 'saddr ip'), 'arp_home')],
        [equals(payload('icmpv6', 'type'), oneOf(claims)), jump('nd_claims')],
        [equals(concat(ETHER_SOURCE, meta('iifname')), '@port'), ACCEPT],
        [equals(ETHER_SOURCE, '@bound'), DROP],
      ]),
      {
        name: 'nd_claims',
        rules: [
          [equals(concat(IP6_SOURCE, ETHER_SOURCE), '@nd_home'), RETURN],
          [equals(IP6_SOURCE, '@nd_owned'), DROP],
        ],
      },
      baseChain('guest_apart', 'filter', 'forward', PRIORITY, guestPorts.length === 0 ? [] : [apart]),
    ],
  };
}
