#!/usr/bin/env bats
# Damage of every kind in the store, a full and a read-only file system: each is named with its remedy, and nothing is lost
# or half written.
bats_require_minimum_version 1.5.0

setup_file() {
  cd "$BATS_FILE_TMPDIR" || return 1
  export HOME="$BATS_FILE_TMPDIR/home" USER=alice
  unset XDG_CONFIG_HOME SOPS_AGE_KEY SOPS_AGE_KEY_FILE CLAN_NO_COMMIT
  mkdir home good
  cd good || return 1
  "$VMCRED" init --machine web
  cat >>vmcred.toml <<'TOML'
[generators.g]
script = 'for f in a b; do head -c 30 /dev/urandom | base64 > "$out/$f"; done; echo open > "$out/open"'
files.a = {}
files.b = {}
files.open = { secret = false }
validation = { length = 30 }
[generators.other]
script = 'echo other > "$out/value"'
files.value = {}
[generators.made]
dependencies = ["g"]
script = 'cat "$in/g/a" > "$out/copy"'
files.copy = {}
TOML
  "$VMCRED" vars generate
}

setup() {
  cp -a "$BATS_FILE_TMPDIR/good" "$BATS_TEST_TMPDIR/project"
  cd "$BATS_TEST_TMPDIR/project" || return 1
  folder=vars/per-machine/web/g
}

# Everything below, links and all.
tree() { find vars sops ! -type d \( -type l -printf '%p -> %l\n' -o -type f -exec sha256sum {} + -o -printf '%p %y\n' \) | sort; }

# What a file of the store may have become. Each is a shell command on the file $1.
declare -gA damages=(
  [empty]=': >"$1"'
  [truncated]='truncate -s 100 "$1"'
  [zeros]='head -c 64 /dev/zero >>"$1"'
  [garbage]='head -c 2000 /dev/urandom >"$1"'
  [non-UTF-8]='printf "\377\376" | dd of="$1" bs=1 seek=12 conv=notrunc status=none'
  [doubled-key]='sed -i "0,/{/s//{\"data\":\"x\",\"data\":\"y\",\"version\":1,\"version\":1,/" "$1"'
  [deeply-nested]='head -c 200000 /dev/zero | tr "\0" "[" >"$1"'
  [oversized]='truncate -s 30M "$1"'
  [loop]='rm "$1" && ln -s "$(basename "$1")" "$1"'
  [link]='mv "$1" "$1.real" && ln -s "$(basename "$1").real" "$1"'
  [folder]='rm "$1" && mkdir "$1"'
  [fifo]='rm "$1" && mkfifo "$1"'
)
damage() { bash -c "${damages[$1]}" - "$2"; }

# Runs a command that must say what is wrong: names PATTERN, gives a hint (but for the declaration, where the place is enough),
# ends with CODE, leaves the tree. says CODE PATTERN COMMAND...
says() {
  local code=$1 pattern=$2 before
  shift 2
  before=$(tree)
  run --separate-stderr timeout 60 "$VMCRED" "$@"
  [ "$status" = "$code" ] || { echo "'$*' ended with $status, not $code: $output $stderr"; return 1; }
  [[ $output$stderr =~ $pattern ]] || { echo "'$*' does not name $pattern: $output $stderr"; return 1; }
  [ "$code" != 1 ] || [[ $pattern == vmcred.toml || $stderr == *"vmcred: hint: "* ]] || { echo "'$*' gives no remedy: $stderr"; return 1; }
  [[ $stderr != *"Assertion"* && $stderr != *"terminate"* ]]
  [ "$before" = "$(tree)" ] || { echo "'$*' changed the store"; return 1; }
}

