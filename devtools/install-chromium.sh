#!/usr/bin/env bash
# Installs Debian's Chromium for the tests of pages (./test -m browser) and for the pictures (python -m devtools.pictures).
# Does nothing if it is there; needs root and apt.
set -euo pipefail
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/apt.sh"

what=chromium
command -v chromium >/dev/null ||
    apt_install "install Chromium so that \`chromium\` is on the PATH" chromium fonts-dejavu-core
