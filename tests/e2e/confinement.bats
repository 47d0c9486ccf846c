#!/usr/bin/env bats
# How confined the units are that we write, as systemd-analyze(1) counts it: the lower the better, 10 is an ordinary root service.
bats_require_minimum_version 1.5.0

setup() {
  if ! systemd-analyze security --help >/dev/null 2>&1; then
    echo "NOT RUN HERE: systemd-analyze is not installed (tools/setup does it)" >&3
    skip "no systemd-analyze"
  fi
  cd "$BATS_TEST_TMPDIR" || exit 1
  export HOME=$PWD
}

# exposure FILE: ten times the exposure level of a unit
exposure() {
  local level
  level=$(systemd-analyze security --offline=true --no-pager "$1" 2>/dev/null | sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p')
  [ -n "$level" ] || return 1
  echo "${1##*/}: $level" >&2
  echo "${level/./}"
}

@test "the host's units stay as confined as they are" {
  printf '[machines.host]\n[vms.box]\nmachine = "host"\nkernel = "/bin/true"\n' >vmcred.toml
  "$VMCRED" vm units --install --root "$PWD/root" --program /usr/bin/vmcred --host-project /etc/vmcred
  [ "$(exposure root/etc/systemd/system/microvm@.service)" -le 5 ]
  [ "$(exposure root/etc/systemd/system/vmcred-activate.service)" -le 20 ]
}

@test "the guest's units stay as confined as they are" {
  [ "$(exposure "$VMCRED_SOURCE/packaging/guest/vmcred-receipt.service")" -le 45 ]
  [ "$(exposure "$VMCRED_SOURCE/packaging/guest/vmcred-agent.service")" -le 72 ]
}

@test "both programs are position-independent, with nothing of their tables writable, and name no folder of their build" {
  for program in "$VMCRED" "$VMCRED_GUEST"; do
    readelf -hW "$program" | grep -q 'Type: *DYN'
    readelf -lW "$program" | grep -q GNU_RELRO
    readelf -dW "$program" | grep -q 'BIND_NOW\|Flags:.*NOW'
    ! grep -aqF "$VMCRED_SOURCE" "$program"
  done
}
