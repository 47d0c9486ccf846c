#!/usr/bin/env bats
# vmcred exec: command lines that others built, with credentials added. The VMMs are doubles (tests/e2e/doubles) and
# fake_vmm in the place of QEMU; tests/vm has the real QEMU.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/e2e/doubles/setup.bash
source "$VMCRED_SOURCE/tests/e2e/doubles/setup.bash"

setup() {
  prepare_doubles
  ln -s "$VMCRED_BUILD/bin/fake_vmm" qemu-system-x86_64
  declare_vm qemu qemu-system-x86_64
  sed -i '/^binary/d; /^kernel/d; /^initrd/d; /^accel/d' vmcred.toml # the command line says it
}
teardown() { end_doubles; }

qemu() { "$VMCRED" exec --vm v --allow-option fake= -- ./qemu-system-x86_64 -M q35 "$@"; }

@test "QEMU: every argument stays, ours come behind, the value is in a memory file" {
  run -0 --separate-stderr qemu -name 'a b' -device 'usb-host,y=,,' -fake "record=$PWD/record,end=guest-shutdown"
  [ "$(sed -n '2,9p' record/argv | tr '\n' '|')" = "-M|q35|-name|a b|-device|usb-host,y=,,|-fake|record=$PWD/record,end=guest-shutdown|" ]
  grep -qaFx "io.systemd.credential.binary:API_KEY=$(base64 -w0 credentials/host-api-key)" <(tr '\0' '\n' <record/blob0.before | sed 's/^[^i]*io\./io./')
  [ ! -s record/blob0.after ]
  run -1 grep -aFf patterns record/argv record/environ
}

@test "the exit status of the VMM is passed on" {
  run -7 --separate-stderr qemu -fake "die=7"
  [[ $stderr == *"the VMM of vm 'v' ended by itself with exit code 7"* ]]
  run -134 --separate-stderr qemu -fake "crash"
  run -0 --separate-stderr qemu -fake "end=guest-shutdown"
}

@test "standard output is the VMM's, our story is on standard error" {
  run -0 --separate-stderr qemu -fake "console=hello,end=guest-shutdown"
  [ "$output" = hello ]
  [[ $stderr == *"v: "*"ready"* ]]
}

@test "conflicts are refused with the remedy, before the secrets are read" {
  rm -r credentials
  run -2 --separate-stderr qemu -smbios type=11,value=x
  [[ ${stderr_lines[0]} == "vmcred: error: '-smbios' on the command line cannot be kept: "* ]]
  [[ ${stderr_lines[1]} == "vmcred: hint: "* ]]
  run -2 --separate-stderr qemu -qmp tcp:localhost:4444,server
  [[ $stderr == *"only a unix socket can be guarded"* ]]
  run -2 --separate-stderr "$VMCRED" exec --vm v -- ./cloud-hypervisor --kernel kernel \
    --platform 'oem_strings=[io.systemd.credential:PASSWORD=hunter2]'
  [[ $stderr == *"'PASSWORD'"*"declare it as a credential of the vm"* ]]
  [[ $stderr != *hunter2* ]]
  run -2 --separate-stderr "$VMCRED" exec --vm v -- ./cloud-hypervisor --kernel kernel --gpu on
  [ "${stderr_lines[0]}" = "vmcred: error: vmcred cannot translate '--gpu' for cloud-hypervisor's API" ]
  run -2 --separate-stderr "$VMCRED" exec --vm v -- /bin/true
  [[ $stderr == *"vmcred does not know how to add credentials to '/bin/true'"* ]]
  run -2 --separate-stderr "$VMCRED" exec --vm v
  [ "${stderr_lines[0]}" = "vmcred: error: 'exec' needs a command" ]
  [ ! -e record/argv ]
}

@test "a descriptor that is named and not open is refused" {
  run -2 --separate-stderr qemu -netdev tap,id=n,fd=39
  [ "${stderr_lines[0]}" = "vmcred: error: the command line names the descriptor 39, which is not open" ]
  run -0 --separate-stderr qemu -netdev tap,id=n,fd=39 -fake "record=$PWD/record,end=guest-shutdown" 39</dev/null
  grep -qx '39 /dev/null' record/descriptors
}

