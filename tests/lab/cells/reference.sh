# Values by reference, one of 1 MiB among them: what the VMM holds is a spent token.
all_bytes | secret api-key ', services = ["lab-consumer"]'
head -c 1000000 /dev/urandom | secret large
declare_vm 'delivery = "reference"'
start
await ": ready"
await "CONSUMER $(digest api-key)"
line=$(said '[0-9.]* s: receipt: .*')
[[ $(status '[.receipts[] | select(.guest == "LARGE") | [.state, .size]]') == '[["received",1000000]]' ]] || fail "the large one: $(status .receipts)"
stop
yes "$line, one of them 1,000,000 bytes"
