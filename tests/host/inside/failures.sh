#!/bin/bash
# What goes wrong on a host: each failure is named, hits only the vm that it concerns, and leaves nothing behind.
# shellcheck disable=SC2086,SC2119,SC2120,SC2317 # cases are called by name; words of ours hold no spaces
# shellcheck source=tests/host/inside/lib.sh
. /test/inside/lib.sh
# shellcheck source=tests/host/inside/vms.sh
. /test/inside/vms.sh
stored=/etc/vmcred/vars/per-machine/britton-desktop

never_started() { lacks "$(everything "microvm@$1")" "the VMM runs"; }

# One value is gone from the store: activation says which, that vm fails before its VMM starts, the other one runs.
missing() {
  mv $stored/test-vm-secrets/api-key /root/aside
  must_fail systemctl start vmcred-activate
  contains "$(everything vmcred-activate)" "per-machine/britton-desktop/test-vm-secrets/api-key"
  must_fail systemctl start microvm@test-vm
  never_started test-vm
  equals "$(property microvm@test-vm ExecMainStatus)" 243
  contains "$(everything microvm@test-vm)" "credential 'host-api-key' cannot be loaded: '$vars/test-vm-secrets/api-key': no such file"
  lacks "$(everything microvm@test-vm)" "host-db-password"
  equals "$(property microvm@test-vm NRestarts)" 0
  nothing_left test-vm
  systemctl start microvm@second-vm
  proven second-vm 1
  mv /root/aside $stored/test-vm-secrets/api-key
  systemctl restart vmcred-activate
}

# An empty file and a folder in the place of a file are no credentials either.
empty() {
  local file=$vars/test-vm-secrets/api-key
  systemctl start vmcred-activate
  cp -p "$file" /run/vmcred.d/kept
  : >"$file"
  must_fail systemctl start microvm@test-vm
  never_started test-vm
  contains "$(everything microvm@test-vm)" "empty credential 'host-api-key'"
  rm "$file"
  mkdir "$file"
  must_fail systemctl start microvm@test-vm
  never_started test-vm
  contains "$(everything microvm@test-vm)" "is no regular file"
  rmdir "$file"
  mv /run/vmcred.d/kept "$file"
  systemctl stop microvm@test-vm
  systemctl reset-failed microvm@test-vm || true # systemd may have forgotten it
}

# systemd reads as root: neither a mode of 0 nor another owner stops a credential, and both end at the vm's user, 0400.
wrong_mode() {
  local file=$vars/test-vm-secrets/api-key
  chmod 0 "$file"
  chown nobody "$vars/test-vm-secrets/db-password"
  systemctl start microvm@test-vm
  proven test-vm 5
  equals "$(stat -c '%a %u' /run/credentials/microvm@test-vm.service/* | sort -u)" "400 $(uid_of microvm@test-vm)"
  chmod 0400 "$file"
}

restarted() { is "microvm@$1" NRestarts "$2" && proven "$1" "$3"; }

vmm_dies() {
  local vmm
  vmm=$(vmm_pid test-vm)
  kill -KILL "$vmm"
  until_true 240 restarted test-vm 1 5
  [[ ! -e /proc/$vmm ]] || fail "the old VMM is still there"
  contains "$(everything microvm@test-vm)" "the VMM ended with signal 9"
}

supervisor_dies() {
  local vmm
  vmm=$(vmm_pid test-vm)
  kill -KILL "$(main_pid microvm@test-vm)"
  until_true 20 test ! -e "/proc/$vmm"
  until_true 240 restarted test-vm 2 5
}

# A VMM that cannot even start is not started for ever.
bounded() {
  systemctl stop microvm@test-vm
  mv /etc/vmcred/guest/initrd /etc/vmcred/guest/initrd.aside
  echo no-initrd >/etc/vmcred/guest/initrd
  chmod 0 /etc/vmcred/guest/initrd
  must_fail systemctl start microvm@test-vm
  until_true 120 is microvm@test-vm ActiveState failed # between two attempts it is "activating"
  contains "$(everything microvm@test-vm)" "Start request repeated too quickly"
  equals "$(property microvm@test-vm NRestarts)" 5
  rm /etc/vmcred/guest/initrd
  mv /etc/vmcred/guest/initrd.aside /etc/vmcred/guest/initrd
  nothing_left test-vm
  systemctl reset-failed microvm@test-vm || true # systemd may have forgotten it
}

undeclared() {
  must_fail systemctl start microvm@nobody
  contains "$(everything microvm@nobody)" "no vm 'nobody'"
}

check "units are installed" install_units
check "a missing var: named, only its vm fails, before the VMM starts (H2)" missing
check "an empty value and a folder: refused before the VMM starts" empty
check "wrong mode and owner of an activated file do not reach the vm" wrong_mode
check "the VMM is killed: the unit starts again and the new guest proves itself" vmm_dies
check "the supervisor is killed: its VMM dies with it, the unit starts again" supervisor_dies
check "a vm that can never start is not started for ever" bounded
check "a vm that nobody declared is an error with its name" undeclared
finish
