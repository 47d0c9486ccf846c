#!/usr/bin/env bats
# The pages docs/migrate-from-*.md, run as they are written: every block of commands, in its order, in a repository as it was.
bats_require_minimum_version 1.5.0

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  export HOME="$BATS_TEST_TMPDIR/home" USER=alice ROOT="$BATS_TEST_TMPDIR/root"
  export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
  # Flakes are evaluated in a store of the test's own.
  export NIX_STORE_DIR="$BATS_TEST_TMPDIR/nix/store" NIX_STATE_DIR="$BATS_TEST_TMPDIR/nix/var" NIX_LOG_DIR="$BATS_TEST_TMPDIR/nix/log"
  unset XDG_CONFIG_HOME XDG_CACHE_HOME SOPS_AGE_KEY SOPS_AGE_KEY_FILE CLAN_NO_COMMIT
  mkdir -p home/.ssh project bin root/etc/ssh root/var/lib
  # The host's / is below ROOT.
  cat >bin/vmcred <<'SH'
#!/bin/sh
case $* in *activate*) exec "$VMCRED" "$@" --root-prefix "$ROOT" ;; esac
exec "$VMCRED" "$@"
SH
  chmod 755 bin/vmcred
  PATH="$BATS_TEST_TMPDIR/bin:$PATH"
  cd project || return 1
  git init -q .
}

# walk PAGE: its commands, one block after the other; prints what they print
walk() {
  sed 's/^ *//' "$VMCRED_SOURCE/docs/$1.md" | awk '/^```sh$/ { on = 1; next } /^```/ { on = 0 } on' |
    sed "s, /etc/ssh/, $ROOT/etc/ssh/,g; s, /var/lib/, $ROOT/var/lib/,g" >../walk.sh
  [ "$(grep -c '^vmcred ' ../walk.sh)" -ge 4 ]
  bash -euo pipefail ../walk.sh
}

committed() { git add -A && git commit -q -m start; }

@test "from agenix" {
  ssh-keygen -q -t ed25519 -N '' -C alice@laptop -f ../home/.ssh/id_ed25519
  ssh-keygen -q -t ed25519 -N '' -C root@web -f ../root/etc/ssh/ssh_host_ed25519_key
  mkdir secrets
  cat >secrets/secrets.nix <<NIX
let
  alice = "$(cat ../home/.ssh/id_ed25519.pub)";
  web = "$(cat ../root/etc/ssh/ssh_host_ed25519_key.pub)";
in
{
  "wifi.age".publicKeys = [ alice web ];
}
NIX
  printf 'correct horse' | age -R ../home/.ssh/id_ed25519.pub -R ../root/etc/ssh/ssh_host_ed25519_key.pub -o secrets/wifi.age
  committed
  run -0 walk migrate-from-agenix
  [[ $output == *"correct horse"* ]]
  [ "$(cat ../root/run/vmcred/vars/per-machine/web/wifi/wifi)" = "correct horse" ]
  [ ! -e secrets ]
  [ -z "$(git status --porcelain)" ]
}

@test "from sops-nix" {
  # The key of the vectors: bytes 01 to 20. It is the operator's and the host's, as in a project of one person.
  mkdir -p secrets ../home/.config/sops/age ../root/var/lib/sops-nix
  echo AGE-SECRET-KEY-1QYPQXPQ9QCRSSZG2PVXQ6RS0ZQG3YYC5Z5TPWXQERGD3C8G7RUSQGPQYEE | tee ../home/.config/sops/age/keys.txt >../root/var/lib/sops-nix/key.txt
  cp "$VMCRED_SOURCE/tests/vectors/sops/types.yaml" secrets/mail.yaml
  printf 'keys:\n  - &server_web %s\n' "$(sed -n 's/.*recipient: //p' secrets/mail.yaml | head -1)" >.sops.yaml
  committed
  run -0 walk migrate-from-sops-nix
  [ "$("$VMCRED" vars get mail/map-inner-password)" = "$(cat ../root/run/vmcred/vars/per-machine/web/mail/map-inner-password)" ]
  [ -z "$(git status --porcelain)" ]
}

