#!/usr/bin/env bats
# The checker on real projects: the guide's pitfalls found, mended and gone; machine-readable output that is valid.
bats_require_minimum_version 1.5.0

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  export HOME="$BATS_TEST_TMPDIR/home" USER=alice
  unset XDG_CONFIG_HOME SOPS_AGE_KEY SOPS_AGE_KEY_FILE CLAN_NO_COMMIT
  mkdir home
}

example() {
  cp -r "$VMCRED_SOURCE/examples/$1" project
  cd project || return 1
  "$VMCRED" init
  "$VMCRED" vars generate
}

# All but VC106, which any project with one user has.
codes() { grep -o 'VC[0-9]*' | grep -vx VC106 | sort -u | tr '\n' ' '; }

@test "every example is clean once its values are made" {
  for folder in "$VMCRED_SOURCE"/examples/*/; do
    name=$(basename "$folder")
    (
      mkdir "$BATS_TEST_TMPDIR/$name"
      cd "$BATS_TEST_TMPDIR/$name" || exit 1
      example "$name"
      "$VMCRED" check
    ) || return 1
  done
}

@test "a value that was never generated is found, with exit code 3" {
  cp -r "$VMCRED_SOURCE/examples/minimal" project
  run -3 "$VMCRED" --project project check
  [[ $output == *"vmcred.toml:6:7: error:"*"was never generated [VC006]"* ]]
  [[ $output == *"help: run 'vmcred vars generate -g my-vm-secrets'"* ]]
}

@test "names that do not match are found and mended" {
  example long-form
  sed -i 's/credential-files = \["host-api-key"/credential-files = ["host-apikey"/; s/"jwt-secret:JWT_SECRET"/"jwt-secret:JWT-SECRET"/' vmcred.toml
  cp vmcred.toml broken
  run -3 "$VMCRED" check
  [ "$(codes <<<"$output")" = "VC002 VC005 " ]
  run -0 "$VMCRED" check --fix
  diff <(sed 's/host-apikey/host-api-key/; s/JWT-SECRET/JWT_SECRET/' broken) vmcred.toml
}

@test "after a rename in the store alone, check says which line still has the old name" {
  example minimal
  line=$(grep -n '^\[generators.my-vm-secrets\]' vmcred.toml | cut -d: -f1)
  "$VMCRED" vars rename my-vm-secrets their-secrets
  run -3 "$VMCRED" check
  [[ $output == *"[VC006]"*"if generator 'my-vm-secrets' was renamed to 'their-secrets'"*"vmcred.toml:$line"* ]]
  [[ $output == *"[VC021]"*"if generator 'my-vm-secrets' was renamed to 'their-secrets', write the new name in"*"vmcred.toml:$line"* ]]
  "$VMCRED" vars rename their-secrets my-vm-secrets
  run -0 "$VMCRED" check

  line=$(grep -n '^\[machines.my-host\]' vmcred.toml | cut -d: -f1)
  "$VMCRED" secrets machines rename my-host other-host
  run -3 "$VMCRED" check
  [[ $output == *"if machine 'my-host' was renamed to 'other-host'"*"vmcred.toml:$line"* ]]
}

@test "what is stored and not declared, drifted, stale or in clear is found" {
  example minimal
  mkdir -p vars/per-machine/my-host/my-vm-secrets/old
  printf x >vars/per-machine/my-host/my-vm-secrets/old/value
  run -3 "$VMCRED" check
  [ "$(codes <<<"$output")" = "VC021 " ]
  rm -r vars/per-machine/my-host/my-vm-secrets/old

  sed -i 's/my-secret-value/another-value/' vmcred.toml
  run -3 "$VMCRED" check
  [ "$(codes <<<"$output")" = "VC020 " ]
  sed -i 's/another-value/my-secret-value/' vmcred.toml

  mv vars/per-machine/my-host/my-vm-secrets/secret-key/machines/my-host link
  run -3 "$VMCRED" check
  [ "$(codes <<<"$output")" = "VC023 " ]
  mv link vars/per-machine/my-host/my-vm-secrets/secret-key/machines/my-host

  "$VMCRED" secrets machines remove-secret my-host my-vm-secrets/secret-key
  run -3 "$VMCRED" check
  [ "$(codes <<<"$output")" = "VC023 VC107 " ]
  [[ $output == *"deployed to machine 'my-host', and no link lets that read it"* ]]
  run -3 "$VMCRED" vars check
  [[ $output == *"readers  my-vm-secrets/secret-key (machine my-host)  deployed to machine 'my-host'"* ]]
  run -1 --separate-stderr setsid -w "$VMCRED" vars fix --yes
  [[ $stderr == *"machine my-host: my-vm-secrets/secret-key"*"--widen"* ]]
  "$VMCRED" vars fix --widen
  run -0 "$VMCRED" check
  run -0 "$VMCRED" vars check

  rm vars/per-machine/my-host/my-vm-secrets/secret-key/secret
  printf clear-text >vars/per-machine/my-host/my-vm-secrets/secret-key/value
  run -3 "$VMCRED" check
  [[ $output == *"[VC024]"* ]]
  [[ $output != *clear-text* ]]
}

@test "a value that is due is found" {
  cp -r "$VMCRED_SOURCE/examples/minimal" project
  cd project
  sed -i 's/^\[generators.my-vm-secrets\]/&\nrotate-after = "30d"/' vmcred.toml
  "$VMCRED" init
  "$VMCRED" vars generate
  run -0 "$VMCRED" check
  sed -i 's/"generated": *"20[0-9]*-/"generated": "2020-/' vars/per-machine/my-host/my-vm-secrets/.vmcred.json
  run -3 "$VMCRED" check
  [ "$(codes <<<"$output")" = "VC022 " ]
}

@test "SARIF is valid by its schema" {
  schema=${VMCRED_SHARED:-$VMCRED_SOURCE/../shared/data}/sarif-schema-2.1.0.json
  if [ ! -e "$schema" ]; then
    echo "# NOT RUN HERE: SARIF against its schema, which is not at $schema" >&3
    return
  fi
  cp -r "$VMCRED_SOURCE/examples/minimal" project
  echo 'colour = 1' >>project/vmcred.toml
  run -3 --separate-stderr "$VMCRED" --project project check --sarif
  python3 -c 'import json, sys, jsonschema
jsonschema.validate(json.load(sys.stdin), json.load(open(sys.argv[1])))' "$schema" <<<"$output"
  [[ $output == *'"ruleId": "VC001"'* ]]
}

@test "units, command lines and domains of others are checked without a project" {
  printf '[Service]\nImportCredential=app.*\nPrivateMounts=yes\n' >app.service
  run -3 "$VMCRED" check --unit app.service
  [[ $output == *"app.service:2:1: error:"*"[VC031]"* ]]
  run -0 "$VMCRED" check --unit app.service --systemd 257
  run -1 --separate-stderr "$VMCRED" check --libvirt app.service
  [[ $stderr == *"read 'app.service': line 1: it is no XML"* ]]
  echo '<network/>' >net.xml
  run -1 --separate-stderr "$VMCRED" check --libvirt net.xml
  [[ $stderr == *"'net.xml' is no libvirt domain"* ]]
  run -3 "$VMCRED" check --argv -- qemu-system-x86_64 -smbios type=11,value=io.systemd.credential:DB_PASSWORD=hunter2
  [[ $output == *"[VC040]"* ]]
  [[ $output != *hunter2* ]]
  printf '<domain><os><smbios mode="sysinfo"/></os><sysinfo><oemStrings><entry>io.systemd.credential:TOKEN=hunter2</entry></oemStrings></sysinfo></domain>\n' >web.xml
  run -3 "$VMCRED" check --libvirt web.xml
  [[ $output == *"web.xml:1:"*"[VC050]"* ]]
}

@test "a command that is no hypervisor is not called clean" {
  run -2 --separate-stderr "$VMCRED" check -- foo --password hunter2
  [ "${stderr_lines[0]}" = "vmcred: error: 'foo' is no hypervisor whose command line vmcred can check" ]
  [[ $output$stderr != *hunter2* ]]
  run -2 --separate-stderr "$VMCRED" check --argv
  [[ $stderr == *"--argv needs a command line"* ]]
  for vmm in qemu-system-x86_64 qemu-kvm cloud-hypervisor crosvm firecracker lkvm lkvm-static kvmtool; do
    run -0 --separate-stderr "$VMCRED" check -- "/usr/bin/$vmm"
    [ "$output" = "no findings" ]
  done
}

@test "a folder of units is read with its drop-ins" {
  mkdir -p system/app.service.d
  printf '[Service]\nExecStart=/bin/app\n' >system/app.service
  printf '[Service]\nLoadCredential=key:/run/key\n' >system/app.service.d/credentials.conf
  ln -s /dev/null system/masked.service
  ln -s /nowhere system/gone.service
  mkdir system/multi-user.target.wants
  for path in system system/app.service; do
    run -3 "$VMCRED" check --unit "$path"
    [[ $output == "system/app.service.d/credentials.conf:2:1: warning: app.service: "*"[VC033]"* ]]
  done
  printf '[Service]\nPrivateMounts=yes\n' >system/app.service.d/mounts.conf
  run -0 "$VMCRED" check --unit system
  run -1 --separate-stderr "$VMCRED" check --unit nowhere.service
  [[ $stderr == *"read the unit: open 'nowhere.service'"* ]]
}

@test "--declaration finds the same where there is no store and no such host" {
  cp -r "$VMCRED_SOURCE/examples/test-vm" project
  run -3 "$VMCRED" --project project check
  [[ $output == *"[VC006]"* ]]
  run -0 "$VMCRED" --project project check --declaration
  [ "$output" = "no findings" ]
  printf '[vms.test-vm]\nhypervizor = "qemu"\n' >project/vmcred.toml
  run -3 "$VMCRED" --project project check --declaration
  [[ $output == *"did you mean 'hypervisor'"* ]]
  run -2 --separate-stderr "$VMCRED" check --declaration --unit /etc/systemd/system
  [[ $stderr == *"--declaration checks the declaration"* ]]
}

@test "--fail-on error lets warnings pass, and shows them" {
  printf '%s\n' '[machines.host]' '[generators.g]' 'files.a = { mode = "0444" }' >vmcred.toml
  run -3 "$VMCRED" check --declaration
  run -0 "$VMCRED" check --declaration --fail-on error
  [[ $output == *"warning: "*"[VC007]"* ]]
  echo 'x = 1' >>vmcred.toml
  run -3 "$VMCRED" check --declaration --fail-on error
  run -2 --separate-stderr "$VMCRED" check --fail-on note
  [[ $stderr == *"one of error, warning"* ]]
}

@test "a code is explained" {
  run -0 "$VMCRED" check --describe vc002
  [ "${lines[0]}" = "# VC002: credential-files names a credential that load-credential does not load" ]
  run -0 "$VMCRED" check --describe all
  [ "${#lines[@]}" = "$(ls "$VMCRED_SOURCE"/docs/findings | wc -l)" ]
  run -2 "$VMCRED" check --describe VC999
}

@test "vmcred.toml(5): every example of a key fits its schema and is read" {
  "$VMCRED" declare --schema >schema.json
  run -0 "$VMCRED_SOURCE/tests/e2e/reference_examples.py" schema.json "$VMCRED_SOURCE/packaging/manual-of-schema"
  [ -z "$output" ]
}

@test "the normalised declaration means the same, and fits its schema" {
  cp -r "$VMCRED_SOURCE/examples/test-vm" project
  "$VMCRED" --project project declare >first.json
  mkdir second
  cp first.json second/vmcred.json
  "$VMCRED" --project second declare | cmp - first.json
  "$VMCRED" declare --schema >schema.json
  python3 - schema.json first.json "$VMCRED_SOURCE"/examples/*/vmcred.toml <<'PY'
import json, sys, jsonschema, tomllib
schema = json.load(open(sys.argv[1]))
for name in sys.argv[2:]:
    data = json.load(open(name)) if name.endswith(".json") else tomllib.load(open(name, "rb"))
    jsonschema.validate(data, schema)
PY
}

