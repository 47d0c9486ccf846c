#!/usr/bin/env bats
# Prompts of every kind, answered by somebody at a real terminal; and what happens where nobody is.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/e2e/project.bash
source "$VMCRED_SOURCE/tests/e2e/project.bash"

setup() {
  export PYTHONPATH="$VMCRED_SOURCE/tests/e2e" PYTHONDONTWRITEBYTECODE=1
  new_project
  "$VMCRED" init --machine web
}

# A generator that stores the answer to one prompt: asks TYPE [MORE]
asks() {
  cat >>vmcred.toml <<TOML
[generators.mail]
script = 'cat "\$prompts/answer" > "\$out/v"'
files.v = {}
prompts.answer = { type = "$1", description = "the answer"${2:-} }
TOML
}
at_terminal() { { echo 'from terminal import *'; cat; } | python3 -; }
answer_is() { cmp <("$VMCRED" vars get mail/v) <(printf "$1"); }

@test "a line is edited by whole characters, and only Enter sends it" {
  asks line ', display = { group = "Post", label = "Passwort", help = "steht auf dem Zettel" }'
  at_terminal <<'PY'
t = Terminal("vars", "generate")
t.sees(b"Post: ")
t.sees(b"mail/answer (machine web)")
t.sees(b"steht auf dem Zettel")
t.prompt(b"Passwort")
t.keys("gräxxe漢".encode(), LEFT, LEFT, BACKSPACE, BACKSPACE, "üß".encode(), HOME, DELETE, b"G", END, BACKSPACE)
t.keys(b"\x01\x06\x02\x05 word\x17", "🔑".encode(), b"\x16")   # ctrl-a f b e, a word gone, ctrl-v
t.sees(BELL)
t.keys(b"\x1b[A", ENTER)                                       # up is no key here
t.sees(b"mail (machine web): v")
t.ends(0)
PY
  answer_is 'Gräüße 🔑'
}

@test "a hidden answer is typed twice and never drawn" {
  asks hidden
  at_terminal <<'PY'
t = Terminal("vars", "generate")
t.prompt(b"the answer")
t.keys(b"s3cret-canary", ENTER)
t.prompt(b"once more")
t.keys(b"s3cret-canarx", ENTER)
t.sees(b"these were two different answers")
t.prompt(b"the answer")
t.keys(ENTER)
t.sees(b"an answer is needed")
t.prompt(b"the answer")
t.keys(b"s3cret-canary", ENTER)
t.prompt(b"once more")
t.keys(b"s3cret-canary", ENTER)
t.ends(0)
t.never_saw(b"canar", b"s3cret")
PY
  answer_is 's3cret-canary'
}

@test "several lines are typed and pasted, kept byte for byte, and a line can be joined again" {
  asks multiline
  at_terminal <<'PY'
t = Terminal("vars", "generate")
t.sees(b"ctrl-d")
t.prompt(b"the answer")
t.keys(b"one", ENTER, b"twoX", ENTER, BACKSPACE, BACKSPACE, ENTER, pasted(b"-----BEGIN-----\r\tabc\r-----END-----\r"), b"\x04")
t.ends(0)
PY
  answer_is 'one\ntwo\n-----BEGIN-----\n\tabc\n-----END-----\n'
}

@test "several hidden lines are pasted twice" {
  asks multiline-hidden
  at_terminal <<'PY'
t = Terminal("vars", "generate")
t.prompt(b"the answer")
t.keys(pasted(b"canary one\rcanary two"), b"\x04")
t.prompt(b"once more")
t.keys(pasted(b"canary one\rcanary two"), b"\x04")
t.ends(0)
t.never_saw(b"canary")
PY
  answer_is 'canary one\ncanary two'
}

@test "a paste of several lines does not send itself as one" {
  asks line
  at_terminal <<'PY'
t = Terminal("vars", "generate")
t.prompt(b"the answer")
t.keys(pasted(b"first\rrm -rf\x03"))
t.sees(BELL)
t.keys(ENTER)
t.ends(0)
PY
  answer_is 'firstrm -rf'
}

@test "ctrl-c and a signal give up, leave the terminal as it was, and store nothing" {
  asks hidden
  at_terminal <<'PY'
import signal
t = Terminal("vars", "generate")
t.prompt(b"the answer")
t.keys(b"abc\x03")
t.sees(b"given up")
t.ends(1)
t = Terminal("vars", "generate")
t.prompt(b"the answer")
t.child.kill(signal.SIGTERM)
t.ends_by(signal.SIGTERM)
PY
  [ ! -e vars/per-machine ]
}

