#!/usr/bin/env bats
# Real guests with a real systemd: what is sent is what arrives, and what does not arrive is said.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/vm/guest.bash
source "$VMCRED_SOURCE/tests/vm/guest.bash"

setup_file() {
  guest_image ${VMCRED_GUEST_SUITE:+--suite "$VMCRED_GUEST_SUITE"} --overlay "$VMCRED_SOURCE/tests/vm/overlay"
  SYSTEMD=$(sed 's/[^0-9].*//' "$IMAGE/systemd")
  export SYSTEMD
}

setup() { vm_folder; }

# boot MACHINE GUEST-SYSTEMD
boot() {
  declare_guest vm-test-delivery "qemu.machine = \"$1\"" "guest.systemd = $2"
  "$VMCRED" vm run vm-test-delivery --accel tcg --console
}

@test "q35: sizes, bytes and numbers of every kind arrive, and vmcred-guest speaks like systemd-creds" {
  for i in 1 2 3 4 5 6 7 8; do head -c 2800 /dev/urandom | secret "big-$i"; done
  for i in $(seq 100); do head -c 32 /dev/urandom | secret "small-$i"; done
  head -c 100000 /dev/urandom | secret huge
  python3 -c 'import sys; sys.stdout.buffer.write(bytes(range(256)))' | secret bytes
  printf 'a\nb,c,,d"e[f]g\\h=i j\n' | secret plain
  printf '{"a":[1,true,null,"x"],"b":{"c":"\\u00fc"}}' | secret json
  printf 'yes' | secret compare
  run -0 boot q35 "$SYSTEMD"
  [[ $output == *"receipt: 113 credentials arrived"* ]]
  [[ $output == *"COMPARE 13 same, 0 other"* ]]
  [[ $output == *"COMPARE cat falls back to the system's"* ]]
  [[ $output == *"SHOW PLAIN "*"smbios"*"vm-test-compare.service (plain)"* ]]
  [[ $output == *"SHOW HUGE "*"fw_cfg"* ]]
  [[ $output != *"MODPROBE -q -a"* ]] # the port's modules are loaded without it
}

@test "pc: credentials arrive" {
  head -c 32 /dev/urandom | secret api-key
  head -c 5000 /dev/urandom | secret larger
  run -0 boot pc "$SYSTEMD"
  [[ $output == *"receipt: 2 credentials arrived"* ]]
}

@test "microvm: credentials arrive by fw_cfg" {
  for i in 1 2 3 4 5 6; do head -c 1000 /dev/urandom | secret "key-$i"; done
  run -0 boot microvm "$SYSTEMD"
  [[ $output == *"receipt: 6 credentials arrived"* ]]
  [[ $output != *"MODPROBE -q -a"* ]]
}

@test "a structure that systemd 252 cuts off is reported as truncated" {
  # The declaration says 257, so the plan makes a structure beyond the 4096 bytes that the guest's 252 reads. With a name of
  # one letter base64 is cut at a multiple of four characters, and systemd takes what is left for the whole.
  head -c 5000 /dev/urandom | secret a
  run -1 boot q35 257
  [[ $output == *"truncated"* ]]
}

@test "a missing credential stops before the VMM starts" {
  head -c 32 /dev/urandom | secret api-key
  rm credentials/host-api-key
  run -1 boot q35 "$SYSTEMD"
  [[ $output == *"host-api-key"* ]]
  [[ $output != *"VMM runs"* ]]
}
