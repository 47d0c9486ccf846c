#!/usr/bin/env python3
"""Random trees of unit files, read by vmcred's reader and by systemd itself: which files make up a unit, in which order, and
which credential lines are ignored.

    unit_trees.py READER COUNT [SEED [ROOT]]

READER is unit_reader; ROOT is a folder with another systemd in it (a root of mmdebstrap), without one this machine's is asked.
Each tree is a family of units with a prefix of its own, so that one call of systemd reads all of them. Prints what differs."""
import os
import random
import re
import subprocess
import sys
import tempfile

reader, count = sys.argv[1], int(sys.argv[2])
seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
other = sys.argv[4] if len(sys.argv) > 4 else ""
random.seed(seed)
FOLDERS = ["etc/systemd/system", "run/systemd/system", "usr/lib/systemd/system"]

root = tempfile.mkdtemp(dir=other + "/tmp" if other else None)
inside = root[len(other):]
at = (["chroot", other] if other else [])
version = int(subprocess.run(at + ["systemctl", "--version"], capture_output=True, text=True, check=True).stdout.split()[1])

NAMES = ["a", "b", "db.key", "x y", "é", "a/b", "a:b", "..", ".", "", "%i", "%n", "%p-c", "%%", "%z", "%v", "%-", "q\\:r", "q\\x", '"q"', "n" * 255, "n" * 256, "a\tb", "%I", "%j", "p%"]
SOURCES = ["/run/x", "/run//x", "/run/./x", "/run/../x", "/run/x/", "/run/x/.", "/run/..x", "/a:b", "name", "a/b", "../x", "%i", "/run/%i", "/run/%v", "/x%", "/x/%z", "", ".", "/", "//", "/x y", "\\x", "/\\x", "/%t",
           "/" + "y" * 4094, "/" + "y" * 4095, "%p", "/x/%I"]
PATTERNS = ["app.*", "app*key", "*", "a?", "[a]", "app.key", "a/b*", "", "%i.*", "x:y", "tty.*:x.", "tty.*:", "tty.key:renamed", "tty.*:a/b", "*:x.", "**", "a*:b:c", "é*"]
VALUES = ["text", "a\\n", "a\\q", "", "a:b", "\\x41", "\\x4", "\\", "\\101", "\\999", "aGVsbG8=", "!!", "%z", "\\u00e9", "\\s", "a\\\\"]
BASE64 = ["aGVsbG8=", "!!", "", "aGVs bG8=", "aGVsbG8", "YQ==", "YQ=", "Y=Q=", "aGVsbG8= "]
FILL = ["# a comment", "", "; another", "Environment=A=b \\", "  [Service]", "[Service]", "[Unit]", "[X-Other]", "[Install]", "NoEquals", "=x", " LoadCredential = spaced:/run/x ", "Description=x"]


def line():
    kind = random.random()
    if kind < 0.4:
        text = random.choice(NAMES) + (":" + random.choice(SOURCES) if random.random() < 0.85 else "")
        return random.choice(["LoadCredential", "LoadCredentialEncrypted"]) + "=" + text
    if kind < 0.5:
        return "SetCredential=" + random.choice(NAMES) + (":" + random.choice(VALUES) if random.random() < 0.9 else "")
    if kind < 0.57:
        return "SetCredentialEncrypted=" + random.choice(NAMES) + (":" + random.choice(BASE64) if random.random() < 0.9 else "")
    if kind < 0.72:
        return "ImportCredential=" + random.choice(PATTERNS)
    if kind < 0.76:
        return random.choice(["LoadCredential=", "SetCredential=", "ImportCredential="])
    return random.choice(FILL)


def text(main):
    lines = (["[Service]", "ExecStart=/bin/true"] if main else ["[Service]"]) + [line() for _ in range(random.randint(1, 7))]
    end = random.choice(["\n", "\n", "\n", "\r\n", "\n\n", "\r"])
    return (end.join(lines) + (end if random.random() < 0.9 else "")).encode()


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)


asked = []
for number in range(count):
    base = f"t{number}"
    stem = random.choice([base, base + "-b", base + "-b-c"])
    template = random.random() < 0.4
    unit = stem + ("@.service" if template else ".service")
    names = [stem + "@1.service", stem + "@x-y.service"] if template else [unit]
    for folder in random.sample(FOLDERS, random.randint(1, 2)):
        path = f"{root}/{folder}/{unit}"
        if random.random() < 0.04:
            write(path, b"")
        elif random.random() < 0.04:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.symlink("/dev/null", path)
        else:
            write(path, text(True))
    owners = [unit, *names] + [base + "-.service", base + "-b-.service", stem + "-.service"] + ([base + "-@.service", base + "-b-@.service", base + "-@1.service"] if template else [])
    for _ in range(random.randint(0, 4)):
        drop_in = f"{root}/{random.choice(FOLDERS)}/{random.choice(owners)}.d/{random.choice(['10', '20', '30', '.40'])}.{random.choice(['conf', 'conf', 'conf', 'txt'])}"
        if os.path.lexists(drop_in):
            continue
        if random.random() < 0.06:
            os.makedirs(os.path.dirname(drop_in), exist_ok=True)
            os.symlink("/dev/null", drop_in)
        else:
            write(drop_in, text(False))
    asked += names
