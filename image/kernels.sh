#!/usr/bin/env bash
# Compile every kernel for the board's processor into the system: kernels.sh BASE SYSTEM. Then nothing compiles on the
# box, and a first trade waits for no compiler. The Pi 3 and the Pi 5 run the Pi 4's code as well. Kernels that have not
# changed since an earlier build are taken from there.
. "$(dirname "$0")/common.sh"
. "$HERE/wheels.sh"
base=$1 system=$2
readonly WARM='from appliance.kernels.warm_up import ALL_KERNELS, warm_up; list(warm_up(ALL_KERNELS))'

# Numba knows a source again by its date and length. The date is the same in every build, because what tells builds apart
# here is the content.
find "$system/$SITE/appliance" -name '*.py' -exec touch --date=@1700000000 {} +
key=$({ basename "$base"; cat "$0"; find "$system/$SITE/appliance/kernels" -name '*.py' | LC_ALL=C sort | xargs cat; } |
    sha256sum | cut -c 1-16)
kept=$CACHE/kernels-$ARCH-$key
cache=$system/opt/bot4-edge/kernels

warm() {
    local processor=()
    [ "$ARCH" != arm64 ] || processor=(NUMBA_CPU_NAME=cortex-a72)
    chroot "$system" /usr/bin/env -i PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0 NUMBA_CACHE_DIR=/opt/bot4-edge/kernels \
        "${processor[@]}" /opt/bot4-edge/bin/python -c "$WARM"
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
baked=$(content)
warm
# What a further run compiles again, every start on the box would.
[ "$baked" = "$(content)" ] || stop "a kernel is not found in its cache"
find "$cache" -exec touch --date="@$SOURCE_DATE_EPOCH" {} +
[ -e "$kept" ] || { rm -rf "$CACHE/kernels-$ARCH"-* && cp -a "$cache" "$kept"; }
say "$(find "$cache" -name '*.nbc' | wc -l) compiled kernels"
