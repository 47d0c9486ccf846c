#!/usr/bin/env python3
"""Kills commands that change the store or a host's values at random moments, and reads with other programs what is left.

usage: kills.py VMCRED KILLS SEED (in an empty folder)

The reader is independent: Debian's age opens the data key of each sops file, AES-GCM of python3-cryptography the value. The
generator writes the same random text into two files, so a half-written change shows as two that differ. After each kill every value
must be there, whole, and the one before or the one after; the same below /run of the host.
"""
import array, base64, json, os, pathlib, random, re, shutil, signal, socket, subprocess, sys, threading, time

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VMCRED, KILLS, SEED = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
dice = random.Random(SEED)
top = pathlib.Path.cwd()
home, project, root, there = top / "home", top / "project", top / "root", top / "there"
for folder in (home, project, root / "var/lib/vmcred", there, top / "bin"):
    folder.mkdir(parents=True, exist_ok=True)
env = {"HOME": str(home), "USER": "alice", "VMCRED_RUNTIME_DIR": str(top / "vms"), "PATH": f"{top}/bin:{os.environ['PATH']}"}
DECLARATION = """
[machines.host]
[machines.other]
[generators.pair]
machines = ["host"]
script = 'head -c 24 /dev/urandom | base64 | tee "$out/a" > "$out/b"'
files.a = {}
files.b = {}
[generators.made]
machines = ["host"]
dependencies = ["pair"]
script = 'cat "$in/pair/a" > "$out/copy"; cat "$in/pair/b" > "$out/twin"'
files.copy = {}
files.twin = {}
[generators.hand]
machines = ["host"]
files.word = {}
[vms.box]
machine = "host"
kernel = "/bin/true"
guest.agent = true
credentials.a = { from = "pair/a", services = ["s"] }
"""


