#!/usr/bin/env bats
# The guide's first step: declare a generator, make its values, read them, add one more; as one user on one machine.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/e2e/project.bash
source "$VMCRED_SOURCE/tests/e2e/project.bash"

setup() { new_project; }

project() {
  "$VMCRED" init --machine britton-desktop
  cat >>vmcred.toml <<'TOML'
[generators.test-vm-secrets]
runtime-inputs = ["coreutils", "openssl"]
script = '''
openssl rand -base64 32 | tr -d '\n' > "$out/api-key"
openssl rand -base64 32 | tr -d '\n' > "$out/db-password"
# more

chmod 400 "$out"/*
'''
files.api-key = {}
files.db-password = {}
TOML
}

@test "init makes key, declaration and user once" {
  run -0 --separate-stderr "$VMCRED" init --machine web
  [ "$(stat -c %a "$HOME/.config/sops/age/keys.txt")" = 600 ]
  grep -q '^\[machines.web\]' vmcred.toml
  grep -q '"publickey": "age1' sops/users/alice/key.json
  before=$(sha256sum vmcred.toml sops/users/alice/key.json "$HOME/.config/sops/age/keys.txt")
  run -0 --separate-stderr "$VMCRED" init --machine web
  [ "$before" = "$(sha256sum vmcred.toml sops/users/alice/key.json "$HOME/.config/sops/age/keys.txt")" ]
  [[ $stderr == *"you are the user 'alice'"* ]]
}

@test "init --example writes a project that checks and plans, for this machine and the guest that is named" {
  mkdir -p ../guest && touch ../guest/vmlinuz ../guest/initrd
  mkdir ../example && cd ../example
  run -0 --separate-stderr "$VMCRED" init --example --guest ../guest
  [[ $stderr == *"next: 'vmcred vars generate'"* ]]
  grep -qx "kernel = \"$(realpath ../guest)/vmlinuz\"" vmcred.toml
  [ "$("$VMCRED" declare | jq -r '.machines | keys[0]')" = "$(jq -r '.vms["test-vm"].machine' < <("$VMCRED" declare))" ]
  run -0 "$VMCRED" vars generate
  run -0 "$VMCRED" check
  run -0 "$VMCRED" vm plan test-vm
  run -2 --separate-stderr "$VMCRED" init --example
  [[ $stderr == *"the example needs a folder without a declaration"* ]]
  run -2 --separate-stderr "$VMCRED" init --guest ../guest
  [[ $stderr == *"'--guest' is for '--example'"* ]]
}

@test "generate makes what is missing, and the second time nothing" {
  project
  run -3 "$VMCRED" vars check
  [[ $output == *"missing"*"test-vm-secrets (machine britton-desktop)"* ]]
  run -0 --separate-stderr "$VMCRED" vars generate
  [[ $stderr == *"made test-vm-secrets (machine britton-desktop): api-key and db-password"* ]]
  run -0 "$VMCRED" vars check britton-desktop
  before=$(digests)
  run -0 --separate-stderr "$VMCRED" vars generate --machine britton-desktop
  [ "$before" = "$(digests)" ]
}

@test "get prints the bytes that were made, and age alone can follow us to them" {
  project
  "$VMCRED" vars generate
  "$VMCRED" vars get britton-desktop test-vm-secrets/api-key >value
  [ "$(wc -c <value)" = 44 ]
  "$VMCRED" vars get test-vm-secrets/api-key | cmp - value
  # The data key's stanza is an age file of its own.
  file=vars/per-machine/britton-desktop/test-vm-secrets/api-key/secret
  sed -n 's/.*"enc": "\(.*\)".*/\1/p' "$file" | head -1 | sed 's/\\n/\n/g' >stanza
  [ "$(age -d -i "$HOME/.config/sops/age/keys.txt" stanza 2>/dev/null | wc -c)" = 32 ] ||
    [ "$(sed -n 's/.*"enc": "\(.*\)".*/\1/p' "$file" | tail -1 | sed 's/\\n/\n/g' |
      age -d -i "$HOME/.config/sops/age/keys.txt" | wc -c)" = 32 ]
}

@test "set keeps any bytes, list shows them to nobody" {
  project
  "$VMCRED" vars generate
  printf 'a\0b\n\n' | "$VMCRED" vars set test-vm-secrets/api-key
  "$VMCRED" vars get test-vm-secrets/api-key | cmp - <(printf 'a\0b\n\n')
  run -0 "$VMCRED" vars list
  [[ $output == *"test-vm-secrets/api-key"*"machine britton-desktop"*"********"*"fresh"* ]]
  run -0 "$VMCRED" vars list --json
  [[ $output == *'"var": "test-vm-secrets/api-key"'* ]]
}

