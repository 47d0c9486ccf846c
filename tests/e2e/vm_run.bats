#!/usr/bin/env bats
# vm run, status, list and stop, with tests/e2e/fake_vmm in the place of QEMU.
bats_require_minimum_version 1.5.0

setup() {
  cd "$BATS_TEST_TMPDIR" || exit 1
  mkdir -m 700 credentials run record
  export CREDENTIALS_DIRECTORY=$PWD/credentials RUNTIME_DIRECTORY=$PWD/run VMCRED_RUNTIME_DIR=$PWD/user/vmcred/vm
  printf 'canary-%s' "$(head -c 24 /dev/urandom | base64 -w0)" >credentials/host-api-key
  printf 'x' >credentials/host-other
  write_declaration ""
}

teardown() {
  [[ -z ${supervisor:-} ]] || kill -9 "$supervisor" 2>/dev/null || true
}

# write_declaration WORDS: the project's declaration, with these words for the fake VMM.
write_declaration() {
  cat >vmcred.toml <<END
[machines.host]
[generators.g]
script = "true"
files.api-key = {}
files.other = {}
[vms.fake]
machine = "host"
hypervisor = "qemu"
binary = "$VMCRED_BUILD/bin/fake_vmm"
kernel = "$VMCRED_BUILD/bin/fake_vmm"
allow-options = ["fake="]
extra-arguments = ["-fake", "record=$PWD/record,$1"]
[vms.fake.credentials]
api-key = { from = "g/api-key", services = ["s"] }
other = { from = "g/other", services = ["s"] }
stage = { value = "test", services = ["s"] }
END
}

# start WORDS: runs the vm in the background until it is ready.
start() {
  write_declaration "$1"
  : >story # tail may be quicker than the shell in the background
  "$VMCRED" vm run fake 2>>story &
  supervisor=$!
  timeout 20 grep -q ": ready" <(tail -n +1 -f --pid="$supervisor" story)
}

vmm_of() { sed -n 's/.*the VMM runs with .* (process \([0-9]*\)).*/\1/p' story; }

@test "a guest that powers off after READY is a good end, told as a story" {
  write_declaration "end=guest-shutdown"
  run -0 --separate-stderr "$VMCRED" vm run fake
  [[ $stderr == *"the VMM runs with"*"its channel was read and wiped"*"the guest boots"*": ready"*"the guest powered off"* ]]
  grep -qaF "io.systemd.credential.binary:API_KEY=" record/blob0.before
  [ ! -s record/blob0.after ]
}

@test "missing credentials stop before the VMM starts, and all are named" {
  rm credentials/host-api-key credentials/host-other
  run -1 --separate-stderr "$VMCRED" vm run fake
  [ "${stderr_lines[0]}" = "vmcred: error: vm 'fake' lacks the credentials 'host-api-key', 'host-other'" ]
  [ ! -e record/argv ]
}

@test "an empty credential stops before the VMM starts" {
  : >credentials/host-other
  run -1 --separate-stderr "$VMCRED" vm run fake
  [ "${stderr_lines[0]}" = "vmcred: error: vm 'fake': empty credential 'host-other'" ]
  [ ! -e record/argv ]
}

@test "a VMM that fails is a failure with its exit code" {
  write_declaration "die=7"
  run -1 --separate-stderr "$VMCRED" vm run fake
  [[ $stderr == *"vmcred: error: the VMM of vm 'fake' ended by itself with exit code 7"* ]]
}

@test "a QEMU that is too old is refused by its own greeting, and its guest never runs" {
  write_declaration "version=5.1.0"
  run -1 --separate-stderr "$VMCRED" vm run fake
  [[ $stderr == *"vmcred: error: vm 'fake': QEMU 5.1 is too old, 5.2 is the first that carries credentials as planned"* ]]
  [[ ${stderr_lines[-1]} == "vmcred: hint: put a later '$VMCRED_BUILD/bin/fake_vmm' in its place, or name another program" ]]
  [ -e record/argv ]
  [ ! -e record/blob0.before ] # it never took commands
  write_declaration "version=5.2.0,end=guest-shutdown"
  run -0 --separate-stderr "$VMCRED" vm run fake
}

@test "a QEMU that dies because it is too old for an option is named as that" {
  # shellcheck disable=SC2016 # for the script
  printf '#!/bin/sh\n[ "$1" != --version ] || { echo "QEMU emulator version 4.2.1"; exit 0; }\nexit 1\n' >qemu && chmod +x qemu
  sed -i "s|^binary.*|binary = \"$PWD/qemu\"|" vmcred.toml
  run -1 --separate-stderr "$VMCRED" vm run fake
  [[ $stderr == *"vmcred: error: the VMM of vm 'fake' ended by itself with exit code 1: QEMU 4.2 is too old, 5.2 is "* ]]
}

