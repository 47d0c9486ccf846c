"""What tools/lab does: brings programs and images into the machine, runs cells in it, keeps their results."""
import argparse
import contextlib
import datetime
import os
import pathlib
import shutil
import subprocess
import time

import machine
import table
from machine import FOLDER, SOURCE, LabError, TooLong, say

RELEASE = SOURCE / "build/release/bin"
CELL_SECONDS = int(os.environ.get("VMCRED_LAB_SECONDS", "3600"))
# What continuous integration runs, in this order while there is time; each says something that no other does.
SHORT = [("qemu-microvm", "start"), ("qemu-microvm", "reboot"), ("qemu-q35", "kill"), ("qemu-microvm", "exec"), ("qemu-q35", "reference"),
         ("qemu-microvm", "refresh"), ("qemu-q35", "start"), ("qemu-q35", "panic")]
SHORT_AT_LEAST = 2
WANTS_ELF = ("firecracker",)
SUITES = {"252": [], "262": ["--suite", "sid"]}


# By the first bytes of what is packed; Debian has changed its mind about it.
UNPACKERS = {b"\xfd7zXZ\0": "xz", b"\x02\x21\x4c\x18": "lz4", b"\x28\xb5\x2f\xfd": "zstd", b"\x1f\x8b\x08": "gzip"}


def elf_of(image, to):
    """The ELF kernel in a bzImage, for VMMs that boot no other. Where it lies in there is said by the boot protocol's header."""
    whole = image.read_bytes()
    start = (whole[0x1f1] + 1) * 512 + int.from_bytes(whole[0x248:0x24c], "little")
    packed = whole[start:start + int.from_bytes(whole[0x24c:0x250], "little") - 4]  # the last word is the unpacked size
    program = next((program for magic, program in UNPACKERS.items() if packed.startswith(magic)), None)
    if not program or not shutil.which(program):
        raise LabError(f"'{image}' cannot be unpacked: {program or 'an unknown packing'} is missing")
    with open(to, "wb") as out:
        subprocess.run([program, "-dc"], input=packed, stdout=out, check=True)


def give_image(row, guest):
    """The guest of the lab: /lab/image-GUEST in the machine."""
    out = FOLDER / f"image-{guest}"
    subprocess.run([SOURCE / "tools/guest-image", *SUITES[guest], "--guest", RELEASE / "vmcred-guest", "--overlay",
                    SOURCE / "tests/lab/guest", "--module", "virtio_net", "--module", "failover", "--module", "net_failover",
                    "--module", "fuse", "--module", "virtiofs", "--module", "pvpanic", "--module", "pvpanic-mmio", out], check=True, stdout=subprocess.DEVNULL)
    names = ["vmlinuz", "initrd", "systemd"]
    if row in WANTS_ELF:
        elf_of(out / "vmlinuz", out / "vmlinux")
        names.append("vmlinux")
    for name in names:
        machine.give(out / name, f"image-{guest}/{name}")


def give_debian():
    """A whole Debian as guest: the lab's own root, read only under a layer in memory; /lab/debian in the machine."""
    out = FOLDER / "debian"
    subprocess.run([SOURCE / "tests/lab/debian-initrd", FOLDER, RELEASE / "vmcred-guest", out], check=True)
    for name in "vmlinuz", "initrd":
        machine.give(out / name, f"debian/{name}")


def give_all(row, guest):
    for name in "vmcred", "vmcred-guest":
        if not (RELEASE / name).exists():
            raise LabError(f"there is no '{RELEASE / name}': build the release preset first")
        machine.give(RELEASE / name, f"bin/{name}")
    machine.give(SOURCE / "tests/lab/cells", "cells")
    machine.give(SOURCE / "tests/e2e/canary_patterns", "canary_patterns")
    give_image(row, guest)
    give_debian()
    for path in table.program(row):
        if path.exists():
            machine.give(path, f"vmms/{row}/{path.name}")


def script(row, column, options):
    guest, times = options.guest, options.times
    numbers = f"export REBOOTS={times} VMS={times} ROUNDS={times}\n" if times else ""
    verbose = "VERBOSE=1\n" if options.verbose else ""
    return f"VMM={row} GUEST={guest}\n{verbose}{numbers}. /lab/cells/lib.sh\n. /lab/cells/{column}.sh\n"


def sources():
    """Which vmcred it was, and git's name for the folder src that it was made of, which a rebase does not change as it does a
    commit's. Build what you try first: the program itself does not say it."""
    def git(*words):
        return subprocess.run(["git", "-C", SOURCE, *words], capture_output=True, text=True, check=False).stdout.strip()
    name = git("rev-parse", "--short=12", "HEAD:src")
    changed = git("status", "--porcelain", "--", "src", "apps")
    said = subprocess.run([RELEASE / "vmcred", "--version"], capture_output=True, text=True, check=True).stdout
    return f"{said.split()[-1]}, src {name or 'unknown'}{' and changes' if changed else ''}"


