#!/usr/bin/env bats
# What generate makes and what it leaves: placements, staleness, the choices, rotation, time, git, two at once.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/e2e/project.bash
source "$VMCRED_SOURCE/tests/e2e/project.bash"

setup() {
  new_project
  "$VMCRED" init --machine web
}

value() { "$VMCRED" vars get "$@"; }

@test "a value per machine, one shared, one per vm; dependencies cross from one to the other" {
  declare_toml <<'TOML'
[machines.db]
[generators.host-key]
machines = ["db", "web"]
script = 'head -c 8 /dev/urandom | base64 > "$out/key"'
files.key = {}
[generators.ca]
share = true
machines = ["db", "web"]
script = 'head -c 8 /dev/urandom | base64 > "$out/ca"'
files.ca = { secret = false }
[generators.token]
vms = ["one", "two"]
dependencies = ["ca", "host-key"]
script = 'cat "$in/ca/ca" "$in/host-key/key" > "$out/token"; head -c 8 /dev/urandom | base64 >> "$out/token"'
files.token = {}
[vms.one]
machine = "web"
kernel = "k"
[vms.two]
machine = "db"
kernel = "k"
TOML
  "$VMCRED" vars generate
  [ -e vars/shared/ca/ca/value ]
  [ -e vars/per-machine/db/host-key/key/secret ]
  [ -e vars/per-vm/one/token/token/secret ]
  run -1 cmp -s <(value web host-key/key) <(value db host-key/key)
  cmp <(value --vm one token/token | head -2) <(value ca/ca; value web host-key/key)
  cmp <(value --vm two token/token | head -2) <(value ca/ca; value db host-key/key)
  run -1 cmp -s <(value --vm one token/token) <(value --vm two token/token)
  # Who may read: the machine that the vm runs on, not the other one.
  [ "$(ls vars/per-vm/one/token/token/machines)" = web ]
  run -0 "$VMCRED" vars check
  # Only what one machine needs.
  run -0 "$VMCRED" vars generate db --regenerate -g host-key --dry-run
  [[ $output == "would make host-key (machine db) (you asked for it)" ]]
}

@test "a circle and a missing dependency are drawn" {
  declare_toml <<'TOML'
[generators.a]
dependencies = ["b"]
[generators.b]
dependencies = ["c"]
[generators.c]
dependencies = ["a"]
TOML
  run -2 --separate-stderr "$VMCRED" vars generate
  [[ ${stderr_lines[0]} == *"generators depend on each other in a circle: a -> b -> c -> a" ]]
  sed -i 's/dependencies = \["a"\]/dependencies = ["gone"]/' vmcred.toml
  run -1 --separate-stderr "$VMCRED" vars generate
  [[ $stderr == *"a -> b -> c -> gone"* ]]
}

@test "an updated input changes nothing, whether by name, by path or in the nix store" {
  # Started as root, a script is another user: he must be able to reach his tools.
  place=$(mktemp -d)
  chmod 755 "$place"
  mkdir "$place/bin"
  tool="$place/bin/make-key"
  printf '#!/bin/sh\necho version 1\n' >"$tool"
  chmod 755 "$tool"
  declare_toml <<TOML
[generators.g]
runtime-inputs = ["$place"]
script = 'make-key > "\$out/key"; : /nix/store/0123456789abcdfghijklmnpqrsvwxyz-openssl-3.0.13/bin/openssl'
files.key = {}
on-stale = "regenerate"
TOML
  "$VMCRED" vars generate
  [ "$(value g/key)" = "version 1" ]
  before=$(digests)
  printf '#!/bin/sh\necho version 2\n' >"$tool"
  sed -i 's/0123456789abcdfghijklmnpqrsvwxyz-openssl-3.0.13/zyxwvsrqpnmlkjihgfdcba9876543210-openssl-3.2.1/' vmcred.toml
  run -0 "$VMCRED" vars check
  run -0 --separate-stderr "$VMCRED" vars generate
  [[ $stderr == "nothing to do: all values are there" ]]
  run -0 "$VMCRED" vars generate --stale --dry-run
  [ "$output" = "nothing would change" ]
  [ "$before" = "$(digests)" ]
  rm -r "$place"
}

@test "on-stale = regenerate remakes what another script would make, and nothing else does" {
  declare_toml <<'TOML'
[generators.kept]
script = 'echo one > "$out/v"'
files.v = {}
[generators.remade]
script = 'echo one > "$out/v"'
files.v = {}
on-stale = "regenerate"
TOML
  "$VMCRED" vars generate
  sed -i 's/echo one/echo two/' vmcred.toml
  run -3 "$VMCRED" vars check
  [[ $output == *"stale"*"kept (machine web)"*"its script changed"* ]]
  run -0 --separate-stderr "$VMCRED" vars generate
  [[ $stderr == *"kept"*"kept (machine web): its script changed"*"made"*"remade (machine web): v"* ]]
  [ "$(value kept/v) $(value remade/v)" = "one two" ]
}

