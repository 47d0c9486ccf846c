#!/usr/bin/env bats
# vmcred vm plan: what would travel how, before anything starts.
bats_require_minimum_version 1.5.0

setup() {
  cd "$BATS_TEST_TMPDIR" || exit 1
  export HOME=$BATS_TEST_TMPDIR
  cat >vmcred.toml <<'TOML'
[machines.host]

[vms.test-vm]
machine = "host"
kernel = "vmlinuz"

[vms.test-vm.credentials]
small = { from = "/SMALL", services = ["web"] }
cluster = { value = "blue", services = ["web"] }
TOML
  head -c 44 /dev/zero >small
  sed -i "s|/SMALL|$BATS_TEST_TMPDIR/small|" vmcred.toml
}

@test "the plan tells channel and bytes of each credential" {
  run -0 --separate-stderr "$VMCRED" vm plan test-vm --json
  [ "$(jq -r '.vm + " " + .hypervisor + " " + (.guest_systemd | tostring)' <<<"$output")" = "test-vm qemu 252" ]
  [ "$(jq -c '.credentials[] | select(.guest == "SMALL") | [.host, .channel, .size, .bytes_used, .bytes_allowed]' \
    <<<"$output")" = '["host-small","smbios",44,96,4090]' ]
  [ "$(jq -c '.credentials[] | select(.guest == "CLUSTER") | [.host, .size]' <<<"$output")" = '[null,4]' ]
  run -0 --separate-stderr "$VMCRED" vm plan
  [[ $output == *"SMALL    host-small  smbios   44    96    4090"* ]]
}

@test "what was not generated yet is planned with unknown size" {
  rm small
  run -0 --separate-stderr "$VMCRED" vm plan
  [[ $output == *"SMALL    host-small  smbios   ?     ?     4090"* ]]
}

@test "the size of a stored secret needs no key" {
  cat >>vmcred.toml <<'TOML'
stored = { from = "secrets/word", services = ["web"] }

[generators.secrets]
script = "true"
files.word = {}
TOML
  mkdir -p vars/per-machine/host/secrets/word
  cat >vars/per-machine/host/secrets/word/secret <<'JSON'
{"data": "ENC[AES256_GCM,data:oBkglHCwrw==,iv:oaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaE=,tag:d72s6Whmmz20f+1G5Nl5Sw==,type:str]",
 "sops": {"age": [], "lastmodified": "2026-01-02T03:04:05Z",
  "mac": "ENC[AES256_GCM,data:oBkglHCwrw==,iv:oaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaE=,tag:d72s6Whmmz20f+1G5Nl5Sw==,type:str]",
  "version": "3.11.0"}}
JSON
  run -0 --separate-stderr "$VMCRED" vm plan --json
  [ "$(jq '.credentials[] | select(.guest == "STORED") | .size' <<<"$output")" = 7 ]
}

@test "what does not fit is refused with numbers and a remedy" {
  head -c 5000 /dev/zero >small
  sed -i '/^small/s/ }$/, guest = "a.name.beyond.what.fw_cfg.takes" }/' vmcred.toml
  run -1 --separate-stderr "$VMCRED" vm plan
  [[ $output == *"refused: 'a.name.beyond.what.fw_cfg.takes': as an OEM string it takes 6730 bytes of at most 4090"* ]]
  [[ $output == *"hint: "*"guest.systemd = 257"* ]]
}

@test "the command line holds descriptors, never values" {
  run -0 --separate-stderr "$VMCRED" vm plan --argv
  [[ $output == *"file=/proc/self/fd/10"* ]]
  [[ $output != *blue* ]]
}

@test "an unknown vm is named with its neighbour" {
  run -1 --separate-stderr "$VMCRED" vm plan test-wm
  [[ $stderr == *"'test-wm'"*"did you mean 'test-vm'?"* ]]
}

@test "the table of hypervisors shows limits" {
  run -0 --separate-stderr "$VMCRED" vm plan --capabilities
  [[ $output == *"4096 bytes a structure before systemd 257"* ]]
}

@test "for libvirt secrets go by their files, with nothing of them in the domain" {
  run -0 --separate-stderr "$VMCRED" vm plan --libvirt
  [[ $output == *"<sysinfo type='fwcfg'>"* ]]
  [[ $output == *"<entry name='opt/io.systemd.credentials/SMALL' file='$PWD/small'/>"* ]]
  [[ $output == *"<entry name='opt/io.systemd.credentials/CLUSTER'>blue</entry>"* ]]
  python3 -c 'import sys, xml.dom.minidom as m; m.parseString(sys.argv[1])' "$output"
  sed -i 's/^small = {/small = { guest = "a-name-of-twenty-nine-letters", /' vmcred.toml
  run -2 --separate-stderr "$VMCRED" vm plan --libvirt
  [ "${stderr_lines[0]}" = "vmcred: error: 'a-name-of-twenty-nine-letters' is 29 bytes, and a name by fw_cfg has at most 28" ]
}

@test "the version of the VMM is asked for, shown and enforced" {
  qemu() { printf '#!/bin/sh\necho "QEMU emulator version %s"\n' "$1" >qemu && chmod +x qemu; }
  sed -i "s|^kernel|binary = \"$PWD/qemu\"\nkernel|" vmcred.toml
  qemu 7.2.22
  run -0 --separate-stderr "$VMCRED" vm plan --probe
  [ "${lines[0]}" = "test-vm: qemu (QEMU emulator version 7.2.22), guest systemd 252" ]
  qemu 5.1.0
  run -1 --separate-stderr "$VMCRED" vm plan --probe
  [[ $output == *"refused: QEMU 5.1 is too old, 5.2 is the first that carries credentials as planned"* ]]
  # Whoever built it knows better than what it says of itself.
  sed -i.plain 's|^binary|vmm.version = "5.2"\n&|' vmcred.toml
  run -0 --separate-stderr "$VMCRED" vm plan --probe
  [ "${lines[0]}" = "test-vm: qemu (5.2), guest systemd 252" ]
  mv vmcred.toml.plain vmcred.toml
  rm qemu
  run -1 --separate-stderr "$VMCRED" vm plan --probe
  [ "${stderr_lines[0]}" = "vmcred: error: '$PWD/qemu --version' tells nothing" ]
}
