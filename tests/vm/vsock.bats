#!/usr/bin/env bats
# QEMU with a vsock of vhost-device-vsock's, which ends in unix sockets of the vm's folder: the link, and what systemd says.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/vm/agent.bash
source "$VMCRED_SOURCE/tests/vm/agent.bash"

setup_file() {
  local code=0
  DEVICE=$("$VMCRED_SOURCE/tools/vhost-device-vsock") || code=$?
  if [ "$code" = 75 ]; then skip "NOT RUN HERE: vhost-device-vsock cannot be had"; fi
  [ "$code" = 0 ]
  export DEVICE
  agent_image --overlay "$VMCRED_SOURCE/tests/vm/overlay-vsock"
}

@test "hybrid vsock: values by reference, the receipt, a refresh, a reboot and the power-off all go over it, and systemd speaks beside" {
  printf 'first' | secret api-key ', services = ["vm-test-consumer"]'
  printf 'first' | secret rebooter ', services = ["vm-test-rebooter"], on-change = "signal:USR1"'
  start reference "qemu.vsock-device = \"$DEVICE\""
  await "CONSUMER $(digest api-key)"
  await "systemd says: .*ready"
  [ "$(status '[.proof, .generation, .turned_away, .systemd.ready]')" = '["proven",1,0,true]' ]
  [ "$(status '[.receipts[] | select(.state == "received") | .guest] | sort | join(" ")')" = '"API_KEY REBOOTER vmm.notify_socket"' ]
  run -0 refresh api-key second
  await "CONSUMER $(digest api-key)"
  refresh rebooter again || true # the guest may be gone before it can say so
  await "BOOT " 2
  await "CONSUMER $(digest api-key)" 2
  await ": ready" 2
  await "systemd says: .*ready" 2
  [ "$(status '[.state, .proof, .reboots]')" = '["running","proven",1]' ]
  stop
  await "systemd says: .*shuts down: poweroff"
  run ! grep -E "lost the device|does not speak" log
}

@test "hybrid vsock: where no receipt is asked for systemd's own word makes the vm ready" {
  printf 'first' | secret api-key ', services = ["vm-test-consumer"]'
  start value "qemu.vsock-device = \"$DEVICE\"" 'receipt = "off"'
  grep -q "systemd says: .*ready" log
  await "CONSUMER $(digest api-key)"
  run -0 "$VMCRED" vm status vm-test-agent
  [[ $output == *"unproven: its systemd says that it is ready"* ]]
  stop
}
