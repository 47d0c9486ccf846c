#!/usr/bin/env bats
# activate: this machine's vars below /run, as a whole, with their modes.
bats_require_minimum_version 1.5.0

setup() {
  cd "$BATS_TEST_TMPDIR" || exit 1
  export HOME=$PWD/home XDG_CONFIG_HOME=$PWD/home/.config
  mkdir -p home project root/var/lib/vmcred && cd project || exit 1
  cat >vmcred.toml <<'END'
[machines.host]
[generators.g]
machines = ["host"]
script = '''
printf one > "$out/a"
printf two > "$out/b"
'''
files.a = {}
files.b = { mode = "0440", restart-units = ["web.service"] }
[vms.box]
machine = "host"
kernel = "/bin/true"
[vms.box.credentials]
a = { from = "g/a", services = ["s"] }
END
  "$VMCRED" init >../init.log 2>&1 || { cat ../init.log; return 1; }
  "$VMCRED" vars generate >../generate.log 2>&1 || { cat ../generate.log; return 1; }
  # The machine's key is what the host has; in a project of one person it is the operator's.
  cp "$(find ../home -name keys.txt)" ../root/var/lib/vmcred/key.txt
}

vars() { echo "$BATS_TEST_TMPDIR/root/run/vmcred/vars/per-machine/host/g"; }
activate() { "$VMCRED" activate --root-prefix "$BATS_TEST_TMPDIR/root" "$@"; }

@test "every var arrives with its mode" {
  run -0 --separate-stderr activate
  [ "$(cat "$(vars)/a" "$(vars)/b")" = onetwo ]
  [ "$(stat -c %a "$(vars)/a" "$(vars)/b" | xargs)" = "400 440" ]
}

@test "a host without its key is told how to get it, and can, where the project lies on that host" {
  rm ../root/var/lib/vmcred/key.txt
  run -1 --separate-stderr activate
  [[ $stderr == *"hint: "*"vmcred deploy MACHINE"*"'vmcred vars upload MACHINE --directory $BATS_TEST_TMPDIR/root/var/lib/vmcred'"* ]]
  "$VMCRED" vars upload host --directory "$BATS_TEST_TMPDIR/root/var/lib/vmcred"
  run -0 activate
}

@test "activating again changes nothing" {
  activate
  run -0 --separate-stderr activate
  [[ $stderr == *"is up to date"* ]]
  [ "$(ls ../root/run/vmcred.d)" = 1 ]
}

@test "what an activation left that was killed goes with the next one, also with one that fails" {
  activate
  mkdir ../root/run/vmcred.d/7
  echo plaintext >../root/run/vmcred.d/7/a
  run -0 --separate-stderr activate
  [[ $stderr == *"is up to date"* ]]
  [ "$(ls ../root/run/vmcred.d)" = 1 ]
  mkdir ../root/run/vmcred.d/8
  echo plaintext >../root/run/vmcred.d/8/a
  rm ../root/var/lib/vmcred/key.txt
  run -1 activate
  [ "$(ls ../root/run/vmcred.d)" = 1 ]
}

@test "a changed var names its units and the vms that use it, and the old generation goes" {
  activate
  printf three | "$VMCRED" vars set g/a
  run -0 --separate-stderr activate --json
  [ "$(jq -c .restart <<<"$output")" = '["microvm@box.service"]' ]
  [ "$(cat "$(vars)/a")" = three ]
  [ "$(ls ../root/run/vmcred.d)" = 2 ]
  printf four | "$VMCRED" vars set g/b
  run -0 --separate-stderr activate
  [[ $output == *"restart: web.service"* && $output != *microvm* ]]
}

