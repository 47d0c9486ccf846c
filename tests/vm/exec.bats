#!/usr/bin/env bats
# vmcred exec with the real QEMU: somebody else's command line, a real guest, and a guard in the place of its monitors.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/vm/guest.bash
source "$VMCRED_SOURCE/tests/vm/guest.bash"

setup_file() { guest_image; }

teardown() {
  [[ -z ${supervisor:-} ]] || kill -9 "$supervisor" 2>/dev/null || true
}

@test "a runner's QEMU gets the credentials, and its monitors are guarded" {
  vm_folder
  head -c 32 /dev/urandom >credentials/host-api-key
  cat >vmcred.toml <<TOML
[machines.host]
[vms.vm-test-exec]
machine = "host"
[vms.vm-test-exec.guest]
agent = true
[vms.vm-test-exec.credentials]
api-key = { from = "$PWD/credentials/host-api-key" }
TOML
  : >story
  "$VMCRED" exec --vm vm-test-exec -- qemu-system-x86_64 -M q35,accel=tcg -cpu max -m 256 -nodefaults -no-user-config -no-reboot \
    -kernel "$IMAGE/vmlinuz" -initrd "$IMAGE/initrd" -append "console=ttyS0 quiet panic=-1 no_timer_check" -nographic -serial stdio \
    -device virtio-balloon-pci -qmp "unix:$PWD/qmp.sock,server,nowait" -monitor "unix:$PWD/hmp.sock,server,nowait" \
    >console 2>>story &
  supervisor=$!
  timeout 400 grep -q ": ready" <(tail -n +1 -f --pid="$supervisor" story)
  grep -q "receipt: 1 credential arrived" story
  python3 - <<'PY'
import json, socket

def connect(path):
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)  # without a limit it waits while the backlog is full
    client.settimeout(120)
    return client

# Hostile clients first: half commands, floods, nonsense.
hostile = [connect("qmp.sock") for _ in range(40)]
for client in hostile:
    try:
        client.send(b'{"execute":')
    except BrokenPipeError:
        pass  # a later one took its place
flood = connect("qmp.sock")
try:
    flood.sendall(b"[" * 1_000_000)
except OSError:
    pass

stream = connect("qmp.sock").makefile("rw", newline="\n")
assert "QMP" in json.loads(stream.readline())

def ask(command, **arguments):
    stream.write(json.dumps({"execute": command, "arguments": arguments, "id": "mine"}))  # no line end: clients do that
    stream.flush()
    while True:
        answer = json.loads(stream.readline())
        if "event" not in answer:
            assert answer["id"] == "mine", answer
            return answer

assert "negotiation" in ask("query-status")["error"]["desc"]
ask("qmp_capabilities")
assert ask("query-status")["return"]["status"] == "running"
assert ask("query-balloon")["return"]["actual"] == 256 << 20
for command in ("pmemsave", "memsave", "dump-guest-memory", "human-monitor-command", "migrate", "blockdev-add", "object-add",
                "chardev-add", "snapshot-save", "screendump", "qom-get", "x-query-roms"):
    assert "does not let" in ask(command)["error"]["desc"], command
ask("stop")
assert ask("query-status")["return"]["status"] == "paused"
ask("cont")
people = connect("hmp.sock").makefile("rw", newline="\n")
people.write("info status\nxp /16x 0xe0000\n")
people.flush()
heard = "".join(people.readline() for _ in range(3))
assert "VM status: running" in heard and "does not let 'xp' through" in heard, heard
assert ask("quit") == {"return": {}, "id": "mine"}
PY
  wait "$supervisor" || true # told to quit, the guest did not power off
  grep -q "warning: the guard of this vm does not let 'pmemsave' through" story
  grep -q "further refusals of the guard are kept silent\|does not let 'xp' through" story
  [ ! -e qmp.sock ]
}
