#!/usr/bin/env bats
# vm run where the credentials, the umask or the moment are not what they should be; and searches for the canary while
# commands run, not only afterwards. The VMMs are doubles.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/e2e/doubles/setup.bash
source "$VMCRED_SOURCE/tests/e2e/doubles/setup.bash"

setup() {
  prepare_doubles
  be_a_users_vm
  key=credentials/host-api-key
}
teardown() {
  [[ -z ${searcher:-} ]] || kill "$searcher" 2>/dev/null || true
  end_doubles
}

# fake_qemu WORDS: the vm with fake_vmm in the place of QEMU
fake_qemu() {
  ln -sf "$VMCRED_BUILD/bin/fake_vmm" fake-qemu
  declare_vm qemu fake-qemu
  sed -i "s|^accel.*|accel = \"tcg\"\nallow-options = [\"fake=\"]\nextra-arguments = [\"-fake\", \"record=$PWD/record,$1\"]|" vmcred.toml
}

# refused MESSAGE: before anything starts, soon, and without the value
refused() {
  run -1 --separate-stderr timeout 20 "$VMCRED" vm run v
  [[ $stderr == *"vmcred: error: "*"$1"* ]] || { echo "$stderr"; return 1; }
  run -1 grep -aFf patterns <<<"$stderr"
  [ ! -e record/argv ]
}

@test "what is no file of ours is not read as a credential" {
  fake_qemu end=guest-shutdown
  mv "$key" value
  ln -s "$PWD/value" "$key"
  refused "open 'host-api-key'"
  rm "$key" && mkfifo -m 600 "$key"
  refused "the credential 'host-api-key' is not a regular file"
  # One that has a writer, with a value ready to be read.
  exec 5<>"$key"
  printf 'from a fifo' >&5
  refused "the credential 'host-api-key' is not a regular file"
  exec 5>&-
  rm "$key" && mkdir "$key"
  refused "read 'host-api-key'"
  rmdir "$key" && python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$key"
  refused "open 'host-api-key'"
  rm "$key" && truncate -s 10G "$key" && chmod 600 "$key"
  refused "'host-api-key' is larger than 1048576 bytes"
  rm "$key" && mv value "$key" && chmod 666 "$key"
  refused "the credential 'host-api-key' can be written by others (mode 666)"
  chmod 400 "$key" && chmod 777 credentials
  refused "of the unit's credentials can be written by others (mode 777)"
  chmod 700 credentials
  run -0 --separate-stderr "$VMCRED" vm run v
}

@test "devices, and files that belong to somebody else" {
  [ "$(id -u)" = 0 ] || skip "NOT RUN HERE: only root makes devices and gives files away"
  fake_qemu end=guest-shutdown
  chown 12345 "$key"
  refused "the credential 'host-api-key' belongs to the user 12345, who could change it"
  if grep -q ' 4294967295$' /proc/self/uid_map; then # with some users only, others show as this one
    chown 65534 "$key"
    refused "the credential 'host-api-key' belongs to the user 65534"
  fi
  mv "$key" value
  for device in "1 5" "1 3" "5 0"; do # zero, null, tty
    # shellcheck disable=SC2086 # two numbers
    mknod -m 600 "$key" c $device
    refused "host-api-key"
    rm "$key"
  done
  chown 0 value && mv value "$key" && chown 12345 credentials
  refused "of the unit's credentials belongs to the user 12345"
}

@test "a value that is replaced while it is read arrives as one or the other" {
  fake_qemu end=guest-shutdown
  head -c 600000 /dev/zero | tr '\0' a >a
  head -c 600000 /dev/zero | tr '\0' b >b
  chmod 400 a b
  bash -c 'while true; do for value in a b; do cp -p "$value" credentials/.new && mv -f credentials/.new credentials/host-api-key; done; done' &
  searcher=$!
  sed -i '/^\[vms.v.guest\]/a systemd = 257' vmcred.toml
  for _ in 1 2 3 4 5 6 7 8; do
    run -0 --separate-stderr "$VMCRED" vm run v
    delivered=$(find record -name 'blob*.before' -size +500k)
    cmp -s "$delivered" a || cmp -s "$delivered" b
    rm record/blob*
  done
}

