#!/usr/bin/env bats
# --json: every command of the table prints one object, in the shape that docs/json.md has for it, also when it fails.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/e2e/project.bash
source "$VMCRED_SOURCE/tests/e2e/project.bash"

shapes=$VMCRED_SOURCE/docs/json.md

# Who has no object of his own, and why. They refuse --json, and that in JSON.
refused() {
  case $1 in
  completion) echo "prints a script for a shell" ;;
  exec) echo "standard output is the VMM's" ;;
  *) return 1 ;;
  esac
}

# One way to run each command: its arguments, and what it ends with (0 where nothing is said). A command without a line fails
# the test. Each runs in its own copy of the project.
case_of() {
  arguments=() expected=0 input=/dev/null
  case $1 in
  "init") arguments=(--machine host --project new) ;;
  "declare" | "help" | "vars list" | "vars fix" | "vars generate" | "secrets list" | "secrets users list" | "secrets machines list" | \
    "secrets groups list" | "secrets key show" | "explain" | "vm list" | "vars keygen" | "vm plan") ;;
  "check" | "vars check" | "doctor") expected="0 3" ;;
  "import agenix") arguments=(../agenix) expected="0 1 3" ;; # nix is not everywhere
  "import sops-nix") arguments=(../foreign.json) ;;
  "vars get") arguments=(host token/key) ;;
  "vars set") arguments=(host token/key) input=$BATS_TEST_TMPDIR/value ;;
  "vars rotate") arguments=(token/key) ;;
  "vars prune") arguments=(--yes) ;;
  "vars export") arguments=(plain) ;;
  "vars import") arguments=(../plain) expected=3 ;; # one of them is no longer declared
  "vars rename") arguments=(token ticket) ;;
  "vars upload") arguments=(host --directory key) ;;
  "secrets get") arguments=(host:token/key) ;;
  "secrets who") arguments=(host:token/key) ;;
  "secrets what") arguments=(bob) ;;
  "secrets users get") arguments=(bob) ;;
  "secrets users add") arguments=(carol "$carol") ;;
  "secrets users remove") arguments=(bob --rotate) ;;
  "secrets users add-key") arguments=(bob "$carol" --widen) ;;
  "secrets users remove-key") arguments=(bob "$spare") ;;
  "secrets users add-secret") arguments=(bob web:token/key) ;;
  "secrets users remove-secret") arguments=(bob host:token/key) ;;
  "secrets machines get") arguments=(host) ;;
  "secrets machines add") arguments=(db "$carol") ;;
  "secrets machines remove") arguments=(web) ;;
  "secrets machines rename") arguments=(web www) ;;
  "secrets machines renew-key") arguments=(web) ;;
  "secrets machines add-secret") arguments=(web host:token/key) ;;
  "secrets machines remove-secret") arguments=(host host:token/key) ;;
  "secrets groups add-user") arguments=(admins bob --widen) ;;
  "secrets groups remove-user") arguments=(admins alice) ;;
  "secrets groups add-machine") arguments=(admins web --widen) ;;
  "secrets groups remove-machine") arguments=(admins host) ;;
  "secrets groups add-secret") arguments=(admins host:token/key --widen) ;;
  "secrets groups remove-secret") arguments=(admins web:token/key) ;;
  "recover") arguments=(--identity ../machine-key) ;;
  "signatures keygen") ;;
  "signatures check") expected="0 3" ;;
  "signatures sign") arguments=(--yes) ;;
  "signatures show") arguments=(vars/per-machine/host/token) ;;
  "activate") arguments=(--machine host --root-prefix "$PWD/root") ;;
  "deploy") arguments=(host --target nobody@localhost) ;;
  "vm run") arguments=(fake) ;;
  "vm refresh" | "vm stop" | "vm status") arguments=(fake) expected="0 1" ;; # it does not run: tests/e2e/life.bats has the rest
  "vm units") arguments=(--machine host --program /usr/bin/vmcred --host-project /etc/vmcred) ;;
  "inspect") arguments=("$VMCRED_SOURCE/tests/fuzz/corpus/smbios/structure") ;;
  "demo") arguments=(--guest /nonexistent) expected=1 ;; # tests/e2e/canary.bats has the rest
  *) return 1 ;;
  esac
}

