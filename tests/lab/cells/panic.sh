# A guest's kernel panics. Where the VMM can tell, the story says so and the vm has failed; elsewhere it was reset, cause unknown,
# the console's last words are told, and it lives again.
printf 'x' | secret order ', services = ["lab-obey"], on-change = "signal:USR1"'
declare_vm
start
await ": ready"
order "echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger"
await '^v: .* s: the guest\(.s kernel panicked\| was reset\| rebooted\| powered off\)'
line=$(<found)
case $VMM in
qemu-q35 | cloud-hypervisor*)
  [[ $line == *"the guest's kernel panicked" ]] || fail "told as: $line"
  status=0
  wait "$vm" || status=$?
  vm=
  [[ $status -eq 1 ]] || fail "vm run ended with $status"
  line+="; $(tail -n 1 log)"
  ;;
*)
  [[ $line == *"the guest was reset, cause unknown" ]] || fail "told as: $line"
  await "the console's end: .*Kernel panic"
  await ": ready" 2
  stop
  line+=", with the console's last lines; it starts again"
  ;;
esac
yes "$(sed 's/^v: [0-9.]* s: //; s/vmcred: error: //' <<<"$line")"
