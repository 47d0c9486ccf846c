# What the benches of guests share: a folder of their own to stand in, and vms that are started, listened to and stopped. (sourced)
# shellcheck shell=bash

folder=$(mktemp -d)
vm=
trap '[[ -z $vm ]] || kill "$vm" 2>/dev/null || true; rm -r --one-file-system "$folder"' EXIT
cd "$folder" || exit
export CREDENTIALS_DIRECTORY=$folder/credentials XDG_RUNTIME_DIR=$folder/run VMCRED_RUNTIME_DIR=$folder/run
mkdir -m 700 credentials run

now() { date +%s%N; }
milliseconds() { awk "BEGIN { printf \"%.1f\\n\", ($2 - $1) / 1000000 }"; }

# start NAME: its console is read from descriptor 4
start() {
  rm -f said
  mkfifo said
  "$VMCRED" vm run "$1" --accel tcg --console >said 2>&1 3>&- &
  vm=$!
  exec 4<said
}
# await PATTERN: the line is in $line then
await() {
  while read -r -t 600 line <&4; do
    # shellcheck disable=SC2254
    case $line in $1) return 0 ;; esac
  done
  echo "$(basename "$0"): the guest never said: $1" >&2
  return 1
}
stop() {
  "$VMCRED" vm stop "$1" >/dev/null 2>&1 || true
  cat <&4 >/dev/null
  wait "$vm" || true
  vm=
}
