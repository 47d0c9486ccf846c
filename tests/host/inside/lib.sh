# Sourced by the scripts that run inside the container: cases, waiting, journals. They run in order and build on another.
# shellcheck shell=bash
set -u
cd /test || exit 1
failed=0
passed=0

# check NAME COMMAND...: one case. Its output is shown when it fails.
check() {
  local name=$1 output status start
  shift
  start=$(date +%s%N)
  output=$(mktemp)
  # Into a file, not a pipe: whatever a check that fails leaves running holds nobody up.
  (
    set -e
    "$@"
  ) >"$output" 2>&1
  status=$?
  local seconds=$((($(date +%s%N) - start) / 10000000))
  seconds=$((seconds / 100)).$(printf %02d $((seconds % 100)))
  if [[ $status -eq 0 ]]; then
    passed=$((passed + 1))
    echo "ok      $seconds s  $name"
  else
    failed=$((failed + 1))
    echo "FAILED  $seconds s  $name (status $status)"
    sed 's/^/    /' "$output"
  fi
  rm -f "$output"
}

# What this machine cannot show is said, never silently left out.
not_run_here() { echo "NOT RUN HERE: $*"; }

finish() {
  echo "$passed passed, $failed failed"
  [[ $failed -eq 0 ]]
  exit
}

fail() {
  echo "$*"
  return 1
}
# equals GOT WANTED
equals() { [[ $1 == "$2" ]] || fail "got:    $1"$'\n'"wanted: $2"; }
contains() { [[ $1 == *"$2"* ]] || fail "'$2' is not in:"$'\n'"$1"; }
lacks() { [[ $1 != *"$2"* ]] || fail "'$2' is in:"$'\n'"$1"; }

property() { systemctl show -P "$2" "$1"; }
main_pid() { property "$1" MainPID; }
uid_of() { stat -c %u "/proc/$(main_pid "$1")"; }
# The journal of a unit since its present or last start.
story() { journalctl -q --no-pager -o cat -u "$1" _SYSTEMD_INVOCATION_ID="$(property "$1" InvocationID)" + UNIT="$1" INVOCATION_ID="$(property "$1" InvocationID)"; }
everything() { journalctl -q --no-pager -o cat -u "$1"; }

# until_true SECONDS COMMAND...: polls for what cannot be waited for.
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [[ $SECONDS -lt $end ]] || fail "still not true after the limit: $*" || return
    read -rt 0.05 _ <> <(:) || true
  done
}
is() { [[ $(property "$1" "$2") == "$3" ]]; }
# must_fail COMMAND...: prints what it said
must_fail() {
  local output
  if output=$("$@" 2>&1); then fail "succeeded: $*: $output"; else printf '%s\n' "$output"; fi
}
