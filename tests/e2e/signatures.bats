#!/usr/bin/env bats
# Who vouches for what is stored, and what happens when somebody else writes the repository: a row of SECURITY.md each.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/e2e/project.bash
source "$VMCRED_SOURCE/tests/e2e/project.bash"

setup() {
  new_project alice
  mkdir -m 700 ../bob ../mallory
  "$VMCRED" --quiet signatures keygen
  "$VMCRED" --quiet init --machine web
  cat >>vmcred.toml <<'TOML'
[machines.db]
[generators.token]
machines = ["web", "db"]
script = 'head -c 32 /dev/urandom | base64 > "$out/key"; echo public > "$out/name"'
files.key = {}
files.name = { secret = false }
TOML
  "$VMCRED" --quiet vars generate
}

as() { # PERSON COMMAND...
  local who=$1
  shift
  HOME="$BATS_TEST_TMPDIR/$who" USER=$who "$@"
}
trusted() { echo "$BATS_TEST_TMPDIR/${1:-alice}/.config/vmcred/trusted-signers"; }
token=vars/per-machine/web/token

@test "all that is written is signed, and ssh-keygen reads the signatures" {
  run -0 "$VMCRED" signatures check
  [[ $output == "all "*" folders are signed by somebody you trust" ]]
  "$VMCRED" signatures show "$token" |
    ssh-keygen -Y verify -f "$(trusted)" -I alice -n vmcred -s "$token/.vmcred.sig"
  "$VMCRED" signatures show sops/users/alice |
    ssh-keygen -Y verify -f "$(trusted)" -I alice -n vmcred -s sops/users/alice/.vmcred.sig
  run -255 ssh-keygen -Y verify -f "$(trusted)" -I alice -n git -s "$token/.vmcred.sig" < <("$VMCRED" signatures show "$token")
  # The key that we made is one that ssh-keygen takes.
  ssh-keygen -y -P '' -f "$HOME/.config/vmcred/signing-key" | grep -q '^ssh-ed25519 '
  [ "$(stat -c %a "$HOME/.config/vmcred/signing-key")" = 600 ]
  run -0 "$VMCRED" vars check
}