write(f"{root}/usr/lib/systemd/system/service.d/50.conf", b"[Service]\nLoadCredential=all:/run/all\n")

# systemctl cat: the files of each unit, in their order.
theirs = {}
for start in range(0, len(asked), 200):
    part = asked[start:start + 200]
    for name in part:
        theirs[name] = []
said = subprocess.run(at + ["systemctl", f"--root={inside}", "--no-pager", "cat", *asked], capture_output=True)
current = None
for raw in said.stdout.split(b"\n"):
    found = re.fullmatch(rb"# (?:/\S*)?(/(?:etc|run|usr/lib)/systemd/system/(\S+))", raw.rstrip(b"\r"))
    if not found:
        continue
    path, rest = found[1].decode(), found[2].decode()
    if "/" not in rest:
        current = rest
        theirs.setdefault(current + "#", []).append([path])
    elif theirs.get((current or "") + "#"):
        theirs[current + "#"][-1].append(path)
# verify: the lines that systemd ignores.
verified = subprocess.run(at + ["systemd-analyze", f"--root={inside}", "--man=no", "--generators=no", "--recursive-errors=no", "verify", *asked], capture_output=True, text=True, errors="replace")
ignored = set()


def is_masked(name):
    for folder in FOLDERS:
        for file in (name, re.sub("@.*[.]", "@.", name)):
            if os.path.lexists(f"{root}/{folder}/{file}"):
                return os.path.getsize(f"{root}/{folder}/{file}") == 0
    return False


def begin(path, number):
    """systemd names the last line of those that go on in the next one; vmcred the first."""
    with open(root + path, "rb") as file:
        lines = re.split(rb"\r\n|\n\r|\n|\r", file.read())
    while number > 1 and (number > len(lines) or (len(lines[number - 2]) - len(lines[number - 2].rstrip(b"\\"))) % 2 == 1 or lines[number - 2].lstrip().startswith((b"#", b";")) and continues(lines, number - 2)):
        number -= 1
    return path, number


def continues(lines, index):
    while index > 0 and lines[index].lstrip().startswith((b"#", b";")):
        index -= 1
    return (len(lines[index]) - len(lines[index].rstrip(b"\\"))) % 2 == 1


for raw in (verified.stderr + verified.stdout).splitlines():
    found = re.match(r"(?:\S*?)(/(?:etc|run|usr/lib)/systemd/system/\S+?):(\d+): (.*)", raw)
    if found and ("redential" in found[3] or "Invalid syntax" in found[3] or "unescape" in found[3] or "specifier" in found[3] or "Failed to extract" in found[3]):
        if not re.search("Unknown key|Unknown section|environment", found[3]):
            place = begin(found[1], int(found[2]))
            with open(root + place[0], "rb") as file:
                text_there = re.split(rb"\r\n|\n\r|\n|\r", file.read())
            if not text_there[place[1] - 1].startswith(b"Environment"):  # a line that went on in one of ours
                ignored.add(place)

# Drop-ins of what is masked are read, and count for nothing.
masked = {name.split(".")[0].split("@")[0].split("-")[0] for name in re.findall(r"Unit (\S+) is masked", (said.stdout + said.stderr + verified.stderr.encode(errors="replace")).decode(errors="replace"))}
masked |= {name.split(".")[0].split("@")[0].split("-")[0] for name in asked if is_masked(name)}
ignored = {place for place in ignored if re.match(r".*/(t\d+)", place[0])[1] not in masked}

ours_files, ours_ignored, ours_read = {}, set(), set()
for raw in subprocess.run([reader, str(version), *(f"{root}/{folder}" for folder in FOLDERS)], input="\n".join(asked), capture_output=True, text=True, check=True, errors="replace").stdout.splitlines():
    kind, name, *rest = raw.split("\t")
    if kind == "unit":
        ours_files[name] = [path[len(root):] for path in rest]
    elif kind == "ignored" and name in asked and re.match(r"t\d+", name)[0] not in masked:
        ours_ignored.add((rest[0][len(root):], int(rest[1])))

wrong = 0
for name in asked:
    unit = name if name + "#" in theirs else re.sub("@.*[.]", "@.", name)
    ours = ours_files.get(name) or ours_files.get(unit) or []
    all_theirs = theirs.get(unit + "#", [])
    if all_theirs and ours and ours not in all_theirs:
        wrong += 1
        print("files of", name, "\n  ours  ", ours, "\n  theirs", all_theirs)
for place in sorted(ignored ^ ours_ignored):
    wrong += 1
    with open(root + place[0], "rb") as file:
        print("ours" if place in ours_ignored else "theirs", place, re.split(rb"\r\n|\n\r|\n|\r", file.read())[place[1] - 1][:80])
print(f"systemd {version}, seed {seed}: {count} trees, {len(asked)} units, {len(ignored)} ignored lines, {wrong} differences")
subprocess.run(["rm", "-rf", "--one-file-system", root], check=True)
sys.exit(1 if wrong else 0)
