#!/usr/bin/env bash
# Makes ready what the tests of containers need (./test -m docker): Debian's dockerd and mmdebstrap, and Docker Compose from
# Debian 13, into .cache/docker-compose. Does nothing that is done; needs root and apt. It starts no engine: the tests start one
# of their own, with their own data.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source devtools/apt.sh

what=docker
folder=.cache/docker-compose

if ! command -v dockerd >/dev/null || ! command -v mmdebstrap >/dev/null; then
    # At run level 1 the package starts no service.
    RUNLEVEL=1 apt_install "install dockerd and mmdebstrap so that they are on the PATH" docker.io mmdebstrap
fi

# Debian 12 has version 1 of Compose, which cannot read the files of today; the package of Debian 13 needs no library that
# Debian 12 lacks. It is fetched from the same mirror, by lists of its own: apt must install nothing else from there.
fetch_compose() {
    local apt mirror
    apt=$(mktemp -d)
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf '$apt'" EXIT
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | sed -n 1p)
    [ -n "$mirror" ] || return
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$apt/sources.list"
    local options=(--quiet --quiet -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=-
        -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update || return
    (cd "$apt" && apt-get "${options[@]}" download docker-compose) || return
    dpkg-deb --extract "$apt"/docker-compose_*.deb "$apt/package" || return
    mkdir -p "$folder"
    mv "$apt/package/usr/libexec/docker/cli-plugins/docker-compose" "$folder"
}

[ -x "$folder/docker-compose" ] || fetch_compose ||
    fail "Docker Compose could not be fetched; put a program of version 2.24 or newer at $folder/docker-compose"
