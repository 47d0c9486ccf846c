# What journeys with a guest share that goes on while the test does: a vm called vm-test-agent. (sourced)
# shellcheck shell=bash
# shellcheck source=tests/vm/guest.bash
source "$VMCRED_SOURCE/tests/vm/guest.bash"

setup() { vm_folder; }

teardown() {
  if [ -n "${vm:-}" ]; then kill "$vm" 2>/dev/null || true; wait "$vm" || true; fi
}

# agent_image OPTIONS...: the guest with the test's services; of $VMCRED_GUEST_SUITE where that is set
agent_image() {
  guest_image ${VMCRED_GUEST_SUITE:+--suite "$VMCRED_GUEST_SUITE"} --overlay "$VMCRED_SOURCE/tests/vm/overlay-agent" "$@"
}

# start DELIVERY [LINE...]: boots and returns when the vm is ready; what the guest says goes to the file log. The lines are
# more of the vm's keys.
start() {
  declare_guest vm-test-agent "delivery = \"$1\"" "guest.systemd = $(sed 's/[^0-9].*//' "$IMAGE/systemd")" "${@:2}"
  mkfifo said
  "$VMCRED" vm run vm-test-agent --accel tcg --console >said 2>&1 3>&- &
  vm=$!
  exec 4<said
  : >log
  await ": ready"
}

# await PATTERN [COUNT]: reads on until that many lines of all matched (services start in any order)
await() {
  local line
  until [ "$(grep -c -e "$1" log)" -ge "${2:-1}" ]; do
    if ! read -r -t 400 line <&4; then
      cat log
      echo "the vm ended or was silent before: $1"
      return 1
    fi
    echo "$line" >>log
  done
}

digest() { sha256sum <"credentials/host-$1" | cut -d' ' -f1; }

stop() {
  run -0 "$VMCRED" vm stop vm-test-agent
  wait "$vm"
  vm=
}

# refresh NAME VALUE: a new value, and the request to hand it over
refresh() {
  printf '%s' "$2" >"credentials/host-$1"
  "$VMCRED" vm refresh vm-test-agent --credential "$1"
}

# status FILTER: of the vm's status
status() { "$VMCRED" vm status vm-test-agent --json | jq -c "$1"; }
