# Sourced by base.sh and assemble.sh: put wheels into a system. Every locked wheel is checked against its hash, none is
# compiled, and the machine that builds need not be of the kind that will run them.
# shellcheck shell=bash

readonly PYTHON_TAG=3.13
# Debian 13 has glibc 2.41; wheels for any older one fit.
readonly GLIBC_MINOR_MAX=41
case "$ARCH" in
    arm64) MACHINE=aarch64 LOCKS=("$ROOT/requirements/runtime-aarch64.txt" "$HERE/board.txt") ;;
    amd64) MACHINE=x86_64 LOCKS=("$ROOT/requirements/runtime-x86_64.txt") ;;
    *) stop "no wheels are locked for $ARCH" ;;
esac
readonly SITE=opt/bot4-edge/lib/python$PYTHON_TAG/site-packages

pip() { "$ROOT/.venv/bin/python" -m pip --disable-pip-version-check --no-input -qq "$@"; }
pip_install() { pip install --ignore-requires-python --no-deps --no-index --no-compile --upgrade "$@"; }

install_locked() {
    local system=$1 lock minor
    local fits=(--implementation cp --python-version "$PYTHON_TAG" --only-binary :all: --platform "manylinux2014_$MACHINE")
    for minor in $(seq 5 "$GLIBC_MINOR_MAX"); do fits+=(--platform "manylinux_2_${minor}_$MACHINE"); done
    for lock in "${LOCKS[@]}"; do
        pip download --require-hashes --ignore-requires-python --no-deps "${fits[@]}" --dest "$CACHE/wheels-$ARCH" -r "$lock"
        pip_install --require-hashes --find-links "$CACHE/wheels-$ARCH" "${fits[@]}" --target "$system/$SITE" -r "$lock"
    done
    # Their own tests are a tenth of the size and never run here.
    find "$system/$SITE" -type d -name tests -prune -exec rm -rf {} +
    rm -rf "${system:?}/$SITE/bin"
}

# The project as a wheel made from what git knows, so that nothing that lies about comes along.
install_project() {
    local system=$1 work
    work=$(mktemp -d)
    mkdir "$work/source"
    (cd "$ROOT" && git ls-files -z appliance models pyproject.toml README.md | xargs -0 cp --parents --target-directory "$work/source")
    pip wheel --no-deps --no-build-isolation --wheel-dir "$work" "$work/source"
    pip_install --find-links "$work" --target "$system/$SITE" bot4-edge
    rm -rf "$work" "${system:?}/$SITE/bin"
}

# Bytecode by the system's own Python, under emulation if need be. Unchecked: what cannot be written cannot grow stale.
compile_bytecode() {
    local system=$1
    shift
    chroot "$system" /usr/bin/env -i PYTHONHASHSEED=0 /usr/bin/python3 -m compileall -q \
        --invalidation-mode unchecked-hash "$@" >/dev/null || say "some files are not valid Python 3.13 and stay as they are"
}

# One date for all that is newer than the newest change.
settle_dates() { find "$1" -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +; }
