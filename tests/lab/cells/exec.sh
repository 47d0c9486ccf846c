# vmcred exec with the command line of microvm.nix's runner for this VMM.
all_bytes | secret api-key ', services = ["lab-consumer"]'
declare_vm
sed -i '/^binary/d; /^kernel/d; /^initrd/d; /^accel/d; /^memory/d; /^command-line/d; /^vsock-cid/d' vmcred.toml # the command line says it
words="reboot=t panic=-1 $(kernel_words) quiet"
case $VMM in
qemu-*)
  machine=microvm,accel=kvm:tcg,acpi=on,mem-merge=on,pcie=off,pic=off,pit=off,rtc=on,usb=off bus=device
  if [[ $VMM == qemu-q35 ]]; then machine=q35,accel=kvm:tcg,acpi=on,mem-merge=on bus=pci; fi
  runner=(qemu-system-x86_64 -name v -M "$machine" -m 256M -smp 1 -nodefaults -no-user-config -no-reboot -kernel "$IMAGE/vmlinuz"
    -initrd "$IMAGE/initrd" -chardev stdio,id=stdio,signal=off -device "virtio-rng-$bus" -serial chardev:stdio -enable-kvm
    -cpu host,+x2apic,-sgx -device i8042 -append "earlyprintk=ttyS0 console=ttyS0 $words" -nographic -sandbox on
    -qmp "unix:$work/v.sock,server,nowait" -device "vhost-vsock-$bus,guest-cid=78")
  if [[ $VMM == qemu-q35 ]]; then runner=("${runner[@]/i8042/virtio-balloon-pci}"); fi # q35 has one
  ;;
cloud-hypervisor*)
  runner=("$PROGRAM" --cpus boot=1 --watchdog --kernel "$(kernel)" --initramfs "$IMAGE/initrd"
    --cmdline "earlyprintk=ttyS0 console=ttyS0 $words" --seccomp true --memory mergeable=on,shared=off,size=256M
    --platform "oem_strings=[io.systemd.credential:vmm.notify_socket=vsock-stream:2:8888]" --console null --serial tty
    --vsock cid=3,socket=notify.vsock --api-socket v.sock)
  ;;
firecracker)
  words="console=ttyS0,115200 reboot=k panic=1 i8042.noaux i8042.nomux i8042.nopnp i8042.dumbkbd $(kernel_words) quiet"
  jq -n --arg kernel "$(kernel)" --arg initrd "$IMAGE/initrd" --arg words "$words" '{"boot-source": {kernel_image_path: $kernel,
    initrd_path: $initrd, boot_args: $words}, "machine-config": {vcpu_count: 1, mem_size_mib: 256, smt: true}, drives: [],
    "network-interfaces": [], vsock: {guest_cid: 3, uds_path: "notify.vsock"}}' >config.json
  runner=("$PROGRAM" --config-file config.json --api-sock v.sock --enable-pci)
  ;;
kvmtool)
  runner=("$PROGRAM" run --name v -m 256 -c 1 --console serial --rng -k "$(kernel)" -i "$IMAGE/initrd"
    -p "console=ttyS0 reboot=k panic=1 $(kernel_words) quiet")
  ;;
esac
if [[ $VMM == kvmtool ]]; then
  status=0
  vmcred exec --vm v -- "${runner[@]}" >>log 2>&1 || status=$?
  [[ $status -eq 2 ]] || fail "exec ended with $status"
  refused "$(sed -n 's/^vmcred: error: //p' log | head -n 1)"
  exit 0
fi
vmcred exec --vm v -- "${runner[@]}" >>log 2>&1 3>&- </dev/null &
vm=$!
await ": ready"
await "CONSUMER $(digest api-key)"
line=$(said '[0-9.]* s: receipt: .*')
# What microvm.nix's microvm-shutdown does.
begin=$(now)
case $VMM in
qemu-*)
  key() { printf '{"type":"key","data":{"down":true,"key":{"type":"qcode","data":"%s"}}}' "$1"; }
  (
    echo '{"execute":"qmp_capabilities"}'
    echo "{\"arguments\":{\"events\":[$(key ctrl),$(key alt),$(key delete)]},\"execute\":\"input-send-event\"}"
  ) | timeout 100 socat -t 90 STDIO "UNIX:$work/v.sock,shut-none" >answers || true
  cat answers >>log
  ;;
cloud-hypervisor*) curl -s --unix-socket v.sock -X PUT http://localhost/api/v1/vm.power-button || true ;;
firecracker) curl -s --unix-socket v.sock -X PUT http://localhost/actions -d '{ "action_type": "SendCtrlAltDel" }' || true ;;
esac
status=0
timeout 600 tail --pid="$vm" -f /dev/null || fail "microvm-shutdown does not end it: $(tail -n 3 answers 2>/dev/null)"
wait "$vm" || status=$?
vm=
[[ ! -e v.sock && ! -e notify.vsock_8889 ]] || fail "left behind: $(ls)"
yes "$line; microvm-shutdown ends it in $(seconds "$begin" "$(now)") with $status"