@test "no plain command rotates: every kind of change is told and kept" {
  declare_toml <<'TOML'
[generators.base]
script = 'echo base > "$out/v"'
files.v = {}
[generators.g]
runtime-inputs = []
script = 'echo one > "$out/v"'
files.v = {}
TOML
  "$VMCRED" vars generate
  before=$(digests)
  sed -i 's/^runtime-inputs = \[\]/runtime-inputs = ["openssl"]\ndependencies = ["base"]/; s/echo one/echo two/' vmcred.toml
  run -3 "$VMCRED" vars check
  [[ $output == *"its script changed"*"its runtime-inputs changed"*"base/v is a new dependency"* ]]
  run -0 "$VMCRED" vars list
  [[ $output == *"g/v"*"stale: its script changed, its runtime-inputs changed and base/v is a new dependency"* ]]
  for command in "generate" "generate web" "generate -g g" "generate --only-missing" "list" "check" "fix --yes" "prune --yes" "generate --dry-run --stale"; do
    # shellcheck disable=SC2086
    "$VMCRED" vars $command >/dev/null 2>&1 || [ $? = 3 ]
    [ "$before" = "$(digests)" ] || { echo "$command changed something"; return 1; }
  done
}

@test "--regenerate with -g rotates that one alone; rotate takes its dependents along, --only-this not its brothers" {
  declare_toml <<'TOML'
[generators.base]
script = 'for f in a b; do head -c 8 /dev/urandom | base64 > "$out/$f"; done'
files.a = {}
files.b = {}
[generators.made]
dependencies = ["base"]
script = 'cat "$in/base/a" > "$out/copy"'
files.copy = {}
[generators.other]
script = 'head -c 8 /dev/urandom | base64 > "$out/v"'
files.v = {}
TOML
  "$VMCRED" vars generate
  a=$(value base/a) b=$(value base/b) copy=$(value made/copy) other=$(value other/v)
  "$VMCRED" vars generate -g base --regenerate
  [ "$(value base/a)" != "$a" ]
  [ "$(value made/copy) $(value other/v)" = "$copy $other" ]
  run -3 "$VMCRED" vars check
  [[ $output == *"stale"*"made (machine web)"*"base/a changed"* ]]
  b=$(value base/b)
  run -0 "$VMCRED" vars rotate base/a --dry-run
  [[ $output == *"would make base (machine web) (it is rotated; the same script makes b anew)"*"would make made (machine web) (it is made from 'base')"* ]]
  [ "$(value base/b)" = "$b" ]
  "$VMCRED" vars rotate base/a --only-this
  [ "$(value base/b)" = "$b" ]
  [ "$(value base/a)" = "$(value made/copy)" ]
  [ "$(value other/v)" = "$other" ]
  run -0 "$VMCRED" vars check
  run -1 --separate-stderr "$VMCRED" vars rotate base/gone
  run -1 --separate-stderr "$VMCRED" vars rotate -g gone
}

@test "a generator without a script says that its value is to be stored" {
  declare_toml <<'TOML'
[generators.outside]
files.token = {}
[generators.g]
script = 'echo x > "$out/v"'
files.v = {}
TOML
  run -1 --separate-stderr "$VMCRED" vars generate
  [[ $stderr == *"made g (machine web): v"* ]]
  [[ $stderr == *"error: generate outside (machine web): it has no script, and 'token' is not stored"* ]]
  [[ $stderr == *"vmcred vars set web outside/token"* ]]
  run -3 "$VMCRED" check
  [[ $output == *"store it with 'vmcred vars set web outside/token'"* ]]
  echo x | "$VMCRED" vars set web outside/token
  run -0 --separate-stderr "$VMCRED" vars generate
}

@test "what is due is reported, and rotating it ends that" {
  declare_toml <<'TOML'
[generators.g]
script = 'head -c 8 /dev/urandom | base64 > "$out/v"'
files.v = {}
rotate-after = "90d"
TOML
  "$VMCRED" vars generate
  run -0 "$VMCRED" vars check
  sed -i 's/"generated": "20../"generated": "2001/' vars/per-machine/web/g/.vmcred.json
  run -3 "$VMCRED" vars check
  [[ $output == *"due"*"g (machine web)"*"older than 90 days"* ]]
  run -0 "$VMCRED" vars list
  [[ $output == *"due for rotation"* ]]
  before=$(value g/v)
  "$VMCRED" vars generate
  [ "$(value g/v)" = "$before" ]
  "$VMCRED" vars rotate -g g
  run -0 "$VMCRED" vars check
}