@test "a change signs its own generator alone, so merges conflict only where values do" {
  before=$(find . -name .vmcred.sig ! -path "./$token/*" -exec sha256sum {} + | sort)
  printf new | "$VMCRED" vars set web token/key
  [ "$before" = "$(find . -name .vmcred.sig ! -path "./$token/*" -exec sha256sum {} + | sort)" ]
  run -0 "$VMCRED" signatures check
  "$VMCRED" vars rotate token/key --machine web
  "$VMCRED" vars rename token ticket
  sed -i 's/generators.token/generators.ticket/; s/token/ticket/' vmcred.toml
  "$VMCRED" secrets machines rename web www
  run -0 "$VMCRED" signatures check
}

# Row (a): what a signature of each folder detects.

@test "forgery: a value by somebody else is not read, not sent on, not signed in passing" {
  # Anybody can encrypt to the recipients. The forger even has vmcred and a key of his own.
  as mallory "$VMCRED" --quiet signatures keygen
  mkdir ../forge
  cp -r sops vmcred.toml ../forge/
  (cd ../forge && find . -name .vmcred.sig -delete && XDG_CONFIG_HOME=/nonexistent SOPS_AGE_KEY_FILE=$HOME/.config/sops/age/keys.txt \
    "$VMCRED" --quiet vars generate)
  cp "../forge/$token/key/secret" "$token/key/secret"
  run -1 --separate-stderr "$VMCRED" vars get web token/key
  [[ $stderr == *"'$token' cannot be trusted: it was changed since it was signed"*"hint: look at what changed"* ]]
  run -3 "$VMCRED" vars check
  [[ $output == *"signature"*"token (machine web)"*"it was changed since it was signed"* ]]
  run -1 "$VMCRED" deploy web --target nobody@127.0.0.1 --ssh-option Port=1
  [[ $output == *"cannot be trusted"* ]]
  run -1 bash -c 'printf x | "$VMCRED" vars set web token/name'
  run -1 "$VMCRED" vars rotate -g token
  # A signature of a stranger helps nobody.
  as mallory "$VMCRED" --quiet signatures sign --yes "$token"
  run -1 --separate-stderr "$VMCRED" vars get web token/key
  [[ $stderr == *"signed with a key that is not trusted"* ]]
  # Other machines go on, and so does this one after a look and a yes.
  run -0 "$VMCRED" vars get db token/key
  run -1 --separate-stderr setsid -w "$VMCRED" signatures sign </dev/null
  "$VMCRED" signatures sign --yes "$token"
  run -0 "$VMCRED" vars get web token/key
}

@test "swap: another machine's or another file's value is noticed" {
  cp vars/per-machine/db/token/key/secret "$token/key/secret"
  run -1 --separate-stderr "$VMCRED" vars get web token/key
  [[ $stderr == *"cannot be trusted"* ]]
  # The whole folder, with its signature.
  rm -r "$token"
  cp -r vars/per-machine/db/token "$token"
  run -1 --separate-stderr "$VMCRED" vars get web token/key
  [[ $stderr == *"cannot be trusted"* ]]
}

@test "a public value is signed as well" {
  echo evil >"$token/name/value"
  run -1 --separate-stderr "$VMCRED" vars get web token/name
  [[ $stderr == *"cannot be trusted"* ]]
}

@test "recipient added: neither by a link, nor in the file, nor as a key of somebody who may read" {
  as bob "$VMCRED" --quiet signatures keygen
  as bob cat "$(trusted bob)" >>"$(trusted)"
  cat "$(trusted)" >"$(trusted bob)"
  as bob "$VMCRED" --quiet vars keygen
  # A link beside the value.
  ln -s ../../../../../../sops/users/bob "$token/key/users/bob"
  run -1 --separate-stderr "$VMCRED" vars fix --yes
  [[ $stderr == *"cannot be trusted"* ]]
  rm "$token/key/users/bob"
  # A member of a group, and a key in place of a machine's.
  cp sops/users/bob/key.json sops/machines/db/key.json
  run -1 --separate-stderr "$VMCRED" vars rotate -g token
  [[ $stderr == *"'sops/machines/db' cannot be trusted"* ]]
  sed -i 's/script = .head/script = '"'"'true; head/' vmcred.toml
  run -1 --separate-stderr "$VMCRED" vars generate --stale
  [[ $stderr == *"'sops/machines/db' cannot be trusted"* ]]
}

@test "rollback: an older state of one folder with its own signature passes here (deploy's counter is for that)" {
  cp -r "$token" ../older
  printf new | "$VMCRED" vars set web token/key
  rm -r "$token"
  cp -r ../older "$token"
  run -0 "$VMCRED" vars get web token/key
  run -0 "$VMCRED" signatures check
}

@test "taking the signature or the declaration away turns nothing off" {
  rm "$token/.vmcred.sig"
  run -1 --separate-stderr "$VMCRED" vars get web token/key
  [[ $stderr == *"nobody signed it"* ]]
  rm vmcred.toml
  run -1 --separate-stderr "$VMCRED" vars get web token/key
  [[ $stderr == *"nobody signed it"* ]]
}

@test "people: a colleague signs, a stranger to us does not, and without a key nothing is changed" {
  as bob "$VMCRED" --quiet signatures keygen
  run -1 --separate-stderr as bob "$VMCRED" vars get web token/name
  [[ $stderr == *"not trusted"* ]]
  cat "$(trusted)" >>"$(trusted bob)"
  run -0 as bob "$VMCRED" vars get web token/name
  as bob "$VMCRED" vars keygen
  run -3 "$VMCRED" signatures check
  [[ $output == *"sops/users/bob"*"not trusted"* ]]
  cat "$(trusted bob)" >"$(trusted)"
  run -0 "$VMCRED" signatures check
  rm "$HOME/.config/vmcred/signing-key"
  run -1 --separate-stderr bash -c 'printf x | "$VMCRED" vars set web token/name'
  [[ $stderr == *"you have no key to sign changes with"* ]]
  run -0 "$VMCRED" vars get web token/key
  # Who demands no signatures reads on, and breaks none of those of others.
  run -0 as mallory "$VMCRED" vars get web token/name
  run -1 --separate-stderr bash -c 'printf x | HOME=$BATS_TEST_TMPDIR/mallory "$VMCRED" vars set web token/name'
  [[ $stderr == *"is signed"* ]]
}

@test "off by default: without trusted-signers, and in a repository that clan writes" {
  mkdir ../plain
  cd ../plain
  as bob "$VMCRED" --quiet init --machine web
  [ -z "$(find . -name .vmcred.sig)" ]
  # clan's: no declaration of ours.
  mkdir -p ../clan && cd ../clan
  (cd ../project && cp -r vars sops ../clan/)
  find . -name .vmcred.sig -delete -o -name .vmcred.json -delete
  run -0 --separate-stderr "$VMCRED" vars get web token/key
  printf new | "$VMCRED" --quiet vars set web token/key
  [ -z "$(find . -name .vmcred.sig)" ]
  # Whoever wants signatures there signs once.
  "$VMCRED" --quiet signatures sign --yes
  run -0 "$VMCRED" vars get web token/key
  printf forged >"$token/name/value"
  run -1 "$VMCRED" vars get web token/name
}