setup() {
  new_project
  export VMCRED_RUNTIME_DIR=$BATS_TEST_TMPDIR/run XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run PATH=$BATS_TEST_TMPDIR/bin:$PATH
  unset CREDENTIALS_DIRECTORY RUNTIME_DIRECTORY NOTIFY_SOCKET
  spare=$(age-keygen 2>/dev/null | sed -n 's/^# public key: //p')
  carol=$(age-keygen 2>/dev/null | sed -n 's/^# public key: //p')
  bob=$(age-keygen 2>/dev/null | sed -n 's/^# public key: //p')
}

# The project that all of them work on.
make_project() {
  "$VMCRED" -q init --machine host
  declare_toml <<TOML
[machines.web]
[generators.token]
machines = ["host", "web"]
script = 'printf canary- >"\$out/key"; printf 4711 >>"\$out/key"'
files.key = {}
[generators.name]
share = true
script = 'printf open >"\$out/name"'
files.name = { secret = false }
[generators.old]
machines = ["host"]
script = 'printf old >"\$out/old"'
files.old = {}
[vms.fake]
machine = "host"
binary = "$VMCRED_BUILD/bin/fake_vmm"
kernel = "$VMCRED_BUILD/bin/fake_vmm"
allow-options = ["fake="]
extra-arguments = ["-fake", "end=guest-shutdown"]
credentials.key = { from = "token/key", services = ["s"] }
TOML
  "$VMCRED" -q vars generate
  "$VMCRED" -q secrets users add bob "$bob" "$spare"
  "$VMCRED" -q secrets groups add-user admins alice
  "$VMCRED" -q secrets groups add-machine admins host
  "$VMCRED" -q secrets groups add-secret admins web:token/key --widen
  "$VMCRED" -q secrets users add-secret bob host:token/key
  "$VMCRED" -q vars upload host --directory ..
  "$VMCRED" -q vars export ../plain
  cp vars/per-machine/host/token/key/secret ../foreign.json
  mv ../key.txt ../machine-key
  mkdir -p root/var/lib/vmcred
  cp ../machine-key root/var/lib/vmcred/key.txt
  # An orphan.
  sed -i '/^\[generators.old\]/,/^files.old/d' vmcred.toml
  # An ssh that gets there, runs nothing and takes what is sent.
  mkdir ../bin
  printf '#!/bin/sh\ncat >/dev/null\n' >../bin/ssh
  chmod +x ../bin/ssh
  printf new >../value
  cd ..
  mv project whole
}

# Every member of the object on standard input is in the command's section, or among those of every object.
fits_shape() {
  local section known member
  section_of() { awk -v head="### $1" '$0 == head { on = 1; next } /^##/ { on = 0 } on' "$shapes"; }
  section=$(section_of "$1")
  [ -n "$section" ] || { echo "docs/json.md has no section '$1'"; return 1; }
  [[ $section != *'"lost"'* ]] || section+=$(section_of "vars rotate") # with --rotate
  known=" schema error hint kind notes changed committed $(grep -oE '"[a-z_]+"' <<<"$section" | tr -d '"' | sort -u | tr '\n' ' ')"
  for member in $(jq -r '[paths | select(any(.[]; . == "totals") and length > 1 | not) | map(strings) | last] | unique | .[] // empty'); do
    [[ $known == *" $member "* ]] || { echo "'$1': docs/json.md does not know its member '$member'"; return 1; }
  done
}

