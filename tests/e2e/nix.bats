#!/usr/bin/env bats
# Declarations in Nix: the guide's own file, the example, caching, errors.
bats_require_minimum_version 1.5.0

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  export HOME="$BATS_TEST_TMPDIR/home" USER=alice
  unset XDG_CONFIG_HOME XDG_CACHE_HOME SOPS_AGE_KEY SOPS_AGE_KEY_FILE CLAN_NO_COMMIT
  mkdir home project
  cd project || return 1
}

# From here on whoever starts nix fails.
failing_nix() {
  mkdir -p "$BATS_TEST_TMPDIR/stub"
  for name in nix nix-instantiate; do
    printf '#!/bin/sh\necho "error: nix was started" >&2\nexit 1\n' >"$BATS_TEST_TMPDIR/stub/$name"
    chmod 755 "$BATS_TEST_TMPDIR/stub/$name"
  done
  PATH="$BATS_TEST_TMPDIR/stub:$PATH"
}

# A PATH with everything but nix.
without_nix() {
  mkdir -p "$BATS_TEST_TMPDIR/bin"
  for tool in bash sh env bwrap git cat chmod tr; do
    ln -sf "$(command -v "$tool")" "$BATS_TEST_TMPDIR/bin/$tool"
  done
  PATH="$BATS_TEST_TMPDIR/bin" "$@"
}

@test "the guide's file declares, generates and plans" {
  cp "$VMCRED_SOURCE/tests/nix/guide/host.nix" .
  "$VMCRED" init
  run -0 --separate-stderr "$VMCRED" vars generate
  [[ $stderr == *"test-vm-secrets (machine britton-desktop): api-key, db-password and jwt-secret"* ]]
  [ "$("$VMCRED" vars get britton-desktop test-vm-secrets/api-key | wc -c)" = 44 ]
  run -0 "$VMCRED" vm plan test-vm
  for name in API_KEY DB_PASSWORD JWT_SECRET ENVIRONMENT CLUSTER; do [[ $output == *"$name"* ]]; done
}

@test "the code blocks of the guide are that file" {
  guide="${VMCRED_SHARED:-$VMCRED_SOURCE/../shared}/guide.md"
  if [ ! -e "$guide" ]; then
    echo "# NOT RUN HERE: the guide is not beside this checkout" >&3
    skip "no guide.md"
  fi
  # Every line of the first four Nix blocks stands in the file, in this order; only the indentation differs.
  awk '/^```nix/ { on = 1; blocks++; next } /^```/ { on = 0 } on && blocks <= 4' "$guide" | sed 's/^ *//' | grep -v '^$' | sort >wanted
  sed 's/^ *//' "$VMCRED_SOURCE/tests/nix/guide/host.nix" | grep -v '^$' | sort >present
  run -0 comm -23 wanted present
  [ -z "$output" ]
}

