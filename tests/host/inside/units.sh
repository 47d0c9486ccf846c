#!/bin/bash
# no_guest
# shellcheck disable=SC2086,SC2317 # cases are called by name; words of ours hold no spaces
# The units as systemd takes them: lines, names, users, confinement. A probe stands in for the VMM; the chain is in chain.sh.
# shellcheck source=tests/host/inside/lib.sh
. /test/inside/lib.sh

long=a-vm-with-a-name-that-is-longer-than-a-user-name-0001
vars=/run/vmcred.d/1
state() { cat "/var/lib/vmcred/$1/$2"; }

prepare() {
  mkdir -p $vars /run/vmcred /var/lib/vmcred /srv '/srv/se cret:100%'
  mount -t ramfs -o mode=0755 ramfs /run/vmcred.d && mkdir -p $vars/per-machine/host/g
  umask 077
  printf 'canary of vm a, 0123456789' >$vars/per-machine/host/g/a
  printf 'canary of vm b, 9876543210' >$vars/per-machine/host/g/b
  chmod 755 /run/vmcred.d $vars $vars/per-machine $vars/per-machine/host $vars/per-machine/host/g
  ln -sfn $vars /run/vmcred/vars
  printf 'odd' >'/srv/se cret:100%/a\"b'
  printf 'plain' >/srv/plain
  printf 'the key' >/var/lib/vmcred/key.txt
  chmod 755 /var/lib/vmcred
}

install_units() {
  local first second
  first=$(vmcred --project /etc/vmcred vm units --install)
  equals "$(grep -c ': new$' <<<"$first")" 8
  second=$(vmcred --project /etc/vmcred vm units --install)
  equals "$(grep -c ': unchanged$' <<<"$second")" 8
  mkdir -p /etc/systemd/system/microvm@.service.d
  printf '[Service]\nNotifyAccess=all\nExecStart=\nExecStart=/bin/bash /test/inside/probe.sh\n' \
    >/etc/systemd/system/microvm@.service.d/60-probe.conf
  systemctl daemon-reload
}

# What PID 1 loaded, and how it can be seen: systemctl of 252 prints "[unprintable]" where later ones print the list.
shows_the_lines() {
  local path=/org/freedesktop/systemd1/unit/microvm_40a_2eservice
  equals "$(busctl get-property org.freedesktop.systemd1 $path org.freedesktop.systemd1.Service LoadCredential)" \
    'a(ss) 1 "host-key" "/run/vmcred/vars/per-machine/host/g/a"'
  equals "$(systemctl cat microvm@a | grep '^LoadCredential=')" 'LoadCredential=host-key:/run/vmcred/vars/per-machine/host/g/a'
  local shown
  shown=$(systemctl show --all microvm@a | grep '^LoadCredential=')
  [[ $shown == 'LoadCredential=[unprintable]' ]] || contains "$shown" 'host-key:/run/vmcred/vars/per-machine/host/g/a'
}

starts() {
  systemctl start microvm@a microvm@b "microvm@$long" microvm@odd microvm@net
  for name in a b $long odd net; do is "microvm@$name" ActiveState active || fail "$name"; done
}

odd_names() {
  equals "$(cut -d' ' -f3- /var/lib/vmcred/odd/credentials)" $'host-o\\d%d"x y\nhost-plain'
  equals "$(head -n1 /var/lib/vmcred/odd/credentials | cut -d' ' -f1)" "$(printf odd | sha256sum | cut -d' ' -f1)"
}

credentials_are_private() {
  equals "$(state a credentials)" "$(sha256sum <$vars/per-machine/host/g/a | cut -d' ' -f1) 400:$(state a uid) host-key"
  [[ $(state a credentials-filesystem) =~ ^(ramfs|tmpfs)$ ]] || fail "$(state a credentials-filesystem)"
}

uids_differ() {
  local uids
  uids=$(for name in a b $long odd net; do uid_of "microvm@$name"; done)
  equals "$(sort -u <<<"$uids" | wc -l)" 5
  lacks " ${uids//$'\n'/ } " " 0 "
  equals "$(property "microvm@$long" User)" vmcred-68f3a18a2ef12eaa
}

