#!/usr/bin/env bats
# Devices that only the real QEMU proves: a virtiofs share, a tap, a vsock, in a vm that proves its credentials as well.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/vm/guest.bash
source "$VMCRED_SOURCE/tests/vm/guest.bash"

setup_file() {
  guest_image --overlay "$VMCRED_SOURCE/tests/vm/overlay" --overlay "$VMCRED_SOURCE/tests/vm/overlay-devices" \
    --module failover --module net_failover --module virtio_net --module fuse --module virtiofs
}

setup() {
  vm_folder
  head -c 32 /dev/urandom | secret api-key
}

teardown() {
  [[ -z ${server:-} ]] || kill "$server" 2>/dev/null || true
}

# boot WORD DEVICE...: a vm with that device, to its end; WORD is what the guest uses
boot() {
  command_line="quiet vmtest.$1" declare_guest vm-test-devices "${@:2}"
  "$VMCRED" vm run vm-test-devices --accel tcg --console
}

@test "a share of virtiofs is read and written, and the credentials arrive beside it" {
  for program in /usr/libexec/virtiofsd /usr/lib/qemu/virtiofsd; do
    [[ ! -x $program ]] || virtiofsd=$program
  done
  if [[ -z ${virtiofsd:-} ]]; then
    skip "NOT RUN HERE: virtiofs: there is no virtiofsd"
  fi
  mkdir shared
  printf 'hello from the host\n' >shared/greeting
  # Bookworm has two: QEMU's own in C and the one of Rust; both take these, and no namespaces are needed for a test.
  local options=(-o "source=$PWD/shared" -o sandbox=chroot)
  [[ $virtiofsd == *libexec* ]] && options=(--shared-dir "$PWD/shared" --sandbox none)
  "$virtiofsd" --socket-path="$PWD/share.sock" "${options[@]}" 2>virtiofsd.log 3>&- &
  server=$!
  timeout 20 bash -c 'until [[ -S share.sock ]]; do kill -0 "$1" || exit 1; read -rt 0.05 <> <(:) || true; done' - "$server" ||
    { cat virtiofsd.log; return 1; }
  run -0 boot share "shares = [{ tag = \"share\", socket = \"$PWD/share.sock\" }]"
  [[ $output == *"SHARE hello from the host"* ]]
  [[ $output == *"receipt: 1 credential arrived"* ]]
  [ "$(cat shared/answer)" = "HELLO FROM THE HOST" ]
}

@test "a tap in a network namespace carries what the guest sends" {
  if [[ $(id -u) != 0 || ! -c /dev/net/tun ]]; then
    skip "NOT RUN HERE: tap: needs root and /dev/net/tun"
  fi
  export -f boot declare_guest
  run -0 unshare -n bash -euo pipefail <<'NAMESPACE'
ip tuntap add dev vmtap0 mode tap
ip address add 10.77.0.1/24 dev vmtap0
ip link set vmtap0 up
python3 - <<'PY' &
import pathlib, socket
socket.setdefaulttimeout(600)
server = socket.create_server(("10.77.0.1", 7777))
client, peer = server.accept()
with client, client.makefile() as lines:
    pathlib.Path("heard").write_text(f"{peer[0]} {lines.readline()}")
PY
listener=$!
trap 'kill "$listener" 2>/dev/null || true' EXIT
boot tap 'networks = [{ type = "tap", tap = "vmtap0", mac = "02:00:00:00:77:02" }]'
wait "$listener"
NAMESPACE
  [[ $output == *"TAP 02:00:00:00:77:02"* ]]
  [[ $output == *"receipt: 1 credential arrived"* ]]
  [[ $output == *"MODPROBE -q -a virtio_pci virtio_console"* ]] # a file in modprobe.d names one
  [ "$(cat heard)" = "10.77.0.2 $(sha256sum <credentials/host-api-key | cut -d' ' -f1)  -" ]
}

@test "a vsock of the host's kernel is a device of the guest" {
  if [[ ! -c /dev/vhost-vsock ]]; then
    skip "NOT RUN HERE: vsock by vhost-vsock: the kernel of this machine has no /dev/vhost-vsock"
  fi
  run -0 boot vsock "vsock-cid = 7707"
  [[ $output == *"VSOCK device"* ]]
  [[ $output == *"receipt: 1 credential arrived"* ]]
}
