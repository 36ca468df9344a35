#!/usr/bin/env bash
# Make the card's image out of a system: card.sh SYSTEM OUTPUT_IMG. Plain files all the way: no loop device, no mount.
. "$(dirname "$0")/common.sh"
system=$1 image=$2
work=$(mktemp -d "$(dirname "$image")/card.XXXXXX")
trap 'rm -rf "$work"' EXIT

say "packing the system"
# /var lives on the data partition and /boot on the card's first one; the system has only the places for them.
mksquashfs "$system" "$work/system" -noappend -quiet -no-progress -processors "${IMAGE_JOBS:-2}" -comp zstd \
    -Xcompression-level 12 -b 256K -no-xattrs -p '/boot/firmware d 755 0 0' \
    -wildcards -e 'var/*' 'boot/*' 'proc/*' 'sys/*' 'dev/*' 'run/*' 'tmp/*' >&2

say "filling the first partition"
fat=$work/boot-files
mkdir -p "$fat/a"
"$HERE/initrd.sh" "$system" "$fat/a/initrd.img"
cp "$system"/boot/vmlinuz-* "$fat/a/vmlinuz"
cp "$ROOT/firmware_config/cmdline.txt" "$fat/a/"
cp "$ROOT"/firmware_config/{config.txt,appliance.toml,setup.toml} "$fat/"
if [ "$ARCH" = arm64 ]; then
    cp "$system"/usr/lib/raspi-firmware/{bootcode.bin,{fixup,fixup4,fixup_cd,fixup4cd}.dat,{start,start4,start_cd,start4cd}.elf} "$fat/"
    cp "$system"/usr/lib/linux-image-*/broadcom/bcm2{7,8}*.dtb "$fat/a/"
fi
find "$fat" -exec touch --date="@$SOURCE_DATE_EPOCH" {} +

sector_of() { sed -n "s/^start=\([0-9]*\),.*name=\"$1\"/\1/p" "$HERE/layout.sfdisk"; }
sectors_of() { sed -n "s/.*size=\([0-9]*\),.*name=\"$1\"/\1/p" "$HERE/layout.sfdisk"; }
mkfs.vfat -C -F 32 -n BOT4 -i 0B074ED6 --invariant "$work/boot" "$(($(sectors_of boot) / 2))" >/dev/null
(cd "$fat" && find . -mindepth 1 | LC_ALL=C sort | while read -r path; do
    if [ -d "$path" ]; then mmd -i "$work/boot" "::$path"; else mcopy -m -i "$work/boot" "$path" "::$path"; fi
done)
[ "$(stat -c %s "$work/system")" -le "$(($(sectors_of system_a) * 512))" ] || stop "the system does not fit its slot"

say "putting the card together"
truncate --size "$((($(sector_of system_a) + $(sectors_of system_a) + 8192) * 512))" "$work/card"
sfdisk --quiet "$work/card" <"$HERE/layout.sfdisk"
put() { dd if="$work/$1" of="$work/card" bs=512 seek="$(sector_of "$2")" conv=notrunc,sparse status=none; }
put boot boot
put system system_a
"$ROOT/.venv/bin/python" "$HERE/hybrid_table.py" "$work/card"
mv "$work/card" "$image"
say "the system takes $(($(stat -c %s "$work/system") / 1000000)) MB packed"