# supervisor REFRESHED [COMPARED] [STATUS]: stands in for that of a running vm 'box' with an agent, with these answers; what it is asked
# lies in asked and values
supervisor() {
  export VMCRED_RUNTIME_DIR=$BATS_TEST_TMPDIR/user/vmcred/vm
  mkdir -p "$VMCRED_RUNTIME_DIR/box"
  grep -q '^guest.agent' vmcred.toml || sed -i 's/^kernel = .*/&\nguest.agent = true/' vmcred.toml
  mkfifo listening
  python3 - "$VMCRED_RUNTIME_DIR/box/control" "$1" "${2:-}" "${3:-}" <<'PY' 3>&- &
import array, json, os, socket, sys, threading
answers = {"refresh": sys.argv[2], "compare": sys.argv[3], "status": sys.argv[4] or '{"vm":"box","state":"running","supervisor":1,"vmm":2}'}
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
open("listening", "w").close()
busy = threading.Lock()

def refuse_or_wait(data):
    """As the real one: a second refresh is refused while one is under way, which it is until `gate` is written to."""
    if b"refresh" not in data or not os.path.exists("gate"):
        return None
    if not busy.acquire(blocking=False):
        return b'{"refreshed":false,"error":"vm \'box\' is being refreshed already"}'
    open("held", "w").close()
    with open("gate") as gate:
        gate.read()  # to its end: one who closed before the writer wrote would end the writer by SIGPIPE
    os.unlink("gate")
    busy.release()
    return None

def serve(client):
    data, ancillary, _, _ = client.recvmsg(65536, socket.CMSG_SPACE(4))
    if not data:  # somebody looked who is here
        return client.close()
    with open("asked", "ab") as asked:
        asked.write(data)
    if ancillary:
        fd = array.array("i", ancillary[0][2])[0]
        os.lseek(fd, 0, 0)
        with open("values", "wb") as values:
            values.write(os.read(fd, 65536))
        os.close(fd)
    client.sendall((refuse_or_wait(data) or answers[json.loads(data)["do"]].encode()) + b"\n")
    client.close()

while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
PY
  supervisor=$!
  cat listening
}
teardown() { [[ -z ${supervisor:-} ]] || kill "$supervisor"; }

@test "a running vm with an agent gets what changed at once, and no other is asked" {
  supervisor '{"refreshed":true,"generation":2,"error":""}'
  run -0 --separate-stderr activate
  [ ! -e asked ]                                # the first generation changes nothing
  printf three | "$VMCRED" vars set g/b
  run -0 --separate-stderr activate
  [ ! -e asked ]                                # nothing of that vm's
  printf canary-four | "$VMCRED" vars set g/a
  run -0 --separate-stderr activate --json
  [ "$(jq -c '[.refreshed, .restart]' <<<"$output")" = '[[{"vm":"box","done":true}],[]]' ]
  [ "$(cat asked)" = '{"do":"refresh"}' ]
  grep -qa 'host-a.*canary-four' <(tr '\0' ' ' <values)
  printf five | "$VMCRED" vars set g/a
  run -0 --separate-stderr activate
  [[ $output == *"refreshed: vm 'box'"* && $output != *microvm@box* ]]
  rm asked
  printf six | "$VMCRED" vars set g/a
  run -0 --separate-stderr activate --no-refresh
  [[ $output == *"restart: microvm@box.service"* ]]
  [ ! -e asked ]
}

@test "of two activations at once the second waits for its turn at a guest, so that this ends with the newest values" {
  supervisor '{"refreshed":true,"generation":2,"error":""}'
  activate
  mkfifo held gate
  printf three | "$VMCRED" vars set g/a
  activate >first 2>&1 3>&- &
  local first=$! second
  cat held
  printf canary-four | "$VMCRED" vars set g/a
  "$VMCRED" activate --root-prefix "$BATS_TEST_TMPDIR/root" >second 2>&1 3>&- &
  second=$!
  # It waits, or (which would be wrong) has ended already.
  timeout 60 bash -c "while [ -e /proc/$second/exe ] && ! grep -q -- '-> FLOCK .* $second ' /proc/locks; do :; done"
  echo >gate
  wait "$first" "$second"
  grep -q "refreshed: vm 'box'" first
  grep -q "refreshed: vm 'box'" second
  grep -qa 'host-a.*canary-four' <(tr '\0' ' ' <values)
}

@test "a guest that does not bear the new values keeps its old ones, and that is said" {
  supervisor '{"refreshed":false,"generation":1,"error":"the service is failed with the new credentials"}'
  activate
  printf three | "$VMCRED" vars set g/a
  run -1 --separate-stderr activate
  [[ $stderr == *"vmcred: error: vm 'box' keeps its old credentials: the service is failed with the new credentials"* ]]
  [ "$(cat "$(vars)/a")" = three ]
}

@test "a running vm whose guest has no agent on the link is among the units to restart; a vm that does not run is not asked" {
  supervisor '{"refreshed":false,"no_agent":true,"error":"no agent is on the link"}'
  activate
  printf three | "$VMCRED" vars set g/a
  run -0 --separate-stderr activate
  [[ $output == *"restart: microvm@box.service"* ]]
  kill "$supervisor" && supervisor=
  printf four | "$VMCRED" vars set g/a
  run -0 --separate-stderr activate
  [[ $output != *microvm* && $output != *refreshed* ]]
}

