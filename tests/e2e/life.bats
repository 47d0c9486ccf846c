#!/usr/bin/env bats
# The life of a vm after its start: reboot, crash, panic, stop, kill, on doubles that misbehave as the real VMMs were seen to
# (tests/e2e/doubles). guest_player is the guest where a link is needed.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/e2e/doubles/setup.bash
source "$VMCRED_SOURCE/tests/e2e/doubles/setup.bash"

setup() {
  prepare_doubles
  be_a_users_vm
}
teardown() { end_doubles; }

initrd_guest=$'systemd = 262\nsystemd-in-initrd = true'

# guest_of HYPERVISOR WORDS [BEHAVE...]: the vm, and what its guest does
guest_of() {
  rm -rf record && mkdir record
  declare_vm "$1" "$1" $'systemd = 252\nagent = true'
  behave "player=$VMCRED_BUILD/bin/guest_player" "guest=$2" "${@:3}"
}

# told TEXT [TIMES]: awaits it in the story
told() { [ "$(timeout 60 grep -cm"${2:-1}" -e "$1" <(tail -n +1 -f --pid="$supervisor" story))" = "${2:-1}" ] || { cat story; return 1; }; }

# sockets_of FOLDER: what a vsock left there
sockets_of() { find "$1" -maxdepth 1 -name '*.vsock*' -o -maxdepth 1 -name 'vsock.sock*'; }

foreign_vm() { sed -i '/^binary/d; /^kernel/d; /^initrd/d; /^accel/d' vmcred.toml; }

with_vsock=(exec --vm v -- ./cloud-hypervisor --kernel kernel --memory size=512M --vsock "cid=3,socket=notify.vsock")

@test "cloud-hypervisor and Firecracker: a reboot is a new life, told as one, and leaves nothing behind" {
  for vmm in cloud-hypervisor firecracker; do
    guest_of "$vmm" agent once=reboot lives=7 # more than a loop may
    in_background "$VMCRED" vm run v
    told ": ready" 8
    grep -q "the guest shuts down: reboot" story
    grep -q "the guest rebooted" story
    [ "$(grep -c "the VMM runs with" story)" = 8 ]
    # Each guest has a token of its own and proves it: that of the one before is spent.
    [ "$(grep -c "receipt: 2 credentials arrived" story)" = 8 ]
    [ ! -e record/refused ]
    stop_it
    [ -z "$(ls -A run)" ]
  done
}

@test "a guest that is reset without a word is started again, and the console's last lines are told" {
  for vmm in cloud-hypervisor firecracker; do
    guest_of "$vmm" agent once=crashed "console=Kernel panic - not syncing: Attempted to kill init!"
    in_background "$VMCRED" vm run v
    told ": ready" 2
    grep -q "the guest was reset, cause unknown" story
    grep -q "the console's end: Kernel panic - not syncing: Attempted to kill init!" story
    run ! grep -q "the guest rebooted" story
    stop_it
  done
}

@test "what a guest prints of its values on the console does not reach the story" {
  guest_of firecracker agent once=crashed "console=API_KEY=$(cat credentials/host-api-key)"
  in_background "$VMCRED" vm run v
  told ": ready" 2
  grep -q "the console's end: (withheld: it repeats a part of a credential)" story
  run -1 grep -aFf patterns story
  stop_it
}

@test "a panic is told as a panic where the VMM tells it" {
  declare_vm cloud-hypervisor cloud-hypervisor
  behave panic "console=Kernel panic - not syncing: test"
  run -1 --separate-stderr "$VMCRED" vm run v
  [[ $stderr == *"the guest's kernel panicked"* ]]
  [[ $stderr == *"vmcred: error: the guest of vm 'v' panicked" ]]
  [ -z "$(ls -A run)" ]
}

