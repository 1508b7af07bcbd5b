#!/bin/sh
# Called by udhcpc for each DHCP event: sets address, route and MTU, and writes what was offered to $LAB_DHCP_FILE.
case "$1" in
  deconfig)
    ip -4 addr flush dev "$interface"
    ;;
  bound | renew)
    ip -4 addr replace "$ip/$mask" dev "$interface"
    [ -n "$router" ] && ip -4 route replace default via "${router%% *}"
    printf 'ip=%s\nmask=%s\nrouter=%s\ndns=%s\nlease=%s\nopt114=%s\n' \
      "$ip" "$mask" "$router" "$dns" "$lease" "$opt114" > "$LAB_DHCP_FILE.new"
    mv "$LAB_DHCP_FILE.new" "$LAB_DHCP_FILE"
    ;;
esac
