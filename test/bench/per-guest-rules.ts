/**
 * The rules that openNDS installs: six for each guest, in linear chains that every packet walks. The form is that of 100
 * guests really authenticated by openNDS 11 (table names and order kept); here only addresses and count are generated.
 */
export type PerGuest = { readonly mac: string; readonly address: string };

/** nft text for `device`; portal address and port as on the bench router. */
export function perGuestRules(device: string, gateway: string, guests: readonly PerGuest[]): string {
  const newestFirst = [...guests].reverse();
  const each = (lines: (guest: PerGuest) => string, list = guests) => list.map(lines).join('');
  return `
table inet nds_filter {
  set walledgarden { type ipv4_addr; size 128; }
  set blocklist { type ipv4_addr; size 128; }
  chain ndsFWD { type filter hook forward priority -100; policy accept; iifname "${device}" counter jump ndsNET; }
  chain nds_ft_OUT { counter return; counter return; counter return; }
  chain nds_allow_FWD { type filter hook forward priority 100; policy accept; iifname "${device}" counter accept; }
  chain ndsULR {
${each(({ address }) => `    ip saddr ${address} counter return\n    ip saddr ${address} counter drop\n`)}
  }
  chain ndsAUT { counter jump ndsULR; counter jump nds_ft_OUT; counter accept; counter accept; }
  chain ndsNET {
    counter ip daddr @blocklist reject with icmp port-unreachable
    counter ip daddr @walledgarden accept
    ct state invalid counter drop
    ip daddr ${gateway} tcp dport 2050 counter accept
    meta mark & 0x00030000 == 0x00020000 counter accept
    meta mark & 0x00030000 == 0x00030000 counter goto ndsAUT
    counter reject
  }
}
table inet nds_mangle {
  chain ndsTRU { }
  chain ndsDLR {
${each(({ address }) => `    ip daddr ${address} counter return\n    ip daddr ${address} counter drop\n`)}
  }
  chain nds_ft_INC { counter return; counter return; counter return; }
  chain ndsINC {
${each(({ address }) => `    ip daddr ${address} counter meta mark set meta mark | 0x00030000\n`, newestFirst)}
    oifname "${device}" counter jump ndsDLR
    oifname "${device}" counter jump nds_ft_INC
  }
  chain ndsOUT {
${each(({ address, mac }) => `    ip saddr ${address} ether saddr ${mac} counter meta mark set meta mark | 0x00030000\n`, newestFirst)}
  }
  chain ndsPRE {
    type filter hook prerouting priority dstnat; policy accept;
    iifname "${device}" counter jump ndsTRU
    iifname "${device}" counter jump ndsOUT
  }
  chain ndsPOST { type filter hook forward priority -100; policy accept; oifname "${device}" counter jump ndsINC; }
}
table inet nds_nat {
  chain ndsOUT {
    ip daddr ${gateway} tcp dport 80 counter redirect to :2050
    meta mark & 0x00030000 == 0x00020000 counter return
    meta mark & 0x00030000 == 0x00030000 counter return
    ip daddr ${gateway} tcp dport 2050 counter accept
    tcp dport 80 counter dnat ip to ${gateway}:2050
    counter accept
  }
  chain ndsPRE { type nat hook prerouting priority dstnat; policy accept; iifname "${device}" counter jump ndsOUT; }
}
`;
}