@test "check names a running guest that holds older values than this host" {
  [ "$(id -u)" = 0 ] || skip "NOT RUN HERE: only root may ask a supervisor for that"
  install -D -m 600 ../root/var/lib/vmcred/key.txt "$BATS_TEST_TMPDIR/credentials/vmcred.identity"
  export CREDENTIALS_DIRECTORY=$BATS_TEST_TMPDIR/credentials VMCRED
  supervisor '' '{"outdated":["host-a"]}'
  in_own_run() { unshare -m --propagation private bash -c 'mount -t tmpfs tmpfs /run && eval "$1"' - "$1"; }
  run -0 --separate-stderr in_own_run '"$VMCRED" check --json' # nothing was activated here
  run -3 --separate-stderr in_own_run '"$VMCRED" activate 2>/dev/null && "$VMCRED" check --json'
  [ "$(jq -c '[.findings[] | select(.level != "note") | [.code, .file, .details]]' <<<"$output")" = '[["VC077","vm '"'box'"'",["host-a"]]]' ]
  grep -q '{"do":"compare"}' asked
}

@test "what is needed for users comes early, alone, in a folder of its own, root's" {
  sed -i 's/^files.a = {}/files.a = { needed-for = "users", owner = "nobody-yet", mode = "0444" }/' vmcred.toml
  if [ "$(id -u)" = 0 ]; then
    run -0 --separate-stderr activate --early
    early=$BATS_TEST_TMPDIR/root/run/vmcred/vars-for-users/per-machine/host/g
    [ "$(cat "$early/a")" = one ]
    [ "$(stat -c '%a %u' "$early/a")" = "400 0" ]
    [ ! -e "$early/b" ]
  fi
  run -0 "$VMCRED" vm units
  [[ $output == *"vmcred-activate-early.service"*"Before=systemd-sysusers.service userborn.service"*"activate --early"* ]]
}

# seen MILLISECONDS: the status of a running vm 'box' that took its values then and proved 'A', loaded by s.service
seen() {
  printf '{"vm":"box","state":"running","proof":"proven","supervisor":1,"vmm":2,"generation":1,"expected_generation":1,"values_taken_ms":%s,"receipts":[{"guest":"A","state":"received","size":3,"services":[{"unit":"s.service","state":"%s"}]}]}' "$1" "${2:-active}"
}

@test "a guest is proven only where its services run, and older once the store has a newer value, in every command" {
  taken=$(($(date +%s%3N) + 1000))
  supervisor '' '' "$(seen $taken)"
  run -0 --separate-stderr "$VMCRED" vm status box
  [[ $output == *"proof: proven: every credential arrived byte for byte, and its services run with it"*"● proven"* ]]
  [ "$("$VMCRED" vm status box --json | jq -c '[.mood, .receipts[0].mood]')" = '["proven","proven"]' ]
  run -0 --separate-stderr "$VMCRED" vm list
  [[ $output == *"box"*"running"*"proven"* ]]
  [[ $("$VMCRED" explain box) == *"every credential proven"* ]]
  until [ "$(date +%s%3N)" -gt $taken ]; do :; done
  printf three | "$VMCRED" vars set g/a
  run -0 --separate-stderr "$VMCRED" vm status box
  [[ $output == *"proof: older than the store: 'A'; 'vmcred vm refresh box' brings the newer"*"◆ older than the store"* ]]
  [ "$("$VMCRED" vm status box --json | jq -c '[.mood, .receipts[0].mood, .older]')" = '["older than the store","older than the store",["host-a"]]' ]
  [[ $("$VMCRED" vm list) == *"older than the store"* ]]
  run -0 --separate-stderr "$VMCRED" explain box
  [[ $output == *"older than the store"* && $output != *proven* ]]
  [ "$("$VMCRED" explain box --json | jq -c '[.vms[0].mood, .vms[0].credentials[0].mood, .vms[0].credentials[0].steps.guest]')" = \
    '["older than the store","older than the store","older"]' ]
  run "$VMCRED" check
  [[ $output == *"older than the store [VC077]"*"host-a"* ]]
}

@test "a service that the guest does not have, or that failed, is no proof" {
  supervisor '' '' "$(seen 1000 'not in the guest')"
  touch -d @1 vars/per-machine/host/g/.vmcred.json
  sed -i 's/"generated": *"[^"]*"/"generated": "1970-01-01T00:00:00Z"/' vars/per-machine/host/g/.vmcred.json
  run -0 --separate-stderr "$VMCRED" vm status box
  [[ $output == *"proof: every credential arrived byte for byte; not proven: 'A' (s.service is not in the guest)"*"◐ arrived"* ]]
  run "$VMCRED" check
  [[ $output == *"[VC103]"*"A: s.service is not in the guest"* ]]
  [ "$("$VMCRED" explain box --json | jq -r '.vms[0].credentials[0].steps.guest')" = arrived ]
}

