#!/usr/bin/env bash
# Make the initial memory disk of a system: initrd.sh SYSTEM OUTPUT. Made here and not by the system's own tools, which
# under emulation would take minutes for what takes seconds, and would leave a different file each time.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
system=$1 output=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

kernel=$(basename "$(echo "$system"/usr/lib/modules/*)")
modules=$system/usr/lib/modules/$kernel
mkdir -p "$work"/{bin,dev,proc,sys,run,root,usr/lib/modules/"$kernel"}
ln -s usr/lib "$work/lib"
install -m 755 "$system/usr/bin/busybox" "$work/bin/busybox"
ln -s busybox "$work/bin/sh"
install -m 755 "$here/initrd/init" "$work/init"

# A line of the list is a module, or a folder of them; what they depend on comes along. What the kernel has built in, or
# another architecture lacks, is left out.
named() {
    local line
    sed '/^#/d' "$here/initrd/modules.txt" | while read -r line; do
        if [ -d "$modules/kernel/$line" ]; then
            find "$modules/kernel/$line" -name '*.ko*'
        else
            find "$modules/kernel/$(dirname "$line")" -maxdepth 1 -name "$(basename "$line").ko*" 2>/dev/null || true
        fi
    done
}
with_dependencies() {
    local path
    while read -r path; do
        modprobe --dirname "$work/tree" --set-version "$kernel" --show-depends "$(basename "$path" | sed 's/\.ko.*//')" |
            sed -n 's/^insmod \([^ ]*\).*/\1/p'
    done | sort -u
}
mkdir -p "$work/tree/lib"
ln -s "$(realpath "$system/usr/lib/modules")" "$work/tree/lib/modules"
named | with_dependencies | while read -r path; do
    inside=${path#"$work/tree/lib/modules/$kernel/"}
    mkdir -p "$work/usr/lib/modules/$kernel/$(dirname "$inside")"
    cp "$modules/$inside" "$work/usr/lib/modules/$kernel/$inside"
done
rm -r "$work/tree"
# Its modprobe reads no packed modules.
find "$work/usr/lib/modules" -name '*.ko.xz' -exec xz --decompress {} +
cp "$modules"/modules.{order,builtin,builtin.modinfo} "$work/usr/lib/modules/$kernel/"
depmod --basedir "$work" "$kernel"

find "$work" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
(cd "$work" && find . -print0 | LC_ALL=C sort -z |
    cpio --quiet --null --create --format=newc --reproducible --owner=0:0) | gzip -9n >"$output"
