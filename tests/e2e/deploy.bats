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

# A host that takes only what is signed. Its sshd finds this vmcred, which works below $PWD/root.
signed_host() {
  cd "$BATS_TEST_TMPDIR" || return 1
  "$VMCRED" --quiet signatures keygen >signers
  mkdir -p bin root/etc/vmcred root/var/lib/vmcred
  cp signers root/etc/vmcred/trusted-signers
  chmod 644 root/etc/vmcred/trusted-signers
  printf '#!/bin/sh\n[ -e %s/there/key.txt ] && cp %s/there/key.txt %s/root/var/lib/vmcred/\nexec %s "$@" --root-prefix %s/root\n' \
    "$PWD" "$PWD" "$PWD" "$VMCRED" "$PWD" >bin/vmcred
  chmod +x bin/vmcred
  kill "$(cat ssh/pid)"
  echo "SetEnv PATH=$PWD/bin:/usr/bin:/bin" >>ssh/config
  for port in $(shuf -i 20000-50000 -n 20); do
    /usr/sbin/sshd -f "$PWD/ssh/config" -p "$port" -E "$PWD/ssh/log" 2>/dev/null && break
  done
  options=("${options[@]/Port=*/Port=$port}")
  cd project || return 1
  "$VMCRED" --quiet signatures sign --yes
  local user group
  user=$(id -un) group=$(id -gn)
  sed -i "s/^files.key = {}/files.key = { owner = \"$user\", group = \"$group\" }/; s/secret = false }/secret = false, owner = \"$user\", group = \"$group\" }/" vmcred.toml
}
activated() { cat "$BATS_TEST_TMPDIR/root/run/vmcred/vars/per-machine/web/token/key"; }
on_host() { "$BATS_TEST_TMPDIR/bin/vmcred" activate --machine web --project "$BATS_TEST_TMPDIR/there/project" "$@"; }

@test "a signed manifest goes along, the host verifies it, and ssh-keygen reads it" {
  signed_host
  run -0 --separate-stderr "$VMCRED" deploy web "${options[@]}"
  [[ $stderr == *"signed by alice, counter "* && $stderr == *"sent 2 values"*"with a signed manifest"* ]]
  [ "$(activated)" = canary-4711 ]
  top=$BATS_TEST_TMPDIR
  cd "$top/there/project" || return 1
  ssh-keygen -Y verify -f "$top"/root/etc/vmcred/trusted-signers -I alice -n vmcred-manifest -s vmcred.manifest.sig <vmcred.manifest
  grep -qx 'machine web' vmcred.manifest
  grep -q "^key $(grep -o 'age1[a-z0-9]*' "$BATS_TEST_TMPDIR/project/sops/machines/web/key.json")" vmcred.manifest
  run -0 on_host
  run -0 on_host --verify
}

