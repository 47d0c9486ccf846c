#!/usr/bin/env bats
# An agent in a real guest: delivery by reference, new values without a reboot, a clean power-off.
bats_require_minimum_version 1.5.0

setup_file() {
  [ -x "$VMCRED_GUEST_STATIC" ] || { echo "build the release preset first: it makes vmcred-guest for the guest" >&2; return 1; }
  export IMAGE=$BATS_FILE_TMPDIR/image
  "$VMCRED_SOURCE/tools/guest-image" ${VMCRED_GUEST_SUITE:+--suite "$VMCRED_GUEST_SUITE"} --guest "$VMCRED_GUEST_STATIC" \
    --overlay "$VMCRED_SOURCE/tests/vm/overlay-agent" "$IMAGE"
}

setup() {
  cd "$BATS_TEST_TMPDIR" || return
  export CREDENTIALS_DIRECTORY=$PWD/credentials XDG_RUNTIME_DIR=$PWD/run
  mkdir -m 700 credentials run
}

teardown() {
  if [ -n "${vm:-}" ]; then kill "$vm" 2>/dev/null || true; wait "$vm" || true; fi
}

# secret NAME [MORE]: stdin becomes a credential of the vm
secret() {
  cat >"credentials/host-$1"
  echo "$1 = { from = \"$PWD/credentials/host-$1\"${2:-} }" >>secrets.toml
}

# start: boots and returns when the vm is ready; what the guest says goes to the file log
start() {
  cat >vmcred.toml <<TOML
[machines.host]
[vms.vm-test-agent]
machine = "host"
kernel = "$IMAGE/vmlinuz"
initrd = "$IMAGE/initrd"
memory = "256M"
command-line = "quiet"
delivery = "$1"
[vms.vm-test-agent.guest]
systemd = $(sed 's/[^0-9].*//' "$IMAGE/systemd")
agent = true
[vms.vm-test-agent.credentials]
TOML
  cat secrets.toml >>vmcred.toml
  mkfifo said
  "$VMCRED" vm run vm-test-agent --accel tcg --console >said 2>&1 3>&- &
  vm=$!
  exec 4<said
  await '*: ready*'
}

# await PATTERN: reads on until a line matches
await() {
  local line
  while read -r -t 400 line <&4; do
    echo "$line" >>log
    # shellcheck disable=SC2254
    case $line in $1) return 0 ;; esac
  done
  cat log
  echo "the vm ended or was silent before: $1"
  return 1
}

digest() { sha256sum <"credentials/host-$1" | cut -d' ' -f1; }

stop() {
  run -0 "$VMCRED" vm stop vm-test-agent
  wait "$vm"
  vm=
}

@test "by reference: 200 credentials with long names arrive, with only the token delivered by the VMM" {
  for i in $(seq 200); do head -c 1000 /dev/urandom | secret "a-long-name-that-fw-cfg-could-not-carry-$i"; done
  head -c 300000 /dev/urandom | secret api-key
  start reference
  await "*CONSUMER $(digest api-key)*"
  run -0 "$VMCRED" vm status vm-test-agent
  [[ $output == *"every credential arrived"* ]]
  stop
  grep -q 'receipt: 201 credentials arrived' log
}

@test "a refresh reaches the running service, a bad one is taken back, and the guest never reboots" {
  printf 'first' | secret api-key ', services = ["vm-test-consumer"]'
  printf 'other' | secret db-password
  start value
  await "*CONSUMER $(digest api-key)*"
  printf 'second' >credentials/host-api-key
  run -0 "$VMCRED" vm refresh vm-test-agent
  [[ $output == *"has the new credentials"* ]]
  await "*CONSUMER $(digest api-key)*"
  good=$(digest api-key)
  printf 'poison' >credentials/host-api-key
  run -1 "$VMCRED" vm refresh vm-test-agent --credential api-key
  [[ $output == *"keeps its old credentials"*"vm-test-consumer.service"* ]]
  await "*CONSUMER $(digest api-key)*"
  await "*CONSUMER $good*"
  run -0 "$VMCRED" vm status vm-test-agent --json
  [ "$(jq -c '[.state, .proof, .generation, .reboots]' <<<"$output")" = '["running","proven",2,0]' ]
  run -0 "$VMCRED" explain vm-test-agent --json
  [ "$(jq -c '.vms[0] | [.state, .proven, .generation], (.credentials[] | select(.guest == "API_KEY") | [.received, .steps.guest, .services[0].state])' <<<"$output" | paste -sd ' ')" = \
    '["running",true,2] ["received","fine","active"]' ]
  stop
}