@test "a damaged secret is named and kept, whatever it became" {
  for kind in "${!damages[@]}"; do
    rm -rf vars && cp -a "$BATS_FILE_TMPDIR/good/vars" .
    damage "$kind" "$folder/a/secret"
    says 1 'g/a' vars get g/a || { echo "$kind"; return 1; }
    says 1 'g/a' vars export plain || { echo "$kind"; return 1; }
    says 1 "$folder/a/secret" vars rotate -g made || { echo "$kind"; return 1; }
    says 0 'open' vars get g/open || { echo "$kind"; return 1; }
    case $kind in
      loop | link | folder | fifo)
        # Nothing of it is touched, and the others are not held up.
        says 0 'damaged.*g/a' vars list && says 1 'g/a' vars generate && says 3 'damaged .*g/a' vars check &&
          says 3 'g/a' check && says 0 'nothing would change' vars generate -g other --dry-run ;;
      *)
        says 3 'damaged .*g/a' vars check || { echo "$kind"; return 1; }
        "$VMCRED" vars rotate -g g
        run -0 "$VMCRED" vars check
        ;;
    esac || { echo "$kind"; return 1; }
  done
}

@test "a secret for somebody else is told from a damaged one" {
  SOPS_AGE_KEY=$(age-keygen 2>/dev/null | tail -1) HOME=/nonexistent says 1 'decrypt .*g/a' vars get g/a
  [[ $stderr == *"user alice, machine web can read it"*"secrets users add-secret"* ]]
}

@test "a damaged record is named and kept, whatever it became" {
  for kind in "${!damages[@]}"; do
    rm -rf vars && cp -a "$BATS_FILE_TMPDIR/good/vars" .
    damage "$kind" "$folder/.vmcred.json"
    for command in "generate" "generate --stale" "rotate -g g"; do
      # shellcheck disable=SC2086
      says 1 'web/g/.vmcred.json' vars $command || { echo "$kind"; return 1; }
    done
    says 0 'damaged.*web/g/.vmcred.json' vars list || { echo "$kind"; return 1; }
    says 3 'damaged.*web/g/.vmcred.json' vars check || { echo "$kind"; return 1; }
    says 3 'web/g/.vmcred.json' check || { echo "$kind"; return 1; }
    says 0 '' vars get g/a || { echo "$kind"; return 1; }
  done
  # The remedy works.
  rm -rf "$folder/.vmcred.json"
  says 0 'all values' vars generate
}

@test "a damaged validation hash does not make values anew" {
  for kind in empty truncated garbage oversized loop link folder fifo; do
    [ $kind != truncated ] || continue # it is short already
    rm -rf vars && cp -a "$BATS_FILE_TMPDIR/good/vars" .
    damage "$kind" "$folder/.validation-hash"
    says 1 'web/g/.validation-hash' vars generate || { echo "$kind"; return 1; }
  done
}

@test "a damaged user is named" {
  for kind in "${!damages[@]}"; do
    rm -rf sops && cp -a "$BATS_FILE_TMPDIR/good/sops" .
    damage "$kind" sops/users/alice/key.json
    says 1 'sops/users/alice/key.json' vars rotate -g g || { echo "$kind"; return 1; }
  done
}

@test "a folder that became a link or a file is not written through" {
  mkdir "$BATS_TEST_TMPDIR/elsewhere"
  for place in vars vars/per-machine vars/per-machine/web "$folder" "$folder/a"; do
    rm -rf vars && cp -a "$BATS_FILE_TMPDIR/good/vars" .
    rm -rf "$place" && ln -s "$BATS_TEST_TMPDIR/elsewhere" "$place"
    says 1 "$place" vars generate || { echo "$place"; return 1; }
    rm "$place" && : >"$place"
    [ "$place" != "$folder/a" ] || continue # a value that is missing
    says 1 "$place" vars generate || { echo "$place"; return 1; }
    [ -z "$(ls -A "$BATS_TEST_TMPDIR/elsewhere")" ]
  done
}

@test "a declaration that is no UTF-8, too deep or too large is refused with its place" {
  cp vmcred.toml good.toml
  printf '[generators."\377"]\n' >>vmcred.toml
  says 1 'vmcred.toml' vars generate
  { cat good.toml; echo "x = $(head -c 100000 /dev/zero | tr '\0' '[')"; } >vmcred.toml
  says 1 'vmcred.toml' vars generate
  { cat good.toml; head -c 70000000 /dev/zero | tr '\0' '#'; } >vmcred.toml
  says 1 'vmcred.toml' vars generate
  rm vmcred.toml && ln -s vmcred.toml vmcred.toml
  says 1 'vmcred.toml' vars generate
}