@test "the guard stands at the path of -qmp, -mon and -monitor" {
  in_background "$VMCRED" exec --vm v --allow-option fake= -- ./qemu-system-x86_64 -M q35 -qmp "unix:$PWD/qmp.sock,server,nowait" \
    -monitor "unix:$PWD/hmp.sock,server,nowait" -fake "record=$PWD/record"
  run -1 grep -e qmp.sock -e hmp.sock record/argv
  python3 - <<'PY'
import json, socket
def talk(path, *lines):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(60)
    client.connect(path)
    stream = client.makefile("rw", newline="\n")
    answers = [stream.readline()]
    for line in lines:
        stream.write(line + "\n")
        stream.flush()
        answers.append(stream.readline())
    return answers
greeting, negotiated, refused = talk("qmp.sock", '{"execute":"qmp_capabilities"}', '{"execute":"pmemsave","id":1}')
assert "QMP" in json.loads(greeting) and json.loads(negotiated) == {"return": {}}, (greeting, negotiated)
assert json.loads(refused)["id"] == 1 and "pmemsave" in json.loads(refused)["error"]["desc"], refused
assert "does not let 'xp'" in talk("hmp.sock", "xp /16x 0")[1]
PY
  grep -q "does not let 'pmemsave' through" story
  python3 - <<'PY'
import socket
client = socket.socket(socket.AF_UNIX)
client.connect("qmp.sock")
client.sendall(b'{"execute":"qmp_capabilities"}{"execute":"system_powerdown"}')
client.settimeout(60)
while client.recv(4096):
    pass
PY
  run ! test -e qmp.sock
}

@test "microvm.nix's microvm-shutdown presses control, alt and delete, and the vm ends instead of living again" {
  in_background "$VMCRED" exec --vm v --allow-option fake= -- ./qemu-system-x86_64 -M q35 -no-reboot -qmp "unix:$PWD/qmp.sock,server,nowait" \
    -fake "record=$PWD/record"
  python3 - <<'PY'
import json, socket
client = socket.socket(socket.AF_UNIX)
client.connect("qmp.sock")
client.settimeout(60)
keys = [{"type": "key", "data": {"down": True, "key": {"type": "qcode", "data": key}}} for key in ("ctrl", "alt", "delete")]
for command in {"execute": "qmp_capabilities"}, {"execute": "input-send-event", "arguments": {"events": keys}}:
    client.sendall(json.dumps(command).encode())
while client.recv(4096):
    pass
PY
  wait "$supervisor"
  grep -q "the guest powered off" story
  [ "$(grep -c "the VMM runs with" story)" = 1 ]
}

@test "a microvm.nix runner of cloud-hypervisor, with a network by descriptor" {
  runner=(./cloud-hypervisor --cpus boot=2 --watchdog --console null --serial tty --kernel kernel --initramfs initrd
    --cmdline "console=ttyS0 reboot=t panic=-1" --seccomp true
    --memory mergeable=on,shared=on,size=512M,hotplug_method=virtio-mem,hotplug_size=256M,hotplugged_size=256M
    --platform "oem_strings=[io.systemd.credential:vmm.notify_socket=vsock-stream:2:8888,io.systemd.credential:ENVIRONMENT=test]" --vsock cid=3,socket=notify.vsock
    --balloon deflate_on_oom=on,free_page_reporting=on,size=256M --disk path=kernel,readonly=on
    direct=off,path=var.img,readonly=off,serial=abc,num_queues=2 --fs socket=v-virtiofs.sock,tag=ro-store
    --api-socket v.sock --net mac=02:00:00:00:00:01,tap=vm-tap,num_queues=4 "fd=[7,8],mac=02:00:00:00:00:02,num_queues=4")
  touch var.img
  in_background "$VMCRED" exec --vm v -- "${runner[@]}" 7</dev/null 8</dev/zero
  no_canary_while_it_runs
  [ ! -e record/refused ]
  printf '%s\n' "$PWD/cloud-hypervisor" --api-socket fd=9 --seccomp true --event-monitor fd=12 | sed "1s|.*|./cloud-hypervisor|" | diff - record/argv
  jq -e '.platform.oem_strings | length == 4 and any(. == "io.systemd.credential:ENVIRONMENT=test")' <(tail -n +2 record/request01)
  [ "$(head -1 record/request02)" = "PUT /api/v1/vm.add-net HTTP/1.1" ]
  printf '/dev/null\n/dev/zero\n' | diff - record/request02.fds
  curl -s --unix-socket v.sock http://localhost/api/v1/vm.info | jq -e '.config.platform == {}'
  [ "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket v.sock -X PUT http://localhost/api/v1/vm.power-button)" = 204 ]
  wait "$supervisor"
  [ ! -e v.sock ]
}

