#!/usr/bin/env bash
# Compile every kernel for the board's processor into the system: kernels.sh SYSTEM. Then nothing compiles on the box, and
# a first trade waits for no compiler. The Pi 3 and the Pi 5 run the Pi 4's code as well.
. "$(dirname "$0")/common.sh"
system=$1
readonly WARM='from appliance.kernels.warm_up import warm_up; list(warm_up())'

cache=$system/opt/bot4-edge/kernels
warm() {
    local processor=()
    [ "$ARCH" = arm64 ] && processor=(NUMBA_CPU_NAME=cortex-a72)
    chroot "$system" /usr/bin/env -i PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0 NUMBA_CACHE_DIR=/opt/bot4-edge/kernels \
        "${processor[@]}" /opt/bot4-edge/bin/python -c "$WARM"
}

rm -rf "$cache"
mkdir -p "$cache"
warm
baked=$(find "$cache" -type f | sort | xargs sha256sum | sha256sum)
warm
# What a second run compiles again, every start on the box would.
[ "$baked" = "$(find "$cache" -type f | sort | xargs sha256sum | sha256sum)" ] || stop "a kernel is not found in its cache"
find "$cache" -exec touch --date="@$SOURCE_DATE_EPOCH" {} +
say "$(find "$cache" -name '*.nbc' | wc -l) compiled kernels"
