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
