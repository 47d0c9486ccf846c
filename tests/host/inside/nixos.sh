#!/bin/bash
# shellcheck disable=SC2317 # cases are called by name
# microvm.nix's own units, with the drop-ins that nixosModules.host made, and the runners that nix built: as microvm:kvm, and as a
# user of the vm's own.
# shellcheck source=tests/host/inside/lib.sh
. /test/inside/lib.sh
# shellcheck source=tests/host/inside/vms.sh
. /test/inside/vms.sh
system=$(cat /test/system)
secrets=/run/secrets/vars/per-machine/britton-desktop/test-vm-secrets

# What an activation of NixOS does.
prepare() {
  mount --bind /test/srv /srv
  groupadd -f -g 302 kvm
  while IFS=: read -r name group; do useradd --system --no-create-home -g "$group" "$name"; done <"$system/users"
  cp -r "$system"/units/. /etc/systemd/system/
  cp "$system/etc/vmcred/vmcred.json" /etc/vmcred/vmcred.json
  mkdir -p /run/secrets /var/lib/microvms
  chown microvm:kvm /var/lib/microvms
  mount -t ramfs -o mode=0751 ramfs /run/secrets
  mkdir -p "$secrets"
  (umask 077 && for name in api-key db-password jwt-secret; do openssl rand -base64 32 >"$secrets/$name"; done)
  systemctl daemon-reload
}
install_vm() { systemctl start "install-microvm-$1"; }

loads() {
  equals "$(systemctl show -P LoadState microvm@test-vm)" loaded
  equals "$(systemctl show -P User microvm@test-vm)" microvm
  equals "$(systemctl show -P User microvm@own-vm)" vmcred-own-vm
  equals "$(systemctl show -P Type microvm@test-vm)" notify
  equals "$(systemctl show -P NotifyAccess microvm@test-vm)" main
  lacks "$(journalctl -q --no-pager -b _PID=1)" "Unknown key"
}
starts() {
  install_vm "$1"
  systemctl start "microvm@$1" || fail "$(everything "microvm@$1" | tail -n 40)"
  proven "$1" "$2"
}
runs_as() {
  equals "$(stat -c %U:%G "/proc/$(main_pid "microvm@$1")")" "$2:kvm"
  equals "$(stat -c '%U %a' "/run/vmcred/vm/$1")" "$2 700"
  equals "$(stat -c '%U %a' "/var/lib/microvms/$1/data.img")" "$2 600"
}
private() {
  local pid
  pid=$(vmm_pid "$1")
  equals "$(sed -n 's/^Max core file size *\([0-9]*\) *\([0-9]*\) .*/\1 \2/p' "/proc/$pid/limits")" "0 0"
  equals "$(sed -n 's/^NoNewPrivs:\t//p' "/proc/$pid/status")" 1
  equals "$(sed -n 's/^CapBnd:\t//p' "/proc/$pid/status")" 0000000000000000
  ! tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qFf "$secrets/api-key" || fail "the value stands on the command line"
}
no_other_reads_it() {
  must_fail setpriv --reuid=vmcred-own-vm --regid=kvm --clear-groups cat /run/credentials/microvm@test-vm.service/host-api-key
  must_fail setpriv --reuid=microvm --regid=kvm --clear-groups ls /var/lib/microvms/own-vm
  must_fail setpriv --reuid=microvm --regid=kvm --clear-groups ls /run/vmcred/vm/own-vm
}
# ExecStop is microvm.nix's: ctrl-alt-del over the control socket, which is a guard.
stops() {
  systemctl stop "microvm@$1"
  [[ $(property "microvm@$1" Result) == success ]] || fail "$(everything "microvm@$1" | tail -n 40)"
  nothing_left "$1"
  [[ ! -e /var/lib/microvms/$1/booted ]] || systemctl stop "microvm-set-booted@$1"
}
starts_again() {
  systemctl start "microvm@$1"
  proven "$1" "$2"
}
# A rebuild runs this while the vm runs, and gives the folder to microvm.
survives_a_rebuild() {
  systemctl restart --job-mode=ignore-dependencies "install-microvm-$1"
  equals "$(stat -c %U "/var/lib/microvms/$1")" "$2"
  equals "$(property "microvm@$1" ActiveState)" active
}
# The guest never proves what it received; somebody else in the unit says READY.
never_active() {
  install_vm deaf-vm
  systemctl start --no-block microvm@deaf-vm
  until_true 30 is microvm@deaf-vm ActiveState activating # a job that waits has begun nothing
  # Each change of the unit's state is looked at until the first start has ended.
  local state
  while :; do
    state=$(property microvm@deaf-vm ActiveState)
    [[ $state != active ]] || fail "the unit became active"
    [[ $(property microvm@deaf-vm SubState) == start ]] || [[ $state == activating ]] || break
    [[ $(property microvm@deaf-vm NRestarts) == 0 ]] || break
    read -rt 0.2 _ <> <(:) || true
  done
  # It has no credential of the link either, so nothing comes of it.
  contains "$(everything microvm@deaf-vm)" "no receipt came from the guest of vm 'deaf-vm'"
  systemctl stop microvm@deaf-vm
}
exposure() {
  local said
  cp /etc/systemd/system/microvm@.service /tmp/microvm@measured.service
  mkdir -p /tmp/microvm@measured.service.d && cp /etc/systemd/system/microvm@measured.service.d/* /tmp/microvm@measured.service.d/
  said=$(cd /tmp && systemd-analyze security --no-pager --offline=true ./microvm@measured.service | grep -o 'Overall exposure level.*: [0-9.]*' | grep -o '[0-9.]*$')
  echo "exposure of a vm with tap, volume and virtiofs: $said" | tee -a /test/.output
  [[ ${said/./} -gt 0 && ${said/./} -le 25 ]] || fail "the exposure is $said"
}

check "prepare" prepare
check "the units load" loads
check "exposure of tap, volume and virtiofs is at most 2.5" exposure
check "test-vm starts as microvm down to the receipt" starts test-vm 5
check "test-vm runs as microvm:kvm, its files are its own" runs_as test-vm microvm
check "test-vm's VMM has no privileges and no value on its command line" private test-vm
check "own-vm starts as a user of its own down to the receipt" starts own-vm 1
check "own-vm runs as vmcred-own-vm:kvm" runs_as own-vm vmcred-own-vm
check "own-vm's VMM has no privileges" private own-vm
check "no vm's user reads what is another's" no_other_reads_it
check "a rebuild leaves own-vm its folder" survives_a_rebuild own-vm vmcred-own-vm
check "own-vm stops by microvm.nix's own command" stops own-vm
check "test-vm stops by microvm.nix's own command" stops test-vm
check "own-vm starts again" starts_again own-vm 1
check "own-vm stops again" stops own-vm
check "a guest that misses a credential is never active" never_active
finish
