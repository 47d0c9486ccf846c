#!/usr/bin/env bats
# What systemd in the guest says of itself over a vsock that ends in a unix socket (vmm.notify_socket), with doubles of the VMMs.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/e2e/doubles/setup.bash
source "$VMCRED_SOURCE/tests/e2e/doubles/setup.bash"

setup() {
  prepare_doubles
  ln -s "$VMCRED_SOURCE/tests/e2e/doubles/vhost-device-vsock" .
}
teardown() { end_doubles; }

# boots: the vm v, as far as "the guest boots"
boots() {
  : >story
  "$VMCRED" vm run v >output 2>>story &
  supervisor=$!
  awaited "the guest boots"
}
awaited() { timeout 60 grep -q "$1" <(tail -n +1 -f --pid="$supervisor" story) || { cat story; return 1; }; }

# says MESSAGE: as PID 1 of the guest: one connection, and it waits until the host has hung up
says() {
  python3 - "$1" <<'PY'
import socket, sys
client = socket.socket(socket.AF_UNIX)
client.connect("run/vsock.sock_8890")
client.settimeout(60)
client.sendall(sys.argv[1].encode())
client.shutdown(socket.SHUT_WR)
assert client.recv(1) == b"", "the host says nothing and hangs up"
PY
}
# asked PATH: the body of the request that went to the VMM's API there
asked() { tail -n +2 "$(grep -l "^PUT $1 " record/request??)"; }
status() { VMCRED_RUNTIME_DIR=$PWD/user/vmcred/vm "$VMCRED" vm status v "$@"; }

# The whole journey: not ready before, ready by its word, everything shown; then it stops.
word_makes_ready() {
  mkdir -p user/vmcred/vm && ln -sfn "$PWD/run" user/vmcred/vm/v
  [ "$(stat -c %a run/vsock.sock_8890)" = 600 ]
  says $'X_SYSTEMD_HOSTNAME=web\nX_SYSTEMD_UNIT_ACTIVE=basic.target\n'
  run -1 grep ": ready" story
  [ "$(status --json | jq -r '[.state, .systemd.unit] | join(" ")')" = "booting basic.target" ]
  says $'READY=1\nSTATUS=Startup finished in 2.1s.\n'
  awaited ": ready"
  says $'STATUS=\e[2Jred\n'
  run -0 status
  [[ $output == *"unproven: its systemd says that it is ready"* ]]
  [[ $output == *"  says:  ready, basic.target: ?[2Jred"* ]]
  stop_it
  grep -q "systemd says: ready; Startup finished in 2.1s." story
}

@test "cloud-hypervisor: systemd's word makes the vm ready where no receipt is asked for" {
  declare_vm cloud-hypervisor cloud-hypervisor "systemd = 257"
  sed -i 's/^accel/vsock-cid = 5\naccel/' vmcred.toml
  boots
  [ "$(jq -r '.vsock | [.cid, .socket] | join(" ")' <(asked /api/v1/vm.create))" = "5 $PWD/run/vsock.sock" ]
  run -0 jq -r '.platform.oem_strings[]' <(asked /api/v1/vm.create)
  [[ $output == *"io.systemd.credential:vmm.notify_socket=vsock-stream:2:8890"* ]]
  word_makes_ready
}

@test "a guest that ends before its systemd's word fails the start, and no receipt is blamed for it" {
  declare_vm cloud-hypervisor cloud-hypervisor "systemd = 257"
  sed -i 's/^accel/vsock-cid = 5\naccel/' vmcred.toml
  behave "end=0"
  run -1 --separate-stderr "$VMCRED" vm run v
  [[ $stderr == *"vmcred: error: the guest of vm 'v' ended before its systemd said that it is ready"* ]]
}

@test "Firecracker: the address stands on the guest's kernel line" {
  declare_vm firecracker firecracker $'systemd = 257\nagent = true'
  sed -i 's/^accel/receipt = "off"\naccel/' vmcred.toml
  boots
  run -0 jq -r .boot_args <(asked /boot-source)
  [[ $output == *"systemd.set_credential=vmm.notify_socket:vsock-stream:2:8890"* ]]
  word_makes_ready
}

