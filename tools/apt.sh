# Sourced by the scripts beside it: say something as $SPEAKER, and install Debian packages.
# shellcheck shell=bash

say() { printf '%s: %s\n' "$SPEAKER" "$*" >&2; }

# Succeeds only when every named package was installed.
apt_install() {
    local root=()
    command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || return 1
        root=(sudo)
        [ -t 0 ] || root=(sudo -n)
    fi
    say "installing through apt: $*"
    "${root[@]}" apt-get -qq update >&2 &&
        "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >&2
}
