#!/usr/bin/env bats
# A damaged store, a read-only one, a full disk: an error that names the file and the remedy, exit code 1, nothing lost.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/e2e/project.bash
source "$VMCRED_SOURCE/tests/e2e/project.bash"

setup() {
  new_project alice
  "$VMCRED" --quiet init --machine web
  cat >>vmcred.toml <<'TOML'
[generators.token]
script = 'echo one > "$out/key"; echo two > "$out/other"'
files.key = {}
files.other = {}
[generators.made]
dependencies = ["token"]
script = 'cat "$in/token/key" > "$out/sum"'
files.sum = {}
TOML
  "$VMCRED" --quiet vars generate
  secret=vars/per-machine/web/token/key/secret
  cp "$secret" ../good
  private=$(unshare -m true 2>/dev/null && echo "unshare -m" || echo "unshare -rm")
}

state() { find sops vars -type f -exec sha256sum {} + -o -type l -printf '%p -> %l\n' | sort; }

# The value is refused with its file's name and a hint; others are read; a change of readers stops before it changes
# anything; and no command touches what is damaged by itself.
refused() { # WORDS
  local before
  before=$(state)
  run -1 --separate-stderr "$VMCRED" vars get token/key
  [ -z "$output" ]
  [[ $stderr == "vmcred: error: "*"$secret"* && $stderr == *"$1"* && $stderr == *"vmcred: hint: "* ]]
  [ "$("$VMCRED" vars get token/other)" = two ]
  run -1 --separate-stderr "$VMCRED" vars export ../out
  [ ! -e ../out ]
  run -1 --separate-stderr "$VMCRED" vars rotate -g made
  [[ $stderr == "vmcred: error: "*"token/key"* ]]
  [ "$before" = "$(state)" ]
}

@test "corrupt: a changed byte anywhere is noticed, and the value can be brought back" {
  sed -i 's/data:./data:!/' "$secret"
  refused "decrypt"
  cp ../good "$secret"
  sed -i 's/"mac": "ENC\[AES256_GCM,data:..../"mac": "ENC[AES256_GCM,data:AAAA/' "$secret"
  refused "decrypt"
  cp ../good "$secret"
  run -0 "$VMCRED" vars get token/key
}

@test "truncated at every length" {
  size=$(stat -c %s ../good)
  for length in 0 1 2 $((size / 4)) $((size / 2)) $((size - 3)); do
    head -c "$length" ../good >"$secret"
    refused ""
  done
}

@test "oversized, too deeply nested, with duplicate keys, not UTF-8, with NUL" {
  truncate -s 30M "$secret"
  refused "larger than"
  python3 -c 'print("[" * 5000 + "]" * 5000)' >"$secret"
  refused "read"
  sed 's/"data": \(.*\),$/"data": \1,\n"data": \1,/' ../good >"$secret"
  refused "twice"
  { printf '{"data": "\xff\xfe", '; tail -c +2 ../good; } >"$secret"
  refused "read"
  printf '{"data": "a\0b"}' >"$secret"
  refused "read"
  sed 's/"data"/"dada"/' ../good >"$secret"
  refused "'dada'"
}

@test "links: a loop, one out of the tree, one in place of a folder" {
  ln -sfn secret "$secret"
  run -1 --separate-stderr "$VMCRED" vars get token/key
  [[ $stderr == "vmcred: error: "* ]]
  cp ../good ../outside
  ln -sfn "$PWD/../outside" "$secret"
  run -1 --separate-stderr "$VMCRED" vars get token/key
  rm "$secret"
  mv vars/per-machine/web/token ../token
  ln -s "$PWD/../token" vars/per-machine/web/token
  run -1 --separate-stderr "$VMCRED" vars get token/key
  run -1 --separate-stderr "$VMCRED" vars generate
  [[ $stderr == *"vars/per-machine/web/token"* ]]
  [ -L vars/per-machine/web/token ]
}

@test "another's key, and no key" {
  age-keygen -o ../stranger 2>/dev/null
  HOME=/nonexistent SOPS_AGE_KEY_FILE=../stranger run -1 --separate-stderr "$VMCRED" vars get token/key
  [[ $stderr == *"$secret"*"hint: user alice, machine web can read it"* ]]
  HOME=/nonexistent run -1 --separate-stderr "$VMCRED" vars get token/key
  [[ $stderr == *"hint: no private key was found"* ]]
}

@test "damaged key files and records are named, and generate does not go on from them" {
  for damage in '' '{' '[]' '[{"type": "age"}]' '[{"publickey": "age1x", "publickey": "age1y", "type": "age"}]' $'\xff'; do
    printf '%s' "$damage" >sops/machines/web/key.json
    before=$(state)
    run -1 --separate-stderr "$VMCRED" vars rotate -g token
    [[ $stderr == *"sops/machines/web/key.json"* ]]
    [ "$before" = "$(state)" ]
  done
  git init -q . 2>/dev/null
  "$VMCRED" secrets get web-age.key | age-keygen -y | { read -r key; printf '[{"publickey": "%s", "type": "age"}]' "$key" >sops/machines/web/key.json; }
  run -0 "$VMCRED" vars check
  for damage in '' '{' '{"version": 99}' $'\xff'; do
    printf '%s' "$damage" >vars/per-machine/web/token/.vmcred.json
    run -1 --separate-stderr "$VMCRED" vars generate
    [[ $stderr == *"token/.vmcred.json"* ]]
    run -0 "$VMCRED" vars get token/key
  done
}

@test "a read-only store is read, and a change says why it cannot be" {
  before=$(state)
  # shellcheck disable=SC2016
  run -1 --separate-stderr $private bash -c 'mount --bind . . && mount -o remount,bind,ro . && cd . && cd "$PWD" &&
    "$VMCRED" vars get token/key && printf new | "$VMCRED" vars set token/key'
  [ "$output" = one ]
  [[ $stderr == "vmcred: error: "*"Read-only file system"* ]]
  [ "$before" = "$(state)" ]
}

@test "a full disk: the change is refused and the store is as it was, without leftovers" {
  # shellcheck disable=SC2016
  run -0 --separate-stderr $private bash -c 'set -e
    mount -t tmpfs -o size=2M tmpfs /mnt
    cp -r . /mnt/project
    cd /mnt/project
    state() { find sops vars -type f -exec sha256sum {} + -o -type l -printf "%p -> %l\n" | sort; }
    before=$(state)
    head -c 1600000 /dev/zero >../filler
    ! head -c 700000 /dev/zero | "$VMCRED" vars set token/key 2>&1
    [ "$before" = "$(state)" ]
    rm ../filler
    printf small | "$VMCRED" --quiet vars set token/key
    [ "$("$VMCRED" vars get token/key)" = small ]
    [ ! -e vars/.vmcred-staging ]'
  [[ $output == *"vmcred: error: "*"No space left on device"* ]]
}

@test "what an error quotes steers no terminal" {
  local escape=$'\e'
  printf '[machines.web]\n[generators."g\\u001b[31m"]\nfiles.x = {}\nscript = "true"\n' >vmcred.toml
  run -1 --separate-stderr "$VMCRED" vars list
  [[ $stderr == *"'g?[31m'"* && $stderr != *"$escape"* ]]
  run -3 "$VMCRED" check
  [[ $output == *"'g?[31m'"* && $output != *"$escape"* ]]
}
