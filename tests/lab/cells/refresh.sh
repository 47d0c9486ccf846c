# A new value reaches the running guest; one that its service does not bear is taken back.
printf 'first' | secret api-key ', services = ["lab-consumer"]'
# "Active for a time" says little where a shell takes as long to start: the service says itself that it is well.
cat >>secrets.toml <<'TOML'
[vms.v.guest.services.lab-consumer]
health = "5m"
health-command = ["/bin/test", "-e", "/run/lab-consumer"]
TOML
declare_vm
start
await ": ready"
await "CONSUMER $(digest api-key)"
all_bytes >credentials/host-api-key
begin=$(now)
vmcred vm refresh v --credential api-key >refreshed 2>&1 || fail "refresh: $(cat refreshed)"
took=$(seconds "$begin" "$(now)")
good=$(digest api-key)
await "CONSUMER $good"
echo poison >credentials/host-api-key
status=0
vmcred vm refresh v --credential api-key >refreshed 2>&1 || status=$?
[[ $status -ne 0 ]] || fail "a value that the service does not bear was taken"
grep -q "keeps its old credentials" refreshed || fail "rollback: $(cat refreshed)"
await "CONSUMER $good" 2
stop
yes "new value in $took; rollback: $(sed -n 's/.*keeps its old/keeps its old/p' refreshed | head -n 1)"
