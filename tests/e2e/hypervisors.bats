#!/usr/bin/env bats
# vm run with doubles of cloud-hypervisor, Firecracker, crosvm and kvmtool: what they are given, what they may not see, how
# they end. The doubles refuse what the real programs refuse (tests/e2e/doubles).
bats_require_minimum_version 1.5.0
# shellcheck source=tests/e2e/doubles/setup.bash
source "$VMCRED_SOURCE/tests/e2e/doubles/setup.bash"

setup() { prepare_doubles; }
teardown() { end_doubles; }

initrd_guest=$'systemd = 262\nsystemd-in-initrd = true'

# The value as the guest would get it from the overlay behind the initrd.
overlay_value() {
  python3 - "$1" API_KEY <<'PY'
import sys
data = open(sys.argv[1], "rb").read()
assert data.startswith(b"the initrd"), "the user's initrd comes first"
at, found = 12, {}
while True:
    assert data[at:at + 6] == b"070701", data[at:at + 6]
    field = lambda n: int(data[at + 6 + 8 * n:at + 14 + 8 * n], 16)
    mode, size, name_size = field(1), field(6), field(11)
    name = data[at + 110:at + 110 + name_size - 1].decode()
    body = (at + 110 + name_size + 3) & ~3
    if name == "TRAILER!!!":
        break
    found[name] = (mode & 0o7777, data[body:body + size])
    at = (body + size + 3) & ~3
mode, value = found[f".extra/system_credentials/{sys.argv[2]}.cred"]
assert mode == 0o400 and found[".extra/system_credentials"][0] == 0o500, found
sys.stdout.buffer.write(value)
PY
}

@test "cloud-hypervisor gets its vm in one request on an inherited socket" {
  declare_vm cloud-hypervisor cloud-hypervisor
  in_background "$VMCRED" vm run v
  no_canary_while_it_runs
  printf '%s\n' "$PWD/cloud-hypervisor" --api-socket fd=3 --event-monitor fd=6 | diff - record/argv
  [ "$(cut -d' ' -f1 record/descriptors | tr '\n' ' ')" = "0 1 2 3 6 " ]
  [ "$(head -1 record/request00)" = "GET /api/v1/vmm.ping HTTP/1.1" ]
  [ "$(head -1 record/request01)" = "PUT /api/v1/vm.create HTTP/1.1" ]
  run -0 jq -r '.platform.oem_strings[0]' <(tail -n +2 record/request01)
  [ "$output" = "io.systemd.credential.binary:API_KEY=$(base64 -w0 credentials/host-api-key)" ]
  [ "$(head -1 record/request02)" = "PUT /api/v1/vm.boot HTTP/1.1" ]
  stop_it
  [ "$(head -1 record/request03)" = "PUT /api/v1/vm.power-button HTTP/1.1" ]
  grep -q "the guest powered off" story
  [ ! -e record/refused ]
  [ -z "$(ls -A run)" ]
}

@test "cloud-hypervisor on another machine type takes the overlay behind the initrd" {
  declare_vm cloud-hypervisor cloud-hypervisor "$initrd_guest"
  sed -i 's/^accel/architecture = "aarch64"\naccel/' vmcred.toml
  in_background "$VMCRED" vm run v
  no_canary_while_it_runs
  overlay_value record/initrd.before | cmp - credentials/host-api-key
  stop_it
  [ ! -s record/initrd.after ]
}

@test "a guest of cloud-hypervisor that reboots gets a new VMM" {
  declare_vm cloud-hypervisor cloud-hypervisor
  touch record/reboot-once
  : >story
  "$VMCRED" vm run v 2>>story &
  supervisor=$!
  timeout 60 grep -q "the guest rebooted" <(tail -n +1 -f --pid="$supervisor" story)
  timeout 60 grep -cm2 ": ready" <(tail -n +1 -f --pid="$supervisor" story)
  stop_it
  [ "$(grep -c "the VMM runs with" story)" = 2 ]
}

@test "a refused request ends the VMM, with its reason and nothing of the request" {
  declare_vm cloud-hypervisor cloud-hypervisor
  behave refuse=/api/v1/vm.create
  run -1 --separate-stderr "$VMCRED" vm run v
  [[ $stderr == *"vmcred: error: the VMM refused 'PUT /api/v1/vm.create' with status 500: as the test wants it" ]]
  run -1 grep -aFf patterns <<<"$stderr"
}

