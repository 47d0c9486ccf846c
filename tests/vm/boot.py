#!/usr/bin/env python3
"""Boots a guest with QEMU directly and says whether every credential arrived: for what `vmcred vm run` would not do.

    boot.py KERNEL INITRD structures                   15 type-11 structures of 4095 bytes each
    boot.py KERNEL INITRD wipe capabilities|greeting   fw_cfg values, zeroed at that moment
"""
import hashlib
import json
import os
import re
import secrets
import socket
import struct
import subprocess
import sys


def memfd(content):
    fd = os.memfd_create("value", 0)
    os.write(fd, content)
    return fd


def type11(handle, strings):
    body = b"".join(s + b"\0" for s in strings) + b"\0"
    return struct.pack("<BBHB", 11, 5, handle, len(strings)) + body


def read_reply(stream):
    while True:
        line = json.loads(stream.readline())
        if "event" not in line:
            return line


kernel, initrd, mode, *rest = sys.argv[1:]
values = {}
arguments = []
fds = []
printing = memfd(type11(0x1200, [b"io.systemd.credential:vmtest.print=1"]))
arguments += ["-smbios", f"file=/proc/self/fd/{printing}"]
if mode == "structures":
    for i in range(15):
        name = f"S{i:02}"
        value = secrets.token_hex(2031).encode()
        structure = type11(0x1100 + i, [f"io.systemd.credential:{name}=".encode() + value])
        assert len(structure) == 4095, len(structure)
        values[name] = value
        fds.append(memfd(structure))
        arguments += ["-smbios", f"file=/proc/self/fd/{fds[-1]}"]
else:
    for i in range(4):
        name = f"F{i}"
        values[name] = secrets.token_bytes(1000)
        fds.append(memfd(values[name]))
        arguments += ["-fw_cfg", f"name=opt/io.systemd.credentials/{name},file=/proc/self/fd/{fds[-1]}"]

ours, theirs = socket.socketpair()
command = ["qemu-system-x86_64", "-M", "q35", "-accel", "tcg", "-cpu", "max", "-m", "256M", "-nodefaults", "-display", "none",
           "-serial", "stdio", "-no-reboot", "-S", "-kernel", kernel, "-initrd", initrd,
           "-append", "console=ttyS0 quiet panic=-1",
           "-chardev", f"socket,id=qmp,fd={theirs.fileno()}", "-mon", "chardev=qmp,mode=control", *arguments]
vmm = subprocess.Popen(command, pass_fds=[*fds, printing, theirs.fileno()], stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
theirs.close()
try:
    qmp = ours.makefile("rw")

    def wipe():
        for fd in fds:
            size = os.fstat(fd).st_size
            os.pwrite(fd, bytes(size), 0)

    json.loads(qmp.readline())  # the greeting
    if rest == ["greeting"]:
        wipe()
    qmp.write('{"execute":"qmp_capabilities"}\n')
    qmp.flush()
    read_reply(qmp)
    wipe()
    qmp.write('{"execute":"cont"}\n')
    qmp.flush()
    console = vmm.communicate(timeout=500)[0].decode(errors="replace")
finally:
    vmm.kill()

found = {m[1]: (int(m[2]), m[3]) for m in re.finditer(r"CRED (\S+) (\d+) ([0-9a-f]{64})", console)}
exact = zeros = missing = 0
for name, value in values.items():
    if name not in found:
        missing += 1
    elif found[name] == (len(value), hashlib.sha256(value).hexdigest()):
        exact += 1
    elif found[name] == (len(value), hashlib.sha256(bytes(len(value))).hexdigest()):
        zeros += 1
if "CRED-END" not in console:
    print(console)
    sys.exit("the guest did not come up")
print(f"exact {exact}, zeros {zeros}, missing {missing}, of {len(values)}")
