#!/usr/bin/env bash
# Unpack the little of an arm64 Debian that Python needs, with the locked wheels, and print its folder. Nothing of it is
# installed or run here: apt checks every package against its signed lists, pip every wheel against its hash. Made once for
# each set of locks. As any user; needs apt, dpkg-deb and the network.
. "$(dirname "$0")/../image/common.sh"
. "$HERE/wheels.sh"

readonly SUITE=trixie PACKAGES="python3.13 libstdc++6"
say() { printf 'board: %4d s  %s\n' "$(($(date +%s) - STARTED_S))" "$*" >&2; }

key=$({ cat "${LOCKS[@]}" "$0" "$HERE/wheels.sh"; } | sha256sum | cut -c 1-16)
system=$CACHE/board-$key
[ ! -e "$system" ] || { echo "$system"; exit 0; }
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || stop "this is no Debian: there is no apt to get arm64 packages with"
mirror=$(debian_mirror)

mkdir -p "$CACHE"
work=$(mktemp -d "$CACHE/board-new.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists/partial,archives/partial,system}
: >"$work/status"
echo "deb [arch=arm64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $SUITE main" >"$work/sources.list"
apt() {
    apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=root -o Acquire::Languages=none \
        -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::State::status="$work/status" \
        -o Dir::State::lists="$work/lists" -o Dir::Cache::archives="$work/archives" -o Dir::Cache::pkgcache= \
        -o Dir::Cache::srcpkgcache= -o Acquire::Retries=1 -o Acquire::http::Timeout=20 "$@" >&2
}
say "reading the lists of Debian $SUITE for arm64"
apt -o APT::Update::Error-Mode=any update || stop "the lists of Debian $SUITE cannot be had from $mirror"
say "fetching Python and the C library"
# shellcheck disable=SC2086
apt install --yes --download-only --no-install-recommends $PACKAGES || stop "the packages of Debian $SUITE cannot be had"
# A merged /usr, as every Debian of today: what a package still puts into /lib comes to lie in /usr/lib.
mkdir -p "$work/system/usr/lib"
ln -s usr/lib "$work/system/lib"
for package in "$work"/archives/*.deb; do dpkg-deb --fsys-tarfile "$package" | tar --extract --keep-directory-symlink --no-same-owner --directory "$work/system"; done
say "fetching the locked wheels"
install_locked "$work/system" || stop "the locked wheels for arm64 cannot be had"
rm -rf "$CACHE"/board-????????????????
mv "$work/system" "$system"
say "done: $(du -sh "$system" | cut -f 1)"
echo "$system"
