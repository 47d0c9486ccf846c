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

@test "what is swapped while a question stands is neither used nor signed" {
  export PYTHONPATH="$VMCRED_SOURCE/tests/e2e" PYTHONDONTWRITEBYTECODE=1
  before=$(cat "$token/.vmcred.sig")
  printf 'from terminal import *\nimport sys, os\n%s' '
t = Terminal("vars", "set", "web", "token/key")
t.prompt(b"value")
open(sys.argv[1], "w").write("forged")
t.keys(b"new\x04")
t.prompt(b"once more")
t.keys(b"new\x04")
t.sees(b"cannot be trusted")
t.ends(1)
' >ask.py
  python3 ask.py "$token/name/value"
  [ "$before" = "$(cat "$token/.vmcred.sig")" ]
  # Between the look at what is to be signed and the yes.
  cp "$token/name/value" ../looked-at
  printf 'from terminal import *\nimport sys, os\n%s' '
t = Terminal("signatures", "sign")
t.sees(b"sign them as they are? [y/N] ")
open(sys.argv[1], "w").write("forged again")
t.keys(b"y", ENTER)
t.sees(b"somebody else changed it at the same time")
t.ends(1)
' >ask.py
  python3 ask.py "$token/name/value"
  [ "$before" = "$(cat "$token/.vmcred.sig")" ]
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

@test "nothing in the project turns the demand off, whoever worked in it before" {
  # Somebody who trusts alice and never signed here, or a second clone: the declaration goes, two ciphertexts are swapped.
  as bob "$VMCRED" --quiet signatures keygen
  cat "$(trusted)" >>"$(trusted bob)"
  rm vmcred.toml
  cp vars/per-machine/db/token/key/secret "$token/key/secret"
  run -1 --separate-stderr as bob "$VMCRED" vars get web token/key
  [[ $stderr == *"'$token' cannot be trusted"* && $stderr != *unsigned-projects* ]]
  cp -r . ../second
  cd ../second
  run -1 --separate-stderr "$VMCRED" vars get web token/key
  [[ $stderr == *"'$token' cannot be trusted"* && $stderr != *unsigned-projects* ]]
}

@test "trusted-signers that others could have made is refused, and a dangling link is not the same as none" {
  run -0 "$VMCRED" vars get web token/key
  mv "$(trusted)" "$HOME/signers"
  ln -s "$HOME/nowhere" "$(trusted)"
  run -1 --separate-stderr "$VMCRED" vars get web token/key
  [[ $stderr == *"trusted-signers' leads nowhere"*hint* ]]
  # home-manager's and NixOS' links into a store that is sticky and writable for a group.
  mkdir "$HOME/store"
  chmod 1775 "$HOME/store"
  mv "$HOME/signers" "$HOME/store/"
  ln -sfn "$HOME/store/signers" "$(trusted)"
  run -0 "$VMCRED" vars get web token/key
  chmod 0777 "$HOME/store"
  run -1 --separate-stderr "$VMCRED" vars get web token/key
  [[ $stderr == *"store' may be written by others"*"hint: run 'chmod go-w "* ]]
}

@test "off by default; with trusted-signers every project is asked, and clan's is exempt by its owner's word" {
  mkdir ../plain
  cd ../plain
  as bob "$VMCRED" --quiet init --machine web
  [ -z "$(find . -name .vmcred.sig)" ]
  # clan's: no declaration of ours, signed nowhere.
  mkdir -p ../clan && cd ../clan
  (cd ../project && cp -r vars sops ../clan/)
  find . -name .vmcred.sig -delete -o -name .vmcred.json -delete
  run -1 --separate-stderr "$VMCRED" vars get web token/key
  [[ $stderr == *"nobody signed it"*"hint: "*"'$PWD' stands in $HOME/.config/vmcred/unsigned-projects"* ]]
  pwd >"$HOME/.config/vmcred/unsigned-projects"
  run -0 --separate-stderr "$VMCRED" vars get web token/key
  printf new | "$VMCRED" --quiet vars set web token/key
  [ -z "$(find . -name .vmcred.sig)" ]
  # Another project is not exempt for that.
  cp -r . ../clan2
  run -1 "$VMCRED" --project ../clan2 vars get web token/key
  # Whoever wants signatures there signs once, and the exemption ends.
  run -0 --separate-stderr "$VMCRED" signatures sign --yes
  [[ $stderr == *"no longer among your unsigned-projects"* ]]
  run -0 "$VMCRED" vars get web token/key
  printf forged >"$token/name/value"
  run -1 "$VMCRED" vars get web token/name
}
