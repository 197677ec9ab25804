#!/usr/bin/env bash
# Installs Debian's kcat for the commands of docs/kafka-cookbook.md that use it (./test -m java).
# Does nothing if it is there; needs root and apt.
set -euo pipefail

fail() { echo "kcat is not installed: $1" >&2; exit 1; }

command -v kcat >/dev/null && exit 0
command -v apt-get >/dev/null || fail "there is no apt-get here; install it so that \`kcat\` is on the PATH"
[ "$(id -u)" = 0 ] || fail "run this as root, or: sudo apt-get install --no-install-recommends kcat"
apt-get update --quiet --quiet || fail "the list of packages could not be fetched"
DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends kcat ||
    fail "apt-get could not install it"
