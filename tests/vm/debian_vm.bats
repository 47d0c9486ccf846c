#!/usr/bin/env bats
# examples/debian-vm: a whole Debian on a disk, with network. Its ssh host key and who may log in are vars; the test logs in.
bats_require_minimum_version 1.5.0

setup() {
  cp -r "$VMCRED_SOURCE/examples/debian-vm" "$BATS_TEST_TMPDIR/project"
  cd "$BATS_TEST_TMPDIR/project" || return
  base=${XDG_CACHE_HOME:-$HOME/.cache}/vmcred/debian-vm.tar
  export HOME=$BATS_TEST_TMPDIR/home XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run VMCRED_RUNTIME_DIR=$BATS_TEST_TMPDIR/run
  mkdir -m 700 "$HOME" "$XDG_RUNTIME_DIR"
  image=$VMCRED_SOURCE/build/debian-vm
  make_image() {
    "$VMCRED_SOURCE/examples/debian-vm/make-image" --vmcred "$VMCRED" --guest "$VMCRED_GUEST_STATIC" --base "$base" "$image"
  }
  if [ ! -e "$base" ]; then # the packages come from the network, once
    local status=0
    make_image >make.log 2>&1 || status=$?
    if [ "$status" -eq 75 ]; then
      cat make.log
      echo "# NOT RUN HERE: examples/debian-vm, for want of Debian's packages" >&3
      [ -z "${CI:-}" ] || return 1
      skip "the packages cannot be had"
    fi
    [ "$status" -eq 0 ] || { cat make.log; return 1; }
  fi
  make_image
  mkdir image
  ln -s "$image/vmlinuz" "$image/initrd" image/
  cp --sparse=always "$image/disk.raw" image/disk.raw # the guest writes to its own
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  sed -i "s/2222/$port/" vmcred.toml
}

teardown() {
  [[ -z ${supervisor:-} ]] || kill -9 "$supervisor" 2>/dev/null || true
}

@test "the host key that was generated answers, and the key that was generated opens" {
  "$VMCRED" init
  "$VMCRED" vars generate
  : >story
  "$VMCRED" vm run debian-vm --accel tcg --console >console 2>story &
  supervisor=$!
  timeout 600 grep -q ": ready" <(tail -n +1 -f --pid="$supervisor" story) || { cat story console; return 1; }
  grep -q "receipt: 2 credentials arrived" story
  (umask 077 && "$VMCRED" vars get debian-vm-login/id_ed25519 >key)
  echo "[127.0.0.1]:$port $("$VMCRED" vars get debian-vm-host-key/ssh_host_ed25519_key.pub)" >known_hosts
  # The VMM takes a connection before sshd listens, and ends it then.
  python3 - "$port" <<'PY'
import socket, sys, time
end = time.monotonic() + 300
while True:
    with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10) as door:
        try:
            if door.recv(4) == b"SSH-": break
        except OSError: pass
    assert time.monotonic() < end, "no sshd answers"
    time.sleep(0.1)
PY
  inside() {
    ssh -F none -i key -p "$port" -o UserKnownHostsFile=known_hosts -o StrictHostKeyChecking=yes -o BatchMode=yes \
      -o ConnectTimeout=60 root@127.0.0.1 "$@"
  }
  run -0 --separate-stderr inside 'cat /etc/debian_version; hostname; systemctl is-active ssh; ls /etc/ssh'
  [[ ${lines[0]} == 12.* ]]
  [ "${lines[1]}" = debian-vm ]
  [ "${lines[2]}" = active ]
  [[ $output != *ssh_host* ]] # no key of the image's own
  # Nothing of the private key is on the disk.
  secret=$("$VMCRED" vars get debian-vm-host-key/ssh_host_ed25519_key | sed -n 3p)
  run -1 --separate-stderr inside "sync; grep -aF '$secret' /dev/vda"
  kill -TERM "$supervisor"
  wait "$supervisor"
  grep -q "the guest powered off" story
}