@test "a value is as old as its own last rotation, by whatever way" {
  declare_toml <<'TOML'
[generators.g]
script = 'for f in v w; do head -c 8 /dev/urandom | base64 > "$out/$f"; done'
files.v = {}
files.w = {}
rotate-after = "90d"
TOML
  "$VMCRED" vars generate
  sed -i 's/"generated": "20../"generated": "2001/' vars/per-machine/web/g/.vmcred.json
  "$VMCRED" vars rotate g/v --only-this
  run -3 "$VMCRED" vars check
  [[ $output == *"due"* ]]
  before=$(value g/v)
  printf new | "$VMCRED" vars set g/w
  run -0 "$VMCRED" vars check
  [ "$(value g/v)" = "$before" ]
}

@test "what failed stops the batch; what was finished stays, is staged and is not made again" {
  git init -q . && git config user.email a@b && git config user.name a
  declare_toml <<'TOML'
[generators.a]
script = 'head -c 8 /dev/urandom | base64 > "$out/v"'
files.v = {}
[generators.b]
dependencies = ["a"]
script = 'exit 3 # not yet'
files.v = {}
TOML
  git add . && git commit -qm start
  run -1 --separate-stderr "$VMCRED" vars generate --commit
  [[ $stderr == *"made"*"a (machine web): v"*"b (machine web): its script failed with exit code 3"* ]]
  [ -z "$(git status --porcelain)" ]
  [ "$(git log -1 --format=%s)" = "vars: update via generator a (machine: web)" ]
  before=$(value a/v)
  sed -i "s/exit 3 # not yet/echo b > \"\$out\/v\"/" vmcred.toml
  "$VMCRED" vars generate
  [ "$(value a/v)" = "$before" ]
  git diff --cached --name-only | grep -q '^vars/per-machine/web/b/v/secret$'
}

@test "one commit a batch, by configuration; nothing is committed with CLAN_NO_COMMIT; without git it works as well" {
  declare_toml <<'TOML'
[git]
commit = true
[generators.a]
script = 'echo 1 > "$out/v"'
files.v = {}
[generators.b]
script = 'echo 1 > "$out/v"'
files.v = {}
TOML
  "$VMCRED" vars generate
  rm -r vars
  git init -q . && git config user.email a@b && git config user.name a
  # Somebody else's staged work is none of ours.
  echo mine >mine
  git add . && git commit -qm start && echo more >>mine && git add mine
  CLAN_NO_COMMIT=1 "$VMCRED" vars generate
  [ "$(git log --format=%s)" = start ]
  git status --porcelain | grep -q '^ A vars/per-machine/web/a/v/secret$'
  rm -r vars && git add vars 2>/dev/null || true
  "$VMCRED" vars generate
  [ "$(git log --format=%s | head -1)" = "vars: update via 2 generators" ]
  [ "$(git log --oneline | wc -l)" = 2 ]
  [ "$(git status --porcelain)" = "M  mine" ]
}

@test "two at once: one waits for the other, and both find everything made once" {
  for i in 1 2 3 4; do
    printf '[generators.g%s]\nscript = '\''head -c 8 /dev/urandom | base64 > "$out/v"'\''\nfiles.v = {}\n' $i
  done >>vmcred.toml
  "$VMCRED" vars generate 2>one &
  first=$!
  "$VMCRED" vars generate 2>two
  wait $first
  run -0 "$VMCRED" vars check
  # Each was made by one of the two.
  [ "$(cat one two | grep -c '^made ')" = 4 ]
  # Who holds the lock is waited for, and that is said.
  [ ! -e .vmcred.lock ]
  exec 9<>.vmcred.lock
  flock 9
  "$VMCRED" vars generate -g g1 --regenerate 2>waits 9<&- &
  second=$!
  until grep -q 'waiting for another process that changes this project' waits; do kill -0 $second; done
  exec 9<&-
  wait $second
  grep -q '^made g1' waits
}

