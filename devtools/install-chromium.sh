#!/usr/bin/env bash
# Installs Debian's Chromium for the tests of pages (./test -m browser) and for the pictures (python -m devtools.pictures).
# Does nothing if it is there; needs root and apt.
set -euo pipefail

fail() { echo "chromium is not installed: $1" >&2; exit 1; }

command -v chromium >/dev/null && exit 0
command -v apt-get >/dev/null || fail "there is no apt-get here; install Chromium so that \`chromium\` is on the PATH"
[ "$(id -u)" = 0 ] || fail "run this as root, or: sudo apt-get install --no-install-recommends chromium"
apt-get update --quiet --quiet || fail "the list of packages could not be fetched"
DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends chromium fonts-dejavu-core ||
    fail "apt-get could not install it"