@test "Firecracker with a configuration file, and crosvm with an initrd" {
  printf 'systemd = 262\nsystemd-in-initrd = true\n' >>vmcred.toml
  cat >config.json <<'JSON'
{"boot-source": {"kernel_image_path": "kernel", "initrd_path": "initrd", "boot_args": "console=ttyS0 reboot=k"},
 "machine-config": {"vcpu_count": 1, "mem_size_mib": 256},
 "drives": [{"drive_id": "root", "path_on_host": "kernel", "is_root_device": true}]}
JSON
  in_background "$VMCRED" exec --vm v -- ./firecracker --config-file config.json --api-sock v.sock
  no_canary_while_it_runs
  grep -qaF -f credentials/host-api-key record/initrd.before
  [ "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket v.sock -X PUT -d '{"action_type":"SendCtrlAltDel"}' http://localhost/actions)" = 204 ]
  wait "$supervisor"
  rm -rf record && mkdir record
  behave console=up end=3
  run -3 --separate-stderr "$VMCRED" exec --vm v -- ./crosvm run -m 512 -c 1 --initrd initrd -p "console=ttyS0" kernel
  grep -qaF -f credentials/host-api-key record/initrd.before
  [ "$output" = up ]
  run -2 --separate-stderr "$VMCRED" exec --vm v -- ./crosvm run -s v.sock --initrd initrd kernel
  [[ $stderr == *"'-s' cannot be used with crosvm"*"--without-control"* ]]
  behave console=up end=3
  run -3 --separate-stderr "$VMCRED" exec --vm v --without-control -- ./crosvm run -s v.sock --initrd initrd kernel
  [ ! -e v.sock ]
}

@test "a bad vm beside it stops no vm" {
  printf '\n[vms.bad]\nhypervizor = "qemu"\n' >>vmcred.toml
  run -0 --separate-stderr qemu -fake "end=guest-shutdown"
  [[ $stderr == *"vm 'bad' is left out: "*"unknown key 'hypervizor'"* ]]
  run -1 --separate-stderr "$VMCRED" exec --vm bad -- ./qemu-system-x86_64 -M q35
  [[ $stderr == *"unknown key 'hypervizor'"*"did you mean 'hypervisor'"* ]]
  printf '[generators.other]\nfils = 1\n' >>vmcred.toml
  run -1 --separate-stderr qemu -fake "end=guest-shutdown"
  [[ $stderr == *"unknown key 'fils'"* ]]
}

@test "by reference: no value is given to the VMM, the agent fetches it" {
  sed -i 's/^machine/delivery = "reference"\nreceipt = "off"\nmachine/' vmcred.toml
  echo 'agent = true' >>vmcred.toml
  in_background "$VMCRED" exec --vm v --allow-option fake= -- ./qemu-system-x86_64 -M q35 -fake "record=$PWD/record"
  run -1 grep -arFf patterns record
  stop_it
  rm -rf record && mkdir record
  in_background "$VMCRED" exec --vm v -- ./cloud-hypervisor --kernel kernel
  run -1 grep -arFf patterns record
  [ -S run/vsock.sock_8889 ]
  stop_it
  printf '{"boot-source": {"kernel_image_path": "kernel", "boot_args": "reboot=k"}}' >config.json
  for systemd in 252 262; do
    rm -rf record && mkdir record
    sed -i '/^systemd/d' vmcred.toml && echo "systemd = $systemd" >>vmcred.toml
    in_background "$VMCRED" exec --vm v -- ./firecracker --config-file config.json
    run -1 grep -arFf patterns record
    stop_it
  done
}

@test "what is exposed is exposed from the first look on" {
  printf 'systemd = 262\nsystemd-in-initrd = true\n' >>vmcred.toml
  behave end=3
  run -3 --separate-stderr "$VMCRED" exec --vm v --expose snapshot -- ./crosvm run -s crosvm.sock --initrd initrd kernel
}

@test "a kernel line that sets a credential is refused on every VMM" {
  run -2 --separate-stderr qemu -append 'console=ttyS0 systemd.set_credential=db:hunter2'
  [ "${stderr_lines[0]}" = "vmcred: error: the kernel's command line sets the credential 'db', and everybody reads it there" ]
  [[ ${stderr_lines[1]} == "vmcred: hint: remove it and declare it as a credential of the vm" && $stderr != *hunter2* ]]
  run -2 --separate-stderr "$VMCRED" exec --vm v -- ./cloud-hypervisor --kernel kernel --cmdline 'ro "systemd.set-credential-binary=db:aHVudGVyMg=="'
  [[ $stderr == *"sets the credential 'db'"* && $stderr != *aHVud* ]]
  run -2 --separate-stderr "$VMCRED" exec --vm v -- ./crosvm run -p 'ro systemd.set_credential=db:hunter2' --initrd initrd kernel
  [[ $stderr == *"sets the credential 'db'"* && $stderr != *hunter2* ]]
  run -2 --separate-stderr "$VMCRED" exec --vm v -- ./crosvm run '--params=systemd.set_credential=db:hunter2' --initrd initrd kernel
  [[ $stderr == *"sets the credential 'db'"* && $stderr != *hunter2* ]]
  printf '{"boot-source": {"kernel_image_path": "kernel", "boot_args": "reboot=k systemd.set_credential=db:hunter2"}}' >config.json
  run -2 --separate-stderr "$VMCRED" exec --vm v -- ./firecracker --config-file config.json
  [[ $stderr == *"sets the credential 'db'"* && $stderr != *hunter2* ]]
  [ ! -e record/argv ]
}