@test "whatever the umask is, sockets, files and memory files are ours alone" {
  for mask in 000 077 0777; do
    rm -rf record && mkdir record
    declare_vm cloud-hypervisor cloud-hypervisor $'systemd = 262\nsystemd-in-initrd = true'
    sed -i 's/^accel/architecture = "aarch64"\naccel/' vmcred.toml # with a memory file
    in_background bash -c 'umask '"$mask"'; exec "$VMCRED" vm run v'
    [ "$(stat -c %a run)" = 700 ]
    [ "$(find run -mindepth 1 -perm /077)" = "" ]
    [ -S run/control ] && [ -S run/api.sock ] && [ -f run/console.log ]
    [ "$(cat record/initrd.before.mode)" = 600 ]
    # Of the memory file the supervisor keeps nothing, and the VMM an empty one.
    for descriptor in /proc/"$supervisor"/fd/*; do [[ $(readlink "$descriptor") != *memfd* ]]; done
    for descriptor in /proc/"$(cat record/pid)"/fd/*; do [[ $(readlink "$descriptor") != *memfd* ]] || [ ! -s "$descriptor" ]; done
    stop_it
    [ -z "$(ls -A run)" ]
  done
}

# search FILE: looks at every command line, environment and what we write, over and over, and notes what it finds there
search() {
  python3 - "$1" <<'PY' &
import pathlib, sys
patterns = [line.encode() for line in pathlib.Path("patterns").read_text().split("\n") if line]
rounds = 0
print("searching", file=open("searching", "w"))
def look(path):
    try:
        data = path.read_bytes()
    except OSError:
        return
    if any(pattern in data for pattern in patterns):
        print(f"found in {path}", file=open(sys.argv[1], "a"))
while True:
    for process in pathlib.Path("/proc").iterdir():
        if process.name.isdigit():
            look(process / "cmdline")
            look(process / "environ")
    for folder in ("run", "user", "tmp", "record"):
        try:
            paths = list(pathlib.Path(folder).rglob("*"))
        except OSError:
            continue  # it is made anew just now
        for path in paths:
            # What the double received is its own memory, which it writes down.
            if path.is_file() and not path.name.startswith(("request", "blob", "initrd.before")):
                look(path)
    for name in ("story", "output", "said", "vmcred.toml"):
        look(pathlib.Path(name))
    rounds += 1
    pathlib.Path("rounds").write_text(str(rounds))
PY
  searcher=$!
  timeout 60 bash -c 'until [[ -s rounds ]]; do read -rt 0.05 <> <(:) || true; done'
}

# one_more_round: a whole search happened after this was called
one_more_round() {
  local now
  now=$(cat rounds)
  timeout 60 bash -c 'until [[ $(cat rounds) -ge $(($1 + 2)) ]]; do read -rt 0.02 <> <(:) || true; done' - "${now:-0}"
}

@test "nobody sees the canary while vm run, exec, refresh and stop are at work" {
  mkdir tmp
  export TMPDIR=$PWD/tmp
  : >said
  cp "$key" old
  rev "$key" | tr -d '\n' >new
  "$VMCRED_SOURCE/tests/e2e/canary_patterns" new >>patterns
  search found
  # The search finds what is there.
  cp "$key" tmp/planted
  one_more_round
  grep -qx "found in tmp/planted" found
  rm tmp/planted found

  for _ in 1 2 3; do
    rm -rf record && mkdir record
    declare_vm cloud-hypervisor cloud-hypervisor $'systemd = 252\nagent = true'
    sed -i "s|from = \"g/api-key\"|from = \"$PWD/$key\"|" vmcred.toml
    behave "player=$VMCRED_BUILD/bin/guest_player" guest=agent
    in_background "$VMCRED" vm run v
    # A new value goes to the guest that runs.
    cp new "$key"
    env -u CREDENTIALS_DIRECTORY "$VMCRED" vm refresh v >>said 2>&1
    grep -qx "guest: holds API_KEY $(sha256sum <new | cut -d' ' -f1)" run/console.log
    "$VMCRED" vm status v >>said 2>&1
    "$VMCRED" vm stop v >>said 2>&1
    wait "$supervisor"
    cp old "$key"
  done
  rm -rf record && mkdir record
  behave "player=$VMCRED_BUILD/bin/guest_player" guest=agent
  in_background "$VMCRED" exec --vm v -- ./cloud-hypervisor --kernel kernel --memory size=512M --api-socket v.sock
  "$VMCRED" vm stop v >>said 2>&1
  wait "$supervisor"
  fake_qemu crash
  "$VMCRED" vm run v >>said 2>&1 || true
  "$VMCRED" --verbose vm run v >>said 2>&1 || true
  one_more_round
  [ ! -e found ] || { cat found; return 1; }
  grep -q "vm 'v' has the new credentials" said
}
