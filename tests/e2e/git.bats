#!/usr/bin/env bats
# git around the project, where a change is killed half-way.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/e2e/project.bash
source "$VMCRED_SOURCE/tests/e2e/project.bash"

setup() {
  new_project
  git init -q . && git config user.email a@b && git config user.name a
  "$VMCRED" init --machine web
  declare_toml <<'TOML'
[generators.g]
machines = ["web"]
files.key = {}
TOML
  printf 1 | "$VMCRED" vars set g/key
  git add -A && git commit -qm start
  mkfifo "$BATS_TEST_TMPDIR/go"
}

# With this git stands still in the middle of staging, its lock in hand, until something comes through the fifo.
git_stands_still() {
  git config filter.still.clean "touch $BATS_TEST_TMPDIR/reached; cat $BATS_TEST_TMPDIR/go >/dev/null; cat"
  echo 'secret filter=still' >.git/info/attributes
}
git_moves_on() {
  : >.git/info/attributes
}
reached() { until [ -e "$BATS_TEST_TMPDIR/reached" ]; do :; done; }

@test "killed while git stages, nothing is in the way of the next change" {
  git_stands_still
  printf 2 >../value
  "$VMCRED" vars set g/key <../value 3>&- &
  reached
  [ -e .git/index.lock ]
  kill -9 $!
  wait $! || true
  : >../go
  git_moves_on
  printf 3 | "$VMCRED" vars set g/key
  [ "$("$VMCRED" vars get web g/key)" = 3 ]
  [ ! -e .git/index.lock ]
  [ -z "$(git diff --name-only)" ]
}

@test "killed together with git, nothing is in the way of the next change" {
  git_stands_still
  printf 2 >../value
  setsid "$VMCRED" vars set g/key <../value 3>&- &
  reached
  kill -9 -- -$!
  wait $! || true
  [ -e .git/index.lock ]
  git_moves_on
  printf 3 | "$VMCRED" vars set g/key
  [ ! -e .git/index.lock ]
  [ -z "$(git diff --name-only)" ]
}

@test "the lock of somebody's own git stays" {
  touch .git/index.lock
  printf 2 >../value
  run -1 --separate-stderr "$VMCRED" vars set g/key <../value
  [[ $stderr == *index.lock* ]]
  [ -e .git/index.lock ]
}

# mark FILE: as a merge leaves it that git could not finish
mark() {
  { echo '<<<<<<< HEAD'; cat "$1"; echo; echo =======; cat "$1"; echo; echo '>>>>>>> other'; } >"$1.marked"
  mv "$1.marked" "$1"
}

@test "the marks of a merge are named as such, with the way out for the whole generator, and never with a rotation" {
  git checkout -qb other
  printf theirs | "$VMCRED" vars set g/key
  git commit -qam theirs
  git checkout -q master 2>/dev/null || git checkout -q main
  printf ours | "$VMCRED" vars set g/key
  git commit -qam ours
  run -1 git merge other
  remedy="'git checkout --ours -- vars/per-machine/web/g' or 'git checkout --theirs -- vars/per-machine/web/g'"
  run -1 --separate-stderr "$VMCRED" vars get g/key
  [[ $stderr == *"holds the conflict markers of a git merge"*"$remedy"* ]]
  run -3 --separate-stderr "$VMCRED" vars check
  [[ $output == *"damaged"*"conflict markers"* ]]
  [[ $stderr == *"hint: "*"$remedy"* ]]
  run -3 --separate-stderr "$VMCRED" check
  [[ $output == *"conflict markers"*"help: "*"$remedy"* && $output != *rotate* ]]
  # The words of the remedy, as they stand there.
  git checkout --theirs -- vars/per-machine/web/g && git add vars/per-machine/web/g
  [ "$("$VMCRED" vars get g/key)" = theirs ]
  run -0 "$VMCRED" vars check
}

@test "a merge that was not finished is named in the declaration and in a key as well" {
  cp vmcred.toml kept.toml
  mark vmcred.toml
  run -1 --separate-stderr "$VMCRED" vars list
  [[ $stderr == *"vmcred.toml:1:1: the file holds the conflict markers of a git merge"*"hint: "*"'<<<<<<<'"* ]]
  run -3 --separate-stderr "$VMCRED" check
  [[ $output == *"vmcred.toml:1:1: error: the file holds the conflict markers"*"help: keep what is meant of both"* ]]
  mv kept.toml vmcred.toml
  printf '[machines.db]\n[generators.h]\nmachines = ["web", "db"]\nscript = "echo x >$out/x"\nfiles.x = {}\n' >>vmcred.toml
  "$VMCRED" vars generate
  mark sops/users/"$(ls sops/users)"/key.json
  run -3 --separate-stderr "$VMCRED" vars check
  # One cause is one line.
  [ "${#lines[@]}" = 1 ]
  [[ $output == "damaged"*" and "*" more"*"key.json' holds the conflict markers"* ]]
  [[ $stderr == *"'git checkout --ours -- sops/users/"* ]]
}
