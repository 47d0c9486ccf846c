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
