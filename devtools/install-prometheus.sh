#!/usr/bin/env bash
# Fetches Prometheus, Alertmanager and their tools for the tests of alerts and dashboards (./test -m prometheus), from
# Debian's packages, into .cache/prometheus. The packages are not installed, so that no service starts. Debian's
# Alertmanager reads its templates from /usr/share alone: they are put there, which needs root.
# Does nothing if all is there.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

folder=.cache/prometheus
programs="$folder/usr/bin"
templates=/usr/share/prometheus/alertmanager

fail() { echo "Prometheus is not there: $1" >&2; exit 1; }

download() { apt-get download --quiet --quiet prometheus prometheus-alertmanager; }

fetch() {
    command -v apt-get >/dev/null ||
        fail "there is no apt-get here; put prometheus, promtool, alertmanager and amtool on the PATH"
    mkdir -p "$folder"
    cd "$folder"
    if ! download 2>/dev/null; then
        if [ "$(id -u)" = 0 ]; then apt-get update --quiet --quiet || true; fi
        download || fail "apt-get could not download it; as root, apt-get update fetches the list of packages"
    fi
    for package in *.deb; do dpkg-deb --extract "$package" .; done
    rm -f ./*.deb
    cd - >/dev/null
}

command -v prometheus >/dev/null && command -v promtool >/dev/null && command -v amtool >/dev/null && exit 0
[ -x "$programs/prometheus" ] && [ -x "$programs/prometheus-alertmanager" ] || fetch
[ -e "$templates/default.tmpl" ] && exit 0
[ "$(id -u)" = 0 ] || fail "run this as root: the templates of Alertmanager must be put into $templates"
mkdir -p "$templates"
cp "$folder$templates"/*.tmpl "$templates/"
