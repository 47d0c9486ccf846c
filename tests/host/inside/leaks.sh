#!/bin/bash
# No secret where none may be (H1): command lines, environments, open files, journal, /etc, /var, /tmp, /run, /dev/shm, in
# raw, hex and base64 at all alignments, whole and in 16-byte windows; while a vm runs, and after every way to end it.
# shellcheck disable=SC2086,SC2119,SC2120,SC2317 # cases are called by name; words of ours hold no spaces
# shellcheck source=tests/host/inside/lib.sh
. /test/inside/lib.sh
# shellcheck source=tests/host/inside/vms.sh
. /test/inside/vms.sh
canaries=/run/vmcred.d/canaries # where secrets may be, so that the search for them does not find it

scan() {
  local words=()
  for file in "$canaries"/*; do words+=(--secret "${file##*/}=$file"); done
  rm -f /run/journal-export
  journalctl -q --all -o export >/run/journal-export
  /test/vmcred-leak-scan "${words[@]}" --open-files --folder /etc --folder /var --folder /tmp --folder /run --folder /dev/shm \
    --folder /root --skip /run/credentials --skip /run/vmcred.d --skip /test
}

prepare() {
  install_units
  mkdir -p /etc/systemd/system/microvm@.service.d
  printf '[Service]\nExecStart=\nExecStart=/usr/bin/vmcred --verbose --project /etc/vmcred vm run %%i\n' \
    >/etc/systemd/system/microvm@.service.d/70-verbose.conf
  systemctl daemon-reload
  systemctl log-level debug
  systemctl start vmcred-activate
  mkdir -m 0700 $canaries
  for file in api-key db-password jwt-secret; do cp $vars/test-vm-secrets/$file $canaries/; done
}

# The search must find what is there, or its silence means nothing.
finds() {
  local status=0
  KEY=$(base64 -w0 <$canaries/jwt-secret | cut -c 5-40) sleep 300 &
  local planted=$!
  cut -c 3-24 $canaries/api-key | tr -d '\n' | od -An -tx1 | tr -d ' \n' >/var/planted
  scan >/run/said 2>&1 || status=$?
  kill $planted
  rm /var/planted
  equals "$status" 3
  contains "$(cat /run/said)" "environ 1, files 1"
  contains "$(cat /run/said)" "leak: 'api-key' as hex in /var/planted"
  rm /run/said
}

running() {
  systemctl start microvm@test-vm
  proven test-vm 5
  scan
}
booting() {
  systemctl --no-block start microvm@test-vm
  until_true 60 test -s /run/vmcred/vm/test-vm/console.log
  scan
  systemctl stop microvm@test-vm || true
}
stopped() {
  systemctl stop microvm@test-vm
  nothing_left test-vm
  scan
}
# Restart= is off, so that what is looked at is what the killed one left.
killed() {
  local whom=$1
  mkdir -p /run/systemd/system/microvm@test-vm.service.d
  printf '[Service]\nRestart=no\n' >/run/systemd/system/microvm@test-vm.service.d/90-once.conf
  systemctl daemon-reload
  systemctl start microvm@test-vm
  local vmm supervisor
  vmm=$(vmm_pid test-vm)
  supervisor=$(main_pid microvm@test-vm)
  if [[ $whom == supervisor ]]; then kill -KILL "$supervisor"; else kill -KILL "$vmm"; fi
  until_true 60 is microvm@test-vm ActiveState failed
  nothing_left test-vm
  equals "$(find / -xdev \( -name 'core' -o -name 'core.[0-9]*' -o -name 'vmcore*' \) -type f -newer /etc/machine-id 2>/dev/null | grep -v '^/proc\|^/usr' || true)" ""
  scan
}
activated_away() {
  V activate >/dev/null
  scan
}

check "a host with verbose logs and activated vars" prepare
check "the search finds a window in base64 in an environment and one in hex in a file" finds
check "while the guest boots" booting
check "while the vm runs and has proved itself" running
check "after a clean stop" stopped
check "after SIGKILL of the supervisor" killed supervisor
check "after SIGKILL of the VMM" killed vmm
check "after another activation" activated_away
finish
