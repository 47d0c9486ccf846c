# A share of virtiofs is read and written by the guest.
printf 'x' | secret order ', services = ["lab-obey"], on-change = "signal:USR1"'
mkdir shared
echo "hello from the host" >shared/greeting
/usr/lib/qemu/virtiofsd --socket-path="$work/share.sock" -o source="$work/shared" -o sandbox=chroot >virtiofsd.log 2>&1 3>&- &
server=$!
timeout 60 bash -c 'until [[ -S share.sock ]]; do kill -0 "$1" || exit 1; read -rt 0.05 <> <(:) || true; done' - "$server" ||
  fail "virtiofsd: $(tail -n 1 virtiofsd.log)"
declare_vm "shares = [{ tag = \"share\", socket = \"$work/share.sock\" }]"
start
await ": ready"
order 'modprobe virtiofs; mkdir -p /run/share; mount -t virtiofs share /run/share && tr a-z A-Z </run/share/greeting >/run/share/answer; umount /run/share; echo SHARED'
await "SHARED"
stop
kill "$server" 2>/dev/null || true
[[ $(cat shared/answer) == "HELLO FROM THE HOST" ]] || fail "the guest wrote: $(cat shared/answer)"
yes "read and written"
