# A vm starts, all 256 byte values and another secret arrive byte for byte, the receipt says so, and the host shows nothing of them.
all_bytes | secret api-key ', services = ["lab-consumer"]'
head -c 48 /dev/urandom | base64 -w0 | secret canary
declare_vm
start
if [[ $VMM == kvmtool ]]; then # without a link nobody proves; the guest itself prints what came
  await "CONSUMER $(digest api-key)"
  line="the guest printed the digest of 256 byte values"
else
  await ": ready"
  await "CONSUMER $(digest api-key)"
  line=$(said '[0-9.]* s: receipt: .*')
fi
nothing_of credentials/host-canary
if [[ $VMM == kvmtool ]]; then
  vmcred vm stop v 2>>log || true # nobody can ask this guest
  wait "$vm" || true
  vm=
else
  stop
fi
[[ ! -e /run/vmcred/vm/v || -z $(ls -A /run/vmcred/vm/v) ]] || fail "the runtime folder still holds: $(ls -A /run/vmcred/vm/v)"
yes "$line"
