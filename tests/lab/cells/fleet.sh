# Many vms at once: all prove what they got, none is told as another, all stop well.
count=${VMS:-20}
all_bytes >credentials/host-api-key
declare_vm 'memory = "128M"'
{
  printf '[machines.host]\n'
  for ((i = 1; i <= count; i++)); do
    sed -n "/^\[vms.v\]/,/^\[vms.v.cred/p" vmcred.toml | sed "s/vms\.v/vms.v$i/; s/vsock-cid = .*/vsock-cid = $((100 + i))/"
    echo "api-key = { from = \"$work/credentials/host-api-key\", services = [\"lab-consumer\"] }"
  done
} >fleet.toml
mv fleet.toml vmcred.toml
begin=$(now)
vms=()
for ((i = 1; i <= count; i++)); do
  vmcred vm run "v$i" --receipt-timeout 3400 >"log-$i" 2>&1 3>&- &
  vms+=($!)
done
for ((i = 1; i <= count; i++)); do
  timeout 3400 grep -qm1 -e ': ready' <(tail -n +1 -f --pid="${vms[i - 1]}" "log-$i") || { cp "log-$i" log; fail "v$i did not become ready"; }
done
took=$(seconds "$begin" "$(now)")
bad=0
for ((i = 1; i <= count; i++)); do
  vmcred vm stop "v$i" >/dev/null 2>"stopped-$i" &
done
for process in "${vms[@]}"; do wait "$process" || bad=$((bad + 1)); done
[[ $bad -eq 0 ]] || { cat stopped-* >log; fail "$bad of $count did not stop well"; }
yes "$count vms, all proven after $took, all stopped well"
