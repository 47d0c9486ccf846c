# systemd in the guest says over vhost-vsock that it is ready (from 254 on), while the link proves the credentials.
[[ $VMM == qemu-microvm ]] || { refused "only that row has a vsock of the kernel's"; exit 0; }
[[ $GUEST -ge 254 ]] || { refused "systemd $GUEST says nothing over a stream"; exit 0; }
all_bytes | secret api-key ', services = ["lab-consumer"]'
echo 'notify = { value = "vsock-stream:2:8888", guest = "vmm.notify_socket" }' >>secrets.toml
python3 - >heard 2>&1 <<'PY' &
import socket
server = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
server.bind((socket.VMADDR_CID_ANY, 8888))
server.listen()
while True:
    client, (cid, _) = server.accept()
    with client:
        said = b"".join(iter(lambda: client.recv(4096), b"")).decode(errors="replace")
        for line in said.splitlines():
            print(f"CID {cid}: {line}", flush=True)
PY
listener=$!
declare_vm
start
await ": ready"
await "CONSUMER $(digest api-key)"
timeout 300 grep -qm1 'READY=1' <(tail -n +1 -f heard) || fail "systemd did not say READY=1: $(tail -n 3 heard)"
kill "$listener"
stop
yes "$(said '[0-9.]* s: receipt: .*'); $(grep -m1 READY=1 heard)"
