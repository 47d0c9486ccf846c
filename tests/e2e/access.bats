#!/usr/bin/env bats
# Who can read what: two people, two machines, a group; adding, removing, repairing.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/e2e/project.bash
source "$VMCRED_SOURCE/tests/e2e/project.bash"

setup() {
  new_project alice
  mkdir ../bob
  "$VMCRED" init --machine web
  cat >>vmcred.toml <<'TOML'
[machines.db]
[generators.token]
machines = ["web", "db"]
script = 'head -c 32 /dev/urandom | base64 > "$out/key"; echo public > "$out/name"'
files.key = {}
files.name = { secret = false }
[generators.made-from]
machines = ["web"]
dependencies = ["token"]
script = 'sha256sum < "$in/token/key" > "$out/sum"'
files.sum = {}
TOML
  "$VMCRED" vars generate
}

as_bob() { HOME="$BATS_TEST_TMPDIR/bob" USER=bob "$@"; }
join_bob() { as_bob "$VMCRED" vars keygen; }

@test "a new user reads nothing, until a secret is given to him" {
  join_bob
  run -1 --separate-stderr as_bob "$VMCRED" vars get web token/key
  run -0 as_bob "$VMCRED" vars get web token/name
  [ "$output" = public ]
  data=$(grep '"data"' vars/per-machine/web/token/key/secret)
  "$VMCRED" secrets users add-secret bob web:token/key
  cmp <(as_bob "$VMCRED" vars get web token/key) <("$VMCRED" vars get web token/key)
  # Nobody was removed, so the value was not encrypted anew.
  [ "$data" = "$(grep '"data"' vars/per-machine/web/token/key/secret)" ]
  run -0 "$VMCRED" vars check
}

@test "who and what answer from both sides" {
  join_bob
  "$VMCRED" secrets groups add-user admins bob
  "$VMCRED" secrets groups add-secret admins db:token/key
  run -0 "$VMCRED" secrets who db:token/key
  [[ $output == *"machine db"* && $output == *"user alice"* && $output == *"user bob"*"through group admins"* ]]
  run -0 "$VMCRED" secrets what bob
  [[ $output == *"token/key (machine db)"*"through group admins"* ]]
  [[ $output != *"machine web"* ]]
  as_bob "$VMCRED" vars get db token/key | grep -q .
  "$VMCRED" secrets groups remove-user admins bob
  run -1 as_bob "$VMCRED" vars get db token/key
  run -3 "$VMCRED" vars check
  [[ $output == "rotate"*"token/key (machine db)"*"readable by bob until 20"*": rotate" ]]
}

@test "access that was taken away is remembered until the value changes, whoever changes it" {
  join_bob
  "$VMCRED" secrets users add-secret bob web:token/key
  run -0 "$VMCRED" vars check
  run -0 --separate-stderr "$VMCRED" secrets users remove-secret bob web:token/key
  [[ $stderr == *"should be rotated (--rotate does it)"*"token/key (machine web)"* ]]
  today=$(date -u +%F)
  run -3 "$VMCRED" vars check
  [[ $output == *"token/key (machine web)"*"readable by bob until $today: rotate"* ]]
  run -0 "$VMCRED" vars list
  [[ $output == *"readable by bob until $today: rotate"* ]]
  run -3 "$VMCRED" check
  [[ $output == *"readable by bob until $today: rotate [VC107]"* ]]
  # It is carried over a re-encryption, and gone once he may read it again.
  mkdir ../eve
  HOME=$BATS_TEST_TMPDIR/eve USER=eve "$VMCRED" vars keygen
  "$VMCRED" secrets users add-secret eve web:token/key
  "$VMCRED" secrets users remove-secret eve web:token/key
  run -3 "$VMCRED" vars check
  [[ $output == *"readable by bob until $today, eve until $today: rotate"* ]]
  "$VMCRED" secrets users add-secret bob web:token/key
  run -3 "$VMCRED" vars check
  [[ $output == *"readable by eve until"* && $output != *bob* ]]
  # Another value, made by whatever tool: here the file as sops would leave it, with the memory still beside it.
  "$VMCRED" secrets users remove-secret bob web:token/key
  cp vars/per-machine/web/token/.vmcred.former former
  printf other | "$VMCRED" vars set web token/key
  cp former vars/per-machine/web/token/.vmcred.former
  run "$VMCRED" vars check
  [[ $output != *readable* ]]
}

