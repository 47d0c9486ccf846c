#!/usr/bin/env bats
# Moving in: a repository of agenix and one of sops-nix become vars that the same keys read.
bats_require_minimum_version 1.5.0

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  export HOME="$BATS_TEST_TMPDIR/home" USER=alice
  unset XDG_CONFIG_HOME XDG_CACHE_HOME SOPS_AGE_KEY SOPS_AGE_KEY_FILE CLAN_NO_COMMIT
  mkdir -p home/.ssh project
  ssh-keygen -q -t ed25519 -N '' -C alice@laptop -f home/.ssh/id_ed25519
  ssh-keygen -q -t ed25519 -N '' -C root@web -f host_key
  cd project || return 1
}

agenix_repository() {
  mkdir -p secrets
  cat >secrets/secrets.nix <<NIX
let
  alice = "$(cat "$HOME/.ssh/id_ed25519.pub")";
  web = "$(cat ../host_key.pub)";
in
{
  "wifi.age".publicKeys = [ alice web ];
  "mail/smtp.age".publicKeys = [ alice ];
}
NIX
  mkdir -p secrets/mail
  printf 'correct horse\n' | age -R "$HOME/.ssh/id_ed25519.pub" -R ../host_key.pub -o secrets/wifi.age
  printf 'a\0b' | age -R "$HOME/.ssh/id_ed25519.pub" -o secrets/mail/smtp.age
}

@test "agenix: values stay byte for byte, readers stay who they were" {
  agenix_repository
  run -0 --separate-stderr "$VMCRED" import agenix secrets
  [[ $stderr == *"added the user 'alice'"* && $stderr == *"added the machine 'web'"* && $stderr == *"imported 2 secrets"* ]]
  [[ $output == *"[generators.wifi]"*'machines = ["web"]'*"files.wifi = {}"* ]]
  printf '%s\n' "$output" >vmcred.toml
  grep -q "$(cut -d' ' -f2 ../host_key.pub)" sops/machines/web/key.json
  [ -L vars/per-machine/web/wifi/wifi/machines/web ]
  [ -L vars/per-machine/web/wifi/wifi/users/alice ]
  # The same identities as before open it.
  SOPS_AGE_KEY_FILE="$HOME/.ssh/id_ed25519" run -0 "$VMCRED" vars get wifi/wifi
  [ "$output" = "correct horse" ]
  HOME=/nonexistent SOPS_AGE_KEY_FILE=../host_key run -0 "$VMCRED" vars get wifi/wifi
  [ "$output" = "correct horse" ]
  SOPS_AGE_KEY_FILE="$HOME/.ssh/id_ed25519" "$VMCRED" vars get mail-smtp/mail-smtp | cmp - <(printf 'a\0b')
  HOME=/nonexistent SOPS_AGE_KEY_FILE=../host_key run -1 "$VMCRED" vars get mail-smtp/mail-smtp
}

@test "agenix: a second import keeps what is stored, another's secret is left out" {
  agenix_repository
  "$VMCRED" import agenix secrets/secrets.nix >vmcred.toml
  before=$(find vars sops -type f -exec sha256sum {} + | sort)
  ssh-keygen -q -t ed25519 -N '' -C bob@desk -f ../bob
  printf x | age -R ../bob.pub -o secrets/foreign.age
  sed -i "s|^  \"wifi|  \"foreign.age\".publicKeys = [ \"$(cat ../bob.pub)\" ];\n  \"wifi|" secrets/secrets.nix
  run -3 --separate-stderr "$VMCRED" import agenix secrets
  [[ $stderr == *"left out: 'foreign.age': no identity matches"* && $stderr == *"kept "*"wifi/wifi"*"stored already"* ]]
  [ -z "$output" ] # nothing is new
  [ "$before" = "$(find vars sops -type f -exec sha256sum {} + | sort)" ]
}

