# Sourced by the suites that boot vms: a project with values, its units, and what a proven vm looks like.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2317 # used by the suites
vars=/run/vmcred/vars/per-machine/britton-desktop
V() { vmcred --project /etc/vmcred "$@"; }

install_units() {
  V vm units --install >/dev/null
  systemctl daemon-reload
}

# proven VM COUNT: running, and the guest has proved COUNT credentials
proven() {
  is "microvm@$1" ActiveState active || fail "the unit is $(property "microvm@$1" ActiveState)"
  local status
  status=$(V vm status "$1" --json)
  equals "$(jq -r .state <<<"$status")" running
  equals "$(jq -r .proof <<<"$status")" proven
  equals "$(jq -r '[.receipts[] | select(.state == "received")] | length' <<<"$status")" "$2"
}

vmm_pid() { V vm status "$1" --json | jq -r .vmm; }

# nothing_left VM: no process, runtime folder, credentials or socket of it
nothing_left() {
  equals "$(pgrep -f "guest=$1 " || true)" ""
  [[ ! -e /run/vmcred/vm/$1 ]] || fail "/run/vmcred/vm/$1 is still there"
  [[ ! -e /run/credentials/microvm@$1.service ]] || fail "/run/credentials/microvm@$1.service is still there"
}
