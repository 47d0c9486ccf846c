#!/usr/bin/env bash
# Refuses an #include that src/LAYERS does not allow, a file in no room, and a row that names a row not above it.
set -euo pipefail
src=${1:?usage: layers_test.sh SRC}
declare -A below
bad=0
complain() {
  echo "layers: $*" >&2
  bad=1
}
while IFS=: read -r room allowed; do
  [[ $room =~ ^[a-z] ]] || continue
  for other in $allowed; do
    [[ -v below[$other] ]] || complain "the row '$room' names '$other', which does not stand above it"
  done
  below[$room]=" $allowed "
done <"$src/LAYERS"

while IFS= read -r file; do
  room=${file#"$src"/}
  room=${room%/*}
  if [[ ! -v below[$room] ]]; then
    complain "$file lies in no room of LAYERS"
    continue
  fi
  while IFS= read -r include; do
    other=${include%/*}
    [[ $other == "$room" || ! -d $src/$other || ${below[$room]} == *" $other "* ]] ||
      complain "$file includes \"$include\", but '$room' may not include '$other'"
  done < <(sed -n 's/^#include "\([^"]*\/[^"]*\)".*/\1/p' "$file")
done < <(find "$src" -name '*.h' -o -name '*.cc' | sort)
exit "$bad"