@test "agenix: for a host.nix the declaration is Nix, and it evaluates" {
  agenix_repository
  echo '{ }' >host.nix
  run -0 --separate-stderr "$VMCRED" import agenix secrets
  [[ $output == *'clan.core.vars.generators."wifi" = {'* ]]
  printf '{\nnetworking.hostName = "web";\n%s\n}\n' "$output" >host.nix
  run -0 "$VMCRED" declare
  [[ $output == *'"wifi"'* ]]
}

@test "sops-nix: a yaml file becomes a generator, anchors name the keys" {
  export SOPS_AGE_KEY
  SOPS_AGE_KEY=AGE-SECRET-KEY-1QYPQXPQ9QCRSSZG2PVXQ6RS0ZQG3YYC5Z5TPWXQERGD3C8G7RUSQGPQYEE # the key of the vectors: bytes 01 to 20
  cp "$VMCRED_SOURCE/tests/vectors/sops/types.yaml" secrets.yaml
  recipient=$(sed -n 's/.*recipient: //p' secrets.yaml | head -1)
  printf 'keys:\n  - &server_web %s\n' "$recipient" >.sops.yaml
  run -0 --separate-stderr "$VMCRED" import sops-nix secrets.yaml
  [[ $stderr == *"added the machine 'web'"* ]]
  [[ $output == *"[generators.secrets]"*'machines = ["web"]'* ]]
  printf '%s\n' "$output" >vmcred.toml
  file=$(sed -n 's/^files\.\([^ ]*\) .*/\1/p' vmcred.toml | head -1)
  run -0 "$VMCRED" vars get "secrets/$file"
  [ -n "$output" ]
}

@test "nothing is found, or nothing can be read: an error that says so" {
  run -1 --separate-stderr "$VMCRED" import agenix .
  [[ $stderr == *"there is no './secrets.nix'"* ]]
  agenix_repository
  rm "$HOME/.ssh/id_ed25519"
  run -1 --separate-stderr "$VMCRED" import agenix secrets
  [[ $stderr == *"none of the 2 secrets could be read"* && $stderr == *"hint: your key must be among their recipients"* ]]
  [ ! -e vars ]
}

# who_opens: each identity of ../keys and what it opens, by the value.
who_opens() {
  local key var
  for key in ../keys/*; do
    for var in "$@"; do
      HOME=/nonexistent SOPS_AGE_KEY_FILE=$key "$VMCRED" vars get "$var" >/dev/null 2>&1 && echo "${key##*/} $var"
    done
  done | sort
}

@test "agenix: before and after the same identities open the same secrets, and checks are clean" {
  mkdir ../keys secrets
  for name in alice bob web db; do ssh-keygen -q -t ed25519 -N '' -C "" -f "../keys/$name" && mv "../keys/$name.pub" "../$name.pub"; done
  cp ../keys/alice "$HOME/.ssh/id_ed25519"
  cat >secrets/secrets.nix <<NIX
let
  alice = "$(cat ../alice.pub)";
  bob = "$(cat ../bob.pub)";
  web = "$(cat ../web.pub)";
  db = "$(cat ../db.pub)";
  systems = [ web db ];
in
{
  "one.age".publicKeys = [ alice web ];
  "all.age".publicKeys = [ alice bob ] ++ systems;
  "people.age".publicKeys = [ alice bob ];
  "mine.age".publicKeys = [ alice ];
  "late.age".publicKeys = [ alice bob web ];
}
NIX
  seal() { local out=$1; shift; printf 'value of %s' "$out" | age -o "secrets/$out.age" $(printf -- '-R ../%s.pub ' "$@"); }
  seal one alice web; seal all alice bob web db; seal people alice bob; seal mine alice
  seal late alice web # bob is named, and was never given it
  before=$(for key in ../keys/*; do for file in one all people mine late; do age -d -i "$key" "secrets/$file.age" >/dev/null 2>&1 && echo "${key##*/} $file/$file"; done; done | sort)
  run -0 --separate-stderr "$VMCRED" import agenix secrets
  [[ $stderr == *"bob is named for 'late.age' and cannot read it"* ]]
  printf '%s\n' "$output" >vmcred.toml
  [ "$before" = "$(who_opens one/one all/all people/people mine/mine late/late)" ]
  run -0 "$VMCRED" vars check
  run -0 "$VMCRED" check
  run -0 --separate-stderr "$VMCRED" vars fix
  [ "$before" = "$(who_opens one/one all/all people/people mine/mine late/late)" ]
  for machine in web db; do
    mkdir -p "../root-$machine/var/lib/vmcred"
    install -m 600 "../keys/$machine" "../root-$machine/var/lib/vmcred/key.txt"
    run -0 "$VMCRED" activate --machine "$machine" --root-prefix "$PWD/../root-$machine"
  done
}

