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
  run -3 --separate-stderr "$VMCRED" check --config - <web.yaml
  [[ $output == *"standard input:2:1: error: "*"[VC114]"* ]]
  run -3 --separate-stderr "$VMCRED" check --libvirt - <<<'<domain><os/><sysinfo><oemStrings><entry>io.systemd.credential:a=1</entry></oemStrings></sysinfo></domain>'
  [[ $output == *"standard input:1:9: error: "*"[VC113]"* ]]
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

# "WHERE CODE" of each finding that is no note: the line, or the number of the argument.
found() { "$VMCRED" --json check "$@" | jq -r '.findings[] | select(.level != "note") | "\(if .line > 0 then .line else (.file | sub(".* "; "")) end) \(.code)"' | paste -sd ,; }

@test "--unit takes many paths, in any order" {
  mkdir -p app.service.d
  printf '[Service]\nExecStart=/bin/app\nPrivateMounts=yes\n' >app.service
  printf '[Service]\nLoadCredential=key:/run//key\n' >app.service.d/10.conf
  printf '[Socket]\nListenStream=/run/s\nPrivateMounts=yes\nLoadCredential=key:/run/./key\n' >app.socket
  printf '[Unit]\nLoadCredential=key:/run/key\n[Service]\nExecStart=/bin/other\n' >other.service
  ln -s /dev/null masked.service
  for paths in 'app.service.d/10.conf app.service app.socket' 'app.socket app.service.d app.service'; do
    run -3 --separate-stderr "$VMCRED" check --unit $paths
    [[ $output == *"app.service.d/10.conf:2:1: error: "*"app.socket:4:1: error: "*"2 errors; "* ]]
  done
  run -3 --separate-stderr "$VMCRED" check --unit ./*.service --unit app.socket --systemd 257
  [[ $output == *"other.service:2:1: error: other.service: systemd ignores 'LoadCredential=' in [Unit] [VC035]"*"3 errors; "* ]]
  run -1 --separate-stderr "$VMCRED" check --unit app.service nowhere
}

@test "drop-ins of a unit's other name are its own" {
  mkdir -p system/other.service.d root/usr/lib/systemd/system root/etc/systemd/system/other.service.d
  for folder in system root/usr/lib/systemd/system; do printf '[Service]\nExecStart=/bin/web\nLoadCredential=key:/run/key\n' >$folder/web.service; done
  for folder in system root/etc/systemd/system; do printf '[Service]\nPrivateMounts=yes\n' >$folder/other.service.d/x.conf; done
  ln -s web.service system/other.service
  ln -s /usr/lib/systemd/system/web.service root/etc/systemd/system/other.service
  for unit in system system/web.service root/usr/lib/systemd/system root/usr/lib/systemd/system/web.service; do
    run -0 --separate-stderr "$VMCRED" check --unit $unit
    [ "$output" = 'no findings' ]
  done
  rm system/other.service root/etc/systemd/system/other.service
  for unit in system root/usr/lib/systemd/system; do
    run -3 --separate-stderr "$VMCRED" check --unit $unit
    [[ $output == *"web.service:3:1: warning: "*"[VC033]"* ]]
  done
}

@test "a domain is read as libvirt reads it" {
  cat >web.xml <<'XML'
<?xml version="1.0"?>
<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
 <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type><smbios mode='sysinfo'/>
  <cmdline>console=ttyS0 systemd.set_credential=motd:hello</cmdline></os>
 <sysinfo type='smbios'><oemStrings>
  <entry><![CDATA[io.systemd.credential:db-password=hunter2]]></entry>
  <entry>io.systemd&#46;credential:api-token=hunter2</entry>
  <entry>io.systemd.credential:motd=hello</entry>
  <entry>
   io.systemd.credential:late=hello</entry>
  <entry>io.systemd.credential:motd=again</entry>
 </oemStrings></sysinfo>
 <sysinfo type='fwcfg'>
  <entry name='opt/io.systemd.credentials/root-password'>hunter2</entry>
  <entry name='opt/io.systemd.credentials/a-name-of-more-than-28-bytes-here' file='/x'/>
 </sysinfo>
 <qemu:commandline>
  <qemu:arg value='-fw_cfg'/>
  <qemu:arg value='name=opt/io.systemd.credentials/token,string=hunter2'/>
  <qemu:env name='API_TOKEN' value='hunter2'/>
 </qemu:commandline>
</domain>
XML
  [ "$(found --libvirt web.xml)" = '4 VC046,6 VC050,7 VC050,9 VC112,11 VC112,14 VC050,15 VC041,19 VC040,20 VC050' ]
  [ "$(found --config web.xml)" = "$(found --libvirt web.xml)" ]
  ! "$VMCRED" check --libvirt web.xml | grep hunter2
}

@test "command lines of many programs are read" {
  while IFS='|' read -r wanted line; do
    mapfile -t words < <(xargs -n1 printf '%s\n' <<<"$line")
    [ "$(found -- "${words[@]}")" = "$wanted" ] || { echo "$line: $(found -- "${words[@]}")"; return 1; }
  done <<'LINES'
2 VC112|kvm -smbios type=11,value=io.systemd.credential:a=1,value=io.systemd.credential:a=2
2 VC040,2 VC112|kvm -smbios type=11,value=io.systemd.credential.binary:a=aGVsbG8
2 VC112|/usr/libexec/qemu-kvm -fw_cfg name=opt/io.systemd.credentials/a/b,file=/x
4 VC042|qemu-system-aarch64 -M virt -smbios type=11,value=io.systemd.credential:a=1
|qemu-system-aarch64 -M virt -bios AAVMF_CODE.fd -smbios type=11,value=io.systemd.credential:a=1
|qemu-system-x86_64 -M pc-q35-9.2+pve1 -smbios type=11,value=io.systemd.credential:a=1
5 VC046|sudo -u vm kvm -append 'quiet systemd.set_credential=a:b'
2 VC112|cloud-hypervisor --platform oem_strings=[io.systemd.credential:a=1,io.systemd.credential:a=2]
1 VC040|systemd-vmspawn --set-credential=db-password:hunter2
2 VC046|systemd-nspawn -b systemd.set_credential=a:b
2 VC046|"kvm -append systemd.set_credential=a:b"
2 VC040|mkosi --credential db-password=hunter2 vm
3 VC040|mkosi qemu -smbios type=11,value=io.systemd.credential:db-password=hunter2
2 VC040|virt-install --sysinfo smbios,oemStrings.entry0=io.systemd.credential:db-password=hunter2
2 VC046|virt-install --extra-args 'console=ttyS0 systemd.set_credential=a:b'
|kvm -frandom-seed=0c1m4l0d3f -L/nix/store/9w3k5z7v1b3n5m7q9s1d3f5g7h9j1k3l-openssl-3.0.12/lib -Wl,--build-id=0x8c2b1f0e9d7a6c5b4e3f2a1d0c9b8a7f6e5d4c3b
LINES
}

@test "each code of what others wrote is in SARIF with its page" {
  mkdir -p etc/systemd/user
  printf '[Service]\nLoadCredentialEncrypted=key:/run/key\nExtensionImages=/x\n' >etc/systemd/user/app.service
  echo '<domain><sysinfo><oemStrings><entry>io.systemd.credential:a/b=1</entry></oemStrings></sysinfo><os/></domain>' >web.xml
  printf 'cores: 2\ncipassword: hunter2\n' >100.conf
  "$VMCRED" check --sarif --unit etc/systemd/user/app.service --libvirt web.xml --config 100.conf >sarif || [ $? = 3 ]
  [ "$(jq -r '[.runs[0].tool.driver.rules[] | select(.fullDescription.text | contains("## Remedy")) | .id | select(. >= "VC110")] | join(" ")' sarif)" = 'VC110 VC111 VC112 VC113 VC114' ]
  [ "$(jq -r '[.runs[0].results[].locations[0].physicalLocation | "\(.artifactLocation.uri):\(.region.startLine)"] | unique | join(" ")' sarif)" = '100.conf:2 etc/systemd/user/app.service:2 etc/systemd/user/app.service:3 web.xml:1' ]
  ! grep hunter2 sarif
}

@test "docs/check-others.md shows what is printed" {
  printf '[Service]\nImportCredential=app*key\nLoadCredential=db:/run//db\nPrivateMounts=yes\n' >app.service
  printf '[Unit]\nLoadCredential=key:/run/key\n' >app.socket
  cat >web.xml <<'XML'
<domain type='kvm'>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <sysinfo type='smbios'><oemStrings><entry>io.systemd.credential:api-token=hunter2</entry></oemStrings></sysinfo>
</domain>
XML
  printf '{\n "boot-source": {\n  "kernel_image_path": "vmlinux",\n  "boot_args": "quiet systemd.set_credential=db-password:hunter2"}}\n' >vm.json
  printf 'cores: 2\nmachine: q35+pve0\nargs: -smbios type=11,value=io.systemd.credential:api-token=hunter2\n' >100.conf
  printf 'config:\n  systemd.credential.db-password: hunter2\n' >web.yaml
  printf '[Runtime]\nCredentials=motd=hello\n  db-password=hunter2\n' >mkosi.conf
  printf 'Handle 0x0B00, DMI type 11, 5 bytes\nOEM Strings\n\tString 1: io.systemd.credential:MOTD=hello\n' >oem.txt
  printf 'NAME        SECURE   SIZE\ndb-password secure     7B\n' >list.txt
  whole=$VMCRED_SOURCE/tests/fuzz/corpus/smbios/dump3
  head -c "$(($(stat -c %s "$whole") - 60))" "$whole" >cut.bin
  commands=0
  while read -r line; do
    if [[ $line == '$ vmcred '* ]]; then
      eval "\"\$VMCRED\" ${line#'$ vmcred '}" >printed 2>&1 || [ $? = 3 ]
      commands=$((commands + 1))
    else
      grep -qxF -- "$line" printed || { echo "not printed: $line"; cat printed; return 1; }
    fi
  done < <(sed -n 's/^    //p' "$VMCRED_SOURCE/docs/check-others.md")
  [ "$commands" = 11 ]
}
