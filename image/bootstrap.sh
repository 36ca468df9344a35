#!/usr/bin/env bash
# Install Debian into an archive, once for each list of packages: everything after this stands on the same archive, which
# is what makes a second build quick. Prints the archive's path.
. "$(dirname "$0")/common.sh"

readonly SUITE=trixie
MIRROR=$(debian_mirror)
readonly MIRROR
key=$({ packages; echo "$ARCH $SUITE"; cat "$0"; } | sha256sum | cut -c 1-16)
archive=$CACHE/debian-$ARCH-$key.tar
if [ ! -e "$archive" ]; then
    mkdir -p "$CACHE"
    say "installing Debian $SUITE for $ARCH (a minute natively; about fifteen under emulation)"
    # INITRD=No: the initial memory disk is made by initrd.sh, without emulation.
    INITRD=No mmdebstrap --quiet --format=tar --variant=essential --arch="$ARCH" --components=main,non-free-firmware \
        --include="$(packages)" --aptopt='APT::Install-Recommends "false"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
        "$SUITE" "$archive.part" "$MIRROR" >&2
    mv "$archive.part" "$archive"
fi
echo "$archive"