@test "what cannot be taken over is left out with a name to propose; the rest is published in one step" {
  mkdir secrets
  for name in a_b a-b API_KEY api_key sub-a пароль good; do printf '%s' "value of $name" | age -R "$HOME/.ssh/id_ed25519.pub" -o "secrets/$name.age"; done
  mkdir secrets/sub
  cp secrets/good.age secrets/sub/a.age
  { echo "{"; for name in a_b a-b API_KEY api_key sub-a sub/a пароль good; do echo "  \"$name.age\".publicKeys = [ \"$(cat "$HOME/.ssh/id_ed25519.pub")\" ];"; done
    echo "  \"plugin.age\".publicKeys = [ \"$(cat "$HOME/.ssh/id_ed25519.pub")\" \"age1nosuch1qqqsyqcyq5rqwzqf2k3qgx\" ];"; echo "}"; } >secrets/secrets.nix
  cp secrets/good.age secrets/plugin.age
  run -3 --separate-stderr "$VMCRED" import agenix secrets
  [[ $output == *"[generators.good]"* && $output != *"generators.a-b"* ]]
  [[ $stderr == *"left out: 'a_b.age': it and 'a-b.age' would both become 'a-b/a-b'"*"--rename a_b.age="* ]]
  [[ $stderr == *"'API_KEY.age'"* && $stderr == *"'sub/a.age'"* && $stderr == *"'пароль.age'"* && $stderr == *"'plugin.age'"* ]]
  printf '[machines.web]\n%s\n' "$output" >vmcred.toml
  # With the names that are proposed the rest comes as well.
  options=()
  while read -r option; do options+=(--rename "${option//\'/}"); done < <(grep -o -- '--rename .*' <<<"$stderr" | sed 's/--rename //')
  run -3 --separate-stderr "$VMCRED" import agenix secrets "${options[@]}"
  [[ $stderr != *"would both become"* && $stderr != *"can be the name"* ]]
  printf '%s\n' "$output" >>vmcred.toml
  [[ $("$VMCRED" vars list | grep -c fresh) -ge 8 ]]
}

# sops_file FILE RECIPIENT...: as sops writes it for them, by other programs than ours
sops_file() {
  python3 -c 'import cryptography' 2>/dev/null || skip "NOT RUN HERE: python3-cryptography, which writes sops files independently ('tools/setup' installs it)"
  python3 "$VMCRED_SOURCE/tests/e2e/sops_file.py" "$@"
}