@test "the example of a NixOS host generates" {
  cp "$VMCRED_SOURCE"/examples/nixos-host/* .
  "$VMCRED" init
  "$VMCRED" vars generate
  "$VMCRED" vars get billing/signing-key | openssl pkey -noout
  run -0 "$VMCRED" check
  [[ $output == *"[VC106]"*"1 note;"* ]]
  run -0 "$VMCRED" vm plan billing --json
  [[ $output == *'"SIGNING_KEY"'* && $output == *'"DATABASE_URL"'* ]]
}

@test "--nix FILE works from anywhere, --machine names the machine" {
  cp "$VMCRED_SOURCE/tests/nix/minimal/host.nix" other.nix
  cd ..
  run -0 "$VMCRED" --nix project/other.nix --machine web declare
  [[ $output == *'"web"'* && $output == *'"host-secret-key:my-vm-secrets/secret-key"'* ]]
}

@test "vmcred.toml may name the file, and adds to it" {
  cp "$VMCRED_SOURCE/tests/nix/guide/host.nix" vms.nix
  printf 'declaration = "vms.nix"\n[vms.test-vm]\nkernel = "vmlinuz"\n' >vmcred.toml
  run -0 "$VMCRED" declare
  [[ $output == *"project/vmlinuz"* && $output == *'"host-jwt-secret"'* ]]
}

@test "the second run starts no nix; a change does" {
  cp "$VMCRED_SOURCE/tests/nix/guide/host.nix" .
  "$VMCRED" declare >first
  without_nix "$VMCRED" declare | cmp - first
  failing_nix
  "$VMCRED" declare | cmp - first
  sed -i 's/britton-desktop"/other-host"/' host.nix
  run -1 without_nix "$VMCRED" declare
  [[ $output == *"there is no nix-instantiate on this machine"*"apt-get install nix-bin"* ]]
}

@test "a script names a package by its path, and misses it before anything runs" {
  cat >host.nix <<'NIX'
{ pkgs, ... }: {
  networking.hostName = "web";
  clan.core.vars.generators.g = { files.x = { }; script = "${pkgs.openssl}/bin/openssl rand -hex 8 >$out/x"; };
}
NIX
  "$VMCRED" init
  "$VMCRED" vars generate
  [ "$("$VMCRED" vars get g/x | wc -c)" = 17 ]
  sed -i 's/pkgs.openssl/pkgs.nosuchtool/' host.nix
  run -1 --separate-stderr "$VMCRED" vars generate -g g --regenerate
  [[ $stderr == *"the runtime input 'nosuchtool' is neither an installed command nor an installed package"* ]]
}

@test "the Nix package has what CMake asks for" {
  cd "$VMCRED_SOURCE"
  declare -A packages=([PkgConfig]=pkg-config [OpenSSL]=openssl [nlohmann_json]=nlohmann_json [CLI11]=cli11 [yaml-0.1]=libyaml
    [re2]=re2 [libseccomp]=libseccomp [bats]=bats)
  # find_package(NAME …), pkg_check_modules(… REQUIRED NAME), find_program(… NAME REQUIRED), where no test asks for it
  wanted=$(git ls-files '*CMakeLists.txt' '*.cmake' | xargs grep -hE '^(find_package|pkg_check_modules|find_program)\(.* REQUIRED' |
    tr '()' '  ' | awk '$1 == "find_package" { print $2 } $1 == "pkg_check_modules" { print $4 } $1 == "find_program" { print $3 }')
  [ "$(wc -l <<<"$wanted")" -ge 8 ]
  while read -r name; do
    [ -n "${packages[$name]:-}" ] || { echo "which package of nixpkgs is '$name'?" >&2; return 1; }
    grep -qE "Inputs = .* ${packages[$name]} " nix/package.nix || { echo "nix/package.nix lacks ${packages[$name]}" >&2; return 1; }
  done <<<"$wanted"
}

@test "an error is one sentence with file and line, and a hint" {
  printf '{ config, ... }:\n{\n  clan.core.vars.generators.g.fils.x = { };\n}\n' >host.nix
  run -1 --separate-stderr "$VMCRED" declare
  [[ ${stderr_lines[0]} == "vmcred: error: "*"/host.nix:3:3: generator 'g' has no option 'fils'" ]]
  [ "${stderr_lines[1]}" = "vmcred: hint: did you mean 'files'?" ]
  [ "${#stderr_lines[@]}" = 2 ]
}

@test "nothing secret of the environment reaches nix" {
  echo '{ networking.hostName = "h${builtins.getEnv "SOPS_AGE_KEY"}"; }' >host.nix
  SOPS_AGE_KEY=x run -0 "$VMCRED" declare
  [[ $output == *'"h"'* ]]
}

@test "a flake's host, whatever modules it has" {
  cat >flake.nix <<'NIX'
{
  outputs = _: {
    nixosConfigurations.web.config = {
      clan.core.vars.generators.g = {
        share = false; dependencies = [ ]; runtimeInputs = [ ]; prompts = { }; script = "";
        files.a = { secret = true; deploy = true; owner = "root"; group = "root"; mode = "0400"; path = "/run/secrets/vars/per-machine/web/g/a"; };
      };
      systemd.services."microvm@v".serviceConfig.LoadCredential = [ "host-a:/run/secrets/vars/per-machine/web/g/a" ];
    };
  };
}
NIX
  # A flake is copied into the store: into one of the test's own.
  export NIX_STORE_DIR="$BATS_TEST_TMPDIR/nix/store" NIX_STATE_DIR="$BATS_TEST_TMPDIR/nix/var" NIX_LOG_DIR="$BATS_TEST_TMPDIR/nix/log"
  run -0 "$VMCRED" --flake .#web declare
  [[ $output == *'"host-a:g/a"'* ]]
  # Its evaluation is kept until a file changes.
  failing_nix
  run -0 "$VMCRED" --flake .#web declare
  [[ $output == *'"host-a:g/a"'* ]]
  echo >>flake.nix
  run -1 "$VMCRED" --flake .#web declare
}

@test "a clan repository works as it is: the tree says what there is" {
  cp "$VMCRED_SOURCE/tests/nix/minimal/host.nix" .
  "$VMCRED" init --machine web
  "$VMCRED" --machine web vars generate
  mkdir ../clan
  cp -a vars sops ../clan/
  cd ../clan
  run -0 --separate-stderr "$VMCRED" vars list web
  [[ $output == *"my-vm-secrets/secret-key"*"machine web"* ]]
  [[ $stderr == *"scripts are not"* ]]
  run -0 --separate-stderr "$VMCRED" vars get web my-vm-secrets/secret-key
  [ "$output" = "my-secret-value" ]
}

@test "the guide's guest service becomes a unit that systemd accepts" {
  cp "$VMCRED_SOURCE/tests/nix/guide/host.nix" .
  run -0 "$VMCRED" vm units test-vm --guest units
  grep -qx 'Type=oneshot' units/demo-oem-credentials.service
  grep -qx 'Wants=demo-oem-credentials.service' units/multi-user.target.d/50-vmcred-demo-oem-credentials.conf
  grep -qx 'LoadCredential=api-key:API_KEY' units/demo-oem-credentials.service.d/50-vmcred.conf
  if command -v systemd-analyze >/dev/null; then
    run -0 systemd-analyze verify --man=no "$PWD/units/demo-oem-credentials.service"
    [ -z "$output" ]
  fi
  # What systemd would run, with its escapes undone, prints the guide's lines.
  mkdir credentials
  printf test >credentials/environment
  printf '%044d' 0 >credentials/api-key
  script=$(sed -n 's/^ExecStart=.*-c "\(.*\)"$/\1/p' units/demo-oem-credentials.service | sed 's/\\"/"/g; s/%%/%/g; s/\$\$/$/g; s/\\n/\n/g')
  CREDENTIALS_DIRECTORY="$PWD/credentials" run -0 sh -e -c "$script"
  [ "${lines[0]}" = "Environment: test" ]
  [ "${lines[1]}" = "API Key length: 44 bytes" ]
}

@test "what is to be generated first keeps nobody from generating" {
  cat >host.nix <<'NIX'
{ config, ... }: {
  networking.hostName = "web";
  clan.core.vars.generators.g = { files.name.secret = false; files.key = { }; script = "printf north >$out/name; printf x >$out/key"; };
  vmcred.vms.v.credentials.key.from = "g/key";
}
NIX
  "$VMCRED" init
  sed -i 's/^}$/  vmcred.vms.v.credentials.name.value = config.clan.core.vars.generators.g.files.name.value;\n}/' host.nix
  run -1 --separate-stderr "$VMCRED" declare
  [[ $stderr == *"'g/name' was not generated yet"* ]]
  run -0 --separate-stderr "$VMCRED" vars generate
  [[ $stderr == *"the vms do not evaluate yet: "*"'g/name' was not generated yet"* ]]
  run -0 --separate-stderr "$VMCRED" declare
  [[ $output == *'"north"'* ]]
  # A mistake in a generator stays one.
  sed -i 's/files.key/fils.key/' host.nix
  run -1 --separate-stderr "$VMCRED" vars generate
  [[ $stderr == *"has no option 'fils'"* && $stderr != *"do not evaluate yet"* ]]
}

@test "vmcred.vms has the keys of the declaration" {
  keys() { python3 -c 'import json, sys; print("\n".join(sorted(json.load(sys.stdin)["$defs"][sys.argv[1]]["properties"])))' "$1" <"$VMCRED_SOURCE/packaging/vmcred.schema.json"; }
  options() { # of a set in nix/modules/options.nix, in the declaration's words
    nix-instantiate --store dummy:// --eval --strict --json -E "
      let lib = import $VMCRED_SOURCE/nix/eval/lib.nix { types = import $VMCRED_SOURCE/nix/eval/types.nix; };
        vm = (import $VMCRED_SOURCE/nix/modules/options.nix { inherit lib; }).vm.options;
      in builtins.attrNames $1" | python3 -c 'import json, re, sys; print("\n".join(sorted(re.sub("([A-Z])", lambda m: "-" + m.group(1).lower(), each) for each in json.load(sys.stdin))))'
  }
  # Machine and lists come from the host's other options; ownUser and package concern the module alone.
  diff <(keys vm | grep -vxE 'machine|load-credential|credential-files|oem-strings') <(options vm | grep -vxE 'own-user|package')
  diff <(keys credential) <(options vm.credentials.type.element.module.options)
}
