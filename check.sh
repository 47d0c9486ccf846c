#!/usr/bin/env bash
# All tests: end to end, guests and host on the release programs; unit, golden, property and fuzz replay under the address
# and undefined behaviour sanitizers, and the journeys end to end once more. One line a step; the last is "N passed, N failed".
#   ./check.sh            everything
#   ./check.sh --quick    the unit tests without sanitizers
#   ./check.sh --lab      only the real hypervisors, in an emulated machine whose KVM works: an hour and more (tools/lab)
#   ./check.sh --lab-short   of that, a part for continuous integration: QEMU with KVM and vhost-vsock, within 25 minutes
set -uo pipefail
cd "$(dirname "$0")" || exit
if [[ $(id -u) -eq 0 && -z ${VMCRED_PRIVATE_MOUNTS:-} ]]; then
  # What tests mount stays here and ends with us.
  exec env VMCRED_PRIVATE_MOUNTS=1 unshare -m --propagation private "$0" "$@"
fi
# Nothing here meets a vm of this machine, or one of another check.
if [[ $(id -u) -eq 0 ]]; then mkdir -p /run/vmcred && mount -t tmpfs -o mode=755 tmpfs /run/vmcred; fi
# shellcheck source=tools/steps.sh
. tools/steps.sh
quick=no
lab=()
case ${1:-} in
--quick) quick=yes ;;
--lab) lab=(-L '^lab$' -E '^lab_short$') ;;
--lab-short) lab=(-R '^lab_short$') ;;
esac
passed=0
failed=0

# One step that counts as one test.
check() {
  if step "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

# A ctest run: its tests are counted one by one. suite NAME FOLDER ARGUMENTS...
suite() {
  local name=$1 folder=$2 bad all
  shift 2
  step "$name" ctest --test-dir "$folder" --output-on-failure --no-tests=error "$@"
  read -r bad all < <(sed -n 's/.* \([0-9]*\) tests\{0,1\} failed out of \([0-9]*\).*/\1 \2/p' "$steps_log/last" | tail -1)
  if [[ -z ${all:-} ]]; then
    failed=$((failed + 1))
  else
    failed=$((failed + bad))
    passed=$((passed + all - bad))
  fi
  grep -E 'NOT RUN HERE|MOVED:' "$steps_log/last" | sort -u
}

finish() {
  echo "$passed passed, $failed failed"
  [[ $failed -eq 0 && $passed -gt 0 ]]
  exit
}
# A step that the following ones stand on.
need() {
  local before=$failed
  check "$@"
  [[ $failed -eq $before ]] || finish
}

need "install what is missing (tools/setup)" tools/setup
if [[ ${#lab[@]} -gt 0 ]]; then
  need "build: release" build release
  suite "lab (real hypervisors, KVM in an emulated machine)" build/release "${lab[@]}"
  finish
fi
step "the real sops, built once where Go is" bash -c 'tools/sops || [[ $? -eq 75 ]]'
grep 'NOT RUN HERE' "$steps_log/last"
step "vhost-device-vsock, built once where cargo is" bash -c 'tools/vhost-device-vsock || [[ $? -eq 75 ]]'
grep 'NOT RUN HERE' "$steps_log/last"
need "build: release" build release
need "guest image" tools/guest-image --guest build/release/bin/vmcred-guest build/guest
check "shell scripts (shellcheck)" bash -c 'git ls-files | xargs grep -lsE "^#!.*(bash|sh)$" | grep -v "\.bats$" | xargs shellcheck -x'
check "layout of the code (clang-format)" bash -c 'git ls-files "*.cc" "*.h" | xargs clang-format-19 --dry-run -Werror'
suite "end to end (release programs)" build/release -L e2e -j "$(nproc)"
suite "attacks (tools/attack, the short form)" build/release -L attack
suite "guests (QEMU, real systemd)" build/release -L vm -j "$(nproc)"
suite "host (systemd in nspawn)" build/release -L host
# Both need sources of others, in the folder that VMCRED_UPSTREAM names.
check "NixOS modules under nixpkgs' lib, microvm.nix and clan-core" bash -c 'tests/nix/upstream/run || [[ $? -eq 77 ]]'
grep 'NOT RUN HERE' "$steps_log/last"
check "NixOS host (systemd in nspawn)" bash -c 'VMCRED_BUILD=build/release tests/host/nixos || [[ $? -eq 77 ]]'
grep 'NOT RUN HERE' "$steps_log/last"
if [[ $quick == yes ]]; then
  need "build: dev" build dev
  suite "unit, golden, property, fuzz replay" build/dev -L unit -j "$(nproc)"
else
  need "build: address and undefined behaviour sanitizers" build asan
  suite "unit, golden, property, fuzz replay (sanitizers)" build/asan -L unit -j "$(nproc)"
  suite "end to end (sanitizers)" build/asan -L e2e -j "$(nproc)"
  suite "attacks on the parsers (sanitizers)" build/asan -L attack
fi
finish