@test "at the first activation a bad var is named and the others go on" {
  printf garbage >vars/per-machine/host/g/a/secret
  run -1 --separate-stderr activate
  [[ $stderr == *"vmcred: error: per-machine/host/g/a: "* ]]
  [ "$(cat "$(vars)/b")" = two ]
  [ ! -e "$(vars)/a" ]
}

@test "of a generator that cannot be read as a whole the last good values stay, all of them, and nobody restarts for it" {
  cat >>vmcred.toml <<'END'
[generators.other]
machines = ["host"]
script = 'printf old > "$out/o"'
files.o = { restart-units = ["other.service"] }
END
  "$VMCRED" vars generate
  activate
  printf garbage >vars/per-machine/host/g/a/secret
  printf five | "$VMCRED" vars set g/b
  printf new | "$VMCRED" vars set other/o
  run -1 --separate-stderr activate --json
  [[ $stderr == *"vmcred: error: per-machine/host/g/a: "*"kept as it was: per-machine/host/g/a, here since 2"*" (less than an hour)"* ]]
  [[ $stderr == *"kept as it was: per-machine/host/g/b, here since 2"* ]]
  [ "$(cat "$(vars)/a" "$(vars)/b")" = onetwo ]
  [ "$(stat -c %a "$(vars)/a" "$(vars)/b" | xargs)" = "400 440" ]
  [ "$(cat "$(vars)/../other/o")" = new ]
  [ "$(jq -c '[.restart, .files, [.kept[].path], .switched]' <<<"$output")" = \
    '[["other.service"],3,["per-machine/host/g/a","per-machine/host/g/b"],true]' ]
  # Mended, both are the new ones.
  printf six | "$VMCRED" vars set g/a
  run -0 --separate-stderr activate
  [ "$(cat "$(vars)/a" "$(vars)/b")" = sixfive ]
}

@test "a host whose key was replaced keeps what it has, and publishes nothing" {
  activate
  touch -d '3 days ago' "$(vars)/a"
  age-keygen 2>/dev/null >../root/var/lib/vmcred/key.txt
  run -1 --separate-stderr activate --restart
  [[ $stderr == *"generation 1 of machine 'host' is still active: 2 files, 2 of them as they were"* ]]
  [[ $stderr == *"kept as it was: per-machine/host/g/a, here since "*" (3 days)"* ]]
  # One remedy, and it is a host's: nobody can be asked to make it a user.
  [[ $stderr == *"hint: the key in "*"var/lib/vmcred/key.txt' is none of its readers: 'vmcred deploy MACHINE'"* && $stderr != *add-secret* ]]
  [ "$(grep -c 'hint: ' <<<"$stderr")" = 1 ]
  [[ $output != *restart* && $stderr != *systemctl* ]]
  [ "$(ls ../root/run/vmcred.d)" = 1 ]
  [ "$(cat "$(vars)/a" "$(vars)/b")" = onetwo ]
}

@test "where nothing can be read and nothing was, nothing is published" {
  age-keygen 2>/dev/null >../root/var/lib/vmcred/key.txt
  run -1 --separate-stderr activate
  [[ $stderr == *"nothing of machine 'host' can be read: no generation is active"* ]]
  [ -z "$(ls ../root/run/vmcred.d)" ]
  [ ! -e ../root/run/vmcred/vars ]
}

@test "a host that was taken off loses what it had, by its links, and by the recipients of what was deployed" {
  activate
  age-keygen 2>/dev/null >../root/var/lib/vmcred/key.txt
  cp -r . ../deployed
  rm -r vars/per-machine/host/g/a/machines vars/per-machine/host/g/b/machines
  run -1 --separate-stderr activate
  [ ! -e "$(vars)/a" ]
  # In what was deployed there are no links.
  cd ../deployed
  cp ../home/.config/sops/age/keys.txt ../root/var/lib/vmcred/key.txt
  activate
  [ -e "$(vars)/a" ]
  find vars -mindepth 4 \( -name machines -o -name users \) -prune -exec rm -r {} +
  age-keygen 2>/dev/null >../root/var/lib/vmcred/key.txt
  run -1 --separate-stderr activate
  [ "$(cat "$(vars)/a")" = one ] # its key was replaced, the tree still names the old one
  printf '[{"publickey":"%s","type":"age"}]' "$(age-keygen -y ../root/var/lib/vmcred/key.txt)" >sops/machines/host/key.json
  run -1 --separate-stderr activate
  [ ! -e "$(vars)/a" ]           # now its key is known, and it is no reader
}