@test "the terminal is asked even when standard input is something else" {
  asks line
  at_terminal <<'PY'
t = Terminal(through=["bash", "-c", '"$VMCRED" vars generate </dev/null 2>log'])
t.prompt(b"the answer")
t.keys(b"here", ENTER)
t.ends(0)
PY
  answer_is here
}

@test "all questions come first, and a script that runs shows one line of progress" {
  asks line
  cat >>vmcred.toml <<'TOML'
[generators.another]
script = 'cat "$prompts/a" > "$out/v"'
files.v = {}
prompts.a = { description = "another answer" }
TOML
  at_terminal <<'PY'
t = Terminal("vars", "generate")
t.prompt(b"another answer")
t.keys(b"1", ENTER)
t.prompt(b"the answer")
t.keys(b"2", ENTER)
t.sees(b"\r\x1b[K[")
t.sees(b"another (machine web): v")
t.sees(b"mail (machine web): v")
t.ends(0)
PY
}

@test "a stored answer is used again, until it is asked for anew" {
  asks hidden ', persist = true'
  printf 'mail/answer = kept\n' | "$VMCRED" vars generate --answers -
  sed -i 's|script = .*|script = '\''cat "$prompts/answer" "$prompts/answer" > "$out/v"'\''|' vmcred.toml
  setsid -w "$VMCRED" vars generate --stale </dev/null
  answer_is keptkept
  [ "$("$VMCRED" vars get mail/answer)" = kept ]
  run -1 --separate-stderr setsid -w "$VMCRED" vars rotate -g mail </dev/null
  [[ $stderr == *"nobody is here to answer: mail/answer (machine web)"*"--answers FILE"* ]]
  answer_is keptkept
}

@test "two machines with the same prompt have answers of their own" {
  sed -i 's/^\[machines.web\]/&\n[machines.db]/' vmcred.toml
  asks line
  sed -i 's/^\[generators.mail\]/&\nmachines = ["db", "web"]/' vmcred.toml
  at_terminal <<'PY'
t = Terminal("vars", "generate")
t.sees(b"mail/answer (machine db)")
t.prompt(b"the answer")
t.keys(b"for db", ENTER)
t.sees(b"mail/answer (machine web)")
t.prompt(b"the answer")
t.keys(b"for web", ENTER)
t.ends(0)
PY
  [ "$("$VMCRED" vars get db mail/v) $("$VMCRED" vars get web mail/v)" = "for db for web" ]
  printf 'db:mail/answer = one\nmail/answer = two\nmail/unused = 3\n' >answers
  run -0 --separate-stderr "$VMCRED" vars rotate -g mail --answers answers
  [[ $stderr == *"nobody asked for mail/unused"* ]]
  [ "$("$VMCRED" vars get db mail/v) $("$VMCRED" vars get web mail/v)" = "one two" ]
}

@test "an answer of two machines is missing: all that is missing is named, nothing runs" {
  sed -i 's/^\[machines.web\]/&\n[machines.db]/' vmcred.toml
  asks line
  sed -i 's/^\[generators.mail\]/&\nmachines = ["db", "web"]/' vmcred.toml
  echo '# none' >answers
  run -1 --separate-stderr "$VMCRED" vars generate --answers answers
  [[ $stderr == *"mail/answer (machine db), mail/answer (machine web)"* ]]
  printf 'mail/answer = \x01\n' >answers
  run -1 --separate-stderr "$VMCRED" vars generate --answers answers
  [[ $stderr == *"read the answers in 'answers': line 1: the answer is no plain UTF-8 text"* ]]
  run -1 --separate-stderr "$VMCRED" vars generate --answers gone
  [[ $stderr == *"'gone'"* ]]
  [ ! -e vars/per-machine ]
}

@test "vars set asks at a terminal, hidden and twice" {
  asks line
  printf 'mail/answer = first\n' | "$VMCRED" vars generate --answers -
  at_terminal <<'PY'
t = Terminal("vars", "set", "mail/v")
t.sees(b"mail/v (machine web)")
t.prompt(b"value")
t.keys(b"typed-canary\x04")
t.prompt(b"once more")
t.keys(b"typed-canary\x04")
t.ends(0)
t.never_saw(b"canary")
PY
  answer_is typed-canary
}

@test "a question with yes or no takes no for an answer" {
  asks line
  printf 'mail/answer = x\n' | "$VMCRED" vars generate --answers -
  sed -i '/generators.mail/,$d' vmcred.toml
  at_terminal <<'PY'
t = Terminal("vars", "prune")
t.sees(b"remove 1 value? [y/N] ")
t.keys(ENTER)
t.sees(b"nothing was removed")
t.ends(1)
t = Terminal("vars", "prune")
t.sees(b"remove 1 value? [y/N] ")
t.keys(b"y", ENTER)
t.ends(0)
PY
  [ -z "$(find vars -type f)" ]
}
