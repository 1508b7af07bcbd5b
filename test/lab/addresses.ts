/**
 * The addresses of the small world. Documentation prefixes stand for the public internet (RFC 5737, RFC 3849), private
 * ones for what a guest must not reach.
 */

/** The router as a guest sees it. */
export const ROUTER_GUEST_IP4 = '192.168.77.1';
export const ROUTER_GUEST_IP6 = '2001:db8:77:1::1';
export const GUEST_NET4 = '192.168.77.0/24';
export const GUEST_NET6 = '2001:db8:77:1::/64';
export const GUEST_DEVICE = 'br-guest';

/** The owner's private network behind the same router. */
export const ROUTER_LAN_IP4 = '192.168.1.1';
export const ROUTER_LAN_IP6 = 'fd12:3456:789a:1::1';
export const LAN_HOST_IP4 = '192.168.1.10';
export const LAN_HOST_IP6 = 'fd12:3456:789a:1::10';

/** Uplink. */
export const ROUTER_WAN_IP4 = '203.0.113.2';
export const ROUTER_WAN_IP6 = '2001:db8:99::2';
export const UPSTREAM_IP4 = '203.0.113.1';
export const UPSTREAM_IP6 = '2001:db8:99::1';

/** A server on the internet of its own for every guest, so that what arrives there can be told apart behind NAT. */
export type ServerAddress = { readonly ip4: string; readonly ip6: string };

export function serverOfGuest(index: number): ServerAddress {
  return { ip4: `198.51.100.${80 + index}`, ip6: `2001:db8:5e::${(0x80 + index).toString(16)}` };
}

/** Name server of the internet; chain and collector live on BACKEND. */
export const DNS_IP4 = '198.51.100.53';
export const BACKEND_IP4 = '198.51.100.90';
export const CHAIN_PORT = 8545;
export const COLLECTOR_PORT = 8600;

export const PORTAL_NAME = 'portal.lan';
export const HTTP_PORT = 80;
/** The same server on a port that no portal redirects. */
export const OTHER_PORT = 8080;
export const UDP_ECHO_PORT = 7;
export const UDP_SINK_PORT = 9;
export const UDP_SOURCE_PORT = 19;
