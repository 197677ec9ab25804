#!/usr/bin/env bash
# Makes ready what the tests of containers need (./test -m docker): Debian's dockerd and mmdebstrap, and Docker Compose built with
# Go. Does nothing that is done; needs root and apt. It starts no engine: the tests start one of their own, with their own data.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source devtools/apt.sh

what=docker
version=v2.40.3
compose=.cache/docker-compose-$version/docker-compose

if ! command -v dockerd >/dev/null || ! command -v mmdebstrap >/dev/null; then
    # At run level 1 the package starts no service.
    RUNLEVEL=1 apt_install "install dockerd and mmdebstrap so that they are on the PATH" docker.io mmdebstrap
fi

if [ ! -x "$compose" ]; then
    command -v go >/dev/null || fail "Docker Compose is built with Go, and Go is not installed"
    mkdir -p "$(dirname "$compose")"
    target=$(realpath "$compose")
    module=$(mktemp -d)
    trap 'rm -rf "$module"' EXIT
    (
        cd "$module"
        go mod init compose >/dev/null 2>&1
        go get -tool "github.com/docker/compose/v2/cmd@$version"
        go build -o "$target" github.com/docker/compose/v2/cmd
    ) || fail "Docker Compose $version could not be built"
fi
