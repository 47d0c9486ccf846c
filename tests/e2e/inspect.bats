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

@test "what a table loses by its end is told" {
  printf '\13\5\0\0\3io.systemd.credential:A=one\0io.systemd.credential:B=two\0io.systemd.credential:C=three\0\0' >whole
  run -0 --separate-stderr "$VMCRED" inspect whole
  head -c 50 whole >cut
  run -3 --separate-stderr "$VMCRED" inspect --json cut
  [ "$(jq -c '[.strings[] | {fate}]' <<<"$output")" = '[{"fate":"imported"},{"fate":"unseen"}]' ]
  [ "$(jq .missing_strings <<<"$output")" = 1 ]
  run -3 --separate-stderr "$VMCRED" inspect cut
  [[ $stderr == "the table ends early: the structure at byte 0 has no end; 1 OEM string of this structure is lost; "* ]]
  head -c 60 whole >cut
  run -3 --separate-stderr "$VMCRED" inspect --json cut
  [ "$(jq -r '.strings[1].fate' <<<"$output")" = truncated ]
}

@test "a table beside its entry point that lacks its last structures is cut" {
  for dump in dump2 dump3; do
    mkdir -p $dump
    head -c 32 "$corpus/$dump" >$dump/smbios_entry_point
    tail -c +33 "$corpus/$dump" >$dump/DMI
    run -0 --separate-stderr "$VMCRED" inspect $dump
    truncate -s -6 $dump/DMI
    run -3 --separate-stderr "$VMCRED" inspect $dump
    [[ $stderr == "the table ends early: the table goes on beyond the end of the file; "* ]]
  done
}

@test "dmidecode's text is read with and without its first lines" {
  strings=$'OEM Strings\n\tString 1: io.systemd.credential:A=one\n\tString 2: io.systemd.credential.binary:B=%%%\n'
  printf '# dmidecode 3.4\nSMBIOS 3.0.0 present.\n\nHandle 0x0E00, DMI type 11, 5 bytes\n%s\n' "$strings" >whole
  printf 'System Information\n\tManufacturer: QEMU\n\n%s\nChassis Information\n\tString 1: io.systemd.credential:X=x\n' "$strings" >quiet
  printf '%s' "$strings" >strings
  for file in whole quiet strings; do
    run -3 --separate-stderr "$VMCRED" inspect --json "$file"
    [ "$(jq -c '[.strings[] | [.name, .fate]]' <<<"$output")" = '[["A","imported"],["B","skipped"]]' ]
  done
  printf '%s' "${strings%???}" >cut
  run -3 --separate-stderr "$VMCRED" inspect cut
  [[ $stderr == "the table ends early: the text stops in the middle of a line; "* ]]
}

@test "what dmidecode prints of a dump says the same as the dump" {
  for dump in dump2 dump3; do
    strings='[.strings[] | [.structure, .number, .name, .bytes, .fate]]'
    whole=$("$VMCRED" --json inspect "$corpus/$dump" | jq -c "$strings")
    for options in '' '-t 11' -q -u '-u -t 11'; do
      dmidecode $options --from-dump "$corpus/$dump" >text
      run -0 --separate-stderr "$VMCRED" inspect --json text
      [ "$(jq -c "$strings" <<<"$output")" = "$whole" ] || { echo "$dump $options: $output"; return 1; }
    done
    dmidecode --oem-string 1 --from-dump "$corpus/$dump" >text
    run -0 --separate-stderr "$VMCRED" inspect --json text
    [ "$(jq -r '.strings[0].name' <<<"$output")" = API_KEY ]
  done
}

@test "the list of systemd-creds is read as a table and as JSON" {
  printf 'NAME        SECURE   SIZE\ndb-password secure     7B\n' >table
  echo '[{"name":"db-password","secure":"secure","size":"7B"}]' >json
  for file in table json; do
    run -0 --separate-stderr "$VMCRED" inspect --json "$file"
    [ "$(jq -c .arrived <<<"$output")" = '[{"name":"db-password","size":"7B","fate":"imported"}]' ]
  done
  echo '[]' >none
  run -0 --separate-stderr "$VMCRED" inspect none
  [ "$output" = 'no credentials' ]
  head -c 40 json >cut
  run -1 --separate-stderr "$VMCRED" inspect cut
  [[ $stderr == "vmcred: error: read 'cut': line 1, "* ]]
}

@test "a fw_cfg tree of another machine is read by name and by key, its SMBIOS tables too" {
  table='\13\5\0\0\2io.systemd.credential:A=one\0io.systemd.credential:B=two\0\0'
  mkdir -p name/by_name/opt/io.systemd.credentials/A name/by_name/etc/smbios/smbios-tables key/by_key/{1,2,3}
  printf 'first' >name/by_name/opt/io.systemd.credentials/A/raw
  printf "$table" >name/by_name/etc/smbios/smbios-tables/raw
  printf 'opt/io.systemd.credentials/A\n' >key/by_key/1/name
  printf 'etc/smbios/smbios-tables\n' >key/by_key/2/name
  printf 'opt/com.example/other\n' >key/by_key/3/name
  printf 'first' | tee key/by_key/{1,3}/raw >/dev/null
  printf "$table" >key/by_key/2/raw
  for tree in name name/by_name key key/by_key; do
    run -3 --separate-stderr "$VMCRED" inspect --json "$tree"
    [ "$(jq -c '[.fw_cfg[].name]' <<<"$output")" = '["A"]' ]
    # fw_cfg comes first, and a second credential of the name is dropped.
    [ "$(jq -c '[.strings[] | [.name, .fate]]' <<<"$output")" = '[["A","skipped"],["B","imported"]]' ]
  done
  mkdir -p slash/by_name/opt/io.systemd.credentials/a/b
  printf 'first' >slash/by_name/opt/io.systemd.credentials/a/b/raw
  run -3 --separate-stderr "$VMCRED" inspect --json slash
  [ "$(jq -c '[.fw_cfg[] | [.name, .fate]]' <<<"$output")" = '[["a/b","skipped"]]' ]
  for part in name/by_name/etc/smbios/smbios-tables name/by_name/etc/smbios/smbios-tables/raw name/by_name/opt; do
    run -0 --separate-stderr "$VMCRED" inspect "$part"
  done
}
