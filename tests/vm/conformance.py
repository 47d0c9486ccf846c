#!/usr/bin/env python3
"""What systemd in a guest does with credentials, in the versions that we deliver to, and that our plan knows it.

    conformance.py [--case NAME]... VMCRED IMAGE...     images of tools/guest-image with the files of tests/vm/overlay

Each case is one function. The facts come from boots that QEMU starts directly; several cases share one. The rest asks
vmcred what it would do. Prints a line for each case, exits with 1 when one failed.
"""
import argparse
import base64
import functools
import json
import pathlib
import subprocess
import sys
import tempfile
import traceback

import boot
from boot import BINARY, PREFIX, structure, text_of_size

parser = argparse.ArgumentParser()
parser.add_argument("--case", action="append", default=[])
parser.add_argument("vmcred")
parser.add_argument("image", nargs="+")
ARGUMENTS = parser.parse_args()
VMCRED = ARGUMENTS.vmcred
IMAGES = {boot.systemd_of(image): image for image in ARGUMENTS.image}
OLDEST, NEWEST = min(IMAGES), max(IMAGES)
WHOLE_STRUCTURES = 257  # the first systemd that reads a structure beyond its first page
PAGES = 254             # the first one with a tmpfs of 256 pages for credentials (kernel 6.3 and later)
CASES = []

ALL_BYTES = bytes(range(256))
ODD = b'a\nb,c,,d"e[f]g\\h=i j'
LONG = "n" * 255
STRADDLED = {name: bytes([name.encode()[-1]]) * 1500 for name in ("c5-a", "c5-b", "c5-c", "c5-d")}
EIGHT = {f"c19-{i}": bytes([65 + i]) * 2800 for i in range(8)}
CUT = bytes(range(128)) * 25
HUGE = ALL_BYTES * 400
FULL = {f"c13-{i:02}": bytes([65 + i]) * 2**16 for i in range(16)}  # 1 MiB; one item of that size takes the kernel 16 times longer


def case(title):
    def register(function):
        CASES.append((function.__name__.upper(), title, function))
        return function
    return register


def binary(name, value):
    return BINARY + name.encode() + b"=" + base64.b64encode(value)


@functools.cache
def mixed(version):
    """One boot with everything that fits into one table."""
    url_safe = base64.urlsafe_b64encode(b"\xfb\xff\xfe" * 8)
    wrapped = base64.encodebytes(ODD * 5)
    odd_strings = [
        PREFIX + b"c1=magicdata", BINARY + b"c2=bWFnaWNiaW5hcnlkYXRh", binary("c3", ALL_BYTES),
        PREFIX + b"c7-inside=first", PREFIX + b"c7-inside=second", PREFIX + b"c7-across=smbios",
        PREFIX + b"n=one", PREFIX + LONG.encode() + b"=255", PREFIX + LONG.encode() + b"n=256", PREFIX + b"with space=space",
        PREFIX + b".hidden=dot", PREFIX + b"a:b=colon", PREFIX + b"a/b=slash", PREFIX + b"k=v=w", PREFIX + "\u00fc=umlaut".encode(),
        PREFIX + b"c9=", PREFIX + b"c10=" + ODD,
        BINARY + b"c11-unpadded=" + base64.b64encode(b"12345").rstrip(b"="), BINARY + b"c11-url=" + url_safe,
        BINARY + b"c11-wrapped=" + wrapped, b"io.systemd.credentials:c18=typo",
    ]
    blobs = [structure(0x1100, odd_strings)]
    blobs += [structure(0x1110 + i, [text_of_size(f"c4-{size}", size)[0]]) for i, size in enumerate((4096, 4097, 4099))]
    blobs.append(structure(0x1120, [PREFIX + name.encode() + b"=" + value for name, value in STRADDLED.items()]))
    # Cut at 4096 bytes, the base64 of the first is a multiple of four characters long, that of the second is not.
    blobs += [structure(0x1130, [binary("c6-ev", CUT)]), structure(0x1131, [binary("c6-odd", CUT)])]
    blobs += [structure(0x1140 + i, [binary(name, value)]) for i, (name, value) in enumerate(EIGHT.items())]
    assert boot.structure(0, [text_of_size("c4-4096", 4096)[0]]).__len__() == 4096
    return boot.boot(IMAGES[version], blobs=blobs, command_line="systemd.set_credential=c7-across:line systemd.set_credential=c1-line:a:b",
                     fw_cfg={"c7-across": b"fw_cfg", "c14-" + "n" * 24: b"28", "c14-huge": HUGE, ".c14": b"dot"})


