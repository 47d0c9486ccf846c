"""Boots a guest with QEMU directly and says what systemd made of it: for what `vmcred vm run` would never do.

The image needs the files of tests/vm/overlay: `vmtest.print` on the kernel line starts the unit that prints.
"""
import dataclasses
import hashlib
import json
import os
import pathlib
import re
import socket
import struct
import subprocess

PREFIX = b"io.systemd.credential:"
BINARY = b"io.systemd.credential.binary:"


@dataclasses.dataclass
class Booted:
    credentials: dict  # name -> (size, sha256), as files of /run/credentials/@system
    doctor: str        # what `vmcred-guest doctor` said
    log: str           # the kernel log's lines about credentials, systemd's among them

    def has(self, name, value):
        return self.credentials.get(name) == (len(value), hashlib.sha256(value).hexdigest())

    def has_cut(self, name, value, size):
        return self.has(name, value[:size])


def systemd_of(image):
    """The major version of systemd in an image of tools/guest-image."""
    return int(re.match(r"\d+", (pathlib.Path(image) / "systemd").read_text())[0])


def structure(handle, strings):
    """A type-11 structure; SMBIOS 3.6 section 7.12. The count wraps as QEMU's would: systemd does not read it."""
    body = b"".join(text + b"\0" for text in strings) + b"\0"
    return struct.pack("<BBHB", 11, 5, handle, len(strings) & 0xFF) + body


def text_of_size(name, raw_size):
    """One OEM string whose structure has `raw_size` bytes: (string, value)."""
    value = (b"0123456789abcdef" * 4096)[: raw_size - 5 - len(PREFIX) - len(name) - 1 - 2]
    return PREFIX + name.encode() + b"=" + value, value


def memfd(content):
    fd = os.memfd_create("value", 0)
    os.write(fd, content)
    return fd


def start(image, *, blobs=(), fw_cfg=None, command_line="", machine="q35"):
    """QEMU, stopped before its first instruction: (process, QMP socket, descriptors of the values)."""
    image = pathlib.Path(image)
    fds = []
    arguments = []
    for blob in blobs:
        fds.append(memfd(blob))
        arguments += ["-smbios", f"file=/proc/self/fd/{fds[-1]}"]
    if fw_cfg:
        arguments += ["-global", f"fw_cfg.x-file-slots={len(fw_cfg) + 32}"]
    for name, value in (fw_cfg or {}).items():
        fds.append(memfd(value))
        arguments += ["-fw_cfg", f"name=opt/io.systemd.credentials/{name},file=/proc/self/fd/{fds[-1]}"]
    ours, theirs = socket.socketpair()
    command = ["qemu-system-x86_64", "-M", machine, "-accel", "tcg", "-cpu", "max", "-m", "256M", "-nodefaults", "-display", "none",
               "-serial", "stdio", "-no-reboot", "-S", "-kernel", image / "vmlinuz", "-initrd", image / "initrd",
               "-append", f"console=ttyS0 quiet panic=-1 no_timer_check vmtest.print {command_line}",
               "-chardev", f"socket,id=qmp,fd={theirs.fileno()}", "-mon", "chardev=qmp,mode=control", *arguments]
    process = subprocess.Popen(command, pass_fds=[*fds, theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    theirs.close()
    return process, ours, fds


def wipe(fds):
    for fd in fds:
        os.pwrite(fd, bytes(os.fstat(fd).st_size), 0)


def boot(image, *, wipe_at="capabilities", **options):
    """Boots and returns what arrived. The values' files are zeroed at the reply to qmp_capabilities, or at the greeting."""
    process, control, fds = start(image, **options)
    try:
        stream = control.makefile("rw")

        def ask(command):
            stream.write(json.dumps({"execute": command}) + "\n")
            stream.flush()
            while "event" in (answer := json.loads(stream.readline())):
                pass
            return answer

        json.loads(stream.readline())  # the greeting
        if wipe_at == "greeting":
            wipe(fds)
        ask("qmp_capabilities")
        wipe(fds)
        assert not any(os.pread(fd, 1 << 21, 0).strip(b"\0") for fd in fds)
        ask("cont")
        console = process.communicate(timeout=200)[0].decode(errors="replace").replace("\r", "")
    finally:
        process.kill()
        for fd in fds:
            os.close(fd)
    if "CRED-END" not in console:
        raise AssertionError(f"the guest did not come up:\n{console}")
    digests = {m[2]: m[1] for m in re.finditer(r"^CRED-SHA256 ([0-9a-f]{64})  \./(.*)$", console, re.M)}
    sizes = {m[2]: int(m[1]) for m in re.finditer(r"^CRED-SIZE +(\d+) \./(.*)$", console, re.M)}
    return Booted({name: (sizes[name], digest) for name, digest in digests.items()},
                  "\n".join(re.findall(r"^DOCTOR (.*)$", console, re.M)), "\n".join(re.findall(r"^LOG (.*)$", console, re.M)))
