#!/bin/bash
# with_agent
# The chain on a real host: systemctl start decrypts, loads, delivers, boots, and returns when the guest has proved it.
# shellcheck disable=SC2086,SC2119,SC2120,SC2317 # cases are called by name; words of ours hold no spaces
# shellcheck source=tests/host/inside/lib.sh
. /test/inside/lib.sh
# shellcheck source=tests/host/inside/vms.sh
. /test/inside/vms.sh

starts() {
  systemctl start microvm@test-vm microvm@second-vm
  proven test-vm 5
  proven second-vm 1
  is vmcred-activate ActiveState active
}

activated() {
  equals "$(stat -c '%a %U:%G' $vars/test-vm-secrets/api-key $vars/second-vm-secrets/api-key)" $'400 root:root\n440 root:nogroup'
  local kind
  kind=$(stat -f -c %T /run/vmcred.d/1)
  [[ $kind == ramfs ]] || grep -q ' /run/vmcred.d.* tmpfs .*noswap' /proc/self/mounts || fail "the vars are on $kind"
}

shows_the_lines() {
  equals "$(systemctl cat microvm@test-vm | grep '^LoadCredential=')" "LoadCredential=host-api-key:$vars/test-vm-secrets/api-key
LoadCredential=host-db-password:$vars/test-vm-secrets/db-password
LoadCredential=host-jwt-secret:$vars/test-vm-secrets/jwt-secret"
}

tells_its_story() {
  local told
  told=$(everything microvm@test-vm)
  contains "$told" "the VMM runs with tcg"
  contains "$told" "its channel was read and wiped"
  contains "$told" "5 credentials arrived"
  [[ ! $told =~ [0-9]+\ (bytes|B|KiB) ]] || fail "a length: ${BASH_REMATCH[0]}"
  equals "$(property microvm@test-vm StatusText)" "the guest proved its credentials"
}

the_guest_used_them() { until_true 120 grep -q "Finished demo-oem-credentials.service" /run/vmcred/vm/test-vm/console.log; }

# Nothing but the uid in between: vm A's user, outside of its namespaces, at vm B's VMM, memory, files and sockets.
apart() {
  local uid supervisor vmm path got
  uid=$(uid_of microvm@test-vm)
  supervisor=$(main_pid microvm@second-vm)
  vmm=$(vmm_pid second-vm)
  [[ $uid != 0 && $uid != "$(uid_of microvm@second-vm)" ]] || fail "the same uid: $uid"
  equals "$(stat -c %u "/proc/$vmm")" "$(uid_of microvm@second-vm)"
  for path in /run/credentials/microvm@second-vm.service/host-api-key "$vars/second-vm-secrets/api-key" /run/vmcred/vm/second-vm/console.log \
    /proc/"$supervisor"/{mem,environ,maps,fd/0} /proc/"$vmm"/{mem,environ,maps,fd/3,fd/10}; do
    got=$(setpriv --reuid="$uid" --regid="$uid" --clear-groups head -c 1 "$path" 2>&1) && fail "reads $path: $got"
  done
  # shellcheck disable=SC2016 # the inner shell expands it
  setpriv --reuid="$uid" --regid="$uid" --clear-groups python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
try:
  s.connect("/run/vmcred/vm/second-vm/control")
except OSError:
  sys.exit(0)
sys.exit("connects to the control socket")'
  got=$(V vm status second-vm --json | jq -r .state)
  equals "$got" running
}

# READY counts only from the supervisor: not from the VMM, its own uid or anybody else.
ready_is_the_supervisors() {
  local uid vmm
  uid=$(uid_of microvm@test-vm)
  vmm=$(vmm_pid test-vm)
  nsenter --target "$vmm" --mount setpriv --reuid="$uid" --regid="$uid" --clear-groups \
    systemd-notify --pid="$vmm" "STATUS=forged" || true
  systemd-notify --pid="$vmm" "STATUS=forged" || true
  systemctl daemon-reload # a round trip: what was sent before it has been read
  equals "$(property microvm@test-vm StatusText)" "the guest proved its credentials"
}

lists() {
  local listed
  listed=$(V vm list)
  contains "$listed" test-vm
  contains "$listed" second-vm
}

