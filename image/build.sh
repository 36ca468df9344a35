#!/usr/bin/env bash
# `make image`: everything from nothing to a file that can be written to a card. What was made before is used again, so
# that a second call starts where the first one ended. ARCH=amd64 ends with the system's folder, for
# containers on the machine that tests it.
. "$(dirname "$0")/common.sh"
readonly SPEAKER=image
# shellcheck source=../tools/apt.sh
. "$ROOT/tools/apt.sh"
say() { printf 'image: %4d s  %s\n' "$(($(date +%s) - STARTED_S))" "$*" >&2; }
readonly OUT=$ROOT/build/image
VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' "$ROOT/pyproject.toml")
name=bot4-edge-$VERSION-$ARCH

[ "$(id -u)" = 0 ] || stop "Debian is unpacked with the owners its files have: run as root, for example sudo make image"

programs() {
    local missing
    mapfile -t missing < <(grep -v '^#' "$HERE/debian-packages.txt" |
        while read -r one; do dpkg-query -W -f '${Status}\n' "$one" 2>/dev/null | grep -q 'ok installed' || echo "$one"; done)
    [ "${#missing[@]}" = 0 ] || apt_install "${missing[@]}" || stop "could not install: ${missing[*]}"
}

# Programs of the board's kind run under emulation; the kernel has to be told once how.
emulation() {
    [ "$ARCH" = "$(dpkg --print-architecture)" ] && return
    mountpoint -q /proc/sys/fs/binfmt_misc || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
    arch-test "$ARCH" >/dev/null 2>&1 || update-binfmts --enable qemu-aarch64 2>/dev/null ||
        dpkg-reconfigure qemu-user-static >/dev/null 2>&1 || true
    arch-test "$ARCH" >/dev/null 2>&1 || stop "programs for $ARCH do not run here; reinstall qemu-user-static"
}

programs
emulation
mkdir -p "$OUT"
archive=$("$HERE/bootstrap.sh")
base=$("$HERE/base.sh" "$archive")
system=$CACHE/system-$ARCH
"$HERE/assemble.sh" "$base" "$system"
"$HERE/kernels.sh" "$base" "$system"
"$ROOT/.venv/bin/python" "$HERE/sbom.py" "$system" "$VERSION" "$SOURCE_DATE_EPOCH" >"$OUT/$name.cdx.json"
[ "$ARCH" = arm64 ] || { say "made $system, without a kernel: for containers on this machine"; exit 0; }
"$HERE/card.sh" "$system" "$OUT/$name.img"
say "compressing"
xz --keep --force --threads="${IMAGE_JOBS:-2}" --block-size=67108864 -1 "$OUT/$name.img"
"$ROOT/.venv/bin/python" "$HERE/manifest.py" "$OUT/$name.img" "$OUT/$name.img.xz" "$SOURCE_DATE_EPOCH" >"$OUT/$name.imager.json"
(cd "$OUT" && sha256sum "$name.img.xz" "$name.img" "$name.cdx.json" >"$name.sha256")
say "made build/image/$name.img.xz, $(($(stat -c %s "$OUT/$name.img.xz") / 1000000)) MB"
