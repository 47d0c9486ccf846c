#!/usr/bin/env bats
# The link over the hybrid vsock of cloud-hypervisor and Firecracker: guest_player is the guest, the doubles connect it as
# the real programs would, to the unix socket SOCKET_PORT.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/e2e/doubles/setup.bash
source "$VMCRED_SOURCE/tests/e2e/doubles/setup.bash"

setup() {
  prepare_doubles
  be_a_users_vm
}
teardown() { end_doubles; }

# guest_of HYPERVISOR WORDS [DELIVERY]: the vm, and what its guest does
guest_of() {
  rm -rf record && mkdir record
  declare_vm "$1" "$1" $'systemd = 252\nagent = true'
  sed -i "s/^accel/delivery = \"${3:-auto}\"\naccel/" vmcred.toml
  behave "player=$VMCRED_BUILD/bin/guest_player" "guest=$2"
}

# said LINE: awaits it on the guest's console
said() { timeout 60 grep -qx "guest: $1" <(tail -n +1 -F --pid="$supervisor" run/console.log 2>/dev/null); }

sum_of() { sha256sum <"credentials/host-$1" | cut -d' ' -f1; }

@test "a receipt makes the vm ready, and a stop goes to the guest's agent" {
  guest_of cloud-hypervisor agent
  in_background "$VMCRED" vm run v
  no_canary_while_it_runs
  grep -q "receipt: 2 credentials arrived" story
  said "holds API_KEY $(sum_of api-key)"
  run -0 "$VMCRED" vm status v --json
  [ "$(jq -c '[.proof, .guest_systemd, [.receipts[] | [.guest, .state]]]' <<<"$output")" = \
    '["proven","252.39",[["API_KEY","received"],["STAGE","received"]]]' ]
  run -0 --separate-stderr "$VMCRED" vm stop v
  [ "$stderr" = "vm 'v' stopped: the guest powered off" ]
  wait "$supervisor"
  # By the link alone: no power key was needed.
  [ "$(head -qn1 record/request?? | grep -c power-button)" = 0 ]
  [ -z "$(ls -A run)" ]
}

@test "the host calls its guest, and an agent of before is heard at the port of before" {
  guest_of cloud-hypervisor agent
  in_background "$VMCRED" vm run v
  said "the host called"
  said "the host found everything"
  stop_it
  guest_of firecracker agent,before
  in_background "$VMCRED" vm run v
  said "the host found everything"
  run ! grep -q "the host called" run/console.log
  stop_it
}

@test "a crowd at the link's port keeps the agent out of nothing, and is told" {
  for vmm in cloud-hypervisor firecracker; do
    guest_of "$vmm" agent,flood=12
    in_background "$VMCRED" vm run v --receipt-timeout 60
    said "the host found everything"
    run -0 "$VMCRED" vm status v --json
    [ "$(jq -r .proof <<<"$output")" = proven ]
    timeout 60 grep -q "flood the link's port" <(tail -n +1 -F --pid="$supervisor" story 2>/dev/null)
    stop_it
  done
}

@test "one contact is enough for the receipt" {
  guest_of cloud-hypervisor receipt
  in_background "$VMCRED" vm run v
  said "the host found everything"
  # The guest speaks no more: new values need an agent there, and that is said.
  sed -i "s|^api-key = .*|api-key = { from = \"$CREDENTIALS_DIRECTORY/host-api-key\", services = [\"s\"] }|" vmcred.toml
  run -1 --separate-stderr "$VMCRED" vm refresh v
  [ "${stderr_lines[0]}" = "vmcred: error: vm 'v' keeps its old credentials: no agent of vm 'v' is on the link" ]
  [[ ${stderr_lines[1]} == "vmcred: hint: "*"vmcred-agent.service"* ]]
  stop_it
}

@test "without a receipt the start fails, and nothing goes on running" {
  for words in silent stranger,alone; do
    guest_of cloud-hypervisor "$words"
    run -1 --separate-stderr "$VMCRED" vm run v --receipt-timeout 1 --console
    [[ $stderr == *"vmcred: error: no receipt came from the guest of vm 'v' within 1 s"* ]]
    [[ $stderr != *": ready"* ]]
    [ ! -e "/proc/$(cat record/pid)" ]
    [ -z "$(ls -A run)" ]
  done
  [[ $output == *"guest: refused: the key is not known"* ]]
}

@test "a receipt with another value or without one fails the start and names it" {
  for row in "change=API_KEY changed" "lose=API_KEY missing"; do
    read -r words state <<<"$row"
    guest_of cloud-hypervisor "receipt,$words"
    run -1 --separate-stderr "$VMCRED" vm run v
    [[ $stderr == *"vmcred: error: "*"'API_KEY' $state"* ]]
    [[ $stderr != *": ready"* ]]
    run -1 grep -aFf patterns <<<"$stderr"
    [ ! -e "/proc/$(cat record/pid)" ]
  done
}

@test "who has a wrong token is turned away, and the guest is heard all the same" {
  guest_of cloud-hypervisor agent,stranger
  in_background "$VMCRED" vm run v
  said "refused: the key is not known"
  grep -q "warning: the link turned a speaker away: the key is not known" story
  run -0 "$VMCRED" vm status v
  [[ $output == *"speakers without a valid key that were turned away: 1"* ]]
  stop_it
}

@test "by reference: only a token in the request, the value over the link, and the token is spent" {
  for vmm in cloud-hypervisor firecracker; do
    guest_of "$vmm" agent,thief reference
    in_background "$VMCRED" vm run v
    no_canary_while_it_runs
    run -1 grep -arFf patterns record
    grep -qaF vmcred.link record/request0?
    said "holds API_KEY $(sum_of api-key)"
    said "refused: the token is spent"
    stop_it
  done
}
