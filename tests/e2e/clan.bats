#!/usr/bin/env bats
# A repository that clan wrote: read as it is, changed in clan's ways, and untouched where nothing was asked for.
bats_require_minimum_version 1.5.0

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  unset XDG_CONFIG_HOME SOPS_AGE_KEY SOPS_AGE_KEY_FILE CLAN_NO_COMMIT
  mkdir -m 700 alice bob project
  export HOME="$BATS_TEST_TMPDIR/alice" USER=alice
  mkdir -p "$HOME/.config/sops/age"
  age-keygen -o "$HOME/.config/sops/age/keys.txt" 2>/dev/null
  age-keygen -o bob/key 2>/dev/null
  cd project || return 1
  clan_repository
  git init -q .
  git config user.name alice
  git config user.email alice@localhost
  git add -A
  git commit -qm 'clan wrote this'
}

as_bob() { HOME=/nonexistent SOPS_AGE_KEY_FILE="$BATS_TEST_TMPDIR/bob/key" USER=bob "$@"; }
public() { age-keygen -y "$1"; }

# Users (one key.json a list, one an older object, one executable as clan leaves it), two machines, a group with a user and
# a machine, a machine's key, shared and per-machine values with access links, a validation hash, a public value, an export.
# The ciphertext comes from a project of ours in the same places: clan's and our files have one form (src/sops/interop_test.cc).
clan_repository() {
  cat >vmcred.toml <<'TOML'
[machines.web]
default-groups = ["admins"]
[machines.db]
[generators.token]
machines = ["web", "db"]
validation = { length = 32 }
script = 'head -c 32 /dev/urandom | base64 > "$out/key"; echo public > "$out/name"'
files.key = {}
files.name = { secret = false }
[generators.ca]
share = true
machines = ["web"]
script = 'echo ca > "$out/cert"'
files.cert = {}
TOML
  "$VMCRED" --quiet vars keygen
  "$VMCRED" --quiet secrets users add bob "$(public ../bob/key)"
  "$VMCRED" --quiet secrets groups add-user admins bob
  "$VMCRED" --quiet vars generate
  mv vmcred.toml ../declaration
  find . -name .vmcred.json -delete
  # As clan's older versions write it: one object, no final newline, executable.
  printf '{\n  "publickey": "%s",\n  "type": "age",\n  "comment": "kept"\n}' "$(public ../bob/key)" >sops/users/bob/key.json
  chmod 755 sops/users/*/key.json
  mkdir -p vars/per-export
  cp -r vars/shared vars/per-export/site
  (cd vars/per-export/site/ca/cert && for link in */*; do ln -sfn "../../../../../../sops/$link" "$link"; done)
}

state() { find sops vars -type f -exec sha256sum {} + -o -type l -printf '%p -> %l\n' | sort; }

@test "values are read with clan's keys, through users, groups and machine keys, and nothing is touched" {
  before=$(state)
  run -0 --separate-stderr "$VMCRED" vars list web
  [[ $output == *"token/key"* && $output == *"ca/cert"* ]]
  [ "$("$VMCRED" vars get web ca/cert)" = ca ]
  [ "$(as_bob "$VMCRED" vars get web ca/cert)" = ca ]
  run -1 as_bob "$VMCRED" vars get db token/key
  [ "$("$VMCRED" vars get web token/name)" = public ]
  "$VMCRED" secrets get web-age.key >../web.key
  SOPS_AGE_KEY_FILE=../web.key HOME=/nonexistent "$VMCRED" vars get web ca/cert | grep -qx ca
  [ "$("$VMCRED" secrets get site:ca/cert)" = ca ]
  run -0 "$VMCRED" secrets what bob
  [[ $output == *"ca/cert (shared)"*"through group admins"* && $output == *"vars/per-export/site/ca/cert"* ]]
  run -0 "$VMCRED" vars check
  run -0 "$VMCRED" secrets users get bob
  [ "$before" = "$(state)" ]
  [ -z "$(git status --porcelain)" ]
}

