#!/bin/sh
# Starts the standalone agent with the C library (glibc) that lies beside it: the system's own may be musl. Works wherever the
# folder is, and through a symbolic link from /usr/bin. No variable reaches nft or ip that would make them load our libraries.
set -eu
home=$(dirname -- "$(readlink -f -- "$0")")

# One arena for malloc: glibc would keep one for each thread, 10 MiB in all.
export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX:-1}"
# What is free at the end goes back to the system, however large the pieces were that were freed before: 1 MiB.
export MALLOC_TRIM_THRESHOLD_="${MALLOC_TRIM_THRESHOLD_:-131072}"

# glibc and ICU know zones by name; /etc/TZ of musl has only the offsets. Times of day in prices need the owner's zone.
if [ -z "${TZ:-}" ] && zone=$(uci -q get system.@system[0].zonename 2>/dev/null); then
  TZ=$(echo "$zone" | tr ' ' _)
  export TZ
fi

for loader in "$home"/ld-linux-*.so.*; do
  exec "$loader" --library-path "$home" --argv0 shareagent "$home/agent" "$@"
done
