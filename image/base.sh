#!/usr/bin/env bash
# What changes seldom, made once for each set of locks: Debian, the locked wheels, all their bytecode. Prints its folder.
. "$(dirname "$0")/common.sh"
. "$HERE/wheels.sh"

archive=$1
key=$({ echo "$archive"; cat "${LOCKS[@]}" "$0" "$HERE/wheels.sh"; } | sha256sum | cut -c 1-16)
base=$CACHE/base-$ARCH-$key
if [ ! -e "$base" ]; then
    rm -rf "$CACHE/base-$ARCH"-*
    mkdir -p "$base.part"
    say "unpacking Debian"
    tar --directory "$base.part" --extract --file "$archive" --numeric-owner --exclude './dev/*' >&2
    say "installing the locked wheels"
    install_locked "$base.part" >&2
    find "$base.part/usr" -name __pycache__ -type d -prune -exec rm -rf {} +
    settle_dates "$base.part"
    say "compiling Python to bytecode (seconds natively; some minutes under emulation)"
    compile_bytecode "$base.part" /usr/lib/python3.13 /usr/lib/python3/dist-packages "/$SITE" >&2
    settle_dates "$base.part"
    mv "$base.part" "$base"
fi
echo "$base"
