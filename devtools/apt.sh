# Sourced by the scripts that install packages of Debian; `what` is the program that a failure names.

fail() { echo "$what is not installed: $1" >&2; exit 1; }

# apt_install HINT PACKAGE…: installs the packages; HINT says what to do where there is no apt-get.
apt_install() {
    local hint=$1
    shift
    command -v apt-get >/dev/null || fail "there is no apt-get here; $hint"
    [ "$(id -u)" = 0 ] || fail "run this as root, or: sudo apt-get install --no-install-recommends $*"
    apt-get update --quiet --quiet || fail "the list of packages could not be fetched"
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends "$@" ||
        fail "apt-get could not install it"
}