# As vm A's uid, outside of all its namespaces, so that nothing but the uid stands between: vm B's things.
other_uid_reads_nothing() {
  local uid pid path got
  uid=$(uid_of microvm@a)
  pid=$(main_pid microvm@b)
  for path in "/run/credentials/microvm@b.service/host-key" "/proc/$pid/mem" "/proc/$pid/environ" "/proc/$pid/maps" \
    "/proc/$pid/root/etc/hostname" "/proc/$pid/fd/0" /var/lib/vmcred/b/uid /run/vmcred/vm/b/control $vars/per-machine/host/g/b; do
    got=$(setpriv --reuid="$uid" --regid="$uid" --clear-groups head -c 1 "$path" 2>&1) && fail "reads $path: $got"
  done
  setpriv --reuid="$uid" --regid="$uid" --clear-groups ls /run/vmcred/vm/b /run/credentials/microvm@b.service /var/lib/private && fail "lists"
  setpriv --reuid="$uid" --regid="$uid" --clear-groups kill "$pid" && fail "kills"
  # And inside its own namespaces there is not even the name.
  pid=$(main_pid microvm@a)
  got=$(nsenter --target "$pid" --mount ls /run/credentials)
  equals "$got" microvm@a.service
}

confinement() {
  equals "$(state a allowed)" ""
  equals "$(state a status | tr -d '\t' | tr '\n' ' ')" "CapBnd:0000000000000000 CapEff:0000000000000000 NoNewPrivs:1 Seccomp:2 " ||
    equals "$(state a status | tr -d '\t' | tr '\n' ' ')" "CapEff:0000000000000000 CapBnd:0000000000000000 NoNewPrivs:1 Seccomp:2 "
  equals "$(state a core-limit)" 0
  equals "$(state a runtime-directory)" $'/run/vmcred/vm/a\n700:'"$(state a uid)"
  equals "$(property microvm@a MemorySwapMax)" 0
}

devices() {
  lacks "$(state a devices | tr '\n' ' ')" "net "
  lacks "$(state net devices | tr '\n' ' ')" "kvm "
  contains "$(ls "/proc/$(main_pid microvm@net)/root/dev/net")" tun
}

nothing_left_after_stop() {
  systemctl stop microvm@a microvm@b "microvm@$long" microvm@odd microvm@net
  equals "$(ls /run/vmcred/vm 2>/dev/null)" ""

  equals "$(find /run/credentials -name 'microvm*' | head)" ""
}

missing_source() {
  mv $vars/per-machine/host/g/a /run/vmcred.d/aside
  must_fail systemctl start microvm@a
  mv /run/vmcred.d/aside $vars/per-machine/host/g/a
  equals "$(property microvm@a ExecMainStatus)" 243
  contains "$(everything microvm@a)" "credential 'host-key' cannot be loaded: '/run/vmcred/vars/per-machine/host/g/a': no such file"
  equals "$(property microvm@a NRestarts)" 0
  is microvm@b ActiveState active || systemctl start microvm@b
}

activation_without_a_key_says_so() {
  rm -f /var/lib/vmcred/key.txt
  must_fail systemctl restart vmcred-activate
  contains "$(everything vmcred-activate)" "vmcred: error:"
  contains "$(everything vmcred-activate)" "/var/lib/vmcred/key.txt"
}

gone_vm() {
  sed -i '/^\[vms.net\]/,$d' /etc/vmcred/vmcred.toml
  contains "$(vmcred --project /etc/vmcred vm units --install)" "microvm@net.service.d/50-vmcred.conf: removed"
  lacks "$(systemctl cat microvm@net)" "LoadCredential=host-key"
}

verify() {
  equals "$(systemd-analyze verify --man=no microvm@a.service microvm@odd.service vmcred-activate.service 2>&1)" ""
  systemd-analyze security --threshold=20 --no-pager microvm@a.service
}

check "a host with activated vars" prepare
check "vm units --install says what is new, and nothing changes the second time" install_units
check "systemd has loaded the LoadCredential= lines" shows_the_lines
check "systemd-analyze: verify is silent, the exposure is at most 2.0" verify
check "all vms start" starts
check "names and paths with spaces, quotes, backslashes and percent signs come out as they were" odd_names
check "credentials are the vm's user's, 0400, in memory" credentials_are_private
check "each vm has a uid of its own, also one with a long name" uids_differ
check "vm A's uid reads nothing of vm B" other_uid_reads_nothing
check "the confinement holds" confinement
check "a vm sees only its own devices" devices
check "nothing is left after the stop" nothing_left_after_stop
check "a missing var ends the start before anything runs, and the journal says which" missing_source
check "activation without a key says where it looked" activation_without_a_key_says_so
check "the drop-in of a vm that is gone goes too" gone_vm
finish
