#!/usr/bin/env bats
# One bad project for each code of `vmcred check`: the code is found exactly once, and nothing else but notes.
bats_require_minimum_version 1.5.0

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  export HOME="$BATS_TEST_TMPDIR/home" USER=alice
  unset XDG_CONFIG_HOME SOPS_AGE_KEY SOPS_AGE_KEY_FILE CLAN_NO_COMMIT
  mkdir home
}

# The declaration that most projects begin with; the rest of it is standard input.
declaration() {
  printf '%s\n' '[machines.host]' '[generators.web-secrets]' 'files.key = {}' "script = '''printf value >\"\$out/key\"'''" >vmcred.toml
  cat >>vmcred.toml
}
# A vm with one credential that is as it should be; further lines of the vm are standard input.
vm() {
  declaration <<TOML
[vms.web]
kernel = "guest/vmlinuz"
initrd = "guest/initrd"
$(cat)
credentials.key = { from = "web-secrets/key", services = ["app"] }
TOML
}
# The same in long form: load-credential, credential-files, the line of the guest's service.
lists() {
  declaration <<TOML
[vms.web]
kernel = "guest/vmlinuz"
load-credential = [$1]
credential-files = [$2]
guest.services.app.load-credential = [$3]
TOML
  made
}
made() {
  "$VMCRED" init
  "$VMCRED" vars generate
}
stored=vars/per-machine/host/web-secrets/key
unit() {
  printf '%s\n' '[Service]' PrivateMounts=yes "$@" >app.service
  arguments=(--unit app.service)
}
random=q7Jx0ZkT3mW9vB2nLr8YpD5sHc1GfA6e

