# A guest is ended by its agent, by the power key where logind listens, and by force where nobody does, which is told as such.
printf 'x' | secret order ', services = ["lab-obey"], on-change = "signal:USR1"'

declare_vm
start
await ": ready"
begin=$(now)
stop
agent=$(seconds "$begin" "$(now)")
grep -q "the guest powered off" log || fail "by its agent: the story does not say that the guest powered off"

# Debian with logind; no agent.
: >log
debian='quiet root=/dev/vda ro systemd.mask=vmcred-agent.service systemd.wants=lab-logind.service'
command_line=$debian declare_vm 'guest.agent = false' 'receipt = "off"' 'memory = "512M"' 'kernel = "/lab/debian/vmlinuz"' \
  'initrd = "/lab/debian/initrd"' 'disks = [{ path = "/dev/vdb", read-only = true }]'
start
await "LOGIND listens"
begin=$(now)
stop
power=$(seconds "$begin" "$(now)")

: >log
command_line="quiet systemd.mask=vmcred-agent.service" declare_vm 'guest.agent = false' 'receipt = "off"'
start
await "BOOT "
begin=$(now)
status=0
vmcred vm stop v >stopped 2>&1 || status=$?
neither=$(seconds "$begin" "$(now)")
vmm_status=0
wait "$vm" || vmm_status=$?
vm=
[[ $status -ne 0 && $vmm_status -ne 0 ]] || fail "a guest that nobody can ask is told as stopped cleanly: $(cat stopped) ($status, $vmm_status)"
yes "agent $agent; power key with logind $power; neither $neither, told as '$(sed -n 's/.*not cleanly: //p' stopped | head -n 1)'"