@test "without a sandbox nothing runs, the reason is said, and --no-sandbox is a spoken choice" {
  declare_toml <<'TOML'
[generators.g]
script = 'echo 1 > "$out/v"; id -u > "$out/uid"'
files.v = {}
files.uid = {}
TOML
  # A machine without bubblewrap, and one that allows no user namespaces.
  run -1 --separate-stderr unshare -rm sh -c 'mount --bind /dev/null "$(readlink -f "$(command -v bwrap)")" && "$0" vars generate' "$VMCRED"
  [[ $stderr == *"no sandbox could be built for its script: bubblewrap (the program 'bwrap') is not installed"*"--no-sandbox"* ]]
  [ ! -e vars/per-machine ]
  run -1 --separate-stderr unshare -r sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && "$0" vars generate' "$VMCRED"
  [[ $stderr == *"no sandbox could be built for its script: bwrap: "*"--no-sandbox"* ]]
  [ ! -e vars/per-machine ]
  run -0 unshare -rm sh -c 'mount --bind /dev/null "$(readlink -f "$(command -v bwrap)")" && "$0" vars generate --no-sandbox' "$VMCRED"
  run -0 "$VMCRED" vars check
  [ -z "$(find /dev/shm -maxdepth 1 -name 'vmcred-*' -newer vmcred.toml -user "$(id -u)")" ]
}

@test "each failing script gives its reason and what helps; what needs it is not tried, the rest is made, and the sum is said" {
  declare_toml <<'TOML'
[generators.away]
script = 'curl -s https://example.org >"$out/v"'
files.v = {}
[generators.broken]
script = 'echo the reason >&2; exit 3'
files.v = {}
[generators.outside]
script = 'echo x >/etc/vmcred-test; echo x >"$out/v"'
files.v = {}
[generators.silent]
script = 'exit 6'
files.v = {}
[generators.needs-broken]
dependencies = ["broken"]
script = 'cat "$in/broken/v" >"$out/v"'
files.v = {}
[generators.needs-that]
dependencies = ["needs-broken"]
script = 'cat "$in/needs-broken/v" >"$out/v"'
files.v = {}
[generators.well]
script = 'echo x >"$out/v"'
files.v = {}
TOML
  run -1 --separate-stderr "$VMCRED" vars generate
  [[ $stderr == *"failed away (machine web)"*"exit code 127"*"curl: command not found"*"hint: the sandbox has coreutils and the declared runtime-inputs alone"* ]]
  [[ $stderr == *"failed broken (machine web)"*"exit code 3"*"the reason"* ]]
  [[ $stderr == *"failed outside (machine web)"*"Read-only file system"*"hint: the sandbox lets a script write below"* ]]
  [[ $stderr == *"failed silent (machine web)"*"exit code 6"*"hint: it said nothing; the sandbox has no network"* ]]
  [[ $stderr == *"not tried: needs-broken (machine web), which needs broken (machine web)"* ]]
  [[ $stderr == *"not tried: needs-that (machine web), which needs needs-broken (machine web)"* ]]
  [[ $stderr == *"1 made, 4 failed, 2 not tried"* ]]
  [ "$(value well/v)" = x ]
  # Without a sandbox nobody speaks of one.
  run -1 --separate-stderr "$VMCRED" vars generate -g silent --no-sandbox
  [[ $stderr != *"the sandbox"* ]]
}

@test "one edit of a script is one line with a count, and --stale is the remedy" {
  sed -i 's/^\[machines.web\]/&\n[machines.db]\n[machines.mail]/' vmcred.toml
  declare_toml <<'TOML'
[generators.g]
machines = ["web", "db", "mail"]
script = 'echo one >"$out/v"'
files.v = {}
[generators.other]
machines = ["web"]
script = 'echo one >"$out/v"'
files.v = {}
TOML
  "$VMCRED" vars generate
  sed -i 's/echo one/echo two/' vmcred.toml
  run -3 --separate-stderr "$VMCRED" vars check
  [ "${lines[0]}" = "stale  g (3 machines: db, mail, web)  its script changed" ]
  [ "${#lines[@]}" = 2 ]
  [[ ${lines[1]} == "stale  other (machine web) "* ]]
  [[ $stderr == "hint: 'vmcred vars generate --stale'"* ]]
  run -3 --separate-stderr "$VMCRED" check
  [ "$(grep -c 'VC020' <<<"$output")" = 2 ]
  [[ $output == *"g (3 machines: db, mail, web) is older than what it is made from [VC020]"*"--stale"* ]]
  run -0 --separate-stderr "$VMCRED" vars generate
  [[ $stderr == *"kept g (3 machines: db, mail, web): its script changed"*"hint: --stale makes what was kept anew"* ]]
  # Where one of them is as it should be, the others are named one by one.
  "$VMCRED" vars generate --stale db -g g
  run -3 --separate-stderr "$VMCRED" vars check
  [ "${lines[0]}" = "stale  g (2 machines: mail, web)  its script changed" ]
  run -3 --separate-stderr "$VMCRED" check
  [[ $output == *"g (machine mail) is older"*"g (machine web) is older"* ]]
  "$VMCRED" vars generate --stale
  run -0 "$VMCRED" vars check
}
