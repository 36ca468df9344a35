"""A container with a systemd of its own that runs the appliance's units on this machine's programs.

Its system is this machine's /usr, read-only, and folders that are empty at the start: it costs no more than its boot.
What stays in memory is below /run, and everything else below one folder of the test.
"""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BOOT_S_MAX = 30.0
COMMAND_S_MAX = 60.0
WARM = "from appliance.kernels.warm_up import warm_up; list(warm_up())"
# As systemd/sysusers.d has it.
GUARDIAN = 901
TRADER = 902
# This machine may have fewer cores than the board, and a group of cgroups that a container has no part in.
FEWER_CORES = "[Service]\nCPUAffinity=\n"
SETTINGS = """
[pins]
factory = "simulated"
[safety]
clock_unsynced_allowed = true
lamp_test = false
[backups]
hourly_count = 0
daily_count = 0
weekly_count = 0
monthly_count = 0
[health]
memory_free_bytes_min = 1000000
disk_free_bytes_min = 1000000
"""


def lacking() -> str:
    """Return why no container can be started here, or nothing."""
    if os.geteuid() != 0:
        return "starting a container takes root"
    if shutil.which("systemd-nspawn") is None:
        return "systemd-nspawn is not installed: apt-get install systemd-container"
    if not any("cgroup2" in line.split() for line in Path("/proc/self/mounts").read_text().splitlines()):
        return "this kernel offers no second version of control groups"
    return ""