@test "remove-secret rotates in the same step where it is told to, and lists what asks" {
  join_bob
  cat >>vmcred.toml <<'TOML'
[generators.asked]
machines = ["web"]
script = 'cat "$prompts/word" >"$out/word"'
prompts.word = {}
files.word = {}
TOML
  echo 'asked/word = hello' >answers
  "$VMCRED" vars generate --answers answers
  "$VMCRED" secrets users add-secret bob web:token/key
  "$VMCRED" secrets users add-secret bob asked/word
  before=$("$VMCRED" vars get web token/key)
  run -0 "$VMCRED" secrets users remove-secret bob web:token/key --rotate
  [ "$("$VMCRED" vars get web token/key)" != "$before" ]
  run -0 setsid -w "$VMCRED" secrets users remove-secret bob asked/word --rotate
  [[ $output == *"not rotated, there is no terminal to ask: asked (machine web)"*"'vmcred vars rotate -g asked'"* ]]
  run -3 "$VMCRED" vars check
  [[ $output == *"asked/word (machine web)"*"readable by bob until"* && $output != *"token/key"*readable* ]]
}

@test "who lost his key becomes a reader again by a machine's key, and hears what stays lost" {
  "$VMCRED" vars upload web --directory ../machine
  value=$("$VMCRED" vars get web token/key)
  rm "$HOME/.config/sops/age/keys.txt"
  run -0 --separate-stderr "$VMCRED" recover --identity ../machine/key.txt
  [[ $stderr == *"user 'alice' has the key age1"*"reads 2 secrets again"* ]]
  [[ $stderr == *"stays lost"*"token/key (machine db): 'vmcred vars rotate -g token'"* ]]
  [ "$("$VMCRED" vars get web token/key)" = "$value" ]
  run -1 "$VMCRED" vars get db token/key
  # The machine's own key is in the store again, for the next deployment.
  "$VMCRED" vars upload web --directory ../again
  cmp <(grep AGE ../machine/key.txt) <(grep AGE ../again/key.txt)
}

@test "a project with one reader says so at init, at check, and before a key goes" {
  mkdir ../single && cd ../single
  run -0 --separate-stderr "$VMCRED" init --machine m
  [[ $stderr == *"warning: user 'alice' is the only person who"* ]]
  cd ../project
  run "$VMCRED" check
  [[ $output == *"user 'alice'"*"[VC106]"* ]]
  join_bob
  run "$VMCRED" check
  [[ $output != *"[VC106]"* ]]
  run -0 --separate-stderr "$VMCRED" secrets users remove bob
  [[ $stderr == *"warning: user 'alice' is the only person"*"removed the user 'bob'"* ]]
}

@test "a removed user is out of everything, what he could read is named and rotated" {
  join_bob
  "$VMCRED" secrets users add-secret bob web:token/key
  as_bob "$VMCRED" vars get web token/key >old
  run -0 --separate-stderr "$VMCRED" secrets users remove bob
  [[ $stderr == *"should be rotated"*"token/key (machine web)"* ]]
  [ ! -e sops/users/bob ]
  [ -z "$(find . -name bob)" ]
  run -1 as_bob "$VMCRED" vars get web token/key
  # What is made from it did not become stale: the value is still the same. That bob had it is all that there is to say.
  run -3 "$VMCRED" vars check
  [[ $output == "rotate"*"token/key (machine web)"*"readable by bob until "*": rotate" ]]
  join_bob
  "$VMCRED" secrets users add-secret bob web:token/key
  "$VMCRED" secrets users remove bob --rotate
  run -1 cmp -s old <("$VMCRED" vars get web token/key)
  run -0 "$VMCRED" vars check
}

