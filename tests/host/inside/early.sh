#!/bin/bash
# no_guest
# shellcheck disable=SC2016,SC2086,SC2317 # cases are called by name; words of ours hold no spaces; $6$ is a hash
# Vars that users are made with: there before systemd-sysusers runs, at the first boot of a host.
# shellcheck source=tests/host/inside/lib.sh
. /test/inside/lib.sh

vars=/run/vmcred/vars-for-users/per-machine/host

came_first() {
  is vmcred-activate-early ActiveState active
  is vmcred-activate-early Result success
  is systemd-sysusers Result success
  local ended started
  ended=$(property vmcred-activate-early ExecMainExitTimestampMonotonic)
  started=$(property systemd-sysusers ExecMainStartTimestampMonotonic)
  [[ $ended -gt 0 && $ended -le $started ]] || fail "ended at $ended, sysusers began at $started"
}

password_is_the_vars() {
  local hash
  hash=$(cat $vars/joe/hash)
  [[ $hash == '$6$'* ]] || fail "no hash: $hash"
  equals "$(sed -n 's/^joe:\([^:]*\):.*/\1/p' /etc/shadow)" "$hash"
}

alone_and_roots() {
  equals "$(find /run/vmcred/vars-for-users/ -type f -printf '%P %m %U\n')" "per-machine/host/joe/hash 400 0"
  equals "$(find -L /run/vmcred/vars-for-users/ -name password)" ""
}

others_come_later() {
  systemctl start vmcred-activate
  equals "$(cat /run/vmcred/vars/per-machine/host/late/value)" late
  equals "$(sed -n 's/^joe:\([^:]*\):.*/\1/p' /etc/shadow)" "$(cat $vars/joe/hash)"
}

check "the early activation ends before sysusers begins" came_first
check "the user's password is the var's, from his first moment on" password_is_the_vars
check "nothing else came early, and it is root's alone" alone_and_roots
check "the other vars come with the ordinary activation" others_come_later
finish
