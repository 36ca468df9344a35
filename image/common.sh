# Sourced by the scripts beside it: where things are, what they are called, and how progress is told.
# shellcheck shell=bash
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$HERE")
CACHE=${BOT4_IMAGE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/bot4-edge/image}
ARCH=${ARCH:-arm64}
# One date for every file that is made here: that of the newest change.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$ROOT" log -1 --format=%ct)}
export SOURCE_DATE_EPOCH LC_ALL=C.UTF-8 TZ=UTC
umask 022
STARTED_S=${STARTED_S:-$(date +%s)}
export STARTED_S

say() { printf 'image: %4d s  %s\n' "$(($(date +%s) - STARTED_S))" "$*" >&2; }
stop() { say "$*"; exit 1; }

# Where this machine itself gets Debian from, unless another place is named.
debian_mirror() {
    local mirror=${DEBIAN_MIRROR:-}
    [ -n "$mirror" ] || mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Label: Debian' 2>/dev/null | head -n 1)
    [ -n "$mirror" ] || stop "no Debian mirror is known here: run apt-get update, or name one: DEBIAN_MIRROR=http://.../debian"
    echo "$mirror"
}

# The packages of image/packages.txt that this architecture gets, joined by commas.
packages() {
    local board='(arm64)'
    sed '/^#/d' "$HERE/packages.txt" | while read -r name why; do
        case "$why" in *"$board"*) [ "$ARCH" = arm64 ] || continue ;; esac
        echo "$name"
    done | paste -sd ,
}