VC001() { vm <<<'hypervizor = "qemu"'; }
VC002() { lists '"host-key:web-secrets/key"' '"host-kei"' ''; }
VC003() { lists '"host-key:web-secrets/key", "host-more:web-secrets/key"' '"host-key"' '"key:KEY"'; }
VC004() { lists '"key:web-secrets/key"' '"key"' '"key:KEY"'; }
VC005() { lists '"host-key:web-secrets/key"' '"host-key"' '"key:HOST_KEY"'; }
VC006() { vm <<<''; }
VC007() {
  vm <<<''
  sed -i 's/^files.key = {}/files.key = { mode = "0444" }/' vmcred.toml
  made
}
VC008() { vm <<<$'credentials.a-b = { value = "x", services = ["app"] }\ncredentials.a_b = { value = "y", services = ["app"] }'; }
VC009() { vm <<<'credentials.x = { value = "x", guest = "vmcred.x", services = ["app"] }'; }
VC010() { vm <<<'credentials."a:b" = { value = "x", services = ["app"] }'; }
VC011() { vm <<<'credentials.x = { from = "web-secrets/kee", services = ["app"] }'; }
VC012() {
  vm <<<"qemu.machine = \"microvm\"
credentials.x = { value = \"x\", guest = \"$(printf 'X%.0s' {1..29})\", services = [\"app\"] }"
  made
}
VC013() {
  vm <<<'hypervisor = "crosvm"'
  made
}
VC014() { vm <<<"credentials.x = { value = \"$random\", services = [\"app\"] }"; }
VC015() {
  python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("s")'
  vm <<<"credentials.$(printf 'x%.0s' {1..70}) = { from = \"$PWD/s\", services = [\"app\"] }"
  made
}
VC016() {
  vm <<<''
  sed -i 's/web-secrets/keys/' vmcred.toml
  made
}
VC017() {
  vm <<<''
  sed -i 's/, services = \["app"\]//' vmcred.toml
  made
}
VC018() {
  (umask 022 && echo x >readable)
  vm <<<"credentials.x = { from = \"$PWD/readable\", services = [\"app\"] }"
  made
}
VC019() {
  vm < <(echo 'guest.systemd = 257'; for i in {1..260}; do echo "credentials.c$i = { value = \"x\", services = [\"app\"] }"; done)
  made
}
VC020() {
  vm <<<''
  made
  sed -i 's/printf value/printf other/' vmcred.toml
}
VC021() {
  vm <<<''
  made
  mkdir -p "${stored%/*}/old"
  echo x >"${stored%/*}/old/value"
}
VC022() {
  vm <<<''
  sed -i 's/^files.key/rotate-after = "30d"\n&/' vmcred.toml
  made
  sed -i 's/"generated": *"20[0-9]*-/"generated": "2020-/' "${stored%/*}/.vmcred.json"
}
VC023() {
  vm <<<''
  made
  rm "$stored/machines/host"
}
VC024() {
  vm <<<''
  made
  rm "$stored/secret"
  echo clear >"$stored/value"
}
VC025() {
  vm <<<''
  made
  printf -- '-----BEGIN %s KEY-----\nMIIB\n' PRIVATE >tls.pem
}
VC026() {
  vm <<<''
  made
  echo '{' >"$stored/secret"
}
VC030() { unit LoadCredential=key:KEY; }
VC031() { unit 'ImportCredential=app.*'; }
VC032() { unit RefreshOnReload=credentials; }
VC033() {
  printf '[Service]\nLoadCredential=key:/run/key\n' >app.service
  arguments=(--unit app.service)
}
VC034() { unit Environment=DB_PASSWORD=hunter2; }
VC035() { unit LoadCredential=a/b:/run/key; }
VC036() { unit LoadCredential=key:/run/one LoadCredential=key:/run/two; }
VC040() { arguments=(--argv -- qemu-system-x86_64 -smbios type=11,value=io.systemd.credential:DB_PASSWORD=hunter2); }
VC041() { arguments=(--argv -- qemu-system-x86_64 -fw_cfg "name=opt/io.systemd.credentials/$(printf 'x%.0s' {1..29}),file=/dev/fd/3"); }
VC042() { arguments=(--argv -- qemu-system-x86_64 -M microvm -smbios type=11,value=io.systemd.credential:ENVIRONMENT=test); }
VC043() { arguments=(--argv -- qemu-system-x86_64 -smbios "type=11,value=io.systemd.credential:MOTD=$(printf ' %.0s' {1..5000})"); }
VC044() { arguments=(--argv -- cloud-hypervisor --platform 'oem_strings=[io.systemd.credential:MOTD=hello,world]'); }
VC045() { arguments=(--argv -- qemu-system-x86_64 -smbios type=11,path=/dev/fd/3); }
VC046() { arguments=(--argv -- qemu-system-x86_64 -append 'quiet systemd.set_credential=a:b'); }
VC050() {
  echo '<domain><os><smbios mode="sysinfo"/></os><sysinfo><oemStrings><entry>io.systemd.credential:TOKEN=hunter2</entry></oemStrings></sysinfo></domain>' >web.xml
  arguments=(--libvirt web.xml)
}

VC110() {
  mkdir -p etc/systemd/user
  printf '[Service]\nLoadCredentialEncrypted=key:/run/key\nPrivateMounts=yes\n' >etc/systemd/user/app.service
  arguments=(--unit etc/systemd/user/app.service)
}
VC111() {
  printf '[Service]\nLoadCredential=key:/run/key\nExtensionImages=/var/lib/app.raw\n' >app.service
  arguments=(--unit app.service)
}
VC112() { arguments=(--argv -- qemu-system-x86_64 -smbios type=11,value=io.systemd.credential:a/b=test); }
VC113() {
  echo '<domain><os><type>hvm</type></os><sysinfo type="smbios"><oemStrings><entry>io.systemd.credential:MOTD=hello</entry></oemStrings></sysinfo></domain>' >web.xml
  arguments=(--libvirt web.xml)
}
VC114() {
  printf 'cores: 2\ncipassword: hunter2\n' >100.conf
  arguments=(--config 100.conf)
}

# The codes of the static checker; what doctor finds on running machines has codes from VC060 on and tests of its own.
static_codes() { "$VMCRED" check --describe all | awk '$1 < "VC060" || $1 >= "VC110"'; }

# What a code's project gives, where it is not what it should.
judged() {
  local code=$1 level=$2 status=0
  mkdir "$code"
  (
    cd "$code" || exit 1
    arguments=()
    "$code" >/dev/null 2>&1
    "$VMCRED" --json check "${arguments[@]}" >findings || status=$?
    [ "$(jq -r --arg code "$code" '[.findings[] | select(.code == $code)] | length' findings)" = 1 ] || echo "$code: not found exactly once"
    jq -r --arg code "$code" '.findings[] | select(.code != $code and .level != "note") | "\($code): also \(.code), \(.message)"' findings
    [[ $status -eq $([[ $level == note ]] && echo 0 || echo 3) ]] || echo "$code: exit code $status"
    # The same without store and host: those about the declaration, and no others. Plans know no sizes there.
    if [[ ${#arguments[@]} -eq 0 && $code != VC012 && $code != VC019 ]]; then
      rm -rf vars sops
      "$VMCRED" --json check --declaration >declared
      cmp -s <(jq -c '[.findings[] | select(.about == "declaration" and .level != "note") | .code]' findings) \
        <(jq -c '[.findings[] | select(.level != "note") | .code]' declared) || echo "$code: differs with --declaration"
    fi
    ! grep -q 'hunter2\|'"$random" findings || echo "$code: shows the secret"
  )
}

@test "each code has a project that has it, exactly once and alone" {
  [ "$(static_codes | wc -l)" -ge 45 ]
  wrong=$(static_codes | while read -r code level _; do
    if [[ $(type -t "$code") == function ]]; then judged "$code" "$level"; else echo "$code: no project"; fi
  done)
  [ -z "$wrong" ] || { echo "$wrong"; return 1; }
}

@test "each code has a page that names its cause and its remedy" {
  "$VMCRED" check --describe all >all
  while read -r code level _; do
    "$VMCRED" check --describe "$code" >page
    head -3 page | grep -qx "Level: $level" || { echo "$code: level"; return 1; }
    grep -qx '## Remedy' page || { echo "$code: no remedy"; return 1; }
  done <all
  [ "$(wc -l <all)" -ge 80 ]
}