@test "every command prints one object, in the shape that is documented" {
  make_project
  home=$HOME
  export HOME=$BATS_TEST_TMPDIR/own # each has its own, too
  wrong=0
  count=0
  while read -r words; do
    count=$((count + 1))
    rm -rf project run && cp -a whole project && mkdir -m 700 run && cd project || return 1
    name=${words// /-}
    if refused "$words" >/dev/null; then
      status=0
      "$VMCRED" $words --json bash >../out 2>../err </dev/null || status=$?
      if ! jq -es 'length == 1 and (.[0] | .error != "" and .kind == "usage")' ../out >/dev/null || [ "$status" != 2 ]; then
        echo "'$words' ($(refused "$words")) does not refuse --json in JSON, or ends with $status instead of 2"
        wrong=$((wrong + 1))
      fi
    elif ! case_of "$words"; then
      echo "'$words' has no line in this test and is none that is refused"
      wrong=$((wrong + 1))
    else
      status=0
      rm -rf ../own && cp -a "$home" ../own
      [ "$words" != recover ] || rm -r ../own/.config # his key is lost
      [[ $words != signatures\ [cs]* ]] || "$VMCRED" -q signatures keygen >/dev/null
      timeout 60 "$VMCRED" $words --json "${arguments[@]}" >../out 2>../err <"$input" || status=$?
      schema='.schema == $schema'
      [ "$words" != declare ] || schema='has("schema") | not' # it is a declaration itself
      if [[ " $expected " != *" $status "* ]]; then
        echo "'$words' ended with $status, not with $expected"
        cat ../out ../err
        wrong=$((wrong + 1))
      elif ! jq -es --arg schema "vmcred.$name/1" "length == 1 and (.[0] | type == \"object\" and $schema)" ../out >/dev/null; then
        echo "'$words --json' does not print one object with its schema:"
        cat ../out ../err
        wrong=$((wrong + 1))
      elif [ "$words" != declare ] && ! fits_shape "$words" <../out; then
        cat ../out
        wrong=$((wrong + 1))
      fi
      if [ "$status" = 1 ] && ! jq -e '.error != "" and .kind != ""' ../out >/dev/null; then
        echo "'$words' failed, and its object does not say why"
        wrong=$((wrong + 1))
      fi
      # A value is in the answer of two commands alone, and there not as it is.
      [ "$words" = inspect ] || ! grep -q canary-4711 ../out ../err || { echo "'$words' shows a value"; wrong=$((wrong + 1)); }
    fi
    cd ..
  done < <("$VMCRED" help --words)
  echo "$count commands, $wrong wrong"
  [ "$count" -ge 60 ]
  [ "$wrong" = 0 ]
}

@test "every command says what is wrong with its command line in JSON" {
  while read -r words; do
    status=0
    "$VMCRED" $words --json --no-such-option >out 2>err || status=$?
    [ "$status" = 2 ] || { echo "'$words' ended with $status"; return 1; }
    jq -es 'length == 1 and (.[0] | (.error | length > 0) and (.hint | type == "string") and .kind == "usage")' out >/dev/null ||
      { echo "'$words':"; cat out; return 1; }
    # People read the same beside it.
    grep -q "vmcred: error: " err
  done < <("$VMCRED" help --words)
  run -2 --separate-stderr "$VMCRED" --json no such command
  [ "$(jq -r .schema <<<"$output")" = vmcred/1 ]
}

@test "docs/json.md has a section for every command and for no other" {
  diff <(sed -n 's/^### //p' "$shapes" | sort) <("$VMCRED" help --words | sort)
}

@test "what was done before a command failed is in its answer, with the error" {
  "$VMCRED" -q init --machine host
  declare_toml <<'TOML'
[generators.good]
script = 'printf x >"$out/v"'
files.v = {}
[generators.bad]
script = 'exit 1'
files.v = {}
TOML
  run -1 --separate-stderr "$VMCRED" vars generate --json
  [ "$(jq -c '[.made[0].generator, .failed[0].generator, (.error | length > 0), (.changed | index("vars/per-machine/host/good") != null)]' <<<"$output")" = '["good","bad",true,true]' ]
}

@test "a value comes as base64, byte for byte" {
  "$VMCRED" -q init --machine host
  declare_toml <<'TOML'
[generators.odd]
script = 'printf "a\0\n\377b" >"$out/v"'
files.v = {}
TOML
  "$VMCRED" -q vars generate
  run -0 --separate-stderr "$VMCRED" vars get odd/v --json
  [ "$(jq -r '.encoding, .bytes' <<<"$output" | tr '\n' ' ')" = "base64 5 " ]
  jq -r .value <<<"$output" | base64 -d | cmp - <(printf 'a\0\n\377b')
  run -0 --separate-stderr "$VMCRED" secrets get odd/v --json
  jq -r .value <<<"$output" | base64 -d | cmp - <(printf 'a\0\n\377b')
}
