#!/usr/bin/env bash
# Make the system's folder out of the base, the appliance, the units and the files of image/files:
# assemble.sh BASE SYSTEM.
. "$(dirname "$0")/common.sh"
. "$HERE/wheels.sh"
base=$1 system=$2

rm -rf "$system"
say "installing the appliance"
cp -a "$base" "$system"
install_project "$system"
home=$system/opt/bot4-edge
mkdir -p "$home/bin"
ln -sfn /usr/bin/python3 "$home/bin/python"
printf 'home = /usr/bin\ninclude-system-site-packages = false\n' >"$home/pyvenv.cfg"
printf '#!/opt/bot4-edge/bin/python\nimport sys\nfrom appliance.__main__ import main\nsys.exit(main())\n' >"$home/bin/appliance"
chmod 755 "$home/bin/appliance"

say "writing units and settings"
cp -r "$HERE/files/." "$system/"
[ ! -d "$HERE/files-$ARCH" ] || cp -r "$HERE/files-$ARCH/." "$system/"
install -m 644 -D -t "$system/usr/lib/systemd/system" "$ROOT"/systemd/system/*
install -m 644 -D -t "$system/usr/lib/systemd/system.conf.d" "$ROOT"/systemd/system.conf.d/*
install -m 644 -D -t "$system/usr/lib/sysusers.d" "$ROOT"/systemd/sysusers.d/*
install -m 644 -D -t "$system/usr/lib/tmpfiles.d" "$ROOT"/systemd/tmpfiles.d/*
systemd-sysusers --root="$system" bot4-edge.conf 2>/dev/null

# The system is never written: what changes lives in memory or on the data partition, and is pointed to from here.
ln -sfn /run/bot4-setup/appliance "$system/etc/bot4-edge"
ln -sfn /run/systemd/resolve/stub-resolv.conf "$system/etc/resolv.conf"
# Debian has a folder there, in which a link would come to lie instead of in its place.
rmdir "$system/etc/credstore.encrypted"
ln -s /var/lib/bot4-setup/credentials "$system/etc/credstore.encrypted"
rm -f "$system/etc/machine-id" "$system/var/lib/dbus/machine-id" "$system"/etc/ssh/ssh_host_*
touch "$system/etc/machine-id"
echo bot4-edge >"$system/etc/hostname"
mkdir -p "$system/boot/firmware"

link() { systemctl --quiet --root="$system" "$@"; }
link enable bot4-edge.target bot4-guardian.service bot4-trader.service bot4-reporter.service bot4-venue.service bot4-setup.service \
    bot4-last-resort.socket bot4-last-resort.service bot4-status.service systemd-networkd.service systemd-resolved.service nftables.service chrony.service ssh.service
link disable wpa_supplicant.service e2scrub_reap.service e2scrub_all.timer dpkg-db-backup.timer fstrim.timer \
    getty@tty1.service
link mask sshd-keygen.service systemd-networkd-wait-online.service ssh.socket
link set-default multi-user.target

# Of the firmware of every Broadcom radio only that of the boards' own two families is kept.
if [ -d "$system/usr/lib/firmware/brcm" ]; then
    find "$system/usr/lib/firmware/brcm" ! -type d ! -name 'brcmfmac434*' -delete
    find "$system/usr/lib/firmware" -xtype l -delete
fi
settle_dates "$system"
compile_bytecode "$system" "/$SITE/appliance"
settle_dates "$system"
