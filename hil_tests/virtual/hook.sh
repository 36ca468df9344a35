# Sourced by the first program of the boot, in the bench only, just before it hands over to systemd. The image's system is
# mounted and stays as it is; what the bench needs lies in memory.
mkdir -p /run/bot4-bench /run/systemd/system/sysinit.target.wants
cp /bench/agent.py /run/bot4-bench/
cat >/run/systemd/system/bot4-bench.service <<'UNIT'
[Unit]
Description=Hands and eyes of the virtual bench
DefaultDependencies=no
After=systemd-udevd.service
[Service]
ExecStart=/opt/bot4-edge/bin/python /run/bot4-bench/agent.py
Environment=PYTHONDONTWRITEBYTECODE=1
CPUAffinity=0 1 2
Restart=always
UNIT
ln -s ../bot4-bench.service /run/systemd/system/sysinit.target.wants/bot4-bench.service

# Who has the time stands on the bench's side of the wire.
mkdir -p /run/bot4-setup/chrony
echo "server 10.0.2.2 port $(value_of bot4.time) iburst minpoll 2 maxpoll 4" >/run/bot4-setup/chrony/bench.conf

# What is measured in seconds on a board takes minutes here: the services get longer to start and to show life. Everything
# else of the units, and every limit of the appliance itself, stays as it is.
for unit in setup guardian venue trader reporter status last-resort clear; do
    mkdir -p "/run/systemd/system/bot4-$unit.service.d"
    printf '[Service]\nTimeoutStartSec=900\n' >"/run/systemd/system/bot4-$unit.service.d/bench.conf"
done
for unit in guardian trader reporter; do
    echo 'WatchdogSec=60' >>"/run/systemd/system/bot4-$unit.service.d/bench.conf"
done

# One chip with the board's own label, number and number of lines, so that the pin library finds what it finds on a board.
# The emulated machine's own chip makes way: on a board the first one is the chip with the pins.
for key in /sys/bus/platform/drivers/gpio-keys/gpio-keys*; do [ -e "$key" ] && basename "$key" >"${key%/*}/unbind"; done
for own in /sys/bus/amba/drivers/pl061_gpio/*.pl061; do [ -e "$own" ] && basename "$own" >"${own%/*}/unbind"; done
chroot /root /usr/sbin/modprobe configfs 2>/dev/null
if insmod /bench/gpio-sim.ko; then
    mount -t configfs config /sys/kernel/config 2>/dev/null
    chip=/sys/kernel/config/gpio-sim/bench
    mkdir -p "$chip/bank0"
    echo 58 >"$chip/bank0/num_lines"
    echo pinctrl-bcm2711 >"$chip/bank0/label"
    echo 1 >"$chip/live"
    # The contacts as the bench left them, which a power cut does not move: stop button, reset, case.
    for level in $(value_of bot4.contacts | tr , ' '); do
        for line in /sys/devices/platform/gpio-sim.*/gpiochip*/sim_gpio${level%%:*}; do echo "pull-${level#*:}" >"$line/pull"; done
    done
    # What the pin library asks to know which board this is: a Pi 4, revision 1.4.
    sed '$a Revision\t: c03114' /proc/cpuinfo >/run/bot4-bench/cpuinfo
    mount --bind /run/bot4-bench/cpuinfo /proc/cpuinfo
fi