@test "a value of 3 MB is no obstacle to later activations, one over 16 MiB is refused at the door" {
  head -c 3000000 /dev/urandom >big
  "$VMCRED" vars set g/b <big
  run -0 --separate-stderr activate
  cmp big "$(vars)/b"
  printf three | "$VMCRED" vars set g/a
  run -0 --separate-stderr activate
  [ "$(cat "$(vars)/a")" = three ]
  cmp big "$(vars)/b"
  run -1 --separate-stderr "$VMCRED" vars set g/b < <(head -c 16777217 /dev/zero)
  [[ $stderr == *"larger than 16777216 bytes"* ]]
  "$VMCRED" vars get g/b | cmp - big
  # As a credential it is too much, which check says without a key.
  sed -i 's/^a = { from = "g.a".*/a = { from = "g\/b", services = ["s"] }/' vmcred.toml
  run -3 --separate-stderr "$VMCRED" check
  [[ $output == *VC012*"3000000"*"1048576"* ]]
}

@test "what went wrong first is said first, and a restart that fails does not hide it" {
  activate
  printf garbage >vars/per-machine/host/g/a/secret
  printf '[generators.other]\nmachines = ["host"]\nscript = "printf old > $out/o"\nfiles.o = { restart-units = ["other.service"] }\n' >>vmcred.toml
  "$VMCRED" vars generate -g other
  mkdir ../bin
  printf '#!/bin/sh\necho "Failed to connect to bus: No such file or directory" >&2\nexit 1\n' >../bin/systemctl
  chmod +x ../bin/systemctl
  PATH=$PWD/../bin:$PATH run -1 --separate-stderr activate --restart
  [[ $stderr == *"error: per-machine/host/g/a: "*"error: restart the units that use what changed: Failed to connect to bus"* ]]
}

@test "a credential that a running vm does not know yet holds up no other" {
  supervisor '{"refreshed":true,"generation":2,"error":"","credentials":[{"host":"host-a","state":"refreshed"},{"host":"host-b","state":"needs a restart"}],"services":[{"unit":"s.service","action":"restart"}]}'
  activate
  printf three | "$VMCRED" vars set g/a
  run -0 --separate-stderr activate
  [[ $output == *"refreshed: vm 'box'"$'\n'"  host-a: refreshed"$'\n'"  host-b: needs a restart"$'\n'"  s.service: restart"* ]]
  run -0 --separate-stderr "$VMCRED" vm refresh box
  [[ $output == *"  host-b: needs a restart"* && $stderr == *"the others come when it starts again"* ]]
}

@test "as root the vars lie on memory that is never swapped" {
  [ "$(id -u)" = 0 ] || skip "NOT RUN HERE: only root may mount"
  install -D -m 600 ../root/var/lib/vmcred/key.txt "$BATS_TEST_TMPDIR/credentials/vmcred.identity"
  export CREDENTIALS_DIRECTORY=$BATS_TEST_TMPDIR/credentials VMCRED
  run -0 --separate-stderr unshare -m --propagation private bash -c '
    mount -t tmpfs tmpfs /run && "$VMCRED" activate 2>/dev/null &&
    cat /run/vmcred/vars/per-machine/host/g/a && echo && stat -f -c %T /run/vmcred.d && grep " /run/vmcred.d " /proc/self/mounts'
  [ "${lines[0]}" = one ]
  [[ ${lines[1]} = ramfs || ${lines[2]} == *noswap* ]]
}

@test "a guest that did not take its values is tried again by the next activation, which changes nothing else" {
  supervisor '{"refreshed":false,"generation":1,"error":"the service is failed with the new credentials"}'
  activate
  printf three | "$VMCRED" vars set g/a
  run -1 --separate-stderr activate
  rm asked
  run -1 --separate-stderr activate
  [[ $stderr == *"is up to date"*"vm 'box' keeps its old credentials"* ]]
  [[ $(cat asked) == *'{"do":"refresh"}'* ]]
  # Mended, the next one brings them, and that is all.
  kill "$supervisor"
  rm -r listening "$VMCRED_RUNTIME_DIR" asked
  supervisor '{"refreshed":true,"generation":2,"error":""}'
  run -0 --separate-stderr activate
  [[ $output == *"refreshed: vm 'box'"* ]]
  rm asked
  run -0 --separate-stderr activate
  [ ! -e asked ]
}
