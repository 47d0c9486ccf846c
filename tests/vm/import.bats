#!/usr/bin/env bats
# A guest without systemd: `vmcred-guest import` is a step of its init.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/vm/guest.bash
source "$VMCRED_SOURCE/tests/vm/guest.bash"

setup() {
  vm_folder
  guest_image --overlay "$VMCRED_SOURCE/tests/vm/overlay-busybox"
}

@test "a busybox guest imports SMBIOS and fw_cfg credentials and proves them" {
  head -c 44 /dev/urandom | secret api-key
  head -c 60000 /dev/urandom | secret huge
  declare_guest vm-test-import
  echo 'environment = { value = "test" }' >>vmcred.toml
  run -0 "$VMCRED" vm run vm-test-import --accel tcg --console
  [[ $output == *"IMPORTED 4"* ]]
  [[ $output == *"MODE 400"* ]]
  [[ $output == *"receipt: 3 credentials arrived"* ]]
}
