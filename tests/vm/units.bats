#!/usr/bin/env bats
# What services of a real systemd get, case by case, in one boot; and our tools beside systemd's.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/vm/guest.bash
source "$VMCRED_SOURCE/tests/vm/guest.bash"

setup() { vm_folder; }

@test "G1 to G9, R1, R2, R6: what units load, and what changes it; vmcred-guest answers as systemd-creds does" {
  guest_image --overlay "$VMCRED_SOURCE/tests/vm/overlay-units"
  printf 'alpha-value' | secret alpha
  printf 'beta-value' | secret beta
  declare_guest vm-test-units 'guest.systemd = 252'
  cat >>vmcred.toml <<'TOML'
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
}
