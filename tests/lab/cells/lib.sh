# What cells share: they run in the lab's machine, as root, with VMM (a row of the table) and GUEST (a systemd) set. (sourced)
# shellcheck shell=bash
set -euo pipefail
export HOME=/root
mkdir -p /run/lab # where nothing can be executed, on Debian
for program in /lab/bin/*; do cmp -s "$program" "/usr/local/bin/${program##*/}" || cp "$program" /usr/local/bin/; done
IMAGE=/var/tmp/image-$GUEST # what a VMM reads at its start must not come over 9p: some wait for no more than seconds
mkdir -p "$IMAGE"
for file in "/lab/image-$GUEST"/*; do cmp -s "$file" "$IMAGE/${file##*/}" || cp "$file" "$IMAGE/"; done
case $VMM in # each in a folder of its own, so that programs keep the names that their makers gave them
qemu-*) PROGRAM=/usr/bin/qemu-system-x86_64 ;;
kvmtool) PROGRAM=/lab/vmms/kvmtool/lkvm ;;
*) PROGRAM=/lab/vmms/$VMM/${VMM%-main} ;;
esac
work=$(mktemp -d /run/lab/work.XXXXXX)
cd "$work"
export CREDENTIALS_DIRECTORY=$work/credentials
mkdir -m 700 credentials
: >secrets.toml
: >log
reader=
if [[ -n ${VERBOSE:-} ]]; then tail -n +1 -f log & reader=$!; fi
vm=
installed=

at_end() {
  local status=$?
  trap - EXIT
  if [[ $status -ne 0 ]]; then
    echo "--- the last lines of the log:"
    tail -n 40 log
  fi
  uninstall_unit
  [[ -z $reader ]] || kill "$reader"
  [[ -z $vm ]] || kill "$vm" 2>/dev/null || true
  [[ -z $vm ]] || wait "$vm" || true
  cd /
  rm -rf --one-file-system "$work"
  exit "$status"
}
trap at_end EXIT

fail() { echo "FAILED $*"; exit 1; }
# The cell's result: what the table shows.
yes() { echo "RESULT yes: $*"; }
refused() { echo "RESULT refused: $*"; }

# secret NAME [MORE]: stdin becomes a credential of the vm; MORE are further keys of it
secret() {
  cat >"credentials/host-$1"
  echo "$1 = { from = \"$work/credentials/host-$1\"${2:-} }" >>secrets.toml
}
all_bytes() { python3 -c 'import sys; sys.stdout.buffer.write(bytes(range(256)))'; }
digest() { sha256sum <"credentials/host-$1" | cut -d' ' -f1; }

# declare_vm [LINE...]: the vm v of this row, with what secret() made; the lines are more of its keys
declare_vm() {
  local lines=("$@") agent=true
  case $VMM in
  qemu-q35) lines+=('qemu.machine = "q35"') ;;
  qemu-microvm) lines+=('qemu.machine = "microvm"' 'vsock-cid = 77') ;;
  cloud-hypervisor*) lines+=('hypervisor = "cloud-hypervisor"') ;;
  *) lines+=("hypervisor = \"${VMM%-main}\"") ;;
  esac
  if [[ $VMM == kvmtool ]]; then agent=false; fi # it has no link
  [[ " ${lines[*]}" == *" guest.agent"* ]] || lines+=("guest.agent = $agent")
  lines+=("guest.systemd = ${guest_systemd:-$GUEST}" 'receipt-timeout = "20m"' 'start-timeout = "10m"')
  [[ $GUEST -lt 262 || " ${lines[*]}" == *" disks"* ]] || lines+=("guest.systemd-in-initrd = true")
  [[ " ${lines[*]}" == *" kernel "* ]] || lines+=("kernel = \"$(kernel)\"" "initrd = \"$IMAGE/initrd\"")
  [[ " ${lines[*]}" == *" memory "* ]] || lines+=('memory = "256M"')
  {
    printf '[machines.host]\n[vms.v]\nmachine = "host"\nbinary = "%s"\naccel = "kvm"\n' "$PROGRAM"
    printf 'command-line = "%s"\n' "$(kernel_words) ${command_line:-quiet}"
    printf '%s\n' "${lines[@]}" "${declare_more:-}"
    echo '[vms.v.credentials]'
    cat secrets.toml
  } >vmcred.toml
}
# What costs a guest time where the processor below KVM is emulated.
kernel_words() {
  echo -n "mitigations=off cryptomgr.notests no_timer_check tsc=reliable lpj=4000000"
  if [[ $GUEST -ge 262 ]]; then echo -n " noxsave"; fi
}
kernel() {
  if [[ $VMM == firecracker ]]; then echo "$IMAGE/vmlinux"; else echo "$IMAGE/vmlinuz"; fi
}

