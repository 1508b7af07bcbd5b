#!/bin/sh
# Starts the thin agent: the script and SQLite's addon beside it, under the router's own Node (24 or newer).
set -eu
home=$(dirname -- "$(readlink -f -- "$0")")
node=${SHAREAGENT_NODE:-node}
# They save memory only. A Node that does not know one of them says "bad option" and does not start: then it goes without.
flags='@FLAGS@'

# shellcheck disable=SC2086
if ! version=$("$node" $flags --version 2>/dev/null) && flags= && ! version=$("$node" --version 2>/dev/null); then
  echo "shareagent: no Node on this router ($node does not start); install node from a feed that has version 24, or take the standalone package" >&2
  exit 69
fi
major=${version#v}
# SQLite's addon ends an older Node without a word.
if [ "${major%%.*}" -lt 24 ]; then
  echo "shareagent: Node $version is too old, 24 is needed; take the standalone package" >&2
  exit 69
fi

if [ -z "${TZ:-}" ] && zone=$(uci -q get system.@system[0].zonename 2>/dev/null); then
  TZ=$(echo "$zone" | tr ' ' _)
  export TZ
fi
# shellcheck disable=SC2086
exec "$node" $flags "$home/shareagent.cjs" "$@"
