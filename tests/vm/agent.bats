#!/usr/bin/env bats
# An agent in a real guest: delivery by reference, new values without a reboot, a clean power-off.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/vm/agent.bash
source "$VMCRED_SOURCE/tests/vm/agent.bash"

setup_file() { agent_image; }

@test "by reference: 200 credentials with long names arrive; the token is spent, a dump holds nothing, a stranger gets nothing" {
  for i in $(seq 200); do head -c 1000 /dev/urandom | secret "a-long-name-that-fw-cfg-could-not-carry-$i"; done
  head -c 300000 /dev/urandom | secret api-key
  head -c 30 /dev/urandom | base64 -w 0 | secret probe
  start reference
  await "CONSUMER $(digest api-key)"
  await "STRANGER is done"
  await "RESUMED"
  run -0 "$VMCRED" vm status vm-test-agent
  [[ $output == *"every credential arrived"* ]]
  [[ $output == *"vm-test-consumer.service (active)"* ]]
  [[ $output == *"speakers without a valid key that were turned away: 1"* ]]
  stop
  grep -q 'receipt: 202 credentials arrived' log
  run ! grep -E 'STRANGER (reads|lists|may|ends)' log
  grep -q 'DUMP has 0 values and names, [1-9]' log
  grep -q 'REPLAY vmcred-guest: error: the host refused us: the token is spent' log
  grep -q 'the link turned a speaker away: the token is spent' log
  grep -q 'root is ro' log
  [ "$(sed -n 's/.*AGENT holds \([0-9]*\) KiB.*/\1/p' log)" -lt 4096 ]
}

@test "R1, R4: new values by restart, reload and signal; what services do not bear is taken back" {
  printf 'first' | secret api-key ', services = ["vm-test-consumer"]'
  printf 'first' | secret signalled ', services = ["vm-test-signalled"], on-change = "signal:HUP"'
  printf 'first' | secret reloaded ', services = ["vm-test-reloaded"], on-change = "reload"'
  cat >>secrets.toml <<'TOML'
[vms.vm-test-agent.guest.services.vm-test-signalled]
health = "5s"
health-command = ["/usr/bin/vm-test-health"]
TOML
  start value
  await "STARTED $(digest signalled)"
  run -0 refresh api-key second
  [[ $output == *"has the new credentials"* ]]
  await "CONSUMER $(digest api-key)"
  run -0 refresh signalled second
  await "SIGNALLED $(digest signalled)"
  run -0 refresh reloaded second
  await "RELOADED $(digest reloaded).*\(400-demo\|440-root\)" # an access list instead of an owner from 254
  [ "$(status .generation)" = 4 ]

  good=$(digest api-key)
  run -1 refresh api-key poison
  [[ $output == *"keeps its old credentials"*"vm-test-consumer.service"* ]]
  await "CONSUMER $(digest api-key)"
  await "CONSUMER $good" 2
  well=$(digest signalled)
  run -1 refresh signalled sick
  [[ $output == *"the health command of 'vm-test-signalled.service' fails"* ]]
  await "SIGNALLED $(digest signalled)"
  await "SIGNALLED $well" 2
  # The service ends the agent in the middle of its work; the next contact repairs.
  run -1 refresh api-key assassin
  [[ $output == *"the guest left the link"* ]]
  await "CONSUMER $(digest api-key)"
  await "CONSUMER $good" 3
  [ "$(status '[.state, .proof, .generation, .expected_generation, .reboots]')" = '["running","proven",4,4,0]' ]
  run -0 "$VMCRED" explain vm-test-agent --json
  [ "$(jq -c '.vms[0] | [.state, .proven, .generation], (.credentials[] | select(.guest == "API_KEY") | [.received, .steps.guest, .services[0].state])' <<<"$output" | paste -sd ' ')" = \
    '["running",true,4] ["received","older","active"]' ]
  # systemd lets a service start five times in ten seconds; who sends new values is no service that crashes.
  for i in 1 2 3 4 5 6 7; do
    run -0 refresh api-key "value-$i"
    await "CONSUMER $(digest api-key)"
  done
  stop
}

