#!/usr/bin/env bash
# The main job in one command: installs what is missing, builds, makes a guest, and runs 'vmcred demo': the guide's three
# secrets are generated, stored encrypted, injected into a real microVM, consumed there, and proven by a receipt.
#   ./demo.sh           a story with times
#   ./demo.sh --json    only the JSON object on stdout
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=tools/steps.sh
. tools/steps.sh
json=no
if [[ ${1:-} == --json ]]; then
  json=yes
  steps_out=2
elif [[ $# -gt 0 ]]; then
  echo "usage: ./demo.sh [--json]" >&2
  exit 2
fi

step "install what is missing (tools/setup --demo)" tools/setup --demo
step "build vmcred and vmcred-guest" build release
step "make the guest: kernel and initramfs with systemd" tools/guest-image --guest build/release/bin/vmcred-guest build/guest
arguments=(demo --guest build/guest)
[[ $json == no ]] || arguments+=(--json)
build/release/bin/vmcred "${arguments[@]}"
