"""The lab's machine: QEMU's TCG emulates a processor of AMD's with SVM, so that the Linux in it has a working /dev/kvm and
/dev/vhost-vsock whatever the host has. Scripts are sent to it over its second serial port (overlay/usr/local/bin/lab-runner);
programs and images reach it as a folder that it can only read. It has no network.

A machine outlives who started it: whoever comes next finds it by its folder. One at a time sends a script.
"""
import contextlib
import fcntl
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid

SOURCE = pathlib.Path(__file__).resolve().parents[2]
FOLDER = pathlib.Path(os.environ.get("VMCRED_LAB", SOURCE / "build/lab"))
MEMORY = os.environ.get("VMCRED_LAB_MEMORY", "4G")
PROCESSORS = os.environ.get("VMCRED_LAB_PROCESSORS", "2")
NICE = int(os.environ.get("VMCRED_LAB_NICE", "10"))
BOOT_SECONDS = 1800  # 60 on an idle machine
KERNEL_LINE = ("lab.runner console=ttyS0 root=/dev/vda rw systemd.show_status=1 systemd.unified_cgroup_hierarchy=1 "
               "no_timer_check mitigations=off nokaslr tsc=reliable cryptomgr.notests")


class LabError(Exception):
    """Something of the lab itself, not of what was tried in it."""


class TooLong(LabError):
    """It was given up, whatever would have come of it."""


def build():
    """Makes the machine's root, once for each recipe. True: it is there; False: its packages cannot be had."""
    done = subprocess.run([SOURCE / "tests/lab/root", FOLDER], check=False)
    if done.returncode not in (0, 75):
        raise LabError("the root of the lab's machine could not be built")
    return done.returncode == 0


def _pid():
    """The machine's process, if it runs."""
    with contextlib.suppress(OSError, ValueError):
        pid = int((FOLDER / "pid").read_text())
        if b"qemu-system" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]:
            return pid
    return None


def start():
    """Starts the machine where none runs."""
    if _pid():
        return
    share = FOLDER / "share"
    (share / "jobs").mkdir(parents=True, exist_ok=True)
    (FOLDER / "channel").unlink(missing_ok=True)
    console = FOLDER / "console"
    console.unlink(missing_ok=True)
    command = [
        "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-machine", "q35,smm=off", "-cpu", "max,la57=off",
        "-m", MEMORY, "-smp", PROCESSORS, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-kernel", FOLDER / "vmlinuz", "-initrd", FOLDER / "initrd", "-append", KERNEL_LINE,
        "-drive", f"file={FOLDER}/root.ext4,format=raw,if=virtio,snapshot=on,cache=unsafe",
        "-drive", f"file={FOLDER}/root.ext4,format=raw,if=virtio,readonly=on",  # the disk of guests that are a whole Debian
        "-device", "virtio-rng-pci",
        "-fsdev", f"local,id=lab,path={share},security_model=none,readonly=on",
        "-device", "virtio-9p-pci,fsdev=lab,mount_tag=lab",
        "-serial", f"file:{console}",
        "-chardev", f"socket,id=channel,path={FOLDER}/channel,server=on,wait=off", "-serial", "chardev:channel",
    ]
    with open(FOLDER / "qemu.log", "wb") as log:
        process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                   preexec_fn=lambda: os.nice(NICE))
    (FOLDER / "pid").write_text(f"{process.pid}\n")


def stop():
    """Ends the machine. Nothing that it wrote is kept."""
    pid = _pid()
    if pid:
        os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
    (FOLDER / "pid").unlink(missing_ok=True)


@contextlib.contextmanager
def alone():
    """One at a time has the machine."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open(FOLDER / "turn", "w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


def give(path, name):
    """Puts a file or a folder where the machine sees it: /lab/NAME. What is the same stays."""
    target = FOLDER / "share" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(path, target, symlinks=True)
    elif not target.exists() or (target.stat().st_mtime_ns, target.stat().st_size) != (path.stat().st_mtime_ns, path.stat().st_size):
        new = target.with_name(target.name + ".new")
        shutil.copy2(path, new)
        new.rename(target)


class Channel:
    """The line to the machine."""

    def __init__(self):
        """Connects until the machine answers; a UART that was spoken to before the machine listened stays deaf to that one."""
        end = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < end:
            self.rest = b""
            self.socket = socket.socket(socket.AF_UNIX)
            with contextlib.suppress(OSError):
                self.socket.connect(str(FOLDER / "channel"))
                if self._answers():
                    return
            self.socket.close()
            if not _pid():
                raise LabError(f"the lab's machine does not run: {(FOLDER / 'qemu.log').read_text().strip()}")
            time.sleep(1)
        raise LabError(f"the lab's machine did not come up within {BOOT_SECONDS} s: see {FOLDER}/console")

    def _answers(self):
        """Whether the machine answers; what was on its way before is dropped."""
        word = f"?{uuid.uuid4().hex}"
        self.socket.sendall(f"\n{word}\n".encode())
        until = time.monotonic() + 20
        while (line := self.line(until)) is not None:
            if line == word:
                return True
        return False

    def line(self, until):
        """The next line, or None at that time."""
        while b"\n" not in self.rest:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                return None
            got = self.socket.recv(65536)
            if not got:
                raise LabError(f"the lab's machine ended: see {FOLDER}/console")
            self.rest += got
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode(errors="replace").rstrip("\r")

    def run(self, script, seconds, hear=None):
        """Runs a bash script as root in the machine: (exit status, its lines). After so many seconds the machine is ended."""
        name = uuid.uuid4().hex
        job = FOLDER / "share/jobs" / name
        job.write_text(script)
        lines = []
        try:
            self.socket.sendall(f"{name}\n".encode())
            until = time.monotonic() + seconds
            while (line := self.line(until)) is not None:
                if line.startswith("|"):
                    lines.append(line[1:])
                    if hear:
                        hear(line[1:])
                elif line.startswith("="):
                    return int(line[1:]), lines
            stop()
            raise TooLong(f"nothing came of it within {seconds:.0f} s; the lab's machine was ended")
        finally:
            job.unlink()

    def close(self):
        self.socket.close()


def say(text):
    print(text, file=sys.stderr, flush=True)