def supervise():
    """The supervisor of the vm 'box': it takes what it is handed, and looks whether it is whole."""
    folder = top / "vms/box"
    folder.mkdir(parents=True, exist_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    os.chdir(folder)  # the path of a socket is short
    listener.bind("control")
    os.chdir(top)
    listener.listen()

    def serve():
        while True:
            client = listener.accept()[0]
            try:
                asked, ancillary, _, _ = client.recvmsg(65536, socket.CMSG_SPACE(4))
                if ancillary:
                    os.close(array.array("i", ancillary[0][2])[0])
                if b"refresh" in asked:
                    client.sendall(b'{"refreshed":true,"generation":2,"error":""}\n')
                elif asked:
                    client.sendall(b'{"vm":"box","state":"running"}\n')
            except OSError:
                pass  # who asked was killed
            client.close()

    threading.Thread(target=serve, daemon=True).start()


def vmcred(*arguments, **options):
    return subprocess.Popen([VMCRED, "--project", str(project), *arguments], env=env, cwd=project, stdin=options.get("stdin", subprocess.DEVNULL),
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def run(*arguments, text=None):
    done = subprocess.run([VMCRED, "--project", str(project), *arguments], env=env, cwd=project, capture_output=True,
                          input=text)
    if done.returncode != 0:
        sys.exit(f"{arguments}: exit code {done.returncode}: {done.stderr.decode()}")
    return done.stdout


def opened(path, key):
    """The value of one sops file, read without vmcred."""
    file = json.loads(path.read_text())
    for entry in file["sops"]["age"]:
        got = subprocess.run(["age", "-d", "-i", str(key)], input=entry["enc"].encode(), capture_output=True)
        if got.returncode == 0:
            break
    else:
        sys.exit(f"{path}: {key} opens no data key")
    parts = re.fullmatch(r"ENC\[AES256_GCM,data:(.*),iv:(.*),tag:(.*),type:\w+\]", file["data"])
    data, iv, tag = (base64.b64decode(part) for part in parts.groups())
    return AESGCM(got.stdout).decrypt(iv, data + tag, b"data:")


def stored():
    """All values, by generator/file."""
    values = {}
    for path in sorted((project / "vars").glob("per-machine/host/*/*/secret")):
        values[f"{path.parts[-3]}/{path.parts[-2]}"] = opened(path, home / ".config/sops/age/keys.txt")
    return values


def activated():
    link = root / "run/vmcred/vars"
    if not link.is_symlink():
        return {}
    return {f"{p.parts[-2]}/{p.parts[-1]}": p.read_bytes() for p in sorted(link.glob("per-machine/host/*/*"))}


def check(what, where):
    values = stored() if where == "store" else activated()
    names = {"pair/a", "pair/b", "made/copy", "made/twin", "hand/word"}
    if names - set(values):
        sys.exit(f"seed {SEED}, {what}: lost in the {where}: {sorted(names - set(values))}")
    for one, other in (("pair/a", "pair/b"), ("made/copy", "made/twin")):
        if values[one] != values[other]:
            sys.exit(f"seed {SEED}, {what}: half written in the {where}: {one} and {other} differ")
    if any(not value for value in values.values()):
        sys.exit(f"seed {SEED}, {what}: empty in the {where}")
    if where == "store" and values["hand/word"] not in hand:
        sys.exit(f"seed {SEED}, {what}: hand/word is neither the value before nor the one after")
    return values


(project / "vmcred.toml").write_text(DECLARATION)
(top / "bin/ssh").write_text('#!/bin/sh\nfor last; do :; done\nexec sh -c "$last"\n')
(top / "bin/vmcred").write_text(f'#!/bin/sh\nexec {VMCRED} "$@" --root-prefix {root}\n')
for program in ("ssh", "vmcred"):
    (top / "bin" / program).chmod(0o755)
supervise()
run("init", "--machine", "host")
run("vars", "set", "host", "hand/word", text=b"first")
run("vars", "generate")
run("vars", "upload", "host", "--directory", str(root / "var/lib/vmcred"))
run("activate", "--machine", "host", "--root-prefix", str(root))
archive = top / "export"

LINK = project / "vars/per-machine/host/pair/a/machines/host"
hand = {b"first"}


def prepare(what):
    """The command line of one operation, and what it reads; whatever has to be so before it."""
    word = base64.b64encode(dice.randbytes(12))
    if what == "set":
        hand.add(word)
        return ["vars", "set", "host", "hand/word"], word
    if what == "rotate":
        return ["vars", "rotate", "-g", "pair"], None
    if what == "generate":
        return ["vars", "generate", "-g", "pair", "--regenerate"], None
    if what == "fix":
        if LINK.is_symlink():
            LINK.unlink()
        return ["vars", "fix", "--yes"], None
    if what == "activate":
        run("vars", "rotate", "-g", "pair")
        return ["activate", "--machine", "host", "--root-prefix", str(root)], None
    if what == "refresh":
        run("vars", "rotate", "-g", "pair")
        return ["vm", "refresh", "box"], None
    if what == "import":
        shutil.rmtree(archive, ignore_errors=True)
        run("vars", "export", str(archive))
        run("vars", "rotate", "-g", "pair")
        return ["vars", "import", str(archive)], None
    return ["deploy", "host", "--target", "root@there", "--folder", str(there)], None


OPERATIONS = ["set", "rotate", "generate", "fix", "activate", "refresh", "import", "deploy"]
took = {}
killed = {what: 0 for what in OPERATIONS}
for number in range(KILLS):
    what = OPERATIONS[number % len(OPERATIONS)]
    arguments, word = prepare(what)
    begun = time.monotonic()
    child = vmcred(*arguments, stdin=subprocess.PIPE if word else subprocess.DEVNULL)
    if word:
        child.stdin.write(word)
        child.stdin.close()
    try:
        child.wait(timeout=dice.uniform(0, took.get(what, 0.5) * 1.1))
        took[what] = max(took.get(what, 0.05), time.monotonic() - begun)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        killed[what] += 1
        took[what] = max(took.get(what, 0.5), time.monotonic() - begun)
    check(what, "store")
    if (root / "run/vmcred/vars").is_symlink():
        check(what, "host")
    # Whoever comes next goes on as if nothing had been: the same command, to its end.
    # A drift that a killed fix left is refused by what comes next, as it should be.
    if what == "fix" or (what in ("activate", "refresh", "deploy") and dice.random() < 0.5):
        run(*arguments)
        check(what, "store")
run("vars", "generate")
run("vars", "fix", "--yes")
run("activate", "--machine", "host", "--root-prefix", str(root))
values, host = stored(), activated()
if values != host:
    sys.exit(f"seed {SEED}: the host does not hold what the store holds")
print(f"{sum(killed.values())} of {KILLS} were killed: {killed}")