@test "a changed value changes its own file alone, is staged, and takes clan's lock" {
  printf new | "$VMCRED" vars set web token/key
  [ "$(git status --porcelain)" = "M  vars/per-machine/web/token/key/secret" ]
  [ -e .git/clan.lock ] && [ ! -e .vmcred.lock ]
  [ "$(cat vars/per-machine/web/token/.validation-hash)" = "$(git show HEAD:vars/per-machine/web/token/.validation-hash)" ]
  # Somebody else holds the lock: we wait for him.
  (exec 9>.git/clan.lock; flock 9; touch held; while [ ! -e waiting ]; do :; done; echo released >order) &
  until [ -e held ]; do :; done
  printf newer | "$VMCRED" vars set web token/key 2> >(while read -r line; do [[ $line == *waiting* ]] && touch waiting; done)
  [ -e order ]
  [ "$("$VMCRED" vars get web token/key)" = newer ]
}

@test "CLAN_NO_COMMIT marks new files only, --commit makes clan's kind of commit" {
  printf new | CLAN_NO_COMMIT=1 "$VMCRED" vars set web token/key --commit
  [ "$(git rev-list --count HEAD)" = 1 ]
  [ "$(git diff --name-only)" = vars/per-machine/web/token/key/secret ]
  git checkout -q -- .
  printf other | "$VMCRED" vars set web token/key --commit
  [ "$(git log -1 --format=%s)" = "vars: update token/key for machine web" ]
  [ -z "$(git status --porcelain)" ]
}

@test "the declaration beside it gives no generation, no drift and clan's own access" {
  cp ../declaration vmcred.toml
  before=$(state)
  run -0 "$VMCRED" vars generate
  run -0 "$VMCRED" vars check
  run -0 "$VMCRED" vars fix --dry-run
  [ "$before" = "$(state)" ]
  # Default groups are those of the first machine.
  [ -L vars/per-machine/web/token/key/groups/admins ]
  [ "$(readlink vars/per-machine/web/token/key/groups/admins)" = ../../../../../../sops/groups/admins ]
  [ "$(readlink vars/shared/ca/cert/users/alice)" = ../../../../../sops/users/alice ]
  [ ! -e vars/per-machine/db/token/key/groups ]
}

@test "links that leave sops/ or lead to another name give nothing, and fix takes them away" {
  cp ../declaration vmcred.toml
  mkdir ../outside
  cp -r sops/users/bob ../outside/mallory
  ln -s ../../../../../../../outside/mallory vars/per-machine/db/token/key/users/mallory
  ln -s ../../../../../../sops/users/bob vars/per-machine/db/token/key/users/carol
  ln -s ../../../../../../sops/machines/web vars/per-machine/db/token/key/users/web
  ln -s "$PWD/sops/users/bob" vars/per-machine/db/token/key/users/bob
  run -3 "$VMCRED" vars check
  for name in mallory carol web bob; do [[ $output == *"users/$name"* ]]; done
  run -1 as_bob "$VMCRED" vars get db token/key
  "$VMCRED" vars fix --yes
  run -0 "$VMCRED" vars check
  run -1 as_bob "$VMCRED" vars get db token/key
  [ "$(ls vars/per-machine/db/token/key/users)" = alice ]
  # A group that is a link to elsewhere is no group.
  rm -r sops/groups/admins
  mkdir -p ../outside/admins/users
  ln -s ../../outside/admins sops/groups/admins
  run -3 "$VMCRED" vars check
}

@test "a user who leaves is out of exports too, and so is the machine's key that he knew" {
  cp ../declaration vmcred.toml
  "$VMCRED" secrets get web-age.key >../web.key
  run -0 --separate-stderr "$VMCRED" secrets users remove bob
  [[ $stderr == *"should be rotated"*"token/key (machine web)"* ]]
  [[ $stderr == *"ca/cert (shared)"* && $stderr == *"vars/per-export/site/ca/cert"* ]]
  [[ $stderr == *"the private key of machine 'web', and with it all that the machine can read"* ]]
  for secret in vars/per-export/site/ca/cert vars/shared/ca/cert sops/secrets/web-age.key; do
    [[ $(<"$secret/secret") != *"$(public ../bob/key)"* ]]
  done
  [ -z "$(find . -path ./.git -prune -o -name bob -print)" ]
}