# The machine's key, sealed for this host, comes as a credential of the unit; the file is not needed then.
sealed_identity() {
  mkdir -p /etc/credstore.encrypted
  systemd-creds encrypt --with-key=host --name=vmcred.identity /var/lib/vmcred/key.txt /etc/credstore.encrypted/vmcred.identity
  mv /var/lib/vmcred/key.txt /root/key.txt
  systemctl restart vmcred-activate
  is vmcred-activate ActiveState active
  contains "$(story vmcred-activate)" "is up to date"
  rm /etc/credstore.encrypted/vmcred.identity
  must_fail systemctl restart vmcred-activate
  mv /root/key.txt /var/lib/vmcred/key.txt
  systemctl restart vmcred-activate
}

delivered() { equals "$(sha256sum <$vars/second-vm-secrets/api-key)" "$(sha256sum </run/credentials/microvm@second-vm.service/host-api-key)"; }

# Only the vm that uses a changed var gets new values while it runs, by activation alone; the host service is named. A reload of
# the unit does the same once more.
refreshes() {
  cp -r /etc/vmcred /root/before
  cp -r /test/changed/. /etc/vmcred/
  local said supervisor
  supervisor=$(main_pid microvm@second-vm)
  systemctl restart vmcred-activate
  said=$(story vmcred-activate)
  contains "$said" "refreshed: vm 'second-vm'"
  contains "$said" "restart: consumer.service"
  lacks "$said" microvm@
  lacks "$said" test-vm
  equals "$(readlink /run/vmcred/vars)" /run/vmcred.d/2
  [[ ! -e /run/vmcred.d/1 ]] || fail "the old generation is still there"
  equals "$(V vm status second-vm --json | jq -c '[.proof, .generation, .reboots]')" '["proven",2,0]'
  systemctl reload microvm@second-vm
  equals "$(main_pid microvm@second-vm)" "$supervisor"
  equals "$(V vm status second-vm --json | jq -c '[.proof, .generation, .reboots]')" '["proven",3,0]'
  proven test-vm 5
}

# activate --restart: the users of what changed start again, or get it while they run; everything else goes on.
restarts_users() {
  local first consumer second
  first=$(main_pid microvm@test-vm)
  second=$(main_pid microvm@second-vm)
  printf '[Service]\nExecStart=/bin/sleep infinity\n' >/run/systemd/system/consumer.service
  systemctl daemon-reload
  systemctl start consumer
  consumer=$(main_pid consumer)
  cp -r /root/before/. /etc/vmcred/
  V activate --restart
  equals "$(main_pid microvm@second-vm)" "$second"
  equals "$(V vm status second-vm --json | jq -c '[.proof, .generation, .reboots]')" '["proven",4,0]'
  V activate --no-refresh --restart # nothing changed: nobody starts again
  equals "$(main_pid microvm@second-vm)" "$second"
  until_true 30 is consumer ActiveState active
  [[ $(main_pid consumer) != "$consumer" ]] || fail "consumer.service was not restarted"
  equals "$(main_pid microvm@test-vm)" "$first"
}

restarts() {
  local before
  before=$(main_pid microvm@test-vm)
  systemctl restart microvm@test-vm
  proven test-vm 5
  [[ $(main_pid microvm@test-vm) != "$before" ]]
  systemctl restart microvm@second-vm
  proven second-vm 1
  delivered # the receipt compared with the newest value
}

stops() {
  systemctl stop microvm@test-vm microvm@second-vm
  equals "$(property microvm@test-vm Result)" success
  nothing_left test-vm
  nothing_left second-vm
  contains "$(V vm status test-vm)" stopped
}

check "units are installed" install_units
check "systemctl start returns when both guests have proved what they got" starts
check "vars are in memory, with mode and owner as declared" activated
check "systemctl cat shows the guide's LoadCredential= lines" shows_the_lines
check "the journal and systemctl status tell the story" tells_its_story
check "the guest's service ran with its credentials" the_guest_used_them
check "vm A's uid reads no credential, memory, descriptor or socket of vm B" apart
check "READY and STATUS of others are ignored (H3)" ready_is_the_supervisors
check "vm list shows both" lists
check "the machine's key comes sealed by systemd-creds, else from its file" sealed_identity
check "activation hands a changed var to the running guests that use it, and to no other; so does a reload" refreshes
check "activate --restart restarts the host service that uses what changed, and no vm that took it while it ran" restarts_users
check "restart" restarts
check "stop: clean, and nothing is left" stops
finish
