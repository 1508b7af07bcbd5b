/**
 * The least that nftables can do and still sell: a quota and a counter for each address, both directions, and a MAC bound to its
 * bridge port. No address bound to its MAC, no ARP, no look at flows or destinations, nobody told, IPv4 only. What this costs, any
 * ruleset that meters so costs too: the gap between it and ours is what could still be saved.
 */
export type BareGuest = { readonly mac: string; readonly address: string };

/** nft text; the guest whose MAC is `bound.mac` is tied to `bound.port`, which must exist. */
export function bareRules(
  device: string,
  bound: { readonly mac: string; readonly port: string },
  guests: readonly BareGuest[],
): string {
  const addresses = guests.map(({ address }) => address).join(', ');
  const quotas = guests.map((_, i) => `  quota q${i} { 900000 mbytes }\n`).join('');
  const quotaOf = guests.map(({ address }, i) => `${address} : "q${i}"`).join(', ');
  const map = (name: string) => `  map ${name} { type ipv4_addr : quota; size 8192; elements = { ${quotaOf} } }\n`;
  const set = (name: string) => `  set ${name} { type ipv4_addr; size 8192; counter; elements = { ${addresses} } }\n`;
  return `
table bridge bare {
  set port { type ether_addr . iface_index; size 8192; elements = { ${bound.mac} . "${bound.port}" } }
  chain guest_port {
    type filter hook prerouting priority -310; policy accept;
    ether saddr . meta iif @port accept
  }
}
table inet bare {
${quotas}${map('up')}${map('down')}${set('count_up')}${set('count_down')}
  chain guest_forward {
    type filter hook forward priority -10; policy accept;
    iif "${device}" quota name ip saddr map @up ip saddr @count_up accept
    oif "${device}" quota name ip daddr map @down ip daddr @count_down accept
  }
}
`;
}
