# A guest's kernel panics: the story says so where the VMM can tell, or that the cause is unknown, with the console's last words.
printf 'x' | secret order ', services = ["lab-obey"], on-change = "signal:USR1"'
declare_vm
start
await ": ready"
order "echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger"
await "Kernel panic"
line=
timeout 600 grep -qm1 -i -e 'panic[^-]*$' <(tail -n +1 -f --pid="$vm" log | grep --line-buffered -v -e 'Kernel panic' -e '\] ' -e sysrq) && line=$(grep -v -e '\] ' -e sysrq log | grep -i panic | head -n 1)
[[ -n $line ]] || line=$(grep -e 'reset' -e 'rebooted' -e 'ended' log | grep -v '\] ' | head -n 1)
[[ -n $line ]] || fail "the story says nothing of it"
yes "${line#vmcred: }"