@test "a VMM that is too old is refused before it gets a value" {
  for row in "cloud-hypervisor v25.0 cloud-hypervisor 25.0 is too old, 26.0" "firecracker 0.25.2 Firecracker 0.25 is too old, 1.0"; do
    read -r vmm version reason <<<"$row"
    rm -rf record && mkdir record
    declare_vm "$vmm" "$vmm" $'systemd = 262\nsystemd-in-initrd = true'
    behave "version=$version"
    run -1 --separate-stderr "$VMCRED" vm run v
    [[ $stderr == *"vmcred: error: vm 'v': $reason is the first that carries credentials as planned"* ]]
    [[ ${stderr_lines[-1]} == "vmcred: hint: put a later '$PWD/$vmm' in its place, or name another program" ]]
    [ "$(ls record/request??)" = record/request00 ]
    run -1 grep -arFf patterns record
    [ ! -e "/proc/$(cat record/pid)" ]
  done
  behave version=v25.0
  run -1 --separate-stderr "$VMCRED" exec --vm v -- ./cloud-hypervisor --kernel kernel
  [[ $stderr == *"cloud-hypervisor 25.0 is too old"* ]]
}

@test "the guard of cloud-hypervisor: what passes, what is hidden, what is refused" {
  declare_vm cloud-hypervisor cloud-hypervisor
  in_background "$VMCRED" vm run v
  [ "$(stat -c %a run/api.sock)" = 600 ]
  api() { curl -s --unix-socket run/api.sock "${@:2}" "http://localhost/api/v1/$1"; }
  [ "$(api vmm.ping | jq -r .version)" = v53.0 ]
  [ "$(api vm.counters)" = "{}" ]
  [ "$(api vm.resize -X PUT -d '{"desired_vcpus":1}' -w '%{http_code}')" = 204 ]
  # Its own info has the strings, the guard's has not.
  curl -s --unix-socket run/vmm-api.sock http://localhost/api/v1/vm.info | grep -qaFf patterns
  api vm.info >info
  [ "$(jq -r .state info)" = Running ]
  [ "$(jq -r '.config.memory.size' info)" = 536870912 ]
  [ "$(jq -c '.config.platform' info)" = "{}" ]
  for request in vm.snapshot vm.coredump vm.send-migration vm.add-disk vm.delete; do
    [ "$(api "$request" -X PUT -d '{"destination_url":"file:///x"}' -o /dev/null -w '%{http_code}')" = 403 ]
    grep -q "does not let 'PUT /api/v1/$request' through" story
  done
  [ -z "$(compgen -G 'record/exposed.*')" ]
  [ "$(api vm.power-button -X PUT -w '%{http_code}')" = 204 ]
  wait "$supervisor"
}

# The double reads answers as strictly as the real one; the real one runs where it is.
@test "cloud-hypervisor's own client works with the guard" {
  clients=("$VMCRED_SOURCE/tests/e2e/doubles/ch-remote")
  if [[ -x ${VMCRED_VMMS:-}/ch-remote ]]; then clients+=("$VMCRED_VMMS/ch-remote"); else echo "# NOT RUN HERE: the real ch-remote (VMCRED_VMMS)" >&3; fi
  declare_vm cloud-hypervisor cloud-hypervisor
  in_background "$VMCRED" vm run v
  for client in "${clients[@]}"; do
    remote() { "$client" --api-socket run/api.sock "$@"; }
    run -0 remote ping
    [ "$(jq -r .version <<<"$output")" = v53.0 ]
    run -0 remote info
    [ "$(jq -r .state <<<"$output")" = Running ]
    run -0 remote resize --balloon 256M # what microvm.nix's microvm-balloon says
    run -0 remote pause
    run -0 remote resume
    run -1 remote snapshot file:///x
    [[ $output == *"the guard of this vm does not let 'PUT /api/v1/vm.snapshot' through"* ]]
    [[ $output != *"Can't get"* ]]
  done
  run -0 remote power-button
  wait "$supervisor"
}

@test "the guard answers as Firecracker does" {
  declare_vm firecracker firecracker "$initrd_guest"
  in_background "$VMCRED" vm run v
  run -0 curl -s --unix-socket run/api.sock -X PUT -d '{}' http://localhost/snapshot/create
  [[ $(jq -r .fault_message <<<"$output") == *"does not let 'PUT /snapshot/create' through" ]]
  # Its level would open the log for the token (PUT /logger), and the log would go where the client wants it.
  [ "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket run/api.sock -X PUT -d '{"level":"Info"}' http://localhost/logger)" = 403 ]
  stop_it
}

@test "a snapshot passes the guard only when it was exposed" {
  declare_vm cloud-hypervisor cloud-hypervisor
  in_background "$VMCRED" vm run v --expose snapshot
  code() { curl -s -o /dev/null -w '%{http_code}' --unix-socket run/api.sock -X PUT "http://localhost/api/v1/$1"; }
  [ "$(code vm.snapshot)" = 204 ]
  [ "$(code vm.coredump)" = 403 ]
  [ -e record/exposed.snapshot ]
  stop_it
  run -2 --separate-stderr "$VMCRED" vm run v --expose everything
  [ "${stderr_lines[1]}" = "vmcred: hint: one of snapshot, migration, coredump" ]
}

@test "hostile clients of the guard hold nobody up" {
  declare_vm cloud-hypervisor cloud-hypervisor
  in_background "$VMCRED" vm run v
  python3 - <<'PY'
import os, socket
def connect():
    client = socket.socket(socket.AF_UNIX)
    client.connect("run/api.sock")
    return client
half = []
for number in range(100):
    half.append(connect())
    half[-1].send(b"PUT /api/v1/vm.resize HTTP/1.1\r\nContent-Length: 60000\r\n\r\n{")
flood = connect()
flood.setblocking(False)
try:
    for _ in range(10000):
        flood.send(b"GET /api/v1/vm.info HTTP/1.1\r\n\r\n" * 100)
except (BlockingIOError, BrokenPipeError, ConnectionResetError):
    pass
for nonsense in (b"\0" * 70000, b"GET " + b"/" * 100000, os.urandom(50000), b"PUT / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n"):
    client = connect()
    try:
        client.sendall(nonsense)
    except (BrokenPipeError, ConnectionResetError):
        pass
client = connect()
client.settimeout(60)
client.sendall(b"GET /api/v1/vmm.ping HTTP/1.1\r\n\r\n")
assert client.recv(4096).startswith(b"HTTP/1.1 200"), "an honest client is served"
PY
  stop_it
}

@test "Firecracker: the overlay behind the initrd, request by request" {
  declare_vm firecracker firecracker "$initrd_guest"
  in_background "$VMCRED" vm run v
  no_canary_while_it_runs
  overlay_value record/initrd.before | cmp - credentials/host-api-key
  [ "$(cat record/initrd.before.mode)" = 600 ]
  [ "$(head -qn1 record/request?? | cut -d' ' -f2 | tr '\n' ' ')" = "/ /machine-config /boot-source /actions " ]
  run -0 curl -s --unix-socket run/api.sock http://localhost/vm/config
  [ "$(jq -c '."boot-source".boot_args' <<<"$output")" = null ]
  [ "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket run/api.sock -X PUT -d '{}' http://localhost/snapshot/create)" = 403 ]
  [ "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket run/api.sock http://localhost/mmds)" = 403 ]
  stop_it
  [ "$(tail -n +2 "$(ls record/request?? | tail -1)")" = '{"action_type":"SendCtrlAltDel"}' ]
  [ ! -s record/initrd.after ]
  [ ! -e record/refused ]
}

@test "Firecracker with an older guest: only the token is on the kernel line" {
  declare_vm firecracker firecracker $'systemd = 252\nagent = true'
  sed -i 's/^accel/receipt = "off"\naccel/' vmcred.toml
  in_background "$VMCRED" vm run v
  no_canary_while_it_runs
  run -0 jq -r .boot_args <(tail -n +2 record/request02)
  [[ $output == *"systemd.set_credential=vmcred.link:v1 vsock:2:8889 "* ]]
  [[ $output == *"systemd.set_credential=STAGE:test"* ]]
  run -1 grep -arFf patterns record
  [ -S run/vsock.sock_8889 ]
  stop_it
}

@test "without an agent an older guest is refused before anything starts, with the reason" {
  for vmm in firecracker crosvm; do
    declare_vm "$vmm" "$vmm" "systemd = 257"
    run -1 --separate-stderr "$VMCRED" vm run v
    [[ $stderr == *"'API_KEY': systemd 257 imports nothing from the initrd that the host can seal, 262 does"* ]]
    [ ! -e record/argv ]
  done
}

@test "crosvm and kvmtool: the overlay in a memory file that ends with the guest" {
  for vmm in crosvm lkvm; do
    rm -rf record && mkdir record
    declare_vm "${vmm/lkvm/kvmtool}" "$vmm" "$initrd_guest"
    behave console=up
    in_background "$VMCRED" vm run v
    timeout 60 grep -q up <(tail -n +1 -F --pid="$supervisor" run/console.log)
    run -1 grep -aFf patterns "/proc/$(cat record/pid)/cmdline" "/proc/$(cat record/pid)/environ"
    run -1 grep -arFf patterns story output run record/argv record/environ
    overlay_value record/initrd.before | cmp - credentials/host-api-key
    [ "$(cut -d' ' -f1 record/descriptors | tr '\n' ' ')" = "0 1 2 10 " ]
    stop_it || true # nobody can ask this guest, so its end is no clean one
    # What comes on crosvm's standard output is the guest's, so the memory file is wiped by then; kvmtool writes there first.
    [[ $vmm == lkvm ]] || [ ! -s record/initrd.after ]
    [ -z "$(ls -A run)" ]
  done
}

@test "no VMM outlives its supervisor" {
  for vmm in cloud-hypervisor firecracker; do
    rm -rf record && mkdir record
    declare_vm "$vmm" "$vmm" "$initrd_guest"
    in_background "$VMCRED" vm run v
    kill -9 "$supervisor"
    timeout 20 tail --pid="$(cat record/pid)" -f /dev/null
    run -1 grep -arFf patterns story output run
  done
}
