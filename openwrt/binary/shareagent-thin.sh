#!/bin/sh
# Starts the thin agent: the script and SQLite's addon beside it, under the router's own Node (24 or newer).
set -eu
home=$(dirname -- "$(readlink -f -- "$0")")
node=${SHAREAGENT_NODE:-node}

if ! version=$("$node" --version 2>/dev/null); then
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
exec "$node" @FLAGS@ "$home/shareagent.cjs" "$@"