@test "sops-nix: before and after the same identities open the same values, and checks are clean" {
  mkdir -p ../keys secrets/web ../names
  for name in alice bob web db; do age-keygen -o "../keys/$name" 2>/dev/null && age-keygen -y "../keys/$name" >"../names/$name"; done
  all() { for name in "$@"; do cat "../names/$name"; done; }
  export SOPS_AGE_KEY_FILE=$PWD/../keys/alice
  cat >.sops.yaml <<YAML
keys:
  people: &people
    - &admin_alice $(all alice) # laptop
    - &user_bob $(all bob)
  #  - &user_gone age1gone
  hosts: [&server_web $(all web), &host_db "$(all db)"]
YAML
  # shellcheck disable=SC2046
  {
    echo '{"smtp": {"user": "mail", "password": "correct horse"}, "list": ["one", "two"], "big": 9223372036854775807, "on": true, "shown_unencrypted": "clear"}' |
      sops_file secrets/mail.yaml $(all alice bob web)
    echo '{"token": "t"}' | sops_file secrets/web/api.json $(all alice web db)
    echo '{"API_KEY": "k", "api_key": "other", "CLEAR_unencrypted": "c"}' | sops_file secrets/app.env $(all alice db)
    echo '{"people": "p"}' | sops_file secrets/people.yaml $(all alice bob)
    echo '{"section": {"word": "w"}}' | sops_file secrets/old.ini $(all alice)
    echo '{"theirs": "x"}' | sops_file secrets/bobs.yaml $(all bob)
  }
  git init -q . && git add -A && git -c user.name=a -c user.email=a@b commit -qm start
  run -3 --separate-stderr "$VMCRED" import sops-nix secrets
  # What does not come along is named, with the way.
  [[ $stderr == *"left out: 'old.ini': INI files are not read"*"vmcred vars set"* && $stderr == *"left out: 'bobs.yaml'"* ]]
  printf '%s\n' "$output" >vmcred.toml
  opened() {
    who_opens mail/smtp-user mail/smtp-password mail/list-0 mail/list-1 mail/big mail/on web-api/token people/people app/API_KEY app/api_key
  }
  before=$(for who in alice bob web; do for var in smtp-user smtp-password list-0 list-1 big on; do echo "$who mail/$var"; done; done
    for who in alice db; do echo "$who app/API_KEY"; echo "$who app/api_key"; done
    for who in alice web db; do echo "$who web-api/token"; done
    for who in alice bob; do echo "$who people/people"; done)
  diff <(sort <<<"$before") <(opened)
  [ "$("$VMCRED" vars get mail/smtp-password)" = "correct horse" ]
  [ "$("$VMCRED" vars get mail/big)" = 9223372036854775807 ]
  run -0 "$VMCRED" vars list
  [[ $output == *"app/CLEAR_unencrypted"*" c "* && $output == *"mail/shown-unencrypted"*clear* ]]
  run -0 "$VMCRED" vars check
  run -0 "$VMCRED" check
  run -0 --separate-stderr "$VMCRED" vars fix
  diff <(sort <<<"$before") <(opened)
  for machine in web db; do
    mkdir -p "../root-$machine/var/lib/vmcred"
    install -m 600 "../keys/$machine" "../root-$machine/var/lib/vmcred/key.txt"
    run -0 "$VMCRED" activate --machine "$machine" --root-prefix "$PWD/../root-$machine"
  done
  [ "$(cat ../root-web/run/vmcred/vars/per-machine/web/mail/smtp-password)" = "correct horse" ]
  # A second run, and a colleague's, add what is new and print that alone.
  run -3 --separate-stderr "$VMCRED" import sops-nix secrets
  [ -z "$output" ]
  SOPS_AGE_KEY_FILE=../keys/bob run -3 --separate-stderr "$VMCRED" import sops-nix secrets
  [[ $output == "[generators.bobs]"* && $output != *mail* ]]
}

@test "a key that could not be used is named with the reason and the way: a passphrase, an encrypted file, a slip" {
  agenix_repository
  ssh-keygen -q -p -P '' -N 'pass phrase' -f "$HOME/.ssh/id_ed25519"
  run -1 --separate-stderr setsid -w "$VMCRED" import agenix secrets </dev/null
  [[ $stderr == *"a key that could not be used: "*"id_ed25519': the private key is protected by a passphrase"*"SOPS_AGE_SSH_PRIVATE_KEY_FILE"* ]]
  rm "$HOME/.ssh/id_ed25519"
  age-keygen -o ../identity 2>/dev/null
  age -r "$(age-keygen -y ../identity)" -o ../identity.age ../identity
  for form in "" -a; do
    # shellcheck disable=SC2086
    age $form -r "$(age-keygen -y ../identity)" -o ../identity.age ../identity
    SOPS_AGE_KEY_FILE=../identity.age run -1 --separate-stderr "$VMCRED" import agenix secrets
    [[ $stderr == *"the key file is itself encrypted"*"SOPS_AGE_KEY_CMD='age -d FILE'"* ]]
  done
  [ ! -e vars ]
}

