#!/usr/bin/env bats
# A machine gets what it needs over ssh, from a real sshd on the loopback.
bats_require_minimum_version 1.5.0

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  export HOME="$BATS_TEST_TMPDIR/home" USER=alice
  unset XDG_CONFIG_HOME SOPS_AGE_KEY SOPS_AGE_KEY_FILE CLAN_NO_COMMIT
  mkdir -m 700 home project there ssh
  ssh-keygen -q -t ed25519 -N '' -f ssh/host
  ssh-keygen -q -t ed25519 -N '' -f ssh/own
  cat >ssh/config <<CONF
ListenAddress 127.0.0.1
HostKey $PWD/ssh/host
PidFile $PWD/ssh/pid
AuthorizedKeysFile $PWD/ssh/own.pub
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
CONF
  [ "$(id -u)" != 0 ] || mkdir -p /run/sshd
  for port in $(shuf -i 20000-50000 -n 20); do
    /usr/sbin/sshd -f "$PWD/ssh/config" -p "$port" -E "$PWD/ssh/log" 2>/dev/null && break
  done
  options=(--target "$(id -un)@127.0.0.1" --ssh-option "Port=$port" --ssh-option "IdentityFile=$PWD/ssh/own"
    --ssh-option "UserKnownHostsFile=$PWD/ssh/known" --ssh-option "StrictHostKeyChecking=accept-new"
    --folder "$PWD/there")
  cd project || return 1
  "$VMCRED" init --machine web
  cat >>vmcred.toml <<'TOML'
[machines.db]
[generators.token]
machines = ["web", "db"]
script = 'printf canary-4711 > "$out/key"; printf p > "$out/private"; printf public > "$out/name"'
files.key = {}
files.private = { deploy = false }
files.name = { secret = false }
TOML
  "$VMCRED" vars generate
}

teardown() {
  if [ -e "$BATS_TEST_TMPDIR/ssh/pid" ]; then kill "$(cat "$BATS_TEST_TMPDIR/ssh/pid")"; fi
}

@test "deploy sends ciphertext and the key of one machine, and nothing else" {
  run -0 --separate-stderr "$VMCRED" deploy web --no-activate "${options[@]}"
  [[ $stderr == *"sent 2 values to"* ]]
  cd ../there
  [ "$(stat -c %a key.txt)" = 600 ]
  grep -q '^AGE-SECRET-KEY-1' key.txt
  cmp project/vars/per-machine/web/token/key/secret ../project/vars/per-machine/web/token/key/secret
  [ "$(cd project && find . -type f | sort | tr '\n' ' ')" = \
    "./vars/per-machine/web/token/key/secret ./vars/per-machine/web/token/name/value ./vmcred.json " ]
  run -1 grep -r canary-4711 project/vars
  # The machine reads it with its own key, through the declaration that came along.
  [ "$(SOPS_AGE_KEY_FILE=key.txt "$VMCRED" --project project vars get web token/key)" = canary-4711 ]
}

@test "a second deploy replaces the first, and leaves nothing of it" {
  "$VMCRED" deploy web --no-activate "${options[@]}"
  printf new | "$VMCRED" vars set web token/key
  "$VMCRED" deploy web --no-activate "${options[@]}"
  cd ../there
  [ "$(SOPS_AGE_KEY_FILE=key.txt "$VMCRED" --project project vars get web token/key)" = new ]
  [ "$(find projects -mindepth 1 -maxdepth 1 | wc -l)" = 1 ]
  [ -z "$(find . -name 'incoming.*')" ]
}

@test "what is missing stops before anything is sent" {
  printf '[generators.more]\nmachines = ["web"]\nscript = "true"\nfiles.x = {}\n' >>vmcred.toml
  run -1 --separate-stderr "$VMCRED" deploy web --no-activate "${options[@]}"
  [[ $stderr == *"more/x (machine web)"*"vmcred vars generate web"* ]]
  [ -z "$(ls ../there)" ]
}

@test "upload sends the key alone, or writes it here" {
  "$VMCRED" vars upload web "${options[@]}"
  [ "$(ls ../there)" = "$(printf 'key.txt\nprojects')" ]
  "$VMCRED" vars upload web --directory ../installer
  cmp ../there/key.txt ../installer/key.txt
  [ "$(stat -c %a ../installer/key.txt)" = 600 ]
}

@test "a target that cannot be reached is an error with ssh's own words" {
  run -1 --separate-stderr "$VMCRED" deploy web --no-activate --target "nobody@127.0.0.1" --ssh-option Port=1
  [[ $stderr == *"Connection refused"* || $stderr == *"connect to host"* ]]
  [[ $stderr == *"vmcred: error: send to 'nobody@127.0.0.1'"* ]]
}
