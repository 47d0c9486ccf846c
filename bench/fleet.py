"""Starts many VMs at once, with a double in the place of the VMM, and says what that took.

    fleet.py VMCRED DOUBLE COUNT [RUNNER]     DOUBLE: fake_vmm (QEMU), or the one named cloud-hypervisor (by its API)
                                              RUNNER: the shell runner to compare with

Prints one JSON object: how many became ready and ended well, seconds until all were ready, and of each supervisor the memory
that is its own (PSS). With RUNNER also: seconds until as many of these have started a program that does nothing, and the
memory of as many waiting shells.
"""
import base64
import json
import os
import pathlib
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

CREDENTIALS = 10
LIMIT = 120.0  # seconds that a loaded machine may take


def pss_bytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"no Pss of process {pid}")


def declare(folder, double, count):
    text = '[machines.host]\n[generators.g]\nscript = "true"\n'
    text += "".join(f"files.secret-{i} = {{}}\n" for i in range(CREDENTIALS))
    for vm in range(count):
        program = double
        if pathlib.Path(double).name == "cloud-hypervisor":  # it keeps its record beside the path that it is started by
            (folder / f"vmm-{vm}").mkdir()
            program = folder / f"vmm-{vm}" / "cloud-hypervisor"
            program.symlink_to(double)
            text += f'[vms.fleet-{vm}]\nhypervisor = "cloud-hypervisor"\naccel = "kvm"\n'
        else:
            text += f'[vms.fleet-{vm}]\naccel = "tcg"\n'
        text += f'machine = "host"\nbinary = "{program}"\nkernel = "{double}"\n'
        text += "".join(f'credentials.secret-{i} = {{ from = "g/secret-{i}", services = ["s"] }}\n' for i in range(CREDENTIALS))
    (folder / "vmcred.toml").write_text(text)
    (folder / "credentials").mkdir(mode=0o700)
    for i in range(CREDENTIALS):
        (folder / "credentials" / f"host-secret-{i}").write_bytes(base64.b64encode(os.urandom(33)))


class Notified(threading.Thread):
    """Reads what supervisors tell systemd, as long as they live: they wait for a reader."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.ready = set()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.changed = threading.Condition()

    def run(self):
        while True:
            message, control, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(12))
            if b"READY=1" in message.splitlines():
                with self.changed:
                    self.ready.add(struct.unpack("iII", control[0][2])[0])
                    self.changed.notify()

    def await_all(self, processes):
        """How many of `processes` are ready: all, unless one ended before or the limit passed."""
        pids = {process.pid for process in processes}
        end = time.monotonic() + LIMIT
        with self.changed:
            while not pids <= self.ready and time.monotonic() < end and all(process.poll() is None for process in processes):
                self.changed.wait(1)
            return len(pids & self.ready)


def run_fleet(folder, vmcred, count):
    notified = Notified(str(folder / "notify"))
    notified.start()
    said = open(folder / "said", "wb")
    processes = []
    start = time.monotonic()
    try:
        for vm in range(count):
            (folder / f"run-{vm}").mkdir(mode=0o700)
            processes.append(subprocess.Popen(
                [vmcred, "--project", folder, "vm", "run", f"fleet-{vm}"], stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                env={"PATH": os.environ["PATH"], "CREDENTIALS_DIRECTORY": f"{folder}/credentials",
                     "RUNTIME_DIRECTORY": f"{folder}/run-{vm}", "NOTIFY_SOCKET": f"{folder}/notify"}))
        ready = notified.await_all(processes)
        seconds = time.monotonic() - start
        memory = [pss_bytes(process.pid) for process in processes if process.poll() is None]
    finally:
        for process in processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        ends = [process.wait(timeout=LIMIT) for process in processes]
    if ready != count or any(ends):
        sys.stderr.write((folder / "said").read_text()[-4000:])
    return {"vms": count, "ready": ready, "ended_well": ends.count(0), "seconds": round(seconds, 3),
            "pss_median": int(statistics.median(memory or [0])), "pss_most": max(memory or [0])}


def run_shells(folder, runner, count):
    environment = {"PATH": os.environ["PATH"], "CREDENTIALS_DIRECTORY": f"{folder}/credentials"}
    start = time.monotonic()
    for process in [subprocess.Popen(["bash", runner, "/bin/true"], env=environment) for _ in range(count)]:
        process.wait()
    seconds = time.monotonic() - start
    shells = [subprocess.Popen(["bash", "-c", "echo; read -r x"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(count)]
    for shell in shells:
        shell.stdout.readline()
    memory = statistics.median(pss_bytes(shell.pid) for shell in shells)
    for shell in shells:
        shell.communicate(b"\n")
    return {"shell_seconds": round(seconds, 3), "shell_pss_median": int(memory)}


def main():
    vmcred, double, count, *runner = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        declare(folder, os.path.abspath(double), int(count))
        result = run_fleet(folder, os.path.abspath(vmcred), int(count))
        if runner:
            result |= run_shells(folder, os.path.abspath(runner[0]), int(count))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