# Runs in a namespace of its own with a small file system: on_small_disk OPTIONS COMMAND; the project is at $1.
on_small_disk() {
  unshare -rm bash -euc '
    disk=$1/disk; mkdir -p "$disk"; mount -t tmpfs -o "$2" none "$disk"; cp -a "$1/project/." "$disk"; cd "$disk"
    tree() { find vars sops ! -type d \( -type l -printf "%p -> %l\n" -o -type f -exec sha256sum {} + \) | sort; }
    '"$2" - "$BATS_TEST_TMPDIR" "$1"
}

@test "on a full disk the old values stay byte for byte, wherever the room ends" {
  # One name more in each round: every creation of a file, folder or link is once the one that fails.
  present=$(find . | wc -l)
  run -0 on_small_disk "size=8m,nr_inodes=$((present + 200))" 'true'
  succeeded=0
  failed=0
  for ((room = present + 1; succeeded < 2; room += 1)); do
    [ "$room" -lt $((present + 200)) ]
    run on_small_disk "size=8m,nr_inodes=$room" '
      before=$(tree)
      if "$VMCRED" vars generate --regenerate -g g 2>"$1/log"; then echo worked; exit; fi
      grep -q "^vmcred: error: .*No space left on device$" "$1/log" || { cat "$1/log"; exit 5; }
      grep -q "^vmcred: hint: make room on that file system" "$1/log"
      [ "$before" = "$(tree)" ]
      [ ! -e vars/.vmcred-staging ]
      "$VMCRED" vars get g/a >/dev/null'
    [ "$status" = 0 ] || { echo "$room: $status $output"; return 1; }
    if [ "$output" = worked ]; then succeeded=$((succeeded + 1)); else failed=$((failed + 1)); fi
  done
  [ $failed -gt 10 ]
}

@test "where no byte is left the old values stay too" {
  run -0 on_small_disk "size=2m" '
    before=$(tree)
    dd if=/dev/zero of=fill bs=4k status=none 2>/dev/null || true
    if "$VMCRED" vars generate --regenerate -g g 2>"$1/log"; then exit 4; fi
    grep -q "No space left on device" "$1/log"
    if head -c 100000 /dev/zero | "$VMCRED" vars set g/a 2>"$1/log"; then exit 4; fi
    grep -q "No space left on device" "$1/log"
    [ "$before" = "$(tree)" ]
    rm fill
    "$VMCRED" vars generate --regenerate -g g 2>"$1/log"
    "$VMCRED" vars check || [ $? = 3 ]'
}

@test "a read-only store is read, and refused to writers with the remedy" {
  run -0 on_small_disk "size=2m" '
    mount -o remount,ro "$1/disk"
    "$VMCRED" vars list >/dev/null
    "$VMCRED" vars check >/dev/null
    "$VMCRED" vars get g/a >/dev/null
    for command in "generate --regenerate -g g" "rotate -g g" "fix" "prune" "rename g h"; do
      if "$VMCRED" vars $command 2>"$1/log"; then exit 4; fi
      grep -q "Read-only file system" "$1/log"
      grep -q "^vmcred: hint: that file system is mounted read-only" "$1/log"
    done'
}

@test "a store that somebody else may not write is refused to him" {
  [ "$(id -u)" = 0 ] || skip "NOT RUN HERE: needs root to be somebody else"
  chmod -R go+rX . "$BATS_FILE_TMPDIR" && chmod 755 "$BATS_TEST_TMPDIR"
  cp "$HOME/.config/sops/age/keys.txt" "$BATS_TEST_TMPDIR/keys" && chmod 644 "$BATS_TEST_TMPDIR/keys"
  before=$(tree)
  run -1 --separate-stderr setpriv --reuid 65534 --regid 65534 --clear-groups env SOPS_AGE_KEY_FILE="$BATS_TEST_TMPDIR/keys" \
    "$VMCRED" vars generate --regenerate -g g
  [[ $stderr == *"Permission denied"* ]]
  [ "$before" = "$(tree)" ]
}
