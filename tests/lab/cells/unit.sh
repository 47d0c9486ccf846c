# The hardened unit microvm@v: starts to READY, its VMM is another user's without capabilities, stops well, leaves nothing.
all_bytes | secret api-key ', services = ["lab-consumer"]'
declare_vm
install_unit
unit_start
vmm=$(unit_status .vmm)
[[ $(awk '/^Uid:/ { print $2 }' "/proc/$vmm/status") != 0 ]] || fail "the VMM runs as root"
[[ $(awk '/^CapEff:/ { print $2 }' "/proc/$vmm/status") == 0000000000000000 ]] || fail "the VMM has capabilities"
exposure=$(systemd-analyze security microvm@v 2>/dev/null | sed -n 's/.*Overall exposure level[^:]*: \([0-9.]*\).*/\1/p')
line=$(journalctl -u microvm@v --no-pager -o cat | grep -e 'receipt:' | tail -n 1)
unit_stop
[[ ! -e /run/vmcred/vm/v && ! -e /run/credentials/microvm@v.service ]] || fail "something is left below /run"
yes "${line#v: }; exposure ${exposure:-unknown}"
