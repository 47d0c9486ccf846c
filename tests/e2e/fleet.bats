#!/usr/bin/env bats
# Many VMs at once.
bats_require_minimum_version 1.5.0

fifty_of() {
  run -0 --separate-stderr python3 "$VMCRED_SOURCE/bench/fleet.py" "$VMCRED" "$1" 50
  [ "$(jq -c '[.vms, .ready, .ended_well]' <<<"$output")" = '[50,50,50]' ]
  # The sanitizers' shadow memory counts as well.
  if grep -q '^CMAKE_BUILD_TYPE:STRING=Release' "$VMCRED_BUILD/CMakeCache.txt"; then
    [ "$(jq .pss_most <<<"$output")" -lt $((8 * 1024 * 1024)) ]
  fi
}

@test "50 vms of QEMU started at once: all get ready and end well, and no supervisor holds 8 MiB" {
  fifty_of "$VMCRED_BUILD/bin/fake_vmm"
}

@test "50 vms of cloud-hypervisor started at once, by its API" {
  fifty_of "$VMCRED_SOURCE/tests/e2e/doubles/cloud-hypervisor"
}
