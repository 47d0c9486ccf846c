#!/usr/bin/env bats
# What services of a real systemd get, case by case, in one boot; and our tools beside systemd's.
bats_require_minimum_version 1.5.0

setup() {
  [ -x "$VMCRED_GUEST_STATIC" ] || { echo "build the release preset first: it makes vmcred-guest for the guest" >&2; return 1; }
  cd "$BATS_TEST_TMPDIR" || return
  export CREDENTIALS_DIRECTORY=$PWD/credentials XDG_RUNTIME_DIR=$PWD/run
  mkdir -m 700 credentials run
}

@test "G1 to G9, R1, R2, R6: what units load, and what changes it; vmcred-guest answers as systemd-creds does" {
  "$VMCRED_SOURCE/tools/guest-image" --guest "$VMCRED_GUEST_STATIC" --overlay "$VMCRED_SOURCE/tests/vm/overlay-units" image
  printf 'alpha-value' >credentials/host-alpha
  printf 'beta-value' >credentials/host-beta
  cat >vmcred.toml <<TOML
[machines.host]
[vms.vm-test-units]
machine = "host"
kernel = "$PWD/image/vmlinuz"
initrd = "$PWD/image/initrd"
memory = "256M"
command-line = "quiet"
[vms.vm-test-units.guest]
systemd = 252
agent = true
[vms.vm-test-units.credentials]
alpha = { from = "$PWD/credentials/host-alpha" }
beta = { from = "$PWD/credentials/host-beta" }
hex = { value = "00ff41" }
base = { value = "aGVsbG8=", public = true }
object = { value = '{"a":[1,true,null,"x"],"b":{}}', public = true }
TOML
  run -0 "$VMCRED" vm run vm-test-units --accel tcg --console
  for name in G1-propagate-rename-missing G1-assert G2-absolute-missing G3-fallback G4-directory G5-user G6-private-mounts \
    G7-import-credential-before-254 G8-1023-KiB G8-1025-KiB G9-specifier R1-in-place R2-credstore-is-shadowed R2-doctor \
    R6-daemon-reexec-keeps; do
    grep -q "CASE $name ok" <<<"$output" || { echo "$output"; echo "not shown: $name"; return 1; }
  done
  [[ $output == *"CASE systemd-creds 24 same"* ]]
  # R3 (RefreshOnReload=) needs systemd 260.
  echo "# NOT RUN HERE: R3, RefreshOnReload=: the guest's systemd is 252, it needs 260" >&3
}
