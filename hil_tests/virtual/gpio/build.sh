#!/usr/bin/env bash
# Build the simulated chip for the image's kernel: build.sh KERNEL_VERSION OUTPUT.ko, for example 6.12.117+deb13-arm64. The
# module is loaded in the bench only and is never part of an image. Debian's own compiler makes it, in a folder of its own.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
readonly KERNEL=$1 OUTPUT=$2
readonly RELEASE=${KERNEL%-arm64}
. "$here/../../../image/common.sh"
MIRROR=$(debian_mirror)
readonly MIRROR
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bot4-edge/bench
module=$cache/gpio-sim-$KERNEL-$(sha256sum "$0" | cut -c 1-8).ko
say() { echo "bench: $*" >&2; }

if [ ! -e "$module" ]; then
    [ "$(id -u)" = 0 ] || { say "building the simulated chip unpacks Debian: run as root"; exit 1; }
    work=$cache/build
    rm -rf "$work"
    mkdir -p "$work"
    say "building the simulated chip for $KERNEL (a few minutes, once)"
    # The kernel's source and its headers are of the board's kind and only unpacked; compiler and tools run here.
    mmdebstrap --quiet --variant=apt --aptopt='APT::Install-Recommends "false"' \
        --include="gcc-aarch64-linux-gnu,make,linux-kbuild-$RELEASE,xz-utils,libc6-dev-arm64-cross" \
        --customize-hook='chroot "$1" dpkg --add-architecture arm64 && chroot "$1" apt-get -qq update &&
            chroot "$1" sh -c "cd /tmp && apt-get -qq download linux-headers-'"$KERNEL"':arm64 \
                linux-headers-'"$RELEASE"'-common linux-source-6.12 && for one in *.deb; do dpkg-deb -x \$one /; done"' \
        trixie "$work/debian" "$MIRROR"
    mkdir -p "$work/debian/module"
    tar --directory "$work/debian/module" --strip-components=3 -xf "$work/debian/usr/src/linux-source-6.12.tar.xz" \
        linux-source-6.12/drivers/gpio/gpio-sim.c linux-source-6.12/kernel/irq/irq_sim.c
    # Not every function of the kernel's core is there for modules; this one is, and comes to the same.
    sed -i '/#include <linux\/irq.h>/a #include <linux/irqdesc.h>' "$work/debian/module/irq_sim.c"
    sed -i 's/irq_to_desc(irqnum)/irq_data_to_desc(irq_get_irq_data(irqnum))/' "$work/debian/module/irq_sim.c"
    # A program's own pull is weaker than what is wired to a pin; here it would move the bench's contacts instead.
    sed -i 's/return gpio_sim_apply_pull(chip, offset, [01]);/return chip ? 0 : -ENODEV;/' "$work/debian/module/gpio-sim.c"
    grep -q 'chip ? 0' "$work/debian/module/gpio-sim.c"
    cp "$here/Kbuild" "$work/debian/module/"
    chroot "$work/debian" make -s -C "/usr/src/linux-headers-$KERNEL" M=/module ARCH=arm64 \
        CROSS_COMPILE=aarch64-linux-gnu- modules >&2
    cp "$work/debian/module/gpio_sim_bench.ko" "$module.part"
    mv "$module.part" "$module"
    rm -rf "$work"
fi
cp "$module" "$OUTPUT"
