# A tap carries what the guest sends.
printf 'x' | secret order ', services = ["lab-obey"], on-change = "signal:USR1"'
ip tuntap add dev vmtap0 mode tap
ip address add 10.77.0.1/24 dev vmtap0
ip link set vmtap0 up
timeout 1500 socat -u TCP-LISTEN:7777,bind=10.77.0.1 CREATE:"$work/heard" 3>&- &
listener=$!
declare_vm 'networks = [{ type = "tap", tap = "vmtap0", mac = "02:00:00:00:77:02" }]'
start
await ": ready"
order 'modprobe virtio_net; busybox ip link set eth0 up; busybox ip addr add 10.77.0.2/24 dev eth0; cat /sys/class/net/eth0/address | busybox nc -w 20 10.77.0.1 7777'
wait "$listener"
stop
ip link delete vmtap0
[[ $(cat heard) == 02:00:00:00:77:02 ]] || fail "heard: $(cat heard)"
yes "the guest's bytes came over the tap"