@test "setting the same value again changes no file" {
  project
  "$VMCRED" vars generate
  before=$(digests)
  "$VMCRED" vars get test-vm-secrets/api-key | "$VMCRED" vars set test-vm-secrets/api-key
  [ "$before" = "$(digests)" ]
}

@test "an added credential leaves the old values byte for byte" {
  project
  "$VMCRED" vars generate
  # The guide's five steps: a file, a line of the script; nothing else of the store.
  echo 'files.new-secret = {}' >>vmcred.toml
  sed -i 's|^# more|openssl rand -base64 32 > "$out/new-secret"|' vmcred.toml
  before=$(digests | grep -v vmcred.json)
  run -1 --separate-stderr "$VMCRED" vars generate
  [[ $stderr == *"'new-secret' is missing"*"--only-missing"*"--regenerate"* ]]
  [ "$before" = "$(digests | grep -v vmcred.json)" ]
  run -0 --separate-stderr "$VMCRED" vars generate --only-missing
  [[ $stderr == *": new-secret" ]]
  [ "$before" = "$(digests | grep -v -e vmcred.json -e new-secret)" ]
  "$VMCRED" vars get test-vm-secrets/new-secret | grep -q .
  run -0 "$VMCRED" vars check
}

@test "a changed script is told and kept, until --stale" {
  project
  "$VMCRED" vars generate
  sed -i 's|^# more|# another comment|' vmcred.toml
  before=$(digests)
  run -0 --separate-stderr "$VMCRED" vars generate
  [[ $stderr == *"kept test-vm-secrets (machine britton-desktop): its script changed"* ]]
  [ "$before" = "$(digests)" ]
  run -3 "$VMCRED" vars check
  run -0 "$VMCRED" vars generate --dry-run --stale
  [[ $output == "would make test-vm-secrets (machine britton-desktop) (its script changed)" ]]
  [ "$before" = "$(digests)" ]
  "$VMCRED" vars generate --stale
  [ "$before" != "$(digests)" ]
  run -0 "$VMCRED" vars check
}

@test "the hash of a validation is that of its JSON as clan writes it, whatever characters are in it" {
  "$VMCRED" init --machine web
  printf '[machines.web]\n[generators.g]\nvalidation = "a\\u007f\\u009bü"\nscript = "echo x > $out/a"\nfiles.a = {}\n' >vmcred.toml
  "$VMCRED" vars generate
  [ "$(cat vars/per-machine/web/g/.validation-hash)" = "$(printf '"a\x7f\xc2\x9bü"' | sha256sum | cut -d' ' -f1)" ]
  run -0 --separate-stderr "$VMCRED" vars check
  [ "$output" = "the one value is there and as it should be" ]
}

@test "a changed validation makes the values anew" {
  project
  echo 'validation = { length = 32 }' >>vmcred.toml
  "$VMCRED" vars generate
  "$VMCRED" vars get test-vm-secrets/api-key >before
  sed -i 's/length = 32/length = 48/' vmcred.toml
  run -0 --separate-stderr "$VMCRED" vars generate
  "$VMCRED" vars get test-vm-secrets/api-key >after
  run -1 cmp -s before after
}

@test "dependencies are read, and a new value makes what is made from it stale" {
  project
  cat >>vmcred.toml <<'TOML'
[generators.copy]
dependencies = ["test-vm-secrets"]
script = 'cat "$in/test-vm-secrets/api-key" > "$out/copy"'
files.copy = {}
TOML
  "$VMCRED" vars generate
  cmp <("$VMCRED" vars get copy/copy) <("$VMCRED" vars get test-vm-secrets/api-key)
  printf new | "$VMCRED" vars set test-vm-secrets/api-key
  run -3 "$VMCRED" vars check
  [[ $output == *"stale"*"copy (machine britton-desktop)"*"test-vm-secrets/api-key changed"* ]]
  "$VMCRED" vars generate --stale -g copy
  [ "$("$VMCRED" vars get copy/copy)" = new ]
}

