#!/usr/bin/env bats
# Where private keys come from: sops' places, SSH keys, commands, and plugins that ask a person once.
bats_require_minimum_version 1.5.0
# shellcheck source=tests/e2e/project.bash
source "$VMCRED_SOURCE/tests/e2e/project.bash"

setup() {
  new_project alice
  mkdir -m 700 ../empty
  "$VMCRED" --quiet init --machine web
  cat >>vmcred.toml <<'TOML'
[generators.many]
script = 'for i in 1 2 3 4 5; do echo "value $i" > "$out/f$i"; done'
files.f1 = {}
files.f2 = {}
files.f3 = {}
files.f4 = {}
files.f5 = {}
[generators.made]
dependencies = ["many"]
script = 'cat "$in"/many/* > "$out/all"'
files.all = {}
TOML
  "$VMCRED" --quiet vars generate
  keys="$HOME/.config/sops/age/keys.txt"
}

# With no home of one's own, only what the variables name.
bare() { HOME="$BATS_TEST_TMPDIR/empty" "$@"; }

@test "every place of sops is looked at" {
  [ "$(SOPS_AGE_KEY=$(cat "$keys") bare "$VMCRED" vars get many/f1)" = "value 1" ]
  [ "$(SOPS_AGE_KEY_FILE=$keys bare "$VMCRED" vars get many/f1)" = "value 1" ]
  [ "$(SOPS_AGE_KEY_CMD="cat '$keys'" bare "$VMCRED" vars get many/f1)" = "value 1" ]
  run -1 --separate-stderr bare "$VMCRED" vars get many/f1
  [[ $stderr == *"hint: no private key was found"* ]]
  mkdir -p ../config/sops/age
  cp "$keys" ../config/sops/age/
  [ "$(XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/config bare "$VMCRED" vars get many/f1)" = "value 1" ]
}

@test "a named place that gives no key is an error with its name, and no key in its text" {
  SOPS_AGE_KEY_FILE=/nonexistent run -1 --separate-stderr bare "$VMCRED" vars get many/f1
  [[ $stderr == *"'/nonexistent' (SOPS_AGE_KEY_FILE)"* ]]
  SOPS_AGE_KEY_CMD="false" run -1 --separate-stderr bare "$VMCRED" vars get many/f1
  [[ $stderr == *"SOPS_AGE_KEY_CMD"*"the key command 'false' ended with"* ]]
  SOPS_AGE_KEY="AGE-SECRET-KEY-1CANARY" run -1 --separate-stderr bare "$VMCRED" vars get many/f1
  [[ $stderr == *"SOPS_AGE_KEY"* && $stderr != *CANARY* ]]
}

@test "an SSH key opens what is encrypted to it, one with a passphrase is passed over" {
  mkdir -m 700 ../empty/.ssh
  ssh-keygen -q -t ed25519 -N '' -C bob@desk -f ../empty/.ssh/id_ed25519
  "$VMCRED" secrets users add bob "$(cat ../empty/.ssh/id_ed25519.pub)"
  "$VMCRED" secrets users add-secret bob many/f1
  [ "$(bare "$VMCRED" vars get many/f1)" = "value 1" ]
  run -1 bare "$VMCRED" vars get many/f2
  # He writes as bob: his line in key.json has a comment.
  printf other | bare "$VMCRED" vars set many/f1
  mv ../empty/.ssh/id_ed25519 ../plain
  SOPS_AGE_SSH_PRIVATE_KEY_FILE=../plain run -0 bare "$VMCRED" vars get many/f1
  [ "$output" = other ]
  ssh-keygen -q -t ed25519 -N secret -f ../empty/.ssh/id_ed25519
  run -0 env SOPS_AGE_KEY_FILE="$keys" HOME="$BATS_TEST_TMPDIR/empty" "$VMCRED" vars get many/f1
}

@test "a key command runs once for all secrets" {
  printf '#!/bin/sh\necho run >>%s\ncat %s\n' "$BATS_TEST_TMPDIR/runs" "$keys" >../command
  chmod +x ../command
  SOPS_AGE_KEY_CMD="$BATS_TEST_TMPDIR/command" bare "$VMCRED" vars export ../out
  [ "$(wc -l <../runs)" = 1 ]
}

