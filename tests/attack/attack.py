"""The round of attacks behind tools/attack: every round is drawn from its seed alone, and so can be shown again.

A finding is: an end by a signal or an abort; a run that does not end; plaintext where none may be; a value that was never given or
made; a change that a later run does not get over; old plaintext or processes that stay.
"""
import argparse
import collections
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
LIMIT = 120  # seconds that any run may take, on a loaded machine

DECLARATION = """\
[machines.web]
[generators.base]
machines = ["web"]
script = 'head -c 9 /dev/urandom | base64 > "$out/key"; printf public > "$out/pub"'
files.key = {}
files.pub = { secret = false }
[generators.made]
machines = ["web"]
dependencies = ["base"]
script = 'cat "$in/base/key" > "$out/copy"'
files.copy = {}
[generators.given]
machines = ["web"]
files.one = {}
files.two = {}
[vms.box]
machine = "web"
kernel = "/bin/true"
[vms.box.credentials]
one = { from = "given/one", services = ["s"] }
"""
CHANGES = "openat,openat2,mkdir,mkdirat,symlink,symlinkat,link,linkat,rename,renameat,renameat2,unlink,unlinkat,rmdir,fsync,write,fchmod"
FAULTS = ["ENOSPC", "EIO", "EMFILE", "ENOMEM", "EACCES", "EROFS", "EINTR", "EDQUOT"]


class Finding(Exception):
    pass


class Ran:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __str__(self):
        return f"exit code {self.code}; stderr: {self.err[-600:].decode(errors='replace')}"