@test "a link that slipped in is shown, gives nothing in passing, and fix asks first" {
  join_bob
  ln -s ../../../../../../sops/users/bob vars/per-machine/web/token/key/users/bob
  run -3 "$VMCRED" vars check
  [[ $output == *"readers"*"token/key (machine web)"*"not encrypted to"* ]]
  run -1 --separate-stderr "$VMCRED" vars rotate -g token
  [[ $stderr == *"not encrypted to exactly those who its links name"* ]]
  # Another change of access leaves it alone.
  as_bob "$VMCRED" secrets key show >key
  "$VMCRED" secrets users add carol "$(cat key)"
  run -1 as_bob "$VMCRED" vars get web token/key
  run -3 "$VMCRED" vars fix --dry-run
  [[ $output == *"+ user bob will be able to read it"* ]]
  for said in "" --yes; do
    run -1 --separate-stderr setsid -w "$VMCRED" vars fix $said </dev/null
    [[ $stderr == *"user bob: token/key (machine web)"*"nobody is here to say yes"*"--widen"* ]]
  done
  run -1 as_bob "$VMCRED" vars get web token/key
  "$VMCRED" vars fix --widen
  as_bob "$VMCRED" vars get web token/key | grep -q .
  run -0 "$VMCRED" vars check
}

