# Sourced by demo.sh and check.sh: runs steps, one line each with its time, and shows the output of one that fails.
# shellcheck shell=bash
steps_log=$(mktemp -d)
trap 'rm -rf --one-file-system "$steps_log"' EXIT
steps_out=1 # where the lines go; demo.sh --json sends them to stderr

# step NAME COMMAND... : exit status of the command
step() {
  local name=$1 start end status=0
  shift
  start=$(date +%s%N)
  "$@" >"$steps_log/step" 2>&1 </dev/null || status=$?
  end=$(date +%s%N)
  local seconds
  seconds=$(awk "BEGIN{printf \"%6.1f\", ($end-$start)/1e9}")
  if [[ $status -eq 0 ]]; then
    printf 'ok     %s s  %s\n' "$seconds" "$name" >&"$steps_out"
  else
    printf 'FAILED %s s  %s\n' "$seconds" "$name" >&"$steps_out"
    tail -n 200 "$steps_log/step" >&"$steps_out"
  fi
  cp "$steps_log/step" "$steps_log/last"
  return "$status"
}

# A build folder of a preset; remembers nothing, ninja knows what is old.
build() {
  cmake --preset "$1" && ninja -C "build/$1"
}
