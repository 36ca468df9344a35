#!/usr/bin/env bash
# Make .venv: a Python in range, the locked wheels, the project itself. A stamp over everything that decides the result
# makes a second call do nothing. Needs bash and coreutils only; the rest it finds, installs, or asks for in a sentence.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly STAMP=.venv/setup-stamp
readonly PYTHON_IN_RANGE='import sys; assert (3, 11) <= sys.version_info[:2] <= (3, 13)'

readonly SPEAKER=setup
. tools/apt.sh

stop() { say "$*"; exit 1; }

lock_of_this_machine() {
    case "$(uname -s)-$(uname -m)" in
        Linux-x86_64 | Linux-aarch64) echo "requirements/dev-$(uname -m).txt" ;;
        *) stop "this is $(uname -s) on $(uname -m); use Linux on x86-64 or on 64-bit ARM" ;;
    esac
}

is_raspberry_pi() { grep -qs 'Raspberry Pi' /proc/device-tree/model; }

stamp_now() {
    { cat "$0" "$LOCK" requirements/pi.txt pyproject.toml; pwd; } | sha256sum
}

python_in_range() {
    local name
    for name in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if "$name" -c "$PYTHON_IN_RANGE" 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    return 1
}

# An environment that works is kept: the lock is installed over it. `make clean setup` starts from nothing.
make_environment() {
    local python
    [ -z "${PYTHON:-}" ] && .venv/bin/python -c "$PYTHON_IN_RANGE; import pip" 2>/dev/null && return
    python=$(python_in_range) || { [ -z "${PYTHON:-}" ] && apt_install python3 python3-venv && python=$(python_in_range); } ||
        stop "no Python 3.11, 3.12 or 3.13 found; install one, or name it: make setup PYTHON=/path/to/python3"
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        apt_install python3-venv || true
        "$python" -c 'import ensurepip, venv' 2>/dev/null ||
            stop "$python cannot make environments; install python3-venv as root: apt-get install python3-venv"
    fi
    say "$("$python" --version) at $python"
    rm -rf .venv
    "$python" -m venv .venv
}

# The lock names everything, so nothing is resolved again: some versions of pip, asked for "coverage[toml]" by a package,
# reach for a release newer than the locked one and then refuse it for want of a hash. `pip check` shows the lock whole.
install() { .venv/bin/python -m pip install -qq --disable-pip-version-check --no-input --no-deps "$@"; }

LOCK=$(lock_of_this_machine)
[ "$(cat "$STAMP" 2>/dev/null)" = "$(stamp_now)" ] && exit 0

make_environment
say "installing $(grep -c '==' "$LOCK") locked wheels (a minute or two)"
install --require-hashes --only-binary :all: -r "$LOCK"
is_raspberry_pi && install --require-hashes --only-binary :all: -r requirements/pi.txt
say "installing the project"
install --no-build-isolation --editable .
.venv/bin/python -m pip check --quiet || stop "the locked packages do not fit together; see the lines above"
stamp_now >"$STAMP"
say "ready: .venv/bin/appliance"
