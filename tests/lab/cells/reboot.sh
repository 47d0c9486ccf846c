# A guest reboots ten times; each time it gets its credentials anew and proves them.
all_bytes | secret api-key ', services = ["lab-consumer"]'
printf 'x' | secret order ', services = ["lab-obey"], on-change = "signal:USR1"'
declare_vm
start
times=${REBOOTS:-10}
for ((i = 1; i <= times; i++)); do
  await ": ready" "$i"
  await "CONSUMER $(digest api-key)" "$i"
  order "systemctl --no-block reboot # $i"
done
await ": ready" $((times + 1))
[[ $(status '[.state, .proof, .reboots]') == "[\"running\",\"proven\",$times]" ]] || fail "status: $(status '[.state, .proof, .reboots]')"
stop
[[ $(grep -o 'BOOT [0-9a-f-]*' log | sort -u | wc -l) -eq $((times + 1)) ]] || fail "not each life was a boot of its own"
yes "$times reboots, $((times + 1)) receipts"
