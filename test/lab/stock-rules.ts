/**
 * What a stock OpenWrt router has in its packet filter before the agent comes: fw4's zones lan, guest and wan, with
 * conntrack, `established accept` and NAT. Shaped like `fw4 print` of 24.10; hook priorities are fw4's (filter = 0).
 */
import { readFileSync } from 'node:fs';
import { GUEST_DEVICE } from './addresses.ts';

/** What fw4 reads into the beginning of its chain input: the package's own file there. */
const CHAIN_PRE = new URL('../../openwrt/files/usr/share/nftables.d/chain-pre/input/shareagent.nft', import.meta.url);

/** nft text of `table inet fw4`; `portalPort` is what the package's own firewall section opens for guests. */
export function stockRules(portalPort: number): string {
  return `
table inet fw4
delete table inet fw4
table inet fw4 {
  chain input {
    type filter hook input priority filter; policy drop;
    iif lo accept
    ${readFileSync(CHAIN_PRE, 'utf8')}
    ct state established,related accept
    tcp flags & (fin | syn | rst | ack) == syn jump syn_flood
    iifname "br-lan" accept
    iifname "${GUEST_DEVICE}" jump input_guest
    iifname "wan" jump input_wan
    jump handle_reject
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    iifname "br-lan" oifname { "wan", "br-lan" } accept
    iifname "${GUEST_DEVICE}" oifname "wan" accept
    ip6 nexthdr icmpv6 iifname "wan" icmpv6 type { echo-request, echo-reply, destination-unreachable, packet-too-big, time-exceeded } accept
    jump handle_reject
  }
  chain output {
    type filter hook output priority filter; policy accept;
    oif lo accept
    ct state established,related accept
  }
  chain input_guest {
    udp dport { 53, 67, 547 } accept
    tcp dport { 53, 80, ${portalPort} } accept
    icmp type echo-request accept
    meta l4proto ipv6-icmp accept
    ct status dnat accept
    jump handle_reject
  }
  chain input_wan {
    icmp type echo-request accept
    meta l4proto ipv6-icmp accept
    udp dport 68 accept
    drop
  }
  chain syn_flood {
    limit rate 25/second burst 50 packets return
    drop
  }
  chain handle_reject {
    meta l4proto tcp reject with tcp reset
    reject with icmpx type port-unreachable
  }
  chain mangle_forward {
    type filter hook forward priority mangle; policy accept;
    iifname "wan" tcp flags & (fin | syn | rst) == syn tcp option maxseg size set rt mtu
    oifname "wan" tcp flags & (fin | syn | rst) == syn tcp option maxseg size set rt mtu
  }
  chain srcnat {
    type nat hook postrouting priority srcnat; policy accept;
    meta nfproto ipv4 oifname "wan" masquerade
  }
  chain dstnat {
    type nat hook prerouting priority dstnat; policy accept;
  }
}
`;
}