@test "a password in the declaration is refused wherever it stands, and never quoted" {
  mkdir project && cd project
  "$VMCRED" init --machine web
  cp vmcred.toml start
  vm() { { cat start; printf '[vms.t]\nmachine = "web"\nkernel = "/bin/true"\n%s\n' "$1"; } >vmcred.toml; }
  for place in 'credentials.password = { value = "Sup3rSecret!2026", services = ["s"] }' 'credentials.motd = { value = "Sup3rSecret!2026", services = ["s"] }' \
    'credentials.dsn = { value = "postgres://u:Sup3rSecret!2026@db/x", services = ["s"] }' 'oem-strings = ["io.systemd.credential:password=Sup3rSecret!2026"]' \
    'command-line = "password=Sup3rSecret!2026"' 'extra-arguments = ["-append", "password=Sup3rSecret!2026"]' \
    'extra-arguments = ["-fw_cfg", "name=opt/x,string=Sup3rSecret!2026"]'; do
    vm "$place"
    run -3 "$VMCRED" check
    [[ $output == *"error: "*"[VC0"*"help: "* ]] || { echo "$place: $output"; return 1; }
    [[ $output != *Sup3rSecret* ]]
  done
  vm 'credentials.stage = { value = "production", services = ["s"] }'
  run -0 "$VMCRED" check
  vm 'extra-arguments = ["-name", "web-01", "-uuid", "0f8fad5b-d9cb-469f-a165-70867728950e"]'
  run -0 "$VMCRED" check
}