@test "a failing script is shown with its words, its secrets hidden, and nothing is stored" {
  "$VMCRED" init --machine web
  cat >>vmcred.toml <<'TOML'
[generators.base]
script = 'printf correct-horse-battery > "$out/key"'
files.key = {}
[generators.bad]
dependencies = ["base"]
script = '''
echo "trying with $(cat "$in/base/key")" >&2
exit 7
'''
files.x = {}
TOML
  run -1 --separate-stderr "$VMCRED" vars generate
  [[ $stderr == *"trying with [hidden]"* ]]
  [[ $stderr == *"vmcred: error: generate bad (machine web): its script failed with exit code 7"* ]]
  [[ $stderr != *"correct-horse"* ]]
  [ -d vars/per-machine/web/base ]
  [ ! -e vars/per-machine/web/bad ]
}

@test "undeclared, missing and empty outputs are refused" {
  "$VMCRED" init --machine web
  cp vmcred.toml head
  for case in 'echo 1 > "$out/a"; touch "$out/b"|also made .b.' 'true|.a. was not made' 'touch "$out/a"|made .a. empty' \
    'ln -s /etc/passwd "$out/a"|.a. is a link'; do
    { cat head; printf '[generators.g]\nscript = %s\nfiles.a = {}\n' "'${case%%|*}'"; } >vmcred.toml
    run -1 --separate-stderr "$VMCRED" vars generate
    [[ $stderr =~ ${case##*|} ]] || { echo "$case: $stderr"; return 1; }
    [ ! -e vars/per-machine ]
  done
}

@test "an unknown runtime input is refused before anything runs" {
  "$VMCRED" init --machine web
  printf '[generators.g]\nscript = "true"\nruntime-inputs = ["no-such-tool"]\nfiles.a = {}\n' >>vmcred.toml
  run -1 --separate-stderr "$VMCRED" vars generate
  [[ $stderr == *"'no-such-tool' is neither an installed command nor an installed package"* ]]
}

@test "changes are staged in git, and committed as one when asked" {
  git init -q . && git config user.email a@b && git config user.name a
  project
  git add vmcred.toml && git commit -qm start
  "$VMCRED" vars generate
  git diff --cached --name-only | grep -q '^vars/per-machine/britton-desktop/test-vm-secrets/api-key/secret$'
  git commit -qm first
  [ -z "$(git status --porcelain)" ]
  "$VMCRED" vars generate --regenerate -g test-vm-secrets --commit
  [ "$(git log --oneline | wc -l)" = 3 ]
  git log -1 --format=%s | grep -qx 'vars: update via generator test-vm-secrets (machine: britton-desktop)'
  [ -z "$(git status --porcelain)" ]
}

@test "killed at some moment, generate leaves all values of a generator or none" {
  project
  "$VMCRED" vars generate &
  pid=$!
  kill -9 $pid 2>/dev/null || true
  wait $pid || true
  run "$VMCRED" vars list --json
  count=$(grep -c '"state": "missing"' <<<"$output" || true)
  [ "$count" = 0 ] || [ "$count" = 2 ]
  "$VMCRED" vars generate
  run -0 "$VMCRED" vars check
  [ ! -e vars/.vmcred-staging ]
}

@test "what a failing script prints of its values is hidden" {
  mkdir leaky && cd leaky
  "$VMCRED" init --machine host
  cat >>vmcred.toml <<'TOML'
[generators.leaky]
script = 'echo plain-canary-value > "$out/o"; echo "before $(cat "$out/o") after"; base64 "$out/o" >&2; exit 1'
files.o = {}
TOML
  run -1 "$VMCRED" --verbose vars generate
  [[ $output == *"before [hidden] after"* ]]
  [[ $output != *canary* && $output != *"$(printf canary-value | base64 | cut -c1-12)"* ]]
}

@test "a damaged value is named by every command, and can be replaced" {
  project
  "$VMCRED" vars generate
  : >vars/per-machine/britton-desktop/test-vm-secrets/api-key/secret
  run -3 "$VMCRED" vars check
  [[ $output == *damaged*api-key* ]]
  run -3 "$VMCRED" check
  [[ $output == *VC026* ]]
  run -1 --separate-stderr "$VMCRED" vars get test-vm-secrets/api-key
  [[ ${stderr_lines[1]} == *"bring it back from git"* ]]
  run -1 --separate-stderr "$VMCRED" vars export plain
  [ ! -e plain ]
  printf new | "$VMCRED" vars set test-vm-secrets/api-key
  run -0 "$VMCRED" vars get test-vm-secrets/api-key
  [ "$output" = new ]
  run -0 "$VMCRED" vars check
}