@test "Firecracker ends with its guest: a stop by the agent, and a power-off by the guest itself" {
  guest_of firecracker agent
  in_background "$VMCRED" vm run v
  run -0 --separate-stderr "$VMCRED" vm stop v
  [ "$stderr" = "vm 'v' stopped: the guest powered off" ]
  wait "$supervisor"
  grep -q "the guest shuts down: reboot" story # on x86 that is what ends it
  guest_of firecracker agent,poweroff
  run -0 --separate-stderr "$VMCRED" vm run v
  [[ $stderr == *"the guest shuts down: poweroff"*"the guest powered off"*"the VMM ended with signal 15"* ]]
  [ "$(grep -c "the VMM runs with" <<<"$stderr")" = 1 ]
  # Under exec the exit code says the same.
  foreign_vm
  printf '{"boot-source": {"kernel_image_path": "kernel", "boot_args": "reboot=k"}}' >config.json
  run -0 --separate-stderr "$VMCRED" exec --vm v -- ./firecracker --config-file config.json
}

@test "the power key by the guard is no reset: Firecracker is not started again" {
  declare_vm firecracker firecracker "$initrd_guest"
  in_background "$VMCRED" vm run v
  curl -s --unix-socket run/api.sock -X PUT -d '{"action_type":"SendCtrlAltDel"}' http://localhost/actions
  wait "$supervisor"
  grep -q "the guest powered off" story
}

@test "a stop that the guest did not hear is told as forced" {
  guest_without_ears() {
    rm -rf record && mkdir record
    behave deaf
    in_background "$@"
    kill -INT "$supervisor"
    told "stopping: interrupted"
    timeout 60 bash -c 'until grep -qs -e power-button -e SendCtrlAltDel record/request??; do :; done'
    kill -INT "$supervisor" # hurry: the VMM is told to end
  }
  for vmm in cloud-hypervisor firecracker; do
    declare_vm "$vmm" "$vmm" "$initrd_guest"
    guest_without_ears "$VMCRED" vm run v
    status=0
    wait "$supervisor" || status=$?
    [ "$status" = 1 ]
    grep -q "vmcred: error: vm 'v' was stopped, but its guest did not power off cleanly: the VMM was told to end" story
    [ -z "$(ls -A run)" ]
  done
  declare_vm cloud-hypervisor cloud-hypervisor
  foreign_vm
  guest_without_ears "$VMCRED" exec --vm v -- ./cloud-hypervisor --kernel kernel
  status=0
  wait "$supervisor" || status=$?
  [ "$status" = 1 ]
}

@test "exec leaves no socket of the vsock behind, and starts where a killed VMM left one" {
  declare_vm cloud-hypervisor cloud-hypervisor $'systemd = 252\nagent = true'
  sed -i 's/^accel/receipt = "off"\naccel/' vmcred.toml
  foreign_vm
  in_background "$VMCRED" "${with_vsock[@]}"
  [ -S notify.vsock ] && [ -S notify.vsock_8889 ]
  kill -9 "$supervisor"
  timeout 20 tail --pid="$(cat record/pid)" -f /dev/null
  [ -S notify.vsock ]
  # Also where the guest has no agent, and so no link.
  for agent in true false; do
    sed -i "s/^agent = .*/agent = $agent/" vmcred.toml
    rm -rf record && mkdir record
    [ -S notify.vsock ] || python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("notify.vsock")'
    in_background "$VMCRED" "${with_vsock[@]}"
    [ ! -e record/refused ]
    stop_it
    [ -z "$(sockets_of .)" ]
  done
}

@test "what is no socket of a dead VMM is left alone" {
  declare_vm cloud-hypervisor cloud-hypervisor
  foreign_vm
  echo mine >notify.vsock
  run -2 --separate-stderr "$VMCRED" "${with_vsock[@]}"
  [[ $stderr == *"'notify.vsock' cannot become the socket of the vm's vsock: something else is there"* ]]
  [ "$(cat notify.vsock)" = mine ]
  rm notify.vsock
  python3 -c 'import signal, socket; s = socket.socket(socket.AF_UNIX); s.bind("notify.vsock"); s.listen(); open("listening", "w"); signal.pause()' &
  server=$!
  timeout 60 bash -c 'until [ -e listening ]; do :; done'
  run -1 --separate-stderr "$VMCRED" "${with_vsock[@]}"
  [[ $stderr == *"another process serves the socket 'notify.vsock' of the vm's vsock"* ]]
  [ -S notify.vsock ]
  kill -9 "$server"
}