class Project:
    """A project with a user, a host and values, made once and copied for each round."""

    def __init__(self, programs, folder):
        self.programs = programs
        self.folder = folder
        self.canaries = [b"canary-one-5f1e6b70", b"canary-two-d24c0a91"]
        self.secrets = list(self.canaries)

    @property
    def path(self):
        return self.folder / "project"

    def environment(self):
        return {"HOME": str(self.folder / "home"), "USER": "alice", "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8",
                "TMPDIR": str(self.folder / "tmp"), "ASAN_OPTIONS": "detect_leaks=0"}

    def make(self):
        for name in ("home", "project", "tmp", "root/var/lib/vmcred"):
            (self.folder / name).mkdir(parents=True)
        subprocess.run(["git", "init", "-q", "."], cwd=self.path, check=True)
        (self.path / "vmcred.toml").write_text(DECLARATION)
        for words, given in ((["init"], b""), (["vars", "set", "given/one"], self.canaries[0]),
                             (["vars", "set", "given/two"], self.canaries[1]), (["vars", "generate"], b"")):
            done = self.run(words, given)
            if done.code != 0:
                sys.exit(f"attack: error: {' '.join(words)}: {done}")
        keys = next((self.folder / "home").rglob("keys.txt"))
        shutil.copy(keys, self.folder / "root/var/lib/vmcred/key.txt")
        return self

    def copy(self, folder):
        shutil.copytree(self.folder, folder, symlinks=True, dirs_exist_ok=True)
        return Project(self.programs, folder)

    def run(self, words, given=b"", before=(), check=True, limit=LIMIT):
        argv = [*before, self.programs["vmcred"], *words]
        process = subprocess.Popen(argv, cwd=self.path, env=self.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, start_new_session=True)
        try:
            out, err = process.communicate(given, timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise Finding(f"'{' '.join(words)}' does not end within {limit} s")
        ran = Ran(process.returncode, out, err)
        if check and ran.code not in (0, 1, 2, 3, 4, 5):
            raise Finding(f"'{' '.join(words)}' ended badly: {ran}")
        if words[:2] != ["vars", "get"]:
            for canary in self.canaries:
                if canary in out or canary in err:
                    raise Finding(f"'{' '.join(words)}' prints a value")
        return ran

    def value(self, name):
        return self.run(["vars", "get", "web", name])

    def plaintext_on_disk(self):
        """Files that hold a value, outside of what activation keeps in memory."""
        found = []
        for place in ("project", "home", "tmp"):
            for path in (self.folder / place).rglob("*"):
                if path.is_symlink() or not path.is_file():
                    continue
                text = path.read_bytes()
                found += [str(path) for canary in self.canaries if canary in text]
        return found

    def stands_well(self, new=()):
        """After whatever happened: the next commands get over it, and every value is one that was given."""
        for path in self.plaintext_on_disk():
            raise Finding(f"plaintext is left in '{path}'")
        listed = self.run(["vars", "list", "--json"])
        if listed.code != 0:
            raise Finding(f"'vars list' fails afterwards: {listed}")
        for name, canary in (("given/one", self.canaries[0]), ("given/two", self.canaries[1])):
            got = self.value(name)
            if got.code != 0 or got.out.rstrip(b"\n") not in (canary, *new):
                raise Finding(f"'{name}' is neither what it was nor what it was to become: {got}")
        again = self.run(["vars", "generate"])
        if again.code != 0:
            raise Finding(f"'vars generate' fails afterwards: {again}")
        got, copied = self.value("base/key"), self.value("made/copy")
        if got.code != 0 or copied.code != 0:
            raise Finding(f"a generated value cannot be read afterwards: {got} {copied}")
        if (self.path / "vars/.vmcred-staging").exists():
            raise Finding("a staging folder is left after the next change")


def command(chance):
    """Something that changes the store, with what it reads."""
    return chance.choice([
        (["vars", "set", "given/one"], b"canary-new-77aa01c3"),
        (["vars", "generate", "-g", "base", "--regenerate"], b""),
        (["vars", "rotate", "base"], b""),
        (["vars", "fix"], b""),
        (["vars", "generate"], b""),
        (["activate", "--root-prefix", "ROOT"], b""),
        (["vars", "check"], b""),
    ])


def prepared(project, chance):
    words, given = command(chance)
    words = [str(project.folder / "root") if word == "ROOT" else word for word in words]
    if chance.random() < 0.3:
        shutil.rmtree(project.path / "vars/per-machine/web/made", ignore_errors=True)
    return words, given


def kill(project, chance):
    """Killed at any change to a file; or at any moment."""
    words, given = prepared(project, chance)
    if chance.random() < 0.6:
        nth = int(2 ** chance.uniform(0, 9))
        project.run(words, given, [project.programs["inject"], "--calls", CHANGES, "--nth", str(nth), "--kill", "--"], check=False)
    else:
        process = subprocess.Popen([project.programs["vmcred"], *words], cwd=project.path, env=project.environment(),
                                   stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            process.stdin.write(given)
            process.stdin.close()
        except BrokenPipeError:
            pass
        time.sleep(chance.expovariate(1 / 0.06))
        whom = os.killpg if chance.random() < 0.5 else os.kill
        try:
            whom(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
    project.stands_well([given])
    leftovers(project)


def leftovers(project):
    """No process that was started for the project outlives the run by more than it takes to end."""
    end = time.monotonic() + 60
    mark = f"HOME={project.folder}/home".encode()
    while True:
        alive = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                    alive.append((entry.name, (entry / "comm").read_text().strip()))
            except OSError:
                continue
        if not alive:
            break
        if time.monotonic() > end:
            raise Finding(f"processes outlive us: {alive}")
        time.sleep(0.05)
    root = project.folder / "root/run/vmcred.d"
    if root.exists():
        done = project.run(["activate", "--root-prefix", str(project.folder / "root")])
        if done.code == 0 and len(list(root.iterdir())) != 1:
            raise Finding("old plaintext is left after the next activation")


def fault(project, chance):
    """Any system call fails, once."""
    words, given = prepared(project, chance)
    nth = int(2 ** chance.uniform(0, 11))
    error = chance.choice(FAULTS)
    project.run(words, given, [project.programs["inject"], "--nth", str(nth), "--error", error, "--"])
    project.stands_well([given])


def flip(path, chance):
    """A file as somebody hostile leaves it."""
    data = bytearray(path.read_bytes())
    for _ in range(chance.randint(1, 4)):
        how = chance.randrange(6)
        at = chance.randrange(len(data) + 1)
        if how == 0 and data:
            data[at % len(data)] ^= 1 << chance.randrange(8)
        elif how == 1:
            data[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 8)))
        elif how == 2:
            del data[at:at + chance.randint(1, 64)]
        elif how == 3:
            data[at:at] = data[at:at + chance.randint(1, 200)] * chance.randint(1, 50)
        elif how == 4:
            data[at:at] = chance.choice([b'"', b"{", b"[" * 3000, b"\0", b"\n", b"../", b"a." * 3000, b"-" * 300, b"\xff\xfe"])
        else:
            data = bytearray(chance.choice([b"", b"{}", b"null", b"[]", b"age1", b"\0" * 5000]))
    path.write_bytes(bytes(data))


def tree(project, chance):
    """A repository in which anything was changed: nothing crashes, and no value comes out under a name that is not its own."""
    for _ in range(chance.randint(1, 3)):
        inside = sorted(p for p in project.path.rglob("*") if ".git" not in p.relative_to(project.path).parts)
        path = chance.choice(inside)
        if path.is_fifo():
            continue  # an earlier step put it there; reading it would wait for ever
        how = chance.randrange(8)
        if path.is_symlink() or path.is_dir() or how >= 5:
            other = chance.choice([project.path / "vmcred.toml", pathlib.Path("/etc/passwd"), pathlib.Path("/dev/zero"), path.parent,
                                   pathlib.Path("/proc/self/mem"), *inside])
            if path.is_dir() and not path.is_symlink():
                if how < 3:
                    continue
                shutil.rmtree(path)
            else:
                path.unlink()
            if how == 7:
                os.mkfifo(path)
            elif how != 6:
                path.symlink_to(other)
        else:
            flip(path, chance)
    for words in (["vars", "list", "--json"], ["vars", "check"], ["check"], ["secrets", "who"], ["explain", "--json"]):
        project.run(words)
    for name, canary, others in (("given/one", project.canaries[0], project.canaries[1]), ("given/two", project.canaries[1], project.canaries[0])):
        got = project.value(name)
        if got.code == 0 and got.out.rstrip(b"\n") not in (canary, others):
            raise Finding(f"'{name}' reads as something that nobody gave it: {got.out[:80]!r}")
    project.run(["activate", "--root-prefix", str(project.folder / "root")])


def swap(project, chance):
    """Signatures are demanded; while a command runs another folder is swapped for one that anybody could have made."""
    keygen = project.run(["signatures", "keygen"])
    if keygen.code != 0:
        raise Finding(f"'signatures keygen' fails: {keygen}")
    signed = project.run(["signatures", "sign", "--yes"])
    if signed.code != 0:
        raise Finding(f"'signatures sign' fails: {signed}")
    vars_of = project.path / "vars/per-machine/web"
    one, two = vars_of / "given/one/secret", vars_of / "given/two/secret"
    exchange = f"cp '{one}' '{project.folder}/swapped' && cp '{two}' '{one}' && cp '{project.folder}/swapped' '{two}'"
    words, given = chance.choice([(["vars", "set", "given/one"], b"canary-new-77aa01c3"), (["vars", "fix"], b""),
                                  (["vars", "rotate", "base"], b""), (["vars", "generate"], b""),
                                  (["vars", "set", "given/two"], b"canary-new-77aa01c3")])
    nth = int(2 ** chance.uniform(0, 10))
    project.run(words, given, [project.programs["inject"], "--nth", str(nth), "--run", exchange, "--"])
    for name, canary in (("given/one", project.canaries[0]), ("given/two", project.canaries[1])):
        got = project.value(name)
        if got.code == 0 and got.out.rstrip(b"\n") not in (canary, given if name == words[-1] else canary):
            raise Finding(f"a swap at call {nth} of '{' '.join(words)}' was signed: '{name}' reads as {got.out!r}")


def parsers(project, chance):
    """What guests, monitors and files send, changed by chance, through the programs that replay the fuzz corpora."""
    replays = project.programs["replays"]
    if not replays:
        return
    replay = chance.choice(replays)
    corpus = SOURCE / "tests/fuzz/corpus" / replay.name.removesuffix("_fuzz_replay")
    seeds = sorted(p for p in corpus.rglob("*") if p.is_file())
    folder = project.folder / "corpus"
    folder.mkdir()
    for number in range(100):
        path = folder / str(number)
        shutil.copy(chance.choice(seeds), path)
        flip(path, chance)
    try:
        done = subprocess.run([replay, folder], capture_output=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        raise Finding(f"{replay.name} does not end")
    if done.returncode != 0:
        raise Finding(f"{replay.name}: exit code {done.returncode}: {done.stderr[-600:].decode(errors='replace')}")


KINDS = {"kill": kill, "fault": fault, "tree": tree, "swap": swap, "parsers": parsers}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--round", type=int, help="only this one")
    parser.add_argument("--only", choices=KINDS)
    parser.add_argument("--build", default=os.environ.get("VMCRED_BUILD", str(SOURCE / "build/release")))
    arguments = parser.parse_args()
    build = pathlib.Path(arguments.build).resolve()
    programs = {"vmcred": build / "bin/vmcred", "inject": build / "bin/inject", "replays": sorted((build / "bin").glob("*_fuzz_replay"))}
    print(f"attack: seed {arguments.seed}", flush=True)
    counts, findings = collections.Counter(), 0
    end = time.monotonic() + (arguments.seconds or arguments.minutes * 60)
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="attack-", dir=memory) as temporary:
        model = Project(programs, pathlib.Path(temporary) / "model").make()
        number = arguments.round or 0
        while time.monotonic() < end or (arguments.round is not None and number == arguments.round):
            chance = random.Random(f"{arguments.seed}/{number}")
            kind = arguments.only or chance.choice([k for k in KINDS if programs["replays"] or k != "parsers"])
            folder = pathlib.Path(temporary) / "round"
            project = model.copy(folder)
            try:
                KINDS[kind](project, chance)
            except Finding as finding:
                findings += 1
                print(f"attack: found by round {number} ({kind}): {finding}\n"
                      f"  again: tools/attack --seed {arguments.seed} --round {number}{' --only ' + kind if arguments.only else ''}", flush=True)
            counts[kind] += 1
            shutil.rmtree(folder)
            if arguments.round is not None:
                break
            number += 1
    said = ", ".join(f"{counts[kind]} {kind}" for kind in KINDS)
    print(f"attack: {sum(counts.values())} rounds ({said}), {findings} findings")
    sys.exit(1 if findings or not counts else 0)


if __name__ == "__main__":
    main()