@test "from clan" {
  # A repository as clan leaves it: the trees and a flake, without anything of vmcred's.
  cat >host.nix <<'NIX'
{ config, ... }: {
  networking.hostName = "web";
  clan.core.vars.generators.ssh = {
    files."key" = { };
    files."key.pub".secret = false;
    script = ''echo private >"$out/key"; echo public >"$out/key.pub"'';
  };
}
NIX
  "$VMCRED" init
  "$VMCRED" vars generate
  rm host.nix
  find vars -name .vmcred.json -delete
  cat >flake.nix <<'NIX'
{
  outputs = _: {
    nixosConfigurations.web.config.clan.core.vars.generators =
      let
        generator = name: files: script: {
          inherit files script;
          share = false; dependencies = [ ]; runtimeInputs = [ ]; prompts = { }; validation = null; finalScript = script;
        };
        file = generator: name: secret: {
          inherit secret;
          deploy = true; owner = "root"; group = "root"; mode = "0400";
          path = "/run/secrets/vars/per-machine/web/${generator}/${name}";
        };
      in
      {
        ssh = generator "ssh" { key = file "ssh" "key" true; "key.pub" = file "ssh" "key.pub" false; } "exit 1";
        token = generator "token" { token = file "token" "token" true; } ''echo fresh >"$out/token"; touch "$out/undeclared"'';
      };
  };
}
NIX
  committed
  before=$(find vars sops -type f -exec sha256sum {} + | sort)
  run -0 walk migrate-from-clan
  [[ $output == *"ssh/key"*"public"* ]]
  [[ $output == *"made token (machine web): token"* ]]
  # What was there is untouched, to the byte.
  run -0 comm -23 <(echo "$before") <(find vars sops -type f -exec sha256sum {} + | sort)
  [ -z "$output" ]
  # The second time nothing starts nix.
  printf '#!/bin/sh\nexit 1\n' >../bin/nix
  chmod 755 ../bin/nix
  run -0 "$VMCRED" --flake .#web vars list web
  [[ $output == *"token/token"* ]]
  # Where it would have to be started, the trees say what there is.
  echo >>flake.nix
  run -0 --separate-stderr "$VMCRED" vars list web
  [[ $output == *"token/token"*"fresh"* ]]
  [[ $stderr == *"the flake here was not evaluated"*"scripts are not"* ]]
  run -1 --separate-stderr "$VMCRED" vars rotate -g token
  [[ $stderr == *"the script of token (machine web) is not known"*"--flake"* ]]
}

@test "from clan: the configuration of one host leaves the vars of others alone" {
  cat >vmcred.toml <<'TOML'
[machines.web]
[machines.db]
[generators.own]
machines = ["web", "db"]
script = 'echo x >"$out/x"'
files.x = {}
[generators.common]
share = true
machines = ["web", "db"]
script = 'echo x >"$out/x"'
files.x = {}
[generators.old]
machines = ["web"]
script = 'echo x >"$out/x"'
files.x = {}
TOML
  "$VMCRED" init
  "$VMCRED" vars generate
  rm vmcred.toml
  cat >host.nix <<'NIX'
{
  networking.hostName = "web";
  clan.core.vars.generators.common = { share = true; files.x = { }; script = ''echo x >"$out/x"''; };
}
NIX
  run -0 --separate-stderr "$VMCRED" vars prune --yes
  [ "$output" = "$(printf 'removes old/x (machine web)\nremoves own/x (machine web)')" ]
  [[ $stderr == *"left alone: 1 value that other machines may declare (this is the configuration of 'web')"* ]]
  [ -e vars/per-machine/db/own/x/secret ]
  # The other reader of a shared value stays one.
  run -0 --separate-stderr "$VMCRED" vars fix
  [[ $stderr == *"nothing to fix"* ]]
  [ -L vars/shared/common/x/machines/db ]
}

@test "from a fork of microvm.nix" {
  cp "$VMCRED_SOURCE/tests/nix/guide/host.nix" configuration.nix
  "$VMCRED" init --machine britton-desktop >../init.log 2>&1
  rm vmcred.toml
  "$VMCRED" --nix configuration.nix vars generate
  before=$("$VMCRED" --nix configuration.nix vars get test-vm-secrets/api-key)
  run -0 walk migrate-from-microvm-nix-fork
  [[ $output == *"API_KEY"* && $output == *"[VC106]"*"1 note;"* ]]
  [ "$before" != "$("$VMCRED" --nix configuration.nix vars get test-vm-secrets/api-key)" ]
}