@test "activation: a rotated var reaches the running guest that uses it, and nothing else there is touched" {
  unset CREDENTIALS_DIRECTORY # the values come from the store
  export HOME=$PWD/home XDG_CONFIG_HOME=$PWD/home/.config
  mkdir -p home root/var/lib/vmcred
  cat >secrets.toml <<'TOML'
api-key = { from = "rotated/key", services = ["vm-test-consumer"] }
signalled = { from = "kept/key", services = ["vm-test-signalled"], on-change = "signal:HUP" }
[generators.rotated]
machines = ["host"]
runtime-inputs = ["openssl"]
script = 'openssl rand -hex -out "$out/key" 20'
files.key = {}
[generators.kept]
machines = ["host"]
runtime-inputs = ["openssl"]
script = 'openssl rand -hex -out "$out/key" 20'
files.key = {}
TOML
  declare_guest vm-test-agent
  run -0 "$VMCRED" init
  run -0 "$VMCRED" vars generate
  cp "$(find home -name keys.txt)" root/var/lib/vmcred/key.txt
  run -0 "$VMCRED" activate --root-prefix "$PWD/root"
  digest() { sha256sum <"root/run/vmcred/vars/per-machine/host/$1/key" | cut -d' ' -f1; }
  start value
  await "CONSUMER $(digest rotated)"
  await "STARTED $(digest kept)"
  run -0 "$VMCRED" vars rotate rotated/key
  run -0 "$VMCRED" activate --root-prefix "$PWD/root"
  [[ $output == *"refreshed: vm 'vm-test-agent'"* && $output != *"restart: "* ]]
  await "CONSUMER $(digest rotated)"
  [ "$(status '[.proof, .generation, .reboots]')" = '["proven",2,0]' ]
  stop
  run ! grep SIGNALLED log
}

@test "R5: a guest that reboots gets the newest values and a token of its own, each time" {
  printf 'first' | secret api-key ', services = ["vm-test-consumer"]'
  printf 'first' | secret rebooter ', services = ["vm-test-rebooter"], on-change = "signal:USR1"'
  start value
  await "BOOT "
  run -0 refresh api-key "of another size: $(head -c 20000 /dev/zero | tr '\0' x)"
  for again in 1 2; do
    refresh rebooter "again $again" || true  # the guest may be gone before it can say so
    await "BOOT " $((1 + again))
    await "CONSUMER $(digest api-key)" $((1 + again))
    await ": ready" $((1 + again))
  done
  [ "$(status '[.state, .proof, .reboots]')" = '["running","proven",2]' ]
  stop
  [ "$(grep -o 'BOOT [0-9a-f]*' log | sort -u | wc -l)" = 3 ]  # a token for each
  # The agent was at work for the refresh when its guest went; it said how nevertheless.
  [ "$(grep -c 'the guest shuts down: reboot' log)" = 2 ]
  run ! grep -e 'cause unknown' -e ' missing' -e 'did not prove' -e ' is failed with' log
}

@test "where PID 1 received nothing the agent finds the link itself, and services find what it fetched" {
  printf 'first' | secret api-key ', services = ["vm-test-consumer"]'
  command_line='quiet systemd.import_credentials=no' start reference
  await "CONSUMER $(digest api-key)"
  run -0 refresh api-key second
  await "CONSUMER $(digest api-key)"
  [ "$(status '[.proof, .generation]')" = '["proven",2]' ]
  stop
}

@test "R6: an agent in the initrd fetches before the real root is there; what it put in place outlives the switch" {
  "$VMCRED_SOURCE/tools/guest-image" --guest "$VMCRED_GUEST_STATIC" --overlay "$VMCRED_SOURCE/tests/vm/overlay-agent" \
    --overlay "$VMCRED_SOURCE/tests/vm/overlay-switch" "$PWD/image"
  printf 'first' | secret api-key ', services = ["vm-test-consumer"]'
  IMAGE=$PWD/image start reference
  await "INITRD 2 credentials, agent active"
  await "CONSUMER $(digest api-key)"
  run -0 refresh api-key second
  await "CONSUMER $(digest api-key)"
  [ "$(status '[.proof, .generation, .reboots]')" = '["proven",2,0]' ]
  stop
}