@test "with --rotate the machine has a new key and its values are others" {
  cp ../declaration vmcred.toml
  "$VMCRED" secrets get web-age.key >../web.key
  "$VMCRED" vars get web token/key >old
  "$VMCRED" vars get db token/key >old-db
  run -0 --separate-stderr "$VMCRED" secrets users remove bob --rotate
  [[ $stderr == *"made a new key for machine 'web'"*"vmcred deploy web"* ]]
  run -1 cmp -s old <("$VMCRED" vars get web token/key)
  cmp old-db <("$VMCRED" vars get db token/key)
  # What he took along opens nothing any more.
  SOPS_AGE_KEY_FILE=../web.key HOME=/nonexistent run -1 "$VMCRED" vars get web token/key
  "$VMCRED" secrets get web-age.key >../new.key
  [ "$(wc -l <../new.key)" = 1 ]
  SOPS_AGE_KEY_FILE=../new.key HOME=/nonexistent "$VMCRED" vars get web token/key | cmp - <("$VMCRED" vars get web token/key)
  run -0 "$VMCRED" vars check
}

# Six machines; one of them has an old link to a password that clan withholds.
old_link() {
  cat >vmcred.toml <<'TOML'
[machines.m1]
[machines.m2]
[machines.m3]
[generators.root]
machines = ["m1", "m2", "m3"]
script = 'echo secret > "$out/password"; echo hash > "$out/hash"'
files.password = {}
files.hash = {}
TOML
  "$VMCRED" --quiet vars generate
  for machine in m2 m3; do "$VMCRED" --quiet secrets machines remove-secret "$machine" "$machine:root/password"; done
  rm -r vmcred.toml vars/per-machine/m3/root/hash
}

@test "without a declaration owners are not united: an old link of one machine gives others nothing, and fix refuses" {
  old_link
  before=$(state)
  run -3 --separate-stderr "$VMCRED" vars check
  [ "$(grep -cvE '^rotate  root/password .machine m[23].  readable by machine m[23] until .*: rotate$' <<<"$output")" = 0 ]
  run -0 "$VMCRED" vars list m3
  [[ $output != *"partial"* && $output != *"root/hash"* ]]
  for said in "" --yes --widen; do
    run -1 --separate-stderr setsid -w "$VMCRED" vars fix $said </dev/null
    [[ $stderr == *"not known without a declaration"*"--flake REF#HOST"* ]]
  done
  run -3 "$VMCRED" check
  [ "$(grep -c 'warning: .*\[VC' <<<"$output")" = "$(grep -c '\[VC107\]' <<<"$output")" ]
  [[ $output != *" error: "* ]]
  [ "$before" = "$(state)" ]
  for machine in m2 m3; do
    "$VMCRED" secrets get "$machine-age.key" >../machine.key
    HOME=/nonexistent SOPS_AGE_KEY_FILE=../machine.key run -1 "$VMCRED" vars get "$machine" root/password
  done
  # Nor can the guess become a declaration.
  run -1 --separate-stderr "$VMCRED" declare
  [[ $stderr == *"there is no declaration"* ]]
}

@test "without a declaration a stranger still loses what no link gives him" {
  "$VMCRED" secrets users add eve "$(age-keygen 2>/dev/null | tee ../eve | age-keygen -y)"
  ln -s ../../../../../../sops/users/eve vars/per-machine/db/token/key/users/eve
  run -1 setsid -w "$VMCRED" vars fix --yes </dev/null
  "$VMCRED" vars fix --widen
  rm vars/per-machine/db/token/key/users/eve
  run -3 "$VMCRED" vars check
  "$VMCRED" vars fix --yes
  HOME=/nonexistent SOPS_AGE_KEY_FILE=../eve run -1 "$VMCRED" vars get db token/key
  run -3 "$VMCRED" vars check
  [[ $output == *"rotate  token/key (machine db)  readable by eve until "*": rotate" ]]
}

@test "clan's other store is refused by its name, with the way to move, and nothing is touched" {
  mkdir -p secrets/clan-vars/per-machine/web/token/key
  echo x | age -r "$(public ../bob/key)" -o secrets/clan-vars/per-machine/web/token/key/key.age
  before=$(find . -path ./.git -prune -o -type f -print | sort)
  for command in "vars list" "vars check" "vars get web token/key" "vars generate" "vars fix --yes" check; do
    # shellcheck disable=SC2086
    run -1 --separate-stderr "$VMCRED" $command
    [[ $stderr == *"'secrets/clan-vars' is the store of clan's secretStore \"age\""*"hint: to move: 'clan vars export DIR'"* ]]
  done
  [ "$before" = "$(find . -path ./.git -prune -o -type f -print | sort)" ]
}