@test "the host's SSH key, which agenix and sops-nix use by default, is named where a host has no key yet" {
  agenix_repository
  "$VMCRED" import agenix secrets >vmcred.toml
  mkdir -p ../root/etc/ssh
  install -m 600 ../host_key ../root/etc/ssh/ssh_host_ed25519_key
  run -1 --separate-stderr "$VMCRED" activate --machine web --root-prefix "$PWD/../root"
  [[ $stderr == *"hint: "*"'install -D -m 600 $PWD/../root/etc/ssh/ssh_host_ed25519_key $PWD/../root/var/lib/vmcred/key.txt'"* ]]
  # The words of the remedy, as they stand there.
  eval "$(grep -o "install -D -m 600 [^']*" <<<"$stderr")"
  run -0 "$VMCRED" activate --machine web --root-prefix "$PWD/../root"
  [ "$(cat ../root/run/vmcred/vars/per-machine/web/wifi/wifi)" = "correct horse" ]
}

@test "agenix: what only people read needs no machine, and checks are clean" {
  mkdir secrets
  echo "{ \"a.age\".publicKeys = [ \"$(cat "$HOME/.ssh/id_ed25519.pub")\" ]; }" >secrets/secrets.nix
  printf x | age -R "$HOME/.ssh/id_ed25519.pub" -o secrets/a.age
  "$VMCRED" import agenix secrets >vmcred.toml
  [ "$("$VMCRED" vars get a/a)" = x ]
  run -0 "$VMCRED" vars list
  [[ $output == *"a/a"*shared*fresh* ]]
  run -0 "$VMCRED" vars check
  run -0 "$VMCRED" check
  run -0 "$VMCRED" vars fix
  run -0 "$VMCRED" vars generate
}

@test "sops-nix: a key without a name is told of, --host names it; one name is proposed for all that others read" {
  mkdir secrets ../keys
  for name in alice web; do age-keygen -o "../keys/$name" 2>/dev/null; done
  alice=$(age-keygen -y ../keys/alice) web=$(age-keygen -y ../keys/web)
  export SOPS_AGE_KEY_FILE=$PWD/../keys/alice
  echo '{"token": "t"}' | sops_file secrets/app.json "$alice"
  echo '{"one": "1", "two": "2"}' | sops_file secrets/app.yaml "$alice" "$web"
  run -3 --separate-stderr "$VMCRED" import sops-nix secrets
  [[ $stderr == *"no name is known of the key $alice"*"'--host NAME=KEY' says so"* ]]
  [[ $stderr == *"--rename app.yaml:one=app-2/one"* && $stderr == *"--rename app.yaml:two=app-2/two"* ]]
  printf '[machines.web]\n%s\n' "$output" >vmcred.toml
  run -2 --separate-stderr "$VMCRED" import sops-nix secrets --host wob
  [[ $stderr == *"no key is called 'wob'"*"hint: '--host wob=KEY' says which key it is" ]]
  run -0 --separate-stderr "$VMCRED" import sops-nix secrets --host "web=$web" --rename app.yaml:one=app-2/one --rename app.yaml:two=app-2/two
  printf '%s\n' "$output" >>vmcred.toml
  [ "$("$VMCRED" vars get app-2/two)" = 2 ]
  run -0 "$VMCRED" vars check
  run -0 "$VMCRED" check
  diff <(printf '%s\n' 'alice app-2/one' 'alice app-2/two' 'alice app/token' 'web app-2/one' 'web app-2/two') <(who_opens app/token app-2/one app-2/two)
}