@test "row (b) of SECURITY.md: swap, forgery, an added file, another machine's set, a key, an older set" {
  signed_host
  "$VMCRED" deploy web "${options[@]}"
  cp -rL ../there/project ../first
  printf new | "$VMCRED" vars set web token/key
  "$VMCRED" deploy web "${options[@]}"
  [ "$(activated)" = new ]
  top=$BATS_TEST_TMPDIR
  cd "$top/there/project" || return 1
  # Swap: the old ciphertext in the new set.
  cp "$top"/first/vars/per-machine/web/token/key/secret vars/per-machine/web/token/key/secret.old
  mv vars/per-machine/web/token/key/secret "$top"/new-secret
  mv vars/per-machine/web/token/key/secret.old vars/per-machine/web/token/key/secret
  run -1 on_host
  [[ $output == *"'vars/per-machine/web/token/key/secret' is not what the manifest names"* ]]
  mv "$top"/new-secret vars/per-machine/web/token/key/secret
  run -0 on_host
  # Recipient added: to the ciphertext, or through another declaration.
  echo '[machines.web]' >vmcred.toml
  run -1 on_host
  [[ $output == *"does not name 'vmcred.toml'"* ]]
  rm vmcred.toml
  # Forgery: a manifest by somebody else.
  HOME="$BATS_TEST_TMPDIR/ssh" USER=mallory "$VMCRED" --quiet signatures keygen >/dev/null
  cp vmcred.manifest.sig "$top"/good.sig
  ssh-keygen -q -Y sign -n vmcred-manifest -f "$BATS_TEST_TMPDIR/ssh/.config/vmcred/signing-key" vmcred.manifest <<<y 2>/dev/null
  run -1 on_host
  [[ $output == *"signed with a key that is not trusted"* ]]
  cp "$top"/good.sig vmcred.manifest.sig
  # The machine's key.
  mv "$top"/there/key.txt "$top"/good.key
  age-keygen -o "$top"/there/key.txt 2>/dev/null
  run -1 on_host
  [[ $output == *"this host's key is not the one of the signed manifest"* ]]
  cp "$top"/good.key "$top"/there/key.txt
  # No manifest at all.
  mv vmcred.manifest "$top"/kept
  run -1 on_host
  [[ $output == *"no signed manifest"*"vmcred deploy"* ]]
  mv "$top"/kept vmcred.manifest
  run -1 "$BATS_TEST_TMPDIR/bin/vmcred" activate --machine db --project .
  [[ $output == *"is for machine 'web', not 'db'"* ]]
  # Rollback: the whole first set with its own good signature.
  rm -r ./*
  cp -r "$top"/first/. .
  run -1 on_host
  [[ $output == *"it is older than what was active: its counter is"* ]]
  # Through all of this nothing changed for those who use the values.
  [ "$(activated)" = new ]
}

@test "a set that the host refuses replaces nothing there" {
  signed_host
  "$VMCRED" deploy web "${options[@]}"
  before=$(readlink ../there/project)
  rm "$HOME/.config/vmcred/"*
  find . -name .vmcred.sig -delete
  printf forged | "$VMCRED" vars set web token/key
  run -1 --separate-stderr "$VMCRED" deploy web "${options[@]}"
  [[ $stderr == *"it has no signed manifest, and this host demands one"* ]]
  [ "$(readlink ../there/project)" = "$before" ]
  [ "$(activated)" = canary-4711 ]
  [ -z "$(find ../there -name 'incoming.*')" ]
}

@test "a target that cannot be reached is an error with ssh's own words" {
  run -1 --separate-stderr "$VMCRED" deploy web --no-activate --target "nobody@127.0.0.1" --ssh-option Port=1
  [[ $stderr == *"Connection refused"* || $stderr == *"connect to host"* ]]
  [[ $stderr == *"vmcred: error: send to 'nobody@127.0.0.1': ssh did not get there"*"hint: 'ssh nobody@127.0.0.1 true' must work"* ]]
}

@test "what the other side said is the error here; a connection that stays open in the background holds up nothing" {
  mkdir ../fake-ssh
  cat >../fake-ssh/ssh <<'SH'
#!/bin/sh
cat >/dev/null
tail -f /dev/null >/dev/null &
echo $! >"$KEPT_OPEN"
echo "some other word" >&2
echo "vmcred: error: /var/lib/vmcred/project: no machine 'web' is declared" >&2
echo "vmcred: hint: there is 'db'" >&2
exit 1
SH
  chmod 755 ../fake-ssh/ssh
  export KEPT_OPEN=$BATS_TEST_TMPDIR/kept-open
  PATH=$PWD/../fake-ssh:$PATH run -1 --separate-stderr timeout 60 "$VMCRED" deploy web --target root@web 3>&-
  kill "$(cat "$KEPT_OPEN")"
  [[ $stderr == *"some other word"*"vmcred: error: send to 'root@web': there: /var/lib/vmcred/project: no machine 'web' is declared" ]]
  printf '#!/bin/sh\ncat >/dev/null\nexit 127\n' >../fake-ssh/ssh
  PATH=$PWD/../fake-ssh:$PATH run -1 --separate-stderr "$VMCRED" deploy web --target root@web
  [[ $stderr == *"'vmcred' is not among the programs there"*"--no-activate"* ]]
}