@test "QEMU: vhost-device-vsock is started before it, sees no secret, and ends with it" {
  declare_vm qemu unused "systemd = 257"
  sed -i -e "s|^binary.*|binary = \"$VMCRED_BUILD/bin/fake_vmm\"\nqemu.vsock-device = \"$PWD/vhost-device-vsock\"|" \
    -e "s|^kernel.*|kernel = \"kernel\"\nallow-options = [\"fake=\"]\nextra-arguments = [\"-fake\", \"record=$PWD/record\"]|" vmcred.toml
  boots
  printf '%s\n' "$PWD/vhost-device-vsock" --vm "guest-cid=3,socket=$PWD/run/vhost-vsock.sock,uds-path=$PWD/run/vsock.sock" | diff - record/vsock-argv
  grep -qx 'socket,id=vsock,fd=7' record/argv
  grep -qx 'vhost-user-vsock-pci,chardev=vsock,event_idx=off' record/argv
  grep -q '^7 socket:' record/descriptors
  run -1 grep -aFf patterns record/vsock-argv record/vsock-environ
  word_makes_ready
  timeout 20 tail --pid="$(cat record/vsock-pid)" -f /dev/null
}

@test "a vhost-device-vsock that fails or is not there is said, and nothing is started" {
  declare_vm qemu unused "systemd = 257"
  sed -i "s|^binary.*|binary = \"$VMCRED_BUILD/bin/fake_vmm\"\nqemu.vsock-device = \"$PWD/vhost-device-vsock\"\nallow-options = [\"fake=\"]\nextra-arguments = [\"-fake\", \"record=$PWD/record\"]|" vmcred.toml
  behave deaf-vsock
  run -1 --separate-stderr "$VMCRED" vm run v
  [[ $stderr == *"start '$PWD/vhost-device-vsock': it ended with exit code 4: as the test wants it"* ]]
  rm vhost-device-vsock
  run -1 --separate-stderr "$VMCRED" vm run v
  [[ $stderr == *"$PWD/vhost-device-vsock"*"no such program"* ]]
  [ ! -e record/argv ]
}

@test "a server that ends while the guest runs is said; the guest goes on" {
  declare_vm qemu unused "systemd = 252"
  sed -i "s|^binary.*|binary = \"$VMCRED_BUILD/bin/fake_vmm\"\nqemu.vsock-device = \"$PWD/vhost-device-vsock\"\nallow-options = [\"fake=\"]\nextra-arguments = [\"-fake\", \"record=$PWD/record\"]|" vmcred.toml
  in_background "$VMCRED" vm run v
  kill -9 "$(cat record/vsock-pid)"
  awaited "vhost-device-vsock' ended with signal 9 (Killed), so the guest has lost the device that it served"
  stop_it
}

@test "hostile processes of the guest neither keep systemd's word away nor hold the supervisor up" {
  declare_vm cloud-hypervisor cloud-hypervisor "systemd = 257"
  sed -i 's/^accel/vsock-cid = 5\naccel/' vmcred.toml
  boots
  python3 - <<'PY'
import os, socket
def connect():
    client = socket.socket(socket.AF_UNIX)
    client.connect("run/vsock.sock_8890")
    client.settimeout(60)
    return client
silent = [connect() for _ in range(100)]
for nonsense in (b"\0" * 70000, b"READY=1" * 100000, os.urandom(50000), b"READY=2\n", b"=\n" * 2000):
    client = connect()
    try:
        client.sendall(nonsense)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
    except (BrokenPipeError, ConnectionResetError):
        pass
PY
  run -1 grep ": ready" story
  word_makes_ready
}

@test "kill -9 of the supervisor ends vhost-device-vsock too" {
  declare_vm qemu unused "systemd = 252"
  sed -i "s|^binary.*|binary = \"$VMCRED_BUILD/bin/fake_vmm\"\nqemu.vsock-device = \"$PWD/vhost-device-vsock\"\nallow-options = [\"fake=\"]\nextra-arguments = [\"-fake\", \"record=$PWD/record\"]|" vmcred.toml
  in_background "$VMCRED" vm run v
  kill -9 "$supervisor"
  timeout 20 tail --pid="$(cat record/vsock-pid)" -f /dev/null
}
