#!/bin/bash
# doctor on a real host: each fault is made for real, systemd's own verdict is compared with doctor's.
# shellcheck disable=SC2086,SC2119,SC2120,SC2317 # cases are called by name; words of ours hold no spaces
# shellcheck source=tests/host/inside/lib.sh
. /test/inside/lib.sh
# shellcheck source=tests/host/inside/vms.sh
. /test/inside/vms.sh

# finds CODE TEXT [ARGUMENTS...]: doctor has that finding, and exit code 3
finds() {
  local code=$1 text=$2 status=0 said
  shift 2
  said=$(V doctor "$@" 2>&1) || status=$?
  contains "$said" "[$code]"
  contains "$said" "$text"
  equals "$status" 3
}
# healthy [ARGUMENTS...]: nothing worse than notes
healthy() {
  local said
  said=$(V doctor "$@" 2>&1) || fail "$said"
  lacks "$said" ": warning: "
  lacks "$said" ": error: "
}

prepare() {
  install_units
  finds VC076 "the vars of this machine are not activated" # before the first activation
  systemctl start vmcred-activate
  healthy
  V doctor --json | jq -e '[.findings[] | select(.level != "note")] == []' >/dev/null
}

# unit NAME: a oneshot whose settings come from stdin
unit() {
  { printf '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n' && cat; } >"/run/systemd/system/$1.service"
}
# fails_with NAME TEXT: systemd refuses with 243, and doctor says the text
fails_with() {
  must_fail systemctl start "$1" >/dev/null
  equals "$(property "$1" ExecMainStatus)" 243
  finds VC060 "$2" --unit "$1"
}
starts() {
  systemctl start "$1"
  healthy --unit "$1"
}

a_vm_without_its_value() {
  mv $vars/test-vm-secrets/api-key /run/vmcred.d/aside
  must_fail systemctl start microvm@test-vm
  finds VC060 "microvm@test-vm.service: systemd cannot load credential 'host-api-key': '$vars/test-vm-secrets/api-key': no such file or directory (ENOENT)"
  contains "$(V doctor)" "/etc/systemd/system/microvm@test-vm.service.d/50-vmcred.conf:"
  mv /run/vmcred.d/aside $vars/test-vm-secrets/api-key
  finds VC063 "every credential of it can be loaded now"
  systemctl reset-failed microvm@test-vm
  healthy
}

lookups() {
  mkdir -p /srv/folder /srv/sockets /etc/credstore /run/systemd/system
  chmod 0700 /etc/credstore
  echo -n value | tee /srv/key /srv/folder/a /etc/credstore/stored >/dev/null
  head -c 1048577 /dev/zero >/srv/large
  head -c 600000 /dev/zero | tee /srv/half >/srv/other-half
  python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("/srv/dead"); socket.socket(socket.AF_UNIX).bind("/srv/sockets/s")'
  unit absolute <<<'LoadCredential=a:/srv/key'
  unit gone <<<'LoadCredential=a:/srv/none'
  unit fallback <<<$'LoadCredential=a:/srv/none\nSetCredential=a:instead'
  unit through <<<$'LoadCredential=a:/srv/key/none\nSetCredential=a:instead'
  unit large <<<'LoadCredential=a:/srv/large'
  unit folder <<<'LoadCredential=a:/srv/folder'
  unit sockets <<<'LoadCredential=a:/srv/sockets'
  unit dead <<<'LoadCredential=a:/srv/dead'
  unit relative <<<'LoadCredential=a:stored'
  unit nowhere <<<'LoadCredential=a:nothing'
  unit both <<<$'LoadCredential=a:/srv/half\nLoadCredential=b:/srv/other-half'
  unit reset <<<$'LoadCredential=a:/srv/none\nLoadCredential=\nLoadCredential=b:/srv/key'
  unit 'spec@' <<<'LoadCredential=a:/srv/%i'
  systemctl daemon-reload
  starts absolute
  fails_with gone "credential 'a': '/srv/none': no such file or directory (ENOENT)"
  starts fallback
  fails_with through "'/srv/key/none': not a directory (ENOTDIR)"
  fails_with large "it is 1048577 bytes, systemd takes 1048576"
  starts folder
  fails_with sockets "'/srv/sockets/s': systemd 252 opens no socket in a folder"
  fails_with dead "'/srv/dead': nobody listens on this socket (connection refused (ECONNREFUSED))"
  starts relative
  starts reset
  starts spec@key
  fails_with spec@none "'/srv/none'"
  systemctl start nowhere
  finds VC061 "credential 'a' is found nowhere, and systemd starts the unit without it" --unit nowhere
  must_fail systemctl start both
  equals "$(property both ExecMainStatus)" 243
  finds VC062 "its credentials are 1200002 bytes with their names" --unit both
}

served_sockets() {
  python3 -c '
import socket
s = socket.socket(socket.AF_UNIX)
s.bind("/srv/alive")
s.listen()
open("/srv/listens", "w").close()
while True:
  c, _ = s.accept()
  c.sendall(b"value")
  c.close()' &
  local server=$! long
  until_true 20 test -e /srv/listens # the socket is there before it answers
  long=$(printf 'x%.0s' {1..60})
  unit alive <<<'LoadCredential=a:/srv/alive'
  unit "$long" <<<"LoadCredential=aaaaaaaaaaaaaaaa:/srv/alive" # 68 + 16 bytes
  systemctl daemon-reload
  starts alive
  fails_with "$long" "84 bytes together, 83 at most"
  kill $server
}

