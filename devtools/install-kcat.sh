#!/usr/bin/env bash
# Installs Debian's kcat for the commands of docs/kafka-cookbook.md that use it (./test -m java).
# Does nothing if it is there; needs root and apt.
set -euo pipefail
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/apt.sh"

what=kcat
command -v kcat >/dev/null || apt_install "install it so that \`kcat\` is on the PATH" kcat
