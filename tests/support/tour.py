#!/usr/bin/env python3
"""Types the commands of a page as they are printed ("$ …", "> …" for what a command goes on with) and compares what comes.

    tour.py PAGE [--before COMMAND]     to the end, or up to the first command that begins with this

One shell types all of them, in an empty home. `vmcred vm run` is the first terminal of the reader's: it goes on while the others
are typed, and is compared up to the last line that the page shows. A line "…" stands for lines that the page leaves out, "…" in
a line for the rest of it. What differs from machine to machine (home, times, process numbers, versions, digests) is the same
on both sides. Exit code 1: they differ, and the page or the program has to be mended."""
import ctypes
import os
import pathlib
import re
import select
import socket
import subprocess
import sys
import time

LIMIT = 400  # seconds for one command: a boot under TCG on a busy machine
SAME = (
    (re.compile(r"\d+\.\d+ s\b"), "# s"),
    (re.compile(r"\b(process|supervisor|VMM) \d+"), r"\1 #"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:]+Z"), "DATE"),
    (re.compile(r"\b(252|257|262)\.\S+"), r"\1.#"),
    (re.compile(r"\b(runs: +|with )(kvm|tcg)\b"), r"\1ACCEL"),
    (re.compile(r"\(\d+ MiB\)|kernel \S+-amd64"), "#"),
    (re.compile(r"\b[0-9a-f]{8}\b"), "DIGEST"),
    (re.compile(r"\x1b\[[0-9;]*m|\r"), ""),
)


def same(text):
    text = text.replace(os.environ["HOME"], "/home/me")
    for what, by in SAME:
        text = what.sub(by, text)
    return "".join(line.rstrip() + "\n" for line in text.splitlines())


def commands(page):
    """[(command, what it prints)] of the blocks that are set in by four blanks."""
    found = []
    for block in re.findall(r"(?:(?:    .*|[ \t]*)\n)+", page + "\n"):
        here = []
        for line in (line[4:] for line in block.splitlines()):
            if line.startswith("$ "):
                here.append([line[2:], ""])
            elif here and not here[-1][1] and (line == ">" or line.startswith("> ")):
                here[-1][0] += "\n" + line[2:]
            elif here:
                here[-1][1] += line + "\n"
        found += [(command, printed.strip("\n")) for command, printed in here]
    return found


def pattern(printed):
    lines = same(printed).splitlines()
    return re.compile("".join("(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + "\n" for line in lines))


class Shell:
    MARK = "\x01done"

    def __init__(self):
        self.bash = subprocess.Popen(["bash", "--norc", "--noprofile"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, text=True)
        self.runs = []

    def type(self, command):
        """(exit code, what it printed)"""
        self.bash.stdin.write(f"{command}\nprintf '{self.MARK} %d\\n' $?\n")
        self.bash.stdin.flush()
        printed, line = "", ""
        while self.MARK not in line:
            printed += line
            if not (line := self.bash.stdout.readline()):
                raise SystemExit(f"the shell ended in: {command}\n{printed}")
        return int(line.split()[-1]), printed + line.split(self.MARK)[0]

    def begin(self, command, last):
        """Leaves the command running, once it has printed that line; gives what it printed."""
        _, where = self.type("pwd")
        _, path = self.type('printf "%s\\n" "$PATH"')
        run = subprocess.Popen(["bash", "-c", "exec " + command], cwd=where.strip(), env={**os.environ, "PATH": path.strip()},
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        self.runs.append(run)
        printed, end = "", time.monotonic() + LIMIT
        while last not in same(printed).splitlines():
            if not select.select([run.stdout], [], [], max(0, end - time.monotonic()))[0]:
                break
            if not (data := os.read(run.stdout.fileno(), 65536)):
                break
            printed += data.decode(errors="replace")
        return printed

    def end(self):
        for run in self.runs:
            run.terminate()
            run.communicate(timeout=LIMIT)
        self.bash.stdin.close()
        self.bash.wait(timeout=LIMIT)


def be_myhost():
    """In a namespace of our own; the rights that this took go with it (bubblewrap wants none)."""
    socket.sethostname("myhost")
    ctypes.CDLL(None).prctl(47, 4, 0, 0, 0)  # PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL


def main():
    be_myhost()
    page = pathlib.Path(sys.argv[1])
    before = sys.argv[3] if sys.argv[2:3] == ["--before"] else None
    tour = commands(page.read_text())
    if before:
        stop = next(i for i, (command, _) in enumerate(tour) if command.startswith(before))
        tour = tour[:stop]
    assert len(tour) >= 5, f"only {len(tour)} commands in {page}"
    shell, bad = Shell(), 0
    try:
        for command, expected in tour:
            if command.startswith("vmcred vm run"):
                code, printed = 0, shell.begin(command, same(expected).splitlines()[-1])
                matches = pattern(expected).match(same(printed))
            else:
                code, printed = shell.type(command)
                matches = pattern(expected).fullmatch(same(printed))
            if code == 0 and matches:
                print(f"ok: {command.splitlines()[0]}")
                continue
            bad += 1
            print(f"NOT AS PRINTED: {command}\n--- {page.name}\n{expected}\n--- what came (exit code {code})\n{printed}---")
    finally:
        shell.end()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