# A plugin as age runs it: it wraps by turning bits, asks for a PIN, and notes each run.
plugin() {
  mkdir ../bin
  cat >../bin/age-plugin-test <<'PY'
#!/usr/bin/python3
import base64, os, sys
open(os.environ["HOME"] + "/runs", "a").write(sys.argv[1] + "\n")
def unb64(text): return base64.b64decode(text + "=" * (-len(text) % 4))
def send(*words, body=b""):
    text = base64.b64encode(body).decode().rstrip("=")
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    if len(text) % 64 == 0: lines.append("")
    sys.stdout.write("-> " + " ".join(words) + "\n" + "\n".join(lines) + "\n")
    sys.stdout.flush()
def receive():
    words, text = sys.stdin.readline().split()[1:], ""
    while True:
        line = sys.stdin.readline().rstrip("\n")
        text += line
        if len(line) < 64: return words, unb64(text)
commands = []
while not commands or commands[-1][0][0] != "done": commands.append(receive())
turn = lambda data: bytes(c ^ 0x42 for c in data)
if sys.argv[1] == "--age-plugin=recipient-v1":
    for words, body in commands:
        if words[0] == "wrap-file-key":
            send("recipient-stanza", "0", "test", "x", body=turn(body)); receive()
else:
    if os.path.exists(os.environ["HOME"] + "/pin"):
        send("request-secret", body=b"PIN for the token"); words, pin = receive()
        if words != ["ok"] or pin != b"1234": send("error", "internal", body=b"wrong PIN"); receive(); send("done"); sys.exit()
    done = set()
    for words, body in commands:
        if words[0] == "recipient-stanza" and words[2] == "test" and words[1] not in done:
            done.add(words[1]); send("file-key", words[1], body=turn(body)); receive()
send("done")
PY
  chmod +x ../bin/age-plugin-test
  export PATH="$BATS_TEST_TMPDIR/bin:$PATH"
  printf '# public key: age1test10qdmzv9q\nAGE-PLUGIN-TEST-10Q32NLXM\n' >../token
}

@test "a plugin's key is a user's key, and its program runs once for all secrets: one PIN" {
  plugin
  "$VMCRED" secrets users add tok age1test10qdmzv9q
  for i in 1 2 3 4 5; do "$VMCRED" --quiet secrets users add-secret tok "many/f$i"; done
  "$VMCRED" --quiet secrets users add-secret tok made/all
  "$VMCRED" --quiet secrets users add-secret tok web-age.key
  export SOPS_AGE_KEY_FILE="$BATS_TEST_TMPDIR/token" HOME="$BATS_TEST_TMPDIR/empty"
  [ "$("$VMCRED" vars get many/f1)" = "value 1" ]
  # Who it is, is known from the comment.
  printf new | "$VMCRED" vars set many/f1
  rm "$HOME/runs"
  "$VMCRED" vars export ../out
  [ "$(grep -c identity "$HOME/runs")" = 1 ]
  [ "$(cat ../out/per-machine/web/many/f5)" = "value 5" ]
  rm "$HOME/runs"
  "$VMCRED" secrets users add carol "$(age-keygen 2>/dev/null | age-keygen -y)"
  "$VMCRED" vars rotate -g made
  [ "$(grep -c identity "$HOME/runs")" = 1 ]
  # The PIN is asked on the terminal, once.
  touch "$HOME/pin"
  rm "$HOME/runs"
  python3 - "$VMCRED" <<'PY'
import pexpect, sys
child = pexpect.spawn(sys.argv[1], ["vars", "export", "../again"], timeout=60)
child.expect("test: PIN for the token")
child.send("1234\r")
child.expect(pexpect.EOF)
assert b"1234" not in child.before, child.before
child.close()
assert child.exitstatus == 0, child.before
PY
  [ "$(grep -c identity "$HOME/runs")" = 1 ]
  [ "$(cat ../again/per-machine/web/many/f5)" = "value 5" ]
  # Nobody there: the plugin's own words, and no hang.
  run -1 --separate-stderr setsid -w "$VMCRED" vars get many/f2 </dev/null
  [[ $stderr == *"the plugin 'test' says: wrong PIN"* ]]
}

@test "a plugin that is missing is named" {
  printf '# public key: age1test10qdmzv9q\nAGE-PLUGIN-TEST-10Q32NLXM\n' >../token
  SOPS_AGE_KEY_FILE=../token run -1 --separate-stderr bare "$VMCRED" vars get many/f1
  [[ $stderr == *"age-plugin-test"* ]]
}
