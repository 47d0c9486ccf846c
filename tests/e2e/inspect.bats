#!/usr/bin/env bats
# vmcred inspect: what SMBIOS tables and fw_cfg trees hold, on the real binary.
bats_require_minimum_version 1.5.0

setup() {
  cd "$BATS_TEST_TMPDIR" || exit 1
  corpus=$VMCRED_SOURCE/tests/fuzz/corpus/smbios
}

@test "a structure is named, its value kept back" {
  printf '\13\5\0\0\1io.systemd.credential.binary:API_KEY=aHVudGVyMg==\0\0' >structure
  run -0 --separate-stderr "$VMCRED" inspect structure
  [[ ${lines[1]} =~ ^"11-0       1       API_KEY     binary  7      imported"$ ]]
  [[ $output != *hunter2* && $output != *aHVudGVyMg* ]]
  run -0 --separate-stderr "$VMCRED" inspect --show structure
  [[ $output == *hunter2* ]]
}

@test "the table may come from standard input" {
  run -0 --separate-stderr bash -c '"$VMCRED" inspect --json - <"$1"' - "$corpus/structure"
  [ "$(jq -r '.strings[0].name' <<<"$output")" = API_KEY ]
  [ "$(jq -r '.strings[0].size' <<<"$output")" = 7 ]
  [ "$(jq -r '.strings[2].fate' <<<"$output")" = ignored ]
}

@test "a structure beyond a page is a finding before systemd 257" {
  run -3 --separate-stderr "$VMCRED" inspect "$corpus/page"
  [[ $output == *"truncated: only its first 3042 bytes arrive"* ]]
  run -0 --separate-stderr "$VMCRED" inspect --systemd 257 "$corpus/page"
  [[ $output == *imported* ]]
}

@test "strings agree with dmidecode, whole and damaged" {
  python3 "$VMCRED_SOURCE/tests/e2e/inspect_dmidecode.py" "$corpus/dump2" "$corpus/dump3"
}

@test "folders of sysfs are read as systemd reads them" {
  mkdir -p sys/dmi/entries/{1-0,11-0,11-1} sys/qemu_fw_cfg/by_name/opt/io.systemd.credentials/TOKEN
  printf '\13\5\0\0\1io.systemd.credential:A=one\0\0' >sys/dmi/entries/11-0/raw
  printf '\13\5\1\0\1io.systemd.credential:B=two\0\0' >sys/dmi/entries/11-1/raw
  printf 'value' >sys/qemu_fw_cfg/by_name/opt/io.systemd.credentials/TOKEN/raw
  run -0 --separate-stderr "$VMCRED" inspect --json sys
  [ "$(jq -c '[.strings[].name]' <<<"$output")" = '["A","B"]' ]
  [ "$(jq -c '[.fw_cfg[] | {name, size}]' <<<"$output")" = '[{"name":"TOKEN","size":5}]' ]
  [[ $output != *value* ]]
}

@test "what is no table is an error that says so" {
  echo hello >note
  run -1 --separate-stderr "$VMCRED" inspect note
  [ "$stderr" = "vmcred: error: read 'note': neither an SMBIOS entry point, nor a table, nor a structure" ]
  # Longer texts and programs have bytes that look like the head of a structure.
  printf '[machines.host]\n%0200d\n' 7 >vmcred.toml
  head -c 4096 "$VMCRED" >program
  head -c 64 /dev/zero >zeros
  for file in vmcred.toml program zeros; do
    run -1 --separate-stderr "$VMCRED" inspect "$file"
    [ "$stderr" = "vmcred: error: read '$file': neither an SMBIOS entry point, nor a table, nor a structure" ]
    [ -z "$output" ]
  done
  run -1 --separate-stderr "$VMCRED" inspect nowhere
  [[ $stderr == "vmcred: error: open 'nowhere': No such file or directory" ]]
  run -2 --separate-stderr "$VMCRED" inspect
  run -2 --separate-stderr "$VMCRED" inspect --systemd 200 note
}