@test "Firecracker's log holds no request body, whatever level was asked for" {
  guest_of firecracker agent
  in_background "$VMCRED" vm run v
  token=$(grep -aohE 'vsock:2:8889 [0-9a-f]{64}' record/request?? | cut -d' ' -f2)
  [ ${#token} = 64 ]
  run -1 grep -arF "$token" story output run
  grep -A1 -x -e --level record/argv | grep -qx Warn
  stop_it
  foreign_vm
  printf '{"boot-source": {"kernel_image_path": "kernel", "boot_args": "reboot=k"}, "logger": {"level": "Debug"}}' >config.json
  for level in "" "--level Info" "--level trace"; do
    rm -rf record/request?? record/argv
    # shellcheck disable=SC2086 # words of the command line
    in_background "$VMCRED" exec --vm v -- ./firecracker --config-file config.json $level
    token=$(grep -aohE 'vsock:2:8889 [0-9a-f]{64}' record/request?? | cut -d' ' -f2)
    run -1 grep -arF "$token" story output run
    grep -q "warning: Firecracker's log level is Warn, not Debug: at that level it logs each request with its body" story
    [ -z "$level" ] || grep -q "log level is Warn, not ${level#--level }:" story
    stop_it
  done
  # A level that logs no bodies stays.
  sed -i 's/Debug/Error/' config.json
  in_background "$VMCRED" exec --vm v -- ./firecracker --config-file config.json --level Off
  run ! grep -q "log level" story
  grep -A1 -x -e --level record/argv | grep -qx Off
  stop_it
}

@test "kvmtool has a home, and is ready only when it has lived for a while" {
  declare_vm kvmtool lkvm "$initrd_guest"
  in_background env -u HOME "$VMCRED" vm run v
  grep -qx "HOME=$PWD/run" record/environ
  run -0 "$VMCRED" vm status v --json
  [[ $(jq -r .detail <<<"$output") == "unproven: the VMM has lived for 2000 ms, and nobody can ask its guest" ]]
  stop_it || true
  [ -z "$(ls -A run)" ]
  behave die=128
  run -1 --separate-stderr "$VMCRED" vm run v
  [[ $stderr == *"vmcred: error: the VMM of vm 'v' ended by itself with exit code 128" ]]
  [[ $stderr != *": ready"* ]]
}

@test "the VMM's own reason is told, and no value with it" {
  declare_vm cloud-hypervisor cloud-hypervisor
  printf '[[vms.v.disks]]\npath = "%s/root.img"\n' "$PWD" >>vmcred.toml
  run -1 --separate-stderr "$VMCRED" vm run v
  [[ $stderr == *"vmcred: error: the VMM refused 'PUT /api/v1/vm.boot' with status 500: Error from API: The VM could not boot: Error from device manager: Cannot open disk path: I/O error (path=$PWD/root.img op=open): No such file or directory (os error 2)" ]]
  declare_vm firecracker firecracker "$initrd_guest"
  printf '[[vms.v.disks]]\npath = "%s/root.img"\n' "$PWD" >>vmcred.toml
  run -1 --separate-stderr "$VMCRED" vm run v
  [[ $stderr == *"vmcred: error: the VMM refused 'PUT /drives/disk0' with status 400: Unable to create the block device: "*"No such file or directory (os error 2) $PWD/root.img" ]]
  # An API may repeat what it was sent.
  declare_vm cloud-hypervisor cloud-hypervisor
  for echo in "$(cat credentials/host-api-key)" "$(base64 -w0 credentials/host-api-key)" "$(base64 -w0 credentials/host-api-key | cut -c9-40)"; do
    behave refuse=/api/v1/vm.create "why=Error from API|invalid type: string '$echo'|at line 1"
    run -1 --separate-stderr "$VMCRED" vm run v
    [[ $stderr == *"with status 500: Error from API: (withheld: it repeats a part of a credential): at line 1" ]]
    run -1 grep -aFf patterns <<<"$stderr"
  done
  foreign_vm
  behave old-kernel
  run -1 --separate-stderr "$VMCRED" exec --vm v -- ./cloud-hypervisor --kernel kernel --landlock
  [[ $stderr == *"Error applying landlock: Landlock ABI is not supported by the kernel"* ]]
}
