# The VMM is killed: the unit starts it again, and the guest proves its credentials anew.
all_bytes | secret api-key ', services = ["lab-consumer"]'
declare_vm
install_unit
unit_start
first=$(unit_status .vmm)
kill -9 "$first"
unit_proven_again "$first"
[[ $(systemctl show -P NRestarts microvm@v) -ge 1 ]] || fail "the unit did not restart"
line="restarts: $(systemctl show -P NRestarts microvm@v); $(journalctl -u microvm@v --no-pager -o cat | grep -e 'receipt:' | tail -n 1)"
unit_stop
yes "$line"
