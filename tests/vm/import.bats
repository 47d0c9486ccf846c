#!/usr/bin/env bats
# A guest without systemd: `vmcred-guest import` is a step of its init.
bats_require_minimum_version 1.5.0

setup() {
  [ -x "$VMCRED_GUEST_STATIC" ] || { echo "build the release preset first: it makes vmcred-guest for the guest" >&2; return 1; }
  cd "$BATS_TEST_TMPDIR" || return
  "$VMCRED_SOURCE/tools/guest-image" --guest "$VMCRED_GUEST_STATIC" --overlay "$VMCRED_SOURCE/tests/vm/overlay-busybox" image
  export CREDENTIALS_DIRECTORY=$PWD/credentials XDG_RUNTIME_DIR=$PWD/run
  mkdir -m 700 credentials run
}

@test "a busybox guest imports SMBIOS and fw_cfg credentials and proves them" {
  head -c 44 /dev/urandom >credentials/host-api-key
  head -c 60000 /dev/urandom >credentials/host-huge
  cat >vmcred.toml <<TOML
[machines.host]
[vms.vm-test-import]
machine = "host"
kernel = "$PWD/image/vmlinuz"
initrd = "$PWD/image/initrd"
memory = "256M"
command-line = "quiet"
[vms.vm-test-import.guest]
agent = true
[vms.vm-test-import.credentials]
api-key = { from = "$PWD/credentials/host-api-key" }
huge = { from = "$PWD/credentials/host-huge" }
environment = { value = "test" }
TOML
  run -0 "$VMCRED" vm run vm-test-import --accel tcg --console
  [[ $output == *"IMPORTED 4"* ]]
  [[ $output == *"MODE 400"* ]]
  [[ $output == *"receipt: 3 credentials arrived"* ]]
}