@test "what the VMM says is told, also when it dies of it, and steers no terminal" {
  write_declaration 'complain=\u001b[2Jno such device\u0007,die=1'
  for quiet in "" --quiet; do
    # shellcheck disable=SC2086 # none or one word
    run -1 --separate-stderr "$VMCRED" $quiet vm run fake
    [[ $stderr == *"fake: the VMM says: ?[2Jno such device?"*"vmcred: error: the VMM of vm 'fake' ended by itself with exit code 1"* ]]
  done
}

@test "how long a VMM may take to start is a key of the vm, and an option that goes before it" {
  write_declaration "silent"
  sed -i 's/^kernel/start-timeout = "1s"\nkernel/' vmcred.toml
  run -1 --separate-stderr "$VMCRED" vm run fake
  [[ $stderr == *"vmcred: error: the VMM of vm 'fake' did not start within 1 s"* ]]
  run -1 --separate-stderr "$VMCRED" vm run fake --start-timeout 2
  [[ $stderr == *"vmcred: error: the VMM of vm 'fake' did not start within 2 s"* ]]
  run -2 --separate-stderr "$VMCRED" vm run fake --start-timeout 0
  [ "${stderr_lines[0]}" = "vmcred: error: '0' is no number of seconds from 1 to 86400" ]
}

@test "a disk may be a device" {
  write_declaration "end=guest-shutdown"
  sed -i 's|^kernel|disks = [{ path = "/dev/null" }]\nkernel|' vmcred.toml
  run -0 --separate-stderr "$VMCRED" vm run fake
  grep -q 'file=/dev/null$' record/argv
}

@test "an unknown vm gets the near name" {
  run -1 --separate-stderr "$VMCRED" vm run fkae
  [[ ${stderr_lines[0]} == "vmcred: error: no vm 'fkae' in "* ]]
  [ "${stderr_lines[1]}" = "vmcred: hint: did you mean 'fake'?" ]
}

@test "a running vm is listed, shows its status and stops when asked" {
  start ""
  # The unit's folder is found below /run/vmcred/vm in real life; here it is where VMCRED_RUNTIME_DIR says.
  mkdir -p user/vmcred/vm && ln -s "$PWD/run" user/vmcred/vm/fake
  run -0 "$VMCRED" vm list
  [[ $output == *fake*running*unknown* ]]
  run -0 "$VMCRED" vm status fake --json
  [ "$(jq -r .state <<<"$output")" = running ]
  run -0 --separate-stderr "$VMCRED" explain fake
  [[ ${lines[0]} == "fake on "*"; running"*", unknown, generation "* ]]
  run -1 --separate-stderr "$VMCRED" vm run fake
  [ "${stderr_lines[0]}" = "vmcred: error: vm 'fake' runs already" ]
  run -0 --separate-stderr "$VMCRED" vm stop fake
  [ "$stderr" = "vm 'fake' stopped: the guest powered off" ]
  wait "$supervisor"
  [ -z "$(ls -A run)" ]
}

@test "stopping a vm that does not run is no error, stopping one that nobody knows is" {
  run -0 --separate-stderr "$VMCRED" vm stop fake
  [ "$stderr" = "vm 'fake' does not run" ]
  run -1 --separate-stderr "$VMCRED" vm stop fkae
  [ "${stderr_lines[0]}" = "vmcred: error: no vm 'fkae' is declared, and none of that name runs" ]
  [ "${stderr_lines[1]}" = "vmcred: hint: did you mean 'fake'?" ]
  # Without a declaration what runs is known all the same.
  rm vmcred.toml
  run -1 --separate-stderr "$VMCRED" vm stop fake
  [[ ${stderr_lines[0]} == *"no vm 'fake' is declared"* ]]
}

@test "SIGTERM asks the guest to power off" {
  start ""
  kill -TERM "$supervisor"
  wait "$supervisor"
  grep -q "stopping: asked to stop" story
}

@test "the VMM does not outlive its supervisor" {
  start "deaf,no-quit,no-term"
  vmm=$(vmm_of)
  kill -0 "$vmm"
  kill -9 "$supervisor"
  timeout 5 tail --pid="$vmm" -f /dev/null
  run -1 kill -0 "$vmm"
}