class Container:
    """Run one box."""

    def __init__(self, folder: Path) -> None:
        """Lay out the box's system."""
        self.root = folder / "root"
        self._process: subprocess.Popen[bytes] | None = None
        self._log = folder / "log"
        for name in ("etc", "var", "run", "tmp", "proc", "sys", "dev", "usr", "root", "home", "boot/firmware"):
            (self.root / name).mkdir(parents=True)
        for name in ("bin", "sbin", "lib", "lib64"):
            (self.root / name).symlink_to(f"usr/{name}")
        # As the image mounts it: root's, and the guardian's group may read it.
        os.chown(self.root / "boot/firmware", 0, GUARDIAN)
        (self.root / "boot/firmware").chmod(0o750)
        self._install_units()
        self._install_program()
        self.card("appliance.toml", SETTINGS)

    def _install_units(self) -> None:
        etc = self.root / "etc"
        shutil.copytree(ROOT / "systemd/system", etc / "systemd/system")
        for name in ("sysusers.d", "tmpfiles.d"):
            shutil.copytree(ROOT / "systemd" / name, etc / name)
        (etc / "systemd/system.conf.d").mkdir()
        # An interpreter that is not Debian's finds its own library only by where it was installed.
        (etc / "systemd/system.conf.d/python.conf").write_text(
            "[Manager]\nDefaultEnvironment=LD_LIBRARY_PATH=/opt/python/lib\n"
        )
        (etc / "machine-id").write_text("uninitialized\n")
        (etc / "hostname").write_text("bot4-edge\n")
        (etc / "os-release").write_text("ID=bot4-edge\n")
        (etc / "bot4-edge").symlink_to("/run/bot4-setup/appliance")
        (etc / "credstore.encrypted").symlink_to("/var/lib/bot4-setup/credentials")
        (etc / "systemd/system/default.target").symlink_to("bot4-edge.target")
        for name in ("guardian", "last-resort", "venue", "trader", "reporter"):
            self.drop_in(f"bot4-{name}", "fewer-cores", FEWER_CORES)
        for name in ("setup", "status"):
            # A folder stands for the card's first partition, and a folder is not mounted writable for a moment.
            self.drop_in(f"bot4-{name}", "card", "[Service]\nReadWritePaths=/boot/firmware\n")
        wanted = etc / "systemd/system/sysinit.target.wants"
        wanted.mkdir()
        (wanted / "bot4-setup.service").symlink_to("../bot4-setup.service")
        # What this machine's own systemd would start besides has no business in the box.
        for name in ("systemd-resolved", "systemd-networkd", "systemd-timesyncd", "getty@tty1", "console-getty"):
            (etc / f"systemd/system/{name}.service").symlink_to("/dev/null")

    def _install_program(self) -> None:
        home = self.root / "opt/bot4-edge"
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        site = home / "lib" / version / "site-packages"
        for folder in (site, home / "bin", self.root / "opt/wheels", self.root / "opt/python"):
            folder.mkdir(parents=True)
        # As on the image, kernels are compiled before the box boots. They lie beside their sources; Numba reads them
        # only where it could write as well.
        subprocess.run([sys.executable, "-c", WARM], cwd=ROOT, check=True, timeout=COMMAND_S_MAX * 3)
        project = self.root / "opt/project/appliance"
        shutil.copytree(ROOT / "appliance", project)
        for path in (project / "kernels").rglob("__pycache__"):
            os.chown(path, TRADER, TRADER)
        self.drop_in("bot4-venue", "kernels", "[Service]\nEnvironment=NUMBA_CACHE_DIR=/tmp/kernels\n")
        self.drop_in("bot4-trader", "kernels", "[Service]\nEnvironment=NUMBA_CACHE_DIR=\nReadWritePaths=/opt/project\n")
        (home / "pyvenv.cfg").write_text("home = /opt/python/bin\ninclude-system-site-packages = false\n")
        (home / "bin/python").symlink_to(f"/opt/python/bin/{version}")
        (site / "paths.pth").write_text("/opt/wheels\n/opt/project\n")
        program = home / "bin/appliance"
        program.write_text(
            "#!/opt/bot4-edge/bin/python\nimport sys\nfrom appliance.__main__ import main\nsys.exit(main())\n"
        )
        program.chmod(0o755)

    def drop_in(self, unit: str, name: str, text: str) -> None:
        """Add to a unit what only a test needs."""
        folder = self.root / f"etc/systemd/system/{unit}.service.d"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.conf").write_text(text)

    def card(self, name: str, text: str) -> None:
        """Put a file on the card, as the owner does."""
        (self.root / "boot/firmware" / name).write_text(text)

    def start(self) -> None:
        """Boot, and come back when systemd answers."""
        binds = {
            "/usr": "/usr",
            sys.base_prefix: "/opt/python",
            sysconfig.get_path("purelib"): "/opt/wheels",
        }
        words = ["systemd-nspawn", f"--directory={self.root}", "--quiet", "--register=no", "--keep-unit", "--boot"]
        words += ["--private-network", "--console=pipe", f"--machine=bot4-{os.getpid()}", "--kill-signal=SIGRTMIN+3"]
        # Without this a container may not even ask for the kernel's clock.
        words += ["--system-call-filter=adjtimex clock_adjtime"]
        words += [f"--bind-ro={here}:{there}" for here, there in binds.items()]
        environment = os.environ | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
            )
        if not until(BOOT_S_MAX, lambda: self.run("systemctl", "is-active", "sysinit.target", check=False) == "active"):
            raise AssertionError(f"the container did not boot: {self._log.read_text()} {self.journal()[-3000:]}")

    def stop(self) -> None:
        """Take the power away."""
        if self._process is None:
            return
        leader = self._leader()
        if leader:
            os.kill(leader, signal.SIGKILL)
        self._process.terminate()
        self._process.wait(COMMAND_S_MAX)
        self._process = None
        # What the box wrote is searched for secrets; the program's own sources, some named for them, it did not write.
        shutil.rmtree(self.root / "opt/project")

    def run(self, *words: str, check: bool = True) -> str:
        """Run a command as the box's root and return what it prints."""
        leader = self._leader()
        if not leader:
            return ""
        entered = ["nsenter", "-t", str(leader), "-m", "-u", "-i", "-n", "-p", "-C", "--wd=/", *words]
        done = subprocess.run(entered, capture_output=True, text=True, check=False, timeout=COMMAND_S_MAX)
        if check:
            assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def shown(self, unit: str, *names: str) -> list[str]:
        """Return properties of a unit."""
        return [self.run("systemctl", "show", "--value", f"--property={name}", unit) for name in names]

    def main_pid(self, unit: str) -> int:
        """Return the number of a service's main process inside the box, 0 without one."""
        return int(self.shown(f"{unit}.service", "MainPID")[0] or 0)

    def inside(self, unit: str, program: str) -> str:
        """Run Python where a service runs, as its user and with its view of files, and return what it prints."""
        number = str(self.main_pid(unit))
        user, group = (self.shown(f"{unit}.service", name)[0] for name in ("User", "Group"))
        words = ("nsenter", "-t", number, "-m", "--wd=/", "setpriv", f"--reuid={user}", f"--regid={group}")
        return self.run(*words, "--init-groups", "/opt/bot4-edge/bin/python", "-c", program, check=False)

    def journal(self, unit: str = "") -> str:
        """Return what was logged."""
        chosen = ("-u", unit) if unit else ()
        return self.run("journalctl", "--no-pager", "-o", "cat", *chosen, check=False)

    def _leader(self) -> int:
        if self._process is None:
            return 0
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        try:
            found = children.read_text().split()
        except OSError:
            return 0
        return int(found[0]) if found else 0


def until(limit_s: float, true: Callable[[], bool]) -> bool:
    """Wait for something to become true; tell whether it did in time."""
    end_s = time.monotonic() + limit_s
    while time.monotonic() < end_s:
        if true():
            return True
        time.sleep(0.2)
    return False
