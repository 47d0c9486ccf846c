"""vmcred inspect and dmidecode on the same dumps, whole and damaged: the same OEM strings. inspect_dmidecode.py DUMP..."""

import json
import os
import random
import re
import subprocess
import sys

ROUNDS = 40  # damaged copies of each dump
ENTRY_POINT = 32  # bytes that stay as they are: with a wrong checksum both refuse, which is no comparison


def theirs(path):
    """The OEM strings that dmidecode prints, by structure; None where it finds no SMBIOS at all."""
    done = subprocess.run(["dmidecode", "--from-dump", path, "-t", "11"], capture_output=True)
    if b"No SMBIOS nor DMI entry point found" in done.stdout:
        return None
    structures = re.split(r"^Handle .*DMI type 11,.*$", done.stdout.decode("latin-1"), flags=re.M)[1:]
    return [[text for text in re.findall(r"^\tString \d+: (.*)$", each, re.M) if text != "<BAD INDEX>"] for each in structures]


def ours(path):
    done = subprocess.run([os.environ["VMCRED"], "--json", "inspect", "--show", path], capture_output=True)
    if done.returncode not in (0, 3):
        if done.returncode != 1 or b"vmcred: error: " not in done.stderr:
            sys.exit(f"{path}: exit code {done.returncode}")
        return None, False
    structures = {}
    found = json.loads(done.stdout)
    for seen in found["strings"]:
        structures.setdefault(seen["structure"], []).append(like_dmidecode(seen["text"]))
    return list(structures.values()), found.get("complaint", "").endswith("has no end")


def like_dmidecode(text):
    """dmidecode shows what is not printable as a point."""
    return re.sub(r"\\x..", ".", text.replace("\\\\", "\0")).replace("\0", "\\")


def agree(expected, seen, endless):
    """dmidecode shows as many strings as a structure counts; we show, as systemd reads them, all that are there. Of a last
    structure that has no end it shows nothing; we show what there is, and say so."""
    expected = [each for each in expected if each]
    missing = len(seen) - len(expected)
    return (missing == 0 or (missing == 1 and endless)) and all(b[:len(a)] == a for a, b in zip(expected, seen))


def damaged(data, chance):
    data = bytearray(data)
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(ENTRY_POINT, len(data))
        data[at] = chance.choice([0, 1, 4, 5, 11, 0x7F, 0xFF, data[at] ^ 1 << chance.randrange(8)])
    return bytes(data)


compared = 0
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        whole = file.read()
    chance = random.Random(os.path.basename(path))
    for number in range(ROUNDS + 1):
        data = whole if number == 0 else damaged(whole, chance)
        with open("dump", "wb") as file:
            file.write(data)
        expected, (seen, endless) = theirs("dump"), ours("dump")
        if expected is None or seen is None:
            if number == 0:
                sys.exit(f"{path}: not read as a dump")
            continue
        compared += 1
        if not agree(expected, seen, endless) or (number == 0 and expected != seen):
            sys.exit(f"{path}, copy {number}: dmidecode has {expected!r}, inspect has {seen!r}; kept as {os.getcwd()}/dump")
print(f"{compared} dumps compared")