class Cells:
    """Runs cells in the machine, which is there as long as this is."""

    def __init__(self, options):
        self.options = options
        self.bad = 0
        self.versions = {}
        self.channel = None

    def __enter__(self):
        machine.start()
        self.channel = machine.Channel()
        return self

    def __exit__(self, *_):
        self.channel.close()
        if not self.options.keep:
            machine.stop()

    def version(self, row):
        if row not in self.versions:
            programs = table.program(row)
            path = f"/lab/vmms/{row}/{programs[0].name}" if programs else "qemu-system-x86_64"
            _, lines = self.channel.run(f"{path} --version 2>&1 | head -n 1", 120)
            self.versions[row] = lines[0] if lines else "unknown"
        return self.versions[row]

    def run(self, row, column, seconds=CELL_SECONDS):
        guest = self.options.guest
        begin = time.monotonic()
        status, lines = self.channel.run(script(row, column, self.options), seconds, say if self.options.verbose else None)
        took = time.monotonic() - begin
        results = [line.removeprefix("RESULT ") for line in lines if line.startswith("RESULT ")]
        failed = [line.removeprefix("FAILED ") for line in lines if line.startswith("FAILED ")]
        good = status == 0 and len(results) == 1
        self.bad += not good
        result = results[0] if good else f"no: {failed[0] if failed else f'status {status}'}"
        print(f"{'ok' if good else 'FAILED':6} {took:6.0f} s  {row} {column} (guest {guest}): {result}", flush=True)
        if not good and not self.options.verbose:
            say("\n".join(lines[-60:]))
        if good and self.options.record:
            table.keep(row, column, guest, {"result": result, "date": datetime.date.today().isoformat(), "vmm": self.version(row),
                                            "vmcred": sources(), "seconds": f"{took:.0f}"})


def run_short(options):
    """The cells of continuous integration, as far as the minutes go: the last one that was begun is given up when they are over. Less
    than the first ones is a failure."""
    options.times = options.times or 2
    until = time.monotonic() + options.short * 60
    with machine.alone():
        give_all(SHORT[0][0], options.guest)
        with Cells(options) as cells:
            done = 0
            with contextlib.suppress(TooLong):
                for row, column in SHORT:
                    cells.run(row, column, max(until - time.monotonic(), 1))
                    done += 1
            for row, column in SHORT[done:]:
                say(f"NOT RUN HERE: {table.ROWS[row]}, {table.COLUMNS[column]}: {options.short} minutes are over")
            return cells.bad + (done < SHORT_AT_LEAST)


def main(arguments, description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", metavar="VMM COLUMN")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--columns", action="store_true")
    parser.add_argument("--shell", metavar="COMMAND")
    parser.add_argument("--stop", action="store_true")
    parser.add_argument("--guest", choices=sorted(SUITES), default="252")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--times", type=int, default=0)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--short", type=int, default=0, metavar="MINUTES")
    parser.add_argument("--no-record", dest="record", action="store_false")
    options = parser.parse_args(arguments)
    if options.table:
        print("\n".join(table.lines()))
        return 0
    if options.columns:
        for name, what in {**table.ROWS, **table.COLUMNS, **table.OTHERS}.items():
            print(f"{name:22} {what}")
        return 0
    try:
        if options.stop:
            machine.stop()
            return 0
        if not machine.build():
            say("NOT RUN HERE: the lab: the packages of its machine cannot be had")
            return 1 if os.environ.get("CI") else 0
        if options.shell:
            with machine.alone():
                machine.start()
                channel = machine.Channel()
                return channel.run(options.shell, CELL_SECONDS, print)[0]
        return run_words(options)
    except (LabError, subprocess.CalledProcessError) as error:
        say(f"tools/lab: {error}")
        return 1


def run_words(options):
    if options.short:
        return 1 if run_short(options) else 0
    row, columns = (options.words or [""])[0], options.words[1:]
    unknown = [word for word, known in [(row, table.ROWS)] + [(column, table.COLUMNS | table.OTHERS) for column in columns]
               if word not in known]
    if unknown:
        say(f"tools/lab: no '{unknown[0]}'; the words are those of: tools/lab --columns")
        return 2
    if table.program(row) is None:
        say(f"NOT RUN HERE: {table.ROWS[row]}: VMCRED_VMMS names no folder with it")
        return 0
    columns = columns or [column for column in table.COLUMNS if (row, column) not in table.NOT_FOR]
    with machine.alone():
        give_all(row, options.guest)
        with Cells(options) as cells:
            for column in columns:
                cells.run(row, column)
            return 1 if cells.bad else 0
