#!/usr/bin/env bats
# Configurations, command lines and dumps of others, on the real binary.
bats_require_minimum_version 1.5.0

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

@test "configurations of other programs are read, and their values kept back" {
  printf '{"boot-source": {"kernel_image_path": "x",\n"boot_args": "quiet systemd.set_credential=db:hunter2"}}\n' >vm.json
  printf 'cores: 2\nmachine: q35+pve0\nargs: -smbios type=11,value=io.systemd.credential:api-token=hunter2\n' >100.conf
  printf 'config:\n  systemd.credential.db-password: hunter2\n' >web.yaml
  printf '[Runtime]\nCredentials=motd=hello\n  db-password=hunter2\n' >mkosi.conf
  printf '[smbios]\n  type = "11"\n  value = "io.systemd.credential:db-password=hunter2"\n[machine]\n  type = "q35"\n' >qemu.conf
  while read -r file line code; do
    run -3 --separate-stderr "$VMCRED" check --config "$file"
    [[ $output == *"$file:$line:1: error: "*"[$code]"* ]] || { echo "$output"; return 1; }
    [[ $output != *hunter2* ]]
  done <<<'vm.json 2 VC046
100.conf 3 VC040
web.yaml 2 VC114
mkosi.conf 3 VC114
qemu.conf 3 VC114'
  run -3 --separate-stderr "$VMCRED" check -- sudo firecracker --no-api --config-file vm.json
  run -3 --separate-stderr "$VMCRED" check -- qemu-system-x86_64 -readconfig qemu.conf
  [[ $output == *"qemu.conf:3:1: error: "*"[VC114]"* ]]
  echo 'hello: world' >other.yaml
  run -1 --separate-stderr "$VMCRED" check --config other.yaml
  [[ $stderr == *"'other.yaml' is no configuration that vmcred knows"* ]]
}

@test "drop-ins of one instance do not count for another" {
  mkdir -p system/microvm@a.service.d system/microvm@b.service.d
  printf '[Service]\nExecStart=/bin/vm\n' >system/microvm@.service
  printf '[Service]\nLoadCredential=host-key:/run/a\nPrivateMounts=yes\n' >system/microvm@a.service.d/x.conf
  printf '[Service]\nLoadCredential=host-key:/run/b\n' >system/microvm@b.service.d/x.conf
  run -3 --separate-stderr "$VMCRED" check --unit system
  [[ $output == *"microvm@b.service.d/x.conf:2:1: warning: "*"[VC033]"* ]]
  [[ $output != *microvm@a* && $output != *VC036* ]]
}

@test "texts of dmidecode and systemd-creds are read, and a cut dump is a finding" {
  printf '# dmidecode 3.4\nHandle 0x0B00, DMI type 11, 5 bytes\nOEM Strings\n\tString 1: io.systemd.credential:MOTD=hello\n' >oem.txt
  run -0 --separate-stderr "$VMCRED" inspect --json oem.txt
  [ "$(jq -r '.strings[0].name, .strings[0].size' <<<"$output" | xargs)" = "MOTD 5" ]
  echo '[{"name":"MOTD","secure":"secure","size":"5B"}]' >list.json
  run -0 --separate-stderr "$VMCRED" inspect --json list.json
  [ "$(jq -r '.arrived[0].name' <<<"$output")" = MOTD ]
  whole=$VMCRED_SOURCE/tests/fuzz/corpus/smbios/dump3
  head -c "$(($(stat -c %s "$whole") - 60))" "$whole" >cut
  run -3 --separate-stderr "$VMCRED" inspect cut
  [[ $stderr == *"the table ends early: "* ]]
}