# start [OPTION...]: goes on when the vm runs; all that is said goes to the file log
start() {
  vmcred vm run v --console --receipt-timeout 1500 "$@" >>log 2>&1 3>&- &
  vm=$!
}
# await PATTERN [COUNT]: until that many lines of the log match
await() {
  local count=${2:-1}
  timeout 1500 grep -m "$count" -e "$1" <(tail -n +1 -s 0.2 -f ${vm:+--pid="$vm"} log) >found || true
  [[ $(wc -l <found) -ge $count ]] || fail "the vm ended or was silent before: $1"
}
status() { vmcred vm status v --json | jq -c "$1"; }
stop() {
  vmcred vm stop v 2>>log || fail "vm stop: $(tail -n 2 log)"
  wait "$vm" || fail "vm run ended with $?"
  vm=
}
# order TEXT: the guest does that
order() {
  echo "$1" >credentials/host-order
  vmcred vm refresh v --credential order >>log 2>&1 || true # the guest may be gone before it can say so
}
said() { grep -o -e "$1" log | tail -n "${2:-1}"; }
now() { date +%s%N; }
seconds() { awk "BEGIN { printf \"%.1f s\", ($2 - $1) / 1e9 }"; }

# nothing_of VALUE-FILE: the value is in no argv, environment, log or file below /run, in no form
nothing_of() {
  python3 /lab/canary_patterns "$1" >patterns
  if grep -qaFf patterns log; then fail "the log holds a value"; fi
  local process
  for process in /proc/[0-9]*; do
    if cat "$process/cmdline" "$process/environ" 2>/dev/null | grep -qaFf patterns; then fail "a value is in $process's argv or environment"; fi
  done
  if grep -rlaFf patterns /run/vmcred /var/lib/vmcred /var/log 2>/dev/null | grep .; then fail "a file holds a value"; fi
}

# install_unit: microvm@v of this vm in the lab's own systemd
install_unit() {
  installed=yes
  install /usr/local/bin/vmcred /usr/bin/vmcred
  rm -rf /etc/vmcred
  mkdir -p /etc/vmcred /var/lib/lab
  cp -a credentials /var/lib/lab/
  sed "s|$work/credentials|/var/lib/lab/credentials|" vmcred.toml >/etc/vmcred/vmcred.toml
  vmcred --project /etc/vmcred vm units --install --program /usr/bin/vmcred --host-project /etc/vmcred >/dev/null
  ln -sf /dev/null /etc/systemd/system/vmcred-activate.service # the values lie there already
  systemctl daemon-reload
  systemctl reset-failed microvm@v 2>/dev/null || true
  journalctl --rotate --vacuum-time=1s >/dev/null 2>&1 || true
}
# What a cell before left of it must not meet this one's vm.
uninstall_unit() {
  [[ -n ${installed:-} ]] || return 0
  systemctl stop microvm@v || true
  systemctl reset-failed microvm@v 2>/dev/null || true
  rm -f /etc/systemd/system/vmcred-activate.service
}
journal() { journalctl -u microvm@v --no-pager -o cat >log; }
unit_status() { vmcred --project /etc/vmcred vm status v --json | jq -r "$1"; }
unit_start() {
  systemctl start microvm@v || { journal; fail "the unit does not start"; }
  [[ $(unit_status .proof) == proven ]] || { journal; fail "the guest proves nothing"; }
}
unit_stop() {
  systemctl stop microvm@v
  journal
  [[ $(systemctl show -P Result microvm@v) == success ]] || fail "the unit's result is $(systemctl show -P Result microvm@v)"
}
# unit_proven_again VMM: another VMM runs than that one, and its guest has proved what it got
unit_proven_again() {
  timeout 1500 grep -m2 -e ': ready' <(journalctl -f -n all -u microvm@v -o cat) >found || true
  [[ $(unit_status .vmm) != "$1" && $(unit_status .proof) == proven ]] || {
    journal
    fail "no second life of it was proven ($(wc -l <found) are ready)"
  }
}
