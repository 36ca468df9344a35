#!/usr/bin/env bash
# Compile every kernel for the board's processor into the system: kernels.sh BASE SYSTEM. Then nothing compiles on the
# box, and a first trade waits for no compiler. The Pi 3 and the Pi 5 run the Pi 4's code as well. Kernels that have not
# changed since an earlier build are taken from there.
. "$(dirname "$0")/common.sh"
. "$HERE/wheels.sh"
base=$1 system=$2
# Every other one from a starting place: two processes share the work, and no kernel is in both halves.
readonly WARM='import sys
from appliance.kernels.warm_up import ALL_KERNELS, warm_up
list(warm_up(ALL_KERNELS[int(sys.argv[1])::2]))'
# What a Pi 4 says of its own processor; an emulated one says nothing.
readonly BOARD_CPUINFO='processor	: 0
BogoMIPS	: 108.00
Features	: fp asimd evtstrm crc32 cpuid
CPU implementer	: 0x41
CPU architecture: 8
CPU variant	: 0x0
CPU part	: 0xd08
CPU revision	: 3'

# Numba knows a source again by its date and length. The date is the same in every build, because what tells builds apart
# here is the content.
find "$system/$SITE/appliance" -name '*.py' -exec touch --date=@1700000000 {} +
# The words that the trader's unit gives it, so that what is compiled here is what it looks for.
processor=()
settings=$system/usr/lib/systemd/system/bot4-trader.service.d/kernels.conf
[ ! -e "$settings" ] || read -r -a processor < <(sed -n 's/^Environment=//p' "$settings")
key=$({ basename "$base"; cat "$0"; echo "${processor[@]}"; find "$system/$SITE/appliance/kernels" -name '*.py' | LC_ALL=C sort |
    xargs cat; } | sha256sum | cut -c 1-16)
kept=$CACHE/kernels-$ARCH-$key
cache=$system/opt/bot4-edge/kernels

half() {
    chroot "$system" /usr/bin/env -i PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0 NUMBA_CACHE_DIR=/opt/bot4-edge/kernels \
        "${processor[@]}" /opt/bot4-edge/bin/python -c "$WARM" "$1"
}
warm() {
    half 0 &
    local other=$!
    half 1
    wait "$other"
}
content() { find "$cache" -type f | LC_ALL=C sort | xargs sha256sum; }

rm -rf "$cache"
if [ -e "$kept" ]; then
    cp -a "$kept" "$cache"
else
    say "compiling kernels for the board (seconds natively; some minutes under emulation)"
    mkdir -p "$cache"
    warm
fi
# What is compiled again by a run that sees the board's own processor, every start on the box would compile.
baked=$(content)
if [ "$ARCH" = arm64 ]; then echo "$BOARD_CPUINFO" >"$system/proc/cpuinfo"; fi
warm
rm -f "$system/proc/cpuinfo"
[ "$baked" = "$(content)" ] || stop "a kernel is not found in its cache"
find "$cache" -exec touch --date="@$SOURCE_DATE_EPOCH" {} +
[ -e "$kept" ] || { rm -rf "$CACHE/kernels-$ARCH"-* && cp -a "$cache" "$kept"; }
say "$(find "$cache" -name '*.nbc' | wc -l) compiled kernels"
