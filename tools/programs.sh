#!/usr/bin/env bash
# Install the programs that tests start and that are missing. A test whose program is still missing skips and says so.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly SPEAKER=programs
. tools/apt.sh

missing_debian_packages() {
    local name
    grep -v '^#' tools/debian-packages.txt | while read -r name; do
        dpkg-query -W -f '${Status}\n' "$name" 2>/dev/null | grep -q 'ok installed' || echo "$name"
    done
}

command -v dpkg-query >/dev/null || { say "not Debian: tests that start programs need them on PATH"; exit 0; }
mapfile -t missing < <(missing_debian_packages)
[ "${#missing[@]}" = 0 ] || apt_install "${missing[@]}" ||
    say "could not install ${missing[*]}; tests that need them skip: apt-get install ${missing[*]}"
