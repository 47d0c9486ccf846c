"""The lab's table: which hypervisor has shown what, from the kept results (one small text file a cell)."""
import os
import pathlib

SOURCE = pathlib.Path(__file__).resolve().parents[2]
RESULTS = SOURCE / "docs/lab"

ROWS = {
    "qemu-q35": "QEMU q35 + KVM",
    "qemu-microvm": "QEMU microvm + KVM + vhost-vsock",
    "cloud-hypervisor": "cloud-hypervisor",
    "cloud-hypervisor-main": "cloud-hypervisor, main branch",
    "firecracker": "Firecracker",
    "kvmtool": "kvmtool",
    "crosvm": "crosvm",
}
COLUMNS = {
    "start": "start, 256 byte values, receipt",
    "stop": "stop: agent, power key with logind, neither",
    "reboot": "reboot x 10",
    "panic": "panic",
    "kill": "VMM SIGKILL, the unit restarts it",
    "refresh": "refresh, rollback",
    "reference": "by reference",
    "exec": "exec with the runner's argv of microvm.nix",
    "guard": "guard with the VMM's own client",
    "unit": "hardened unit microvm@",
}
# What else is tried, not with each of them.
OTHERS = {
    "vsock": "traffic over vhost-vsock",
    "share": "share of virtiofs",
    "tap": "tap",
    "processors": "two processors",
    "fleet": "many vms at once",
    "boot": "boot to receipt beside the bare boot, the smallest guest",
    "boot_debian": "the same, a whole Debian",
}
# kvmtool has neither a link nor a control socket.
NOT_FOR = {("kvmtool", column) for column in ("reboot", "panic", "refresh", "reference", "guard")}


def programs():
    """The folder with the VMMs that Debian does not have, or None."""
    folder = os.environ.get("VMCRED_VMMS")
    return pathlib.Path(folder) if folder and pathlib.Path(folder).is_dir() else None


PROGRAMS = {
    "cloud-hypervisor": ("cloud-hypervisor", "ch-remote"),
    "cloud-hypervisor-main": ("main/cloud-hypervisor", "main/ch-remote"),
    "firecracker": ("firecracker",),
    "kvmtool": ("lkvm",),
    "crosvm": ("crosvm",),
}


def program(row):
    """The programs of a row, or None where they are not there; QEMU is in the lab."""
    if row not in PROGRAMS:
        return ()
    folder = programs()
    paths = tuple(folder / name for name in PROGRAMS[row]) if folder else ()
    return paths if paths and paths[0].exists() else None


def kept(row, column, guest):
    """The kept result of a cell as a dictionary, or None."""
    path = RESULTS / row / f"{column}-{guest}"
    if not path.exists():
        return None
    return dict(line.split(": ", 1) for line in path.read_text().splitlines() if ": " in line)


def keep(row, column, guest, fields):
    path = RESULTS / row / f"{column}-{guest}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{key}: {value}\n" for key, value in fields.items()))


def lines():
    """The table, a block a hypervisor, a line a cell."""
    for row, title in ROWS.items():
        yield f"{title}"
        for column, what in (COLUMNS | OTHERS).items():
            if (row, column) in NOT_FOR:
                continue
            found = [(guest, result) for guest in ("252", "262") if (result := kept(row, column, guest))]
            test = f"tests/lab/cells/{column}.sh"
            for guest, result in found:
                yield f"  {what} [{test}]: {result['result']}"
                yield f"      {result['date']}, {result['vmm']}, guest systemd {guest}, vmcred {result['vmcred']}"
            if not found and column in COLUMNS:
                why = "" if program(row) is not None else ": VMCRED_VMMS names no folder with it"
                yield f"  {what} [{test}]: NOT RUN HERE{why}"
