#!/usr/bin/env bats
# The guest's doctor: faults that are made for real on a command line of somebody else's, and its words for each.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/vm/guest.bash
source "$VMCRED_SOURCE/tests/vm/guest.bash"

setup_file() { guest_image --overlay "$VMCRED_SOURCE/tests/vm/overlay-doctor"; }

# boot OPTIONS...: what the guest's console says
boot() {
  timeout 400 qemu-system-x86_64 -name guest=vm-test-doctor -M q35 -accel tcg -cpu max -m 256M -nodefaults -display none -serial stdio -no-reboot \
    -kernel "$IMAGE/vmlinuz" -initrd "$IMAGE/initrd" -append "console=ttyS0 quiet panic=-1 no_timer_check" "$@" </dev/null | tr -d '\r'
}

@test "what systemd cut, lost, dropped or never reads is named, in the shape of the host's doctor" {
  # All values of type=11 share one structure, of which systemd 252 reads 4096 bytes.
  filler=$(printf 'x%.0s' {1..3950})
  oem=io.systemd.credential
  run -0 boot -smbios "type=11,value=$oem:SHADOWED=1,value=$oem:TWICE=1,value=$oem:TWICE=2,value=io.systemd.credentials:NEARLY=1,value=$oem:CUT=$filler,value=$oem:LOST=1"
  [[ $output == *"credential 'CUT': error: it was cut off by systemd [VC083]"* ]]
  [[ $output == *"credential 'LOST': error: it is offered, but systemd did not take it [VC083]"*"systemd 252 reads 4096 bytes"* ]]
  [[ $output == *"credential 'TWICE': warning: it is offered twice, the first one counts [VC084]"* ]]
  [[ $output == *"SMBIOS structure 11-0: warning: an OEM string begins with 'io.systemd.credentials': systemd ignores it [VC082]"* ]]
  [[ $output == *"/etc/credstore/SHADOWED: warning: it is never read"*"[VC085]"* ]]
  [[ $output == *"2 errors, 3 warnings; "* ]]
  [[ $output == *"DOCTOR exit 3"* ]]
  [[ $output != *"${filler:0:100}"* ]]
  json=$(grep '^{"findings"' <<<"$(sed 's/^{  "findings"/{"findings"/' <<<"$output")")
  [ "$(jq -r '[.findings[].code] | sort | join(" ")' <<<"$json")" = "VC082 VC083 VC083 VC084 VC085" ]
}

@test "a guest that may import nothing was given nothing, and is told why" {
  run -0 boot -smbios "type=11,value=io.systemd.credential:A=1" -append "console=ttyS0 quiet panic=-1 no_timer_check systemd.import_credentials=no"
  [[ $output == *"systemd: error: it was given no credentials at boot [VC089]"* ]]
  [[ $output == *"/proc/cmdline: warning: systemd.import_credentials is off on the kernel command line [VC080]"* ]]
  [[ $output == *"credential 'A': error: it is offered, but systemd did not take it [VC083]"* ]]
}

@test "a guest that took what it was offered has no findings" {
  run -0 boot -smbios "type=11,value=io.systemd.credential:A=1"
  [[ $output == *"no findings"*"DOCTOR exit 0"* ]]
}