encrypted() {
  mkdir -p /etc/credstore.encrypted
  chmod 0700 /etc/credstore.encrypted
  systemd-creds setup
  systemd-creds encrypt --with-key=host --name=right /srv/key /etc/credstore.encrypted/right
  cp /etc/credstore.encrypted/right /etc/credstore.encrypted/renamed
  unit right <<<'LoadCredentialEncrypted=right'
  unit renamed <<<'LoadCredentialEncrypted=renamed'
  systemctl daemon-reload
  starts right
  fails_with renamed "'/etc/credstore.encrypted/renamed': it cannot be decrypted:"
  lacks "$(V doctor --unit renamed)" value
}

leaks() {
  local key status=0
  key=$(cat $vars/test-vm-secrets/jwt-secret)
  python3 -c 'import time; time.sleep(300)' "x=$key" &
  local by_argv=$!
  KEY=$(printf %s "$key" | base64 -w0) sleep 300 &
  local by_environ=$!
  PASSWORD=hunter2hunter2 sleep 300 &
  local by_name=$!
  V doctor >/run/said 2>&1 || status=$?
  kill $by_argv $by_environ $by_name
  equals "$status" 3
  contains "$(cat /run/said)" "process $by_argv (python3): error: its command line shows everybody the value of 'per-machine/britton-desktop/test-vm-secrets/jwt-secret' [VC064]"
  contains "$(cat /run/said)" "process $by_environ (sleep): error: its environment holds the value of 'per-machine/britton-desktop/test-vm-secrets/jwt-secret' in base64 [VC064]"
  contains "$(cat /run/said)" "process $by_name (sleep): warning: its variable PASSWORD looks like a secret"
  lacks "$(cat /run/said)" hunter2
  lacks "$(cat /run/said)" "${key:4:16}"
  rm /run/said
  healthy
}

core_files() {
  cp /bin/sleep /run/qemu-system-x86
  (
    ulimit -c unlimited
    exec /run/qemu-system-x86 300
  ) &
  local vmm=$!
  until_true 20 grep -q qemu-system /proc/$vmm/comm
  finds VC067 "process $vmm (qemu-system-x86)"
  kill $vmm
}

swappable() {
  mkdir -p /run/credentials/by-hand.service
  echo x >/run/credentials/by-hand.service/key
  finds VC068 "/run/credentials/by-hand.service: error: credentials lie on tmpfs"
  rm -r /run/credentials/by-hand.service
}

keys() {
  chmod 0644 /var/lib/vmcred/key.txt
  finds VC074 "its mode is 0644"
  chmod 0400 /var/lib/vmcred/key.txt
  mv /var/lib/vmcred/key.txt /root/
  finds VC075 "this machine has no private key"
  mv /root/key.txt /var/lib/vmcred/
  touch -d 2099-01-01 /etc/vmcred/vars
  finds VC073 "this is from 2099-01-01T00:00:00Z"
  touch /etc/vmcred/vars
  healthy
}

the_store() {
  mv /etc/vmcred/vars/per-machine/britton-desktop/second-vm-secrets /root/
  finds VC006 "was never generated"
  mv /root/second-vm-secrets /etc/vmcred/vars/per-machine/britton-desktop/
  healthy
}

# A template's DynamicUser= alone: systemd derives one user from the prefix.
one_user() {
  local name
  for name in one two; do
    printf '[Service]\nType=exec\nDynamicUser=yes\nUser=microvm\nExecStart=/bin/sleep 300\n' >/run/systemd/system/microvm@$name.service
  done
  systemctl daemon-reload
  systemctl start microvm@one microvm@two
  equals "$(uid_of microvm@one)" "$(uid_of microvm@two)"
  finds VC078 "2 vms run with uid $(uid_of microvm@one)"
  systemctl stop microvm@one microvm@two
  rm -r /run/systemd/system/microvm@{one,two}.service*
  systemctl daemon-reload
}

an_older_guest() {
  systemctl start microvm@second-vm
  proven second-vm 1
  healthy
  cp -r /test/changed/. /etc/vmcred/
  V activate --no-refresh
  contains "$(V check 2>&1)" "vm 'second-vm': warning: its guest has 1 credential older than the store"
  finds VC077 "vm 'second-vm': warning: its guest has 1 credential older than the store"
  contains "$(V doctor)" "host-api-key"
  systemctl restart microvm@second-vm
  proven second-vm 1
  healthy
  systemctl stop microvm@second-vm
}

anybody_may_ask() {
  local said
  said=$(setpriv --reuid=65534 --regid=65534 --clear-groups vmcred doctor 2>&1) || true
  contains "$said" "run 'vmcred doctor' as root"
}

check "before and after activation" prepare
check "a vm whose value is gone: doctor names what systemd does not" a_vm_without_its_value
check "sixteen lookups end as systemd's own do" lookups
check "sockets that are served, and names that are too long for one" served_sockets
check "an encrypted credential under another name cannot be decrypted" encrypted
check "values on a command line and in an environment are found and not shown" leaks
check "a hypervisor that may leave a core file" core_files
check "credentials on a file system that may be swapped" swappable
check "an open key, no key, a clock that is behind" keys
check "a value that is missing in the store" the_store
check "two vms of one user" one_user
check "a guest with older values than this host, until its restart" an_older_guest
check "without root it says what it cannot see" anybody_may_ask
not_run_here "swap: a container cannot switch it on for itself alone; the judgement is tested with a /proc of its own"
finish
