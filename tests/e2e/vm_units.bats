#!/usr/bin/env bats
# The units of a host and the drop-ins of a guest, from a declaration.
bats_require_minimum_version 1.5.0

setup() {
  folder=$(mktemp -d)
  cp "$VMCRED_SOURCE/examples/test-vm/vmcred.toml" "$folder/vmcred.toml"
  cd "$folder" || exit
}
teardown() { rm -rf --one-file-system "$folder"; }

@test "vm units prints the guide's LoadCredential= lines" {
  run -0 "$VMCRED" vm units test-vm
  vars=/run/vmcred/vars/per-machine/britton-desktop/test-vm-secrets
  [[ $output == *"LoadCredential=host-api-key:$vars/api-key"* ]]
  [[ $output == *"LoadCredential=host-db-password:$vars/db-password"* ]]
  [[ $output == *"LoadCredential=host-jwt-secret:$vars/jwt-secret"* ]]
  [[ $output != *ENVIRONMENT* ]]
}

@test "--install below another root says what is new, and the second time that nothing changed" {
  run -0 "$VMCRED" vm units --install --root root --program /usr/bin/vmcred --host-project /etc/vmcred
  [ "${#lines[@]}" -eq 4 ]
  [ "$(grep -c ': new$' <<<"$output")" -eq 4 ]
  run -0 "$VMCRED" vm units --install --root root --program /usr/bin/vmcred --host-project /etc/vmcred
  [ "$(grep -c ': unchanged$' <<<"$output")" -eq 4 ]
  cmp root/etc/systemd/system/microvm@.service "$VMCRED_SOURCE/packaging/systemd/microvm@.service"
}

@test "--install leaves a unit alone that somebody else wrote" {
  mkdir -p root/etc/systemd/system
  echo '[Service]' >root/etc/systemd/system/microvm@.service
  run -1 --separate-stderr "$VMCRED" vm units --install --root root
  [[ $stderr == *"was not written by vmcred and is left alone"* ]]
  [ "$(ls root/etc/systemd/system)" = microvm@.service ]
}

@test "--guest writes a drop-in that insists on every credential" {
  run -0 "$VMCRED" vm units test-vm --guest guest
  run -0 cat guest/demo-oem-credentials.service.d/50-vmcred.conf
  [[ $output == *"AssertCredential=API_KEY"*"LoadCredential=api-key:API_KEY"*"PrivateMounts=yes" ]]
}

@test "the units that we write and ship have no findings of our own check" {
  "$VMCRED" vm units --install --root root
  "$VMCRED" vm units test-vm --guest guest
  for units in root/etc/systemd/system guest "$VMCRED_SOURCE"/packaging/{systemd,guest}; do
    for systemd in 252 262; do
      run -0 --separate-stderr "$VMCRED" check --systemd "$systemd" --unit "$units"
      [ "$output" = "no findings" ]
    done
  done
}

@test "--check names what a start would miss" {
  run -3 --separate-stderr "$VMCRED" vm units --check test-vm
  [[ $output == *"credential 'host-api-key' cannot be loaded: '/run/vmcred/vars/per-machine/britton-desktop/test-vm-secrets/api-key': no such file"* ]]
  [ "${#lines[@]}" -eq 3 ]
}

@test "an unknown vm and --guest without one are errors" {
  run -1 --separate-stderr "$VMCRED" vm units nobody
  [[ $stderr == *"'nobody'"* ]]
  run -2 --separate-stderr "$VMCRED" vm units --guest guest
  [[ $stderr == *"--guest needs the name of a vm"* ]]
}
