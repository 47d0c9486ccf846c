# A guest with two processors.
all_bytes | secret api-key ', services = ["lab-consumer"]'
printf 'x' | secret order ', services = ["lab-obey"], on-change = "signal:USR1"'
declare_vm 'vcpus = 2'
start
await ": ready"
await "CONSUMER $(digest api-key)"
order 'echo "PROCESSORS $(grep -c ^processor /proc/cpuinfo)"'
await "PROCESSORS 2"
line=$(said '[0-9.]* s: receipt: .*')
stop
yes "$line, 2 processors"