@test "no canary on a command line, in an environment, in a log or in a file that stays" {
  start "console=hello"
  vmm=$(vmm_of)
  python3 - credentials/host-api-key >patterns <<'END'
import base64, sys
value = open(sys.argv[1], "rb").read()
print(value.decode())
print(value.hex())
for skip in range(3):
    print(base64.b64encode(value[skip:skip + (len(value) - skip) // 3 * 3]).decode())
END
  for process in "$supervisor" "$vmm"; do
    run -1 grep -aFf patterns "/proc/$process/cmdline" "/proc/$process/environ"
  done
  for descriptor in /proc/"$vmm"/fd/*; do
    [[ $(readlink "$descriptor") != *memfd* ]] || [ ! -s "$descriptor" ]
  done
  run -1 grep -arFf patterns story run vmcred.toml record/argv record/environ record/blob0.after
  # The scan finds what is there: before the wipe the memory file held the value.
  grep -qaFf patterns record/blob0.before
}

# supervisor_of FOLDER STATE: one who answers there, and holds the folder as ours does
supervisor_of() {
  mkdir -m 700 -p "$1"
  mkfifo "$BATS_TEST_TMPDIR/listening"
  python3 - "$1" "$2" "$BATS_TEST_TMPDIR/listening" <<'PY' 3>&- >/dev/null 2>&1 &
import fcntl, json, os, socket, sys
held = os.open(sys.argv[1], os.O_RDONLY)
fcntl.flock(held, fcntl.LOCK_EX)
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1] + "/control")
listener.listen()
open(sys.argv[3], "w").close()
while True:
    client = listener.accept()[0]
    if client.recv(65536):
        client.sendall(json.dumps({"vm": "box", "state": sys.argv[2], "supervisor": 1, "vmm": 2}).encode() + b"\n")
    client.close()
PY
  supervisors+=($!)
  cat "$BATS_TEST_TMPDIR/listening"
  rm "$BATS_TEST_TMPDIR/listening"
}

@test "of two vms of one name one's own comes first, both are listed with whose they are; what nobody holds is none" {
  [ "$(id -u)" = 0 ] || skip "NOT RUN HERE: only root has a vm of root's"
  # Below /tmp, where another user gets to; /run/vmcred is the test's own.
  unset RUNTIME_DIRECTORY CREDENTIALS_DIRECTORY VMCRED_RUNTIME_DIR
  place=$(mktemp -d)
  supervisors=()
  export place VMCRED
  export -f supervisor_of two_of_one_name
  run -0 unshare -m --propagation private bash -euo pipefail -c two_of_one_name
  rm -r "$place"
}

two_of_one_name() {
  mkdir -p /run/vmcred
  mount -t tmpfs -o mode=755 tmpfs /run/vmcred
  chmod 755 "$place"
  cp "$VMCRED" "$place/vmcred"
  mkdir -m 755 /run/vmcred/vm
  supervisors=()
  trap 'kill "${supervisors[@]}"' EXIT
  mkdir -p "$place/user/vmcred/vm"
  chown -R 54321 "$place/user"
  mine() { env -C "$place" HOME="$place/user" XDG_RUNTIME_DIR="$place/user" setpriv --reuid=54321 --regid=54321 --clear-groups "$place/vmcred" "$@"; }
  # What root ever ran, and nobody holds: an empty folder, and one with a socket on which nobody answers.
  mkdir -m 700 /run/vmcred/vm/box /run/vmcred/vm/old
  python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("/run/vmcred/vm/old/control")'
  [[ $(mine vm list) != *box* && $(mine vm list) != *old* ]]
  cd "$place"
  [[ $("$place/vmcred" vm list) != *old* ]]
  supervisor_of "$place/user/vmcred/vm/box" running
  chown -R 54321 "$place/user"
  [ "$(mine vm status box --json | jq -r .state)" = running ]
  [[ $(mine vm list) == *"box"*"running"*"you"* ]]
  # Now root runs one of that name.
  supervisor_of /run/vmcred/vm/box booting
  [ "$(mine vm status box --json | jq -r .state)" = running ]
  [ "$(mine vm list --json | jq -c '[.vms[] | [.vm, .state, .by]]')" = '[["box","running","you"],["box","unknown (not yours)","root"]]' ]
  # And root sees his own first, and the other's where he looks there.
  export XDG_RUNTIME_DIR=$place/user
  [ "$("$place/vmcred" vm status box --json | jq -r .state)" = booting ]
  [ "$("$place/vmcred" vm list --json | jq -c '[.vms[] | [.vm, .state, .by]]')" = '[["box","booting","you"],["box","running","uid 54321"]]' ]
  unset XDG_RUNTIME_DIR
  kill "${supervisors[0]}"
  wait "${supervisors[0]}" || true
  supervisors=("${supervisors[1]}")
  if mine vm status box 2>"$place/said"; then exit 1; fi
  grep -q "vm 'box': it runs, and is not yours: root runs it" "$place/said"
}

@test "the demo meets no vm of this machine that bears its name" {
  [ "$(id -u)" = 0 ] || skip "NOT RUN HERE: only root's vms lie in one folder for all"
  unset RUNTIME_DIRECTORY CREDENTIALS_DIRECTORY VMCRED_RUNTIME_DIR
  mkdir guest bin
  touch guest/vmlinuz guest/initrd
  printf '#!/bin/sh\necho "cannot start here" >&2\nexit 1\n' >bin/qemu-system-x86_64
  chmod 755 bin/qemu-system-x86_64
  export VMCRED
  run -1 --separate-stderr unshare -m --propagation private bash -c '
    mkdir -p /run/vmcred && mount -t tmpfs tmpfs /run/vmcred && mkdir -p /run/vmcred/vm/test-vm
    exec 9</run/vmcred/vm/test-vm && flock 9 && PATH=$PWD/bin:$PATH "$VMCRED" demo --guest guest --accel tcg'
  [[ $stderr != *"runs already"* && $stderr == *"the VMM of vm 'test-vm'"* ]]
}