@test "what check remembers hides nothing: a link, another key or other bytes in a secret are found in the next run" {
  join_bob
  key=vars/per-machine/web/token/key
  # What changed in the last two seconds is not remembered yet.
  until grep -qs "$key$" "$HOME"/.cache/vmcred/readers/*; do run -0 "$VMCRED" vars check; done
  [ "$(stat -c %a "$HOME"/.cache/vmcred/readers/*)" = 600 ]
  run -0 "$VMCRED" vars check
  ln -s ../../../../../../sops/users/bob $key/users/bob
  run -3 "$VMCRED" vars check
  [[ $output == *"readers"*"token/key (machine web)"*"not encrypted to"* ]]
  rm $key/users/bob
  run -0 "$VMCRED" vars check
  mv sops/users/bob/key.json kept && cp kept sops/users/alice/key.json
  run -3 "$VMCRED" vars check
  [[ $output == *"readers"*"token/key (machine web)"*"also encrypted to"* ]]
  "$VMCRED" secrets key show >mine
  printf '[{"publickey": "%s", "type": "age"}]' "$(cat mine)" >sops/users/alice/key.json
  run -0 "$VMCRED" vars check
  printf 'x' | dd of=$key/secret conv=notrunc status=none # the same file, of the same size
  run -3 "$VMCRED" vars check
  [[ $output == *"damaged"*"token/key (machine web)"* ]]
}

@test "links out of the tree and plain files grant nothing and are named" {
  mkdir -p elsewhere
  cp sops/users/alice/key.json elsewhere/
  ln -s ../../../../../../elsewhere vars/per-machine/web/token/key/users/mallory
  echo x >vars/per-machine/web/token/key/users/plain
  run -3 "$VMCRED" vars check
  [[ $output == *"users/mallory"*"leads to"* && $output == *"users/plain"*"is no link"* ]]
  "$VMCRED" vars fix --yes
  run -0 "$VMCRED" vars check
  [ ! -e vars/per-machine/web/token/key/users/plain ]
}

@test "rotate makes new values here and in what is made from them" {
  "$VMCRED" vars get web token/key >old
  "$VMCRED" vars get made-from/sum >old-sum
  "$VMCRED" vars get db token/key >db
  "$VMCRED" vars rotate token/key --machine web
  run -1 cmp -s old <("$VMCRED" vars get web token/key)
  run -1 cmp -s old-sum <("$VMCRED" vars get made-from/sum)
  cmp db <("$VMCRED" vars get db token/key)
  run -0 "$VMCRED" vars check
}

@test "prune removes what is not declared, after a yes" {
  sed -i '/generators.made-from/,$d' vmcred.toml
  run -3 "$VMCRED" vars check
  [[ $output == *"orphan"*"made-from/sum (machine web)"* ]]
  run -0 "$VMCRED" vars list
  [[ $output == *"made-from/sum"*"machine web"*"orphan: it is no longer declared"* ]]
  run -1 --separate-stderr setsid -w "$VMCRED" vars prune </dev/null
  "$VMCRED" vars prune --yes
  [ ! -e vars/per-machine/web/made-from ]
  run -0 "$VMCRED" vars check
}

@test "export and import move all values" {
  "$VMCRED" vars export ../out
  [ "$(stat -c %a ../out/per-machine/web/token/key)" = 600 ]
  "$VMCRED" vars get web token/key | cmp - ../out/per-machine/web/token/key
  before=$(find vars -type f -exec sha256sum {} + | sort)
  "$VMCRED" vars import ../out
  [ "$before" = "$(find vars -type f -exec sha256sum {} + | sort)" ]
  printf other >../out/per-machine/web/token/key
  "$VMCRED" vars import ../out
  [ "$("$VMCRED" vars get web token/key)" = other ]
  # What nobody declares is named, not dropped; one value that cannot be taken stops all.
  echo x >../out/per-machine/web/token/gone
  run -3 --separate-stderr "$VMCRED" vars import ../out
  [[ $stderr == *"left out: 'per-machine/web/token/gone': no such value is declared"* ]]
  rm ../out/per-machine/web/token/gone
  printf another >../out/per-machine/db/token/key
  head -c 16777217 /dev/zero >../out/per-machine/web/token/key
  before=$(find vars -type f -exec sha256sum {} + | sort)
  run -1 --separate-stderr "$VMCRED" vars import ../out
  [[ $stderr == *"per-machine/web/token/key' is larger than 16777216 bytes"* ]]
  [ "$before" = "$(find vars -type f -exec sha256sum {} + | sort)" ]
  # What came by hand is as old as that.
  [ "$(jq -c '.["set-by-hand"] | keys' vars/per-machine/web/token/.vmcred.json)" = '["key"]' ]
}

@test "prompts are answered from a file, and missing answers are all named" {
  cat >>vmcred.toml <<'TOML'
[generators.mail]
machines = ["web"]
script = 'cat "$prompts/password" "$prompts/note" > "$out/both"'
files.both = {}
prompts.password = { type = "hidden", persist = true }
prompts.note = { type = "multiline" }
TOML
  run -1 --separate-stderr setsid -w "$VMCRED" vars generate </dev/null
  [[ $stderr == *"nobody is here to answer: mail/note (machine web), mail/password (machine web)"* ]]
  printf 'mail/password = s3cret word\nmail/note <<END\none\ntwo\nEND\n' | "$VMCRED" vars generate --answers -
  cmp <("$VMCRED" vars get mail/both) <(printf 's3cret wordone\ntwo\n')
  [ "$("$VMCRED" vars get mail/password)" = "s3cret word" ]
  run -0 "$VMCRED" vars check
}

@test "a generator and a machine take their values along to a new name" {
  "$VMCRED" vars get web token/key >old
  "$VMCRED" vars rename token ticket
  sed -i 's/\[generators.token\]/[generators.ticket]/; s/"token"/"ticket"/; s|/token/|/ticket/|' vmcred.toml
  "$VMCRED" vars get web ticket/key | cmp - old
  run -3 "$VMCRED" vars check
  [[ $output == *"made-from (machine web)"*"its script changed"* && $output != *"missing"* ]]
  "$VMCRED" vars generate --stale
  "$VMCRED" secrets machines rename web www
  sed -i 's/machines.web/machines.www/; s/"web"/"www"/' vmcred.toml
  "$VMCRED" vars get www ticket/key | cmp - old
  run -0 "$VMCRED" vars check
  [ -z "$(find vars sops -name 'web*')" ]
}

@test "what is refused changes nothing: the last reader stays, his groups as well" {
  "$VMCRED" secrets groups add-user admins alice
  "$VMCRED" secrets groups add-secret admins web:token/key
  before=$(find sops vars -type f -exec sha256sum {} + -o -type l -printf '%p %l\n' | sort)
  run -1 --separate-stderr "$VMCRED" secrets users remove alice
  [[ $stderr == *"nobody would be left who can read"* ]]
  [ "$before" = "$(find sops vars -type f -exec sha256sum {} + -o -type l -printf '%p %l\n' | sort)" ]
  run -0 "$VMCRED" vars get web token/key
}

# Everything that `secrets who` knows is looked at: a machine's key opens all that the machine reads.
@test "a stranger in a machine's key, in another secret or in an export is found by check, and fix takes it from him" {
  join_bob
  age-keygen -o ../stranger 2>/dev/null
  printf '%s' ticket | "$VMCRED" vars set web token/key
  mkdir -p vars/per-export/site/token
  cp -r vars/per-machine/web/token/key vars/per-export/site/token/
  (cd vars/per-export/site/token/key && rm -r machines && for link in users/*; do ln -sfn "../../../../../../sops/$link" "$link"; done)
  "$VMCRED" vars fix --yes
  "$VMCRED" vars generate --stale
  run -0 "$VMCRED" vars check
  run -0 "$VMCRED" check
  for secret in sops/secrets/web-age.key vars/per-export/site/token/key; do
    sops_add "$secret/secret" "$(age-keygen -y ../stranger)"
    run -3 "$VMCRED" vars check
    [[ $output == *"readers  $secret  also encrypted to $(age-keygen -y ../stranger)"* ]]
    run -3 "$VMCRED" check
    [[ $output == *"$secret/secret: error: "*"[VC023]"*"can read it and should not: $(age-keygen -y ../stranger)"* ]]
    run -3 "$VMCRED" vars fix --dry-run
    [[ $output == *"$secret"*"- the unknown key $(age-keygen -y ../stranger) will not be able to read it any more"* ]]
    "$VMCRED" vars fix --yes
    run "$VMCRED" vars check
    [[ $output != *"readers  "* ]]
    run "$VMCRED" check
    [[ $output != *"[VC023]"* ]]
    SOPS_AGE_KEY_FILE=../stranger HOME=/nonexistent run -1 "$VMCRED" secrets get "$(basename "$(dirname "$secret/x")")"
  done
  # A user who is gone, and whose link was left.
  "$VMCRED" secrets users add-secret bob web-age.key
  rm -r sops/users/bob
  run -3 "$VMCRED" vars check
  [[ $output == *"sops/secrets/web-age.key"*"all that machine web reads"* ]]
  "$VMCRED" vars fix --yes
  run "$VMCRED" vars check
  [[ $output != *"readers  "* ]]
  run -1 as_bob "$VMCRED" secrets get web-age.key
}

# sops_add FILE RECIPIENT: what `sops` does with whoever is added, by vmcred itself in a project of its own.
sops_add() {
  local folder=${1%/secret} name=stranger-$RANDOM
  "$VMCRED" --quiet secrets users add "$name" "$2"
  ln -s "$(realpath --relative-to="$folder/users" "sops/users/$name")" "$folder/users/$name"
  "$VMCRED" --quiet vars fix --widen >/dev/null
  rm -r "$folder/users/$name" "sops/users/$name"
}

@test "who would newly read something is shown, and takes --widen where nobody can be asked" {
  join_bob
  "$VMCRED" secrets groups add-user admins alice
  "$VMCRED" secrets groups add-secret admins web:token/key
  before=$(find sops vars -type f -exec sha256sum {} + -o -type l -printf '%p %l\n' | sort)
  run -1 --separate-stderr setsid -w "$VMCRED" secrets groups add-user admins bob </dev/null
  [[ $stderr == *"would newly read:"*"user bob: token/key (machine web)"*"--widen"* ]]
  [ "$before" = "$(find sops vars -type f -exec sha256sum {} + -o -type l -printf '%p %l\n' | sort)" ]
  "$VMCRED" secrets groups add-user admins bob --widen
  as_bob "$VMCRED" vars get web token/key | grep -q .
  # A grant names reader and secret itself; what it opens besides is said, and a link that slipped in does not come along.
  run -0 --separate-stderr "$VMCRED" secrets users add-secret bob db-age.key
  [[ $stderr == *"newly reads: user bob: sops/secrets/db-age.key, and with it all that machine db reads"* ]]
  age-keygen -o ../carol 2>/dev/null
  "$VMCRED" secrets users add carol "$(age-keygen -y ../carol)"
  ln -s ../../../../../../sops/users/carol vars/per-machine/db/token/key/users/carol
  run -1 --separate-stderr setsid -w "$VMCRED" secrets users add-secret bob db:token/key </dev/null
  [[ $stderr == *"user carol: token/key (machine db)"* ]]
}

@test "list and check judge alike" {
  sed -i 's/"mac": "ENC/"mac": "ENG/; s/"lastmodified"/"last"/' vars/per-machine/web/token/key/secret
  run -3 "$VMCRED" vars check
  [[ $output == *"damaged  token/key (machine web)"* ]]
  run -0 "$VMCRED" vars list
  [[ $output == *"token/key"*"machine web"*"damaged"* ]]
  [[ $("$VMCRED" vars list | grep 'token/key .*machine db') == *fresh* ]]
}

@test "a key file with a slip in it is never written over, and every refusal says why the key cannot be used" {
  keys=$HOME/.config/sops/age/keys.txt
  cp "$keys" ../kept
  { echo oops; cat ../kept; } >"$keys"
  cp "$keys" ../slipped
  run -1 --separate-stderr "$VMCRED" vars get web token/key
  [[ $stderr == *"keys.txt': line 1: this kind of identity is not known"* ]]
  for command in "vars keygen" "recover --identity ../kept" init; do
    [[ $command != init ]] || { mkdir ../fresh; cd ../fresh; }
    # shellcheck disable=SC2086
    run -1 --separate-stderr "$VMCRED" $command
    [[ $stderr == *"your private key cannot be used"*"line 1"*"nothing is written over"* ]]
    cmp "$keys" ../slipped
  done
  cp ../kept "$keys"
  cd ../project
  # Who has a key, and is no reader, is told who can let him.
  mkdir -p ../eve
  HOME=$BATS_TEST_TMPDIR/eve USER=eve "$VMCRED" vars keygen
  HOME=$BATS_TEST_TMPDIR/eve run -1 --separate-stderr "$VMCRED" vars get web token/key
  [[ $stderr == *"user alice, machine web can read it; whoever of them lets you runs 'vmcred secrets users add-secret eve web:token/key'"* ]]
  "$VMCRED" secrets users add-secret eve web:token/key
  HOME=$BATS_TEST_TMPDIR/eve run -0 "$VMCRED" vars get web token/key
}

@test "a key that is given to a user is a new reader of all that he reads, and goes by the rule" {
  join_bob
  "$VMCRED" secrets users add-secret bob web:token/key
  age-keygen -o ../second 2>/dev/null
  # A key that slipped in reads nothing, and is not told to give itself what it has by its links.
  cp sops/users/bob/key.json ../kept
  printf '[{"publickey": "%s", "type": "age"}]' "$(age-keygen -y ../second)" >sops/users/bob/key.json
  SOPS_AGE_KEY_FILE=../second HOME=/nonexistent run -1 --separate-stderr "$VMCRED" vars get web token/key
  [[ $stderr == *"its links name user bob, and it is not encrypted to this key"*"'vmcred vars fix --dry-run'"* ]]
  cp ../kept sops/users/bob/key.json
  before=$(find sops vars -type f -exec sha256sum {} + | sort)
  run -1 --separate-stderr setsid -w "$VMCRED" secrets users add-key bob "$(age-keygen -y ../second)" </dev/null
  [[ $stderr == *"would newly read:"*"user bob: token/key (machine web)"*"--widen"* ]]
  [ "$before" = "$(find sops vars -type f -exec sha256sum {} + | sort)" ]
  SOPS_AGE_KEY_FILE=../second HOME=/nonexistent run -1 "$VMCRED" vars get web token/key
  "$VMCRED" secrets users add-key bob "$(age-keygen -y ../second)" --widen
  SOPS_AGE_KEY_FILE=../second HOME=/nonexistent run -0 "$VMCRED" vars get web token/key
  run -0 "$VMCRED" vars check
}

@test "recover takes no key from a user who has several" {
  "$VMCRED" vars upload web --directory ../machine
  age-keygen -o ../second 2>/dev/null
  "$VMCRED" secrets users add-key alice "$(age-keygen -y ../second)" --widen
  rm "$HOME/.config/sops/age/keys.txt"
  run -0 --separate-stderr "$VMCRED" recover --identity ../machine/key.txt
  [[ $stderr == *"the other keys of 'alice' stay"* ]]
  run -0 "$VMCRED" vars get web token/key
  SOPS_AGE_KEY_FILE=../second HOME=/nonexistent run -0 "$VMCRED" vars get web token/key
  SOPS_AGE_KEY_FILE=../second HOME=/nonexistent run -0 "$VMCRED" vars get db token/key
}

@test "a name that is not there is met with those that are, and a rename that cannot be done moves nothing" {
  for command in "vars list hh" "vars check hh" "vars generate hh" "vars fix hh" "deploy hh" "vars upload hh" "secrets machines get hh" "secrets machines remove hh" \
    "secrets machines renew-key hh" "secrets machines add-secret hh web:token/key" "vars get hh token/key"; do
    # shellcheck disable=SC2086
    run -1 --separate-stderr "$VMCRED" $command
    [[ $stderr == *"'hh'"*"hint: there are 'db' and 'web'"* ]] || { echo "$command: $stderr"; return 1; }
  done
  run -1 --separate-stderr "$VMCRED" secrets users get hh
  [[ $stderr == *"there is no user 'hh'"*"hint: there is 'alice'"* ]]
  run -1 --separate-stderr "$VMCRED" vars get web tokem/key
  [[ $stderr == *"did you mean 'token'?"* ]]
  mkdir -p vars/per-machine/web/ticket
  before=$(find vars sops | sort)
  run -2 --separate-stderr "$VMCRED" vars rename token ticket
  [[ $stderr == *"'vars/per-machine/web/token' cannot become 'vars/per-machine/web/ticket', which is there already"*"choose another name"*"'vmcred vars prune'"* ]]
  [ "$before" = "$(find vars sops | sort)" ]
  run -2 --separate-stderr "$VMCRED" vars rename token token
  [[ $stderr == *"'token' has that name already"* ]]
  mkdir -p vars/per-machine/www
  run -2 --separate-stderr "$VMCRED" secrets machines rename web www
  [ -z "$(find sops -name 'www*')" ]
  key=$("$VMCRED" secrets key show)
  other=q && [[ $key != *q ]] || other=p
  for bad in "${key:0:20}" "${key:0:20}b${key:21}" "${key:0:20}X${key:21}" "${key%?}$other"; do
    run -1 --separate-stderr "$VMCRED" secrets users add bob "$bad"
    [[ $stderr == *"recipient '$bad'"*"hint: copy it again, whole"* ]] || { echo "$stderr"; return 1; }
  done
}