@functools.cache
def many(version):
    """300 small credentials. Where no tmpfs counts pages, as many bytes as systemd takes in all, and one byte more."""
    values = {f"c12-{i:03}": f"{i:030}".encode() for i in range(300)}
    names = list(values)
    blobs = [structure(0x1100 + i, [binary(name, values[name]) for name in names[i * 50:(i + 1) * 50]]) for i in range(6)]
    fw_cfg = {**FULL, "c13-15": FULL["c13-15"][9000:], "c13-over": bytes(2**20 + 1)} if version < PAGES else {}
    return values, boot.boot(IMAGES[version], blobs=blobs, fw_cfg=fw_cfg, command_line="systemd.set_credential=c13-late:1")


def plan(credentials, version=OLDEST, *, hypervisor="qemu", lines="", want=None):
    """`vm plan` of a vm with these credentials (guest name -> value): its JSON, or what it said on stderr when it refused all."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "values").mkdir(mode=0o700)
        text = f'[machines.host]\n[vms.case]\nmachine = "host"\nhypervisor = "{hypervisor}"\nkernel = "/boot/vmlinuz"\n{lines}\n'
        text += f"guest.systemd = {version}\n[vms.case.credentials]\n"
        for i, (guest, value) in enumerate(credentials.items()):
            (folder / "values" / f"host-n{i}").write_bytes(value)
            text += f'n{i} = {{ from = "{folder}/values/host-n{i}", guest = {json.dumps(guest)}, allow-empty = true }}\n'
        (folder / "vmcred.toml").write_text(text)
        done = subprocess.run([VMCRED, "--project", folder, "--json", "vm", "plan", "case"], capture_output=True, text=True,
                              env={"CREDENTIALS_DIRECTORY": f"{folder}/values", "PATH": "/usr/bin:/bin", "HOME": str(folder)})
        made = json.loads(done.stdout)
        return done.stderr if "error" in made else made


def refusals(made):
    if isinstance(made, str):
        return made
    return " ".join([one["refused"] for one in made["credentials"] if "refused" in one] + [one["text"] for one in made["remarks"] if one["refusal"]])


def channels(made):
    return {one["guest"]: one["channel"] for one in made["credentials"]}


def expect(truth, *what):
    if not truth:
        raise AssertionError(" ".join(str(one) for one in what))


def in_all(check):
    for version in IMAGES:
        check(version, mixed(version))


@case("a text credential arrives, by SMBIOS and by the kernel line")
def c1():
    in_all(lambda v, got: expect(got.has("c1", b"magicdata") and got.has("c1-line", b"a:b"), v))


@case("a binary credential arrives")
def c2():
    in_all(lambda v, got: expect(got.has("c2", b"magicbinarydata"), v))


@case("all 256 byte values arrive")
def c3():
    in_all(lambda v, got: expect(got.has("c3", ALL_BYTES), v))


@case("a structure of 4096 bytes arrives everywhere; before 257 only the two NULs at its end may lie beyond; the plan stays below")
def c4():
    def check(version, got):
        for size in (4096, 4097):
            expect(got.has(f"c4-{size}", text_of_size(f"c4-{size}", size)[1]), version, size)
        value = text_of_size("c4-4099", 4099)[1]
        expect(got.has("c4-4099", value) == (version >= WHOLE_STRUCTURES), version, "4099 bytes")
        expect(version >= WHOLE_STRUCTURES or got.has_cut("c4-4099", value, len(value) - 1), version, "cut by one byte, as a success")
        made = plan({f"N{i}": bytes(900) for i in range(20)}, version)
        used = [one for one in made["budgets"] if one["what"].startswith("structure")]
        expect(all(one["used"] <= one["allowed"] for one in used), used)
        expect(version >= WHOLE_STRUCTURES or all(one["used"] <= 4096 for one in used), used)
    in_all(check)


@case("before 257 the string that straddles 4096 bytes is cut as a success and the next is lost: the plan never makes one")
def c5():
    def check(version, got):
        whole = [name for name, value in STRADDLED.items() if got.has(name, value)]
        if version >= WHOLE_STRUCTURES:
            expect(whole == list(STRADDLED), version, whole)
            return
        expect(whole == ["c5-a", "c5-b"] and "c5-d" not in got.credentials, version, got.credentials)
        expect(0 < got.credentials["c5-c"][0] < 1500, got.credentials["c5-c"])
        made = plan({name.upper(): value for name, value in STRADDLED.items()}, version, hypervisor="cloud-hypervisor")
        expect("4096" in refusals(made), "one structure alone must be refused:", made)
        made = plan({name.upper(): value for name, value in STRADDLED.items()}, version)
        expect(not refusals(made) and len([b for b in made["budgets"] if b["what"].startswith("structure")]) == 2, made)
    in_all(check)


@case("before 257 base64 that is cut at a multiple of four characters is taken for the whole, else lost: such values go another way")
def c6():
    def check(version, got):
        if version >= WHOLE_STRUCTURES:
            expect(got.has("c6-ev", CUT) and got.has("c6-odd", CUT), version)
            return
        length = got.credentials["c6-ev"][0]
        expect(got.has_cut("c6-ev", CUT, length) and length < len(CUT) and "c6-odd" not in got.credentials, version, length)
        expect(channels(plan({"C6": CUT}, version)) == {"C6": "fw_cfg"})
    in_all(check)


@case("of two credentials with one name the first counts, fw_cfg before SMBIOS before the kernel line: the declaration refuses both")
def c7():
    in_all(lambda v, got: expect(got.has("c7-inside", b"first") and got.has("c7-across", b"fw_cfg"), v, got.credentials))
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "vmcred.toml").write_text(
            '[machines.host]\n[vms.case]\nmachine = "host"\nkernel = "/k"\n[vms.case.credentials]\n'
            'a-b = { from = "/x" }\na_b = { from = "/y" }\n')
        done = subprocess.run([VMCRED, "--project", folder, "vm", "plan", "case"], capture_output=True, text=True)
        expect(done.returncode != 0 and "A_B" in done.stderr, done.stderr)


@case("names: 1 to 255 printable characters arrive, ':' '/' and beyond ASCII do not: the declaration refuses those")
def c8():
    taken = {"n": b"one", LONG: b"255", "with space": b"space", ".hidden": b"dot", "k": b"v=w"}
    lost = [LONG + "n", "a:b", "a/b", "\u00fc"]

    def check(version, got):
        for name, value in taken.items():
            expect(got.has(name, value), version, name)
        expect(not any(name in got.credentials for name in lost), version, list(got.credentials))
    in_all(check)
    for name in lost + ["k=v", ".", ".."]:
        expect(isinstance(plan({name: b"x"}), str), "not refused:", name)
    for name in taken:
        expect(not refusals(plan({name: b"x"})), "refused:", name)


@case("an empty value arrives as an empty credential")
def c9():
    in_all(lambda v, got: expect(got.has("c9", b""), v))


@case("newline, comma, quote, bracket, backslash and space arrive")
def c10():
    in_all(lambda v, got: expect(got.has("c10", ODD), v))


@case("base64 without padding is dropped, wrapped lines are taken, the URL alphabet from 257 on: ours is padded and standard")
def c11():
    def check(version, got):
        expect("c11-unpadded" not in got.credentials and got.has("c11-wrapped", ODD * 5), version, list(got.credentials))
        expect(("c11-url" in got.credentials) == (version >= WHOLE_STRUCTURES), version, "url alphabet")
    in_all(check)


@case("a tmpfs of credentials (254 and later, kernel 6.3 and later) holds 256 files and loses the rest: the plan says so")
def c12():
    for version in IMAGES:
        values, got = many(version)
        arrived = [name for name, value in values.items() if got.has(name, value)]
        expect(arrived == list(values)[:256 if version >= PAGES else 300], version, len(arrived))
        for count in (256, 257):
            made = plan({f"N{i}": b"x" for i in range(count)}, version)
            warned = any("256" in one["text"] for one in made["remarks"])
            expect(warned == (version >= PAGES and count > 256), version, count, made["remarks"])


@case("one credential may have 1 MiB, and so may all together; one byte more is lost: the plan refuses it")
def c13():
    for version in IMAGES:
        if version < PAGES:  # with the 300 small ones exactly 1 MiB
            got = many(version)[1]
            full = {**FULL, "c13-15": FULL["c13-15"][9000:]}
        else:
            got = boot.boot(IMAGES[version], fw_cfg={"c13-over": bytes(2**20 + 1), **FULL}, command_line="systemd.set_credential=c13-late:1")
            full = FULL
        expect(all(got.has(name, value) for name, value in full.items()), version, got.credentials, got.log)
        expect("c13-over" not in got.credentials and "c13-late" not in got.credentials, version, got.credentials)
        expect(not refusals(plan({"A": bytes(2**20)}, version)), version)
        expect("1048576" in refusals(plan({"A": bytes(2**20 + 1)}, version)), version)
        expect("1048576" in refusals(plan({"A": bytes(2**19), "B": bytes(2**19 + 1)}, version)), version)


@case("fw_cfg takes names of 28 characters and 100 kB, QEMU refuses 29: the plan refuses a large value with such a name")
def c14():
    in_all(lambda v, got: expect(got.has("c14-" + "n" * 24, b"28") and got.has("c14-huge", HUGE) and ".c14" not in got.credentials, v))
    process, control, fds = boot.start(IMAGES[OLDEST], fw_cfg={"n" * 29: b"29"})
    control.close()
    said = process.communicate(timeout=60)[0]
    expect(process.returncode != 0, said)
    expect(channels(plan({"N" * 28: HUGE})) == {"N" * 28: "fw_cfg"})
    expect("28" in refusals(plan({"N" * 29: HUGE})), plan({"N" * 29: HUGE}))


@case("the machine type microvm has no SMBIOS table: everything goes by fw_cfg")
def c15():
    made = plan({"A": b"x" * 40, "B": bytes(3000)}, lines='qemu.machine = "microvm"')
    expect(channels(made) == {"A": "fw_cfg", "B": "fw_cfg"}, made)
    for version, image in IMAGES.items():
        # type=11 is taken without a word, and dropped; the tests of delivery boot such vms by `vmcred vm run`.
        if version == OLDEST:
            got = boot.boot(image, machine="microvm", blobs=[structure(0x1100, [PREFIX + b"lost=x"])], fw_cfg={"kept": b"y"},
                            command_line=f"tsc_early_khz={tsc_khz()}")
            expect("lost" not in got.credentials and got.has("kept", b"y"), version, got.credentials)


def tsc_khz():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("cpu MHz"):
            return round(float(line.split(":")[1]) * 1000)
    raise AssertionError("no clock rate in /proc/cpuinfo")


@case("systemd.import_credentials=no: nothing arrives; the plan refuses, the guest's doctor names it")
def c16():
    got = boot.boot(IMAGES[NEWEST], blobs=[structure(0x1100, [PREFIX + b"c16=x"])], fw_cfg={"c16-fw": b"y"},
                    command_line="systemd.import_credentials=no")
    expect(not got.credentials and "import_credentials is off" in got.doctor, got)
    expect("import_credentials" in refusals(plan({"A": b"x"}, lines='command-line = "quiet systemd.import_credentials=no"')))


@case("a kernel without dmi-sysfs: what comes by SMBIOS is lost, fw_cfg arrives; the guest's doctor names it")
def c17():
    got = boot.boot(IMAGES[OLDEST], blobs=[structure(0x1100, [PREFIX + b"c17=x"])], fw_cfg={"c17-fw": b"y"},
                    command_line="initcall_blacklist=dmi_sysfs_init")
    expect("c17" not in got.credentials and got.has("c17-fw", b"y") and "no SMBIOS entries" in got.doctor, got)


@case("a mistyped prefix is ignored by systemd: vmcred names the string without its value, in every output")
def c18():
    in_all(lambda v, got: expect("c18" not in got.credentials and "io.systemd.credentials" in got.doctor and "typo" not in got.doctor, v, got.doctor))
    value = "hunter2hunter2hunter2"
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "vmcred.toml").write_text(
            f'[machines.host]\n[vms.case]\nmachine = "host"\nkernel = "/k"\noem-strings = ["io.systemd.credentials:API_KEY={value}"]\n')
        said = ""
        for words in (["check"], ["vm", "plan", "case"], ["vm", "plan", "case", "--argv"], ["vm", "run", "case"], ["--verbose", "check"]):
            done = subprocess.run([VMCRED, "--project", folder, *words], capture_output=True, text=True)
            said += done.stdout + done.stderr
        expect(value not in said, said)
        expect("io.systemd.credentials" in said, said)


@case("eight structures with a value of 2800 bytes each arrive, also on 252")
def c19():
    in_all(lambda v, got: expect(all(got.has(name, value) for name, value in EIGHT.items()), v))
    made = plan({f"N{i}": bytes(2800) for i in range(8)})
    expect(set(channels(made).values()) == {"smbios"} and not refusals(made), made)


@case("fifteen structures with an option each arrive; of twenty in one file the guest loses those beyond the ninth: the plan makes options")
def c20():
    values = {f"c20-{i:02}": text_of_size(f"c20-{i:02}", 4095) for i in range(15)}
    got = boot.boot(IMAGES[OLDEST], blobs=[structure(0x1100 + i, [string]) for i, (string, _) in enumerate(values.values())])
    expect(all(got.has(name, value) for name, (_, value) in values.items()), list(got.credentials))
    one_file = b"".join(structure(0x1100 + i, [PREFIX + f"c20-{i:02}=x".encode()]) for i in range(20))
    got = boot.boot(IMAGES[OLDEST], blobs=[one_file])
    arrived = [name for name in got.credentials if name.startswith("c20-")]
    expect(sorted(arrived) == [f"c20-{i:02}" for i in range(len(arrived))] and 0 < len(arrived) < 20, arrived)
    made = plan({f"N{i}": bytes(2800) for i in range(20)})
    expect(len([one for one in made["budgets"] if one["what"].startswith("structure")]) > 9, made)


@case("zeroed at the reply to qmp_capabilities the values are complete in the guest; at the greeting fw_cfg would deliver zeros")
def c21():
    in_all(lambda v, got: expect(got.has("c14-huge", HUGE) and got.has("c3", ALL_BYTES), v))  # boot.py zeroed them all
    values = {f"c21-{i}": ALL_BYTES * 4 for i in range(4)}
    got = boot.boot(IMAGES[OLDEST], fw_cfg=values, wipe_at="greeting")
    expect(all(got.has(name, bytes(1024)) for name in values), got.credentials)


def main():
    failed = 0
    wanted = [one for one in CASES if one[0] in ARGUMENTS.case or not ARGUMENTS.case]
    for name, title, function in wanted:
        try:
            function()
            print(f"ok      {name}  {title}", flush=True)
        except (AssertionError, KeyError, subprocess.SubprocessError, OSError, ValueError) as error:
            failed += 1
            print(f"FAILED  {name}  {title}\n{traceback.format_exc() if not isinstance(error, AssertionError) else error}", flush=True)
    print(f"{len(wanted) - failed} cases passed, {failed} failed, with systemd {', '.join(str(version) for version in IMAGES)}")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
