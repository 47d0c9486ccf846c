#!/usr/bin/env bats
# The command line itself: help, words, options, exit codes.
bats_require_minimum_version 1.5.0

@test "without arguments the overview is shown" {
  run -0 "$VMCRED"
  [[ $output == *"usage: vmcred COMMAND"* ]]
}

@test "a mistyped command is a usage error with the near word" {
  run -2 --separate-stderr "$VMCRED" hlep
  [ "${stderr_lines[0]}" = "vmcred: error: no command 'hlep'" ]
  [ "${stderr_lines[1]}" = "vmcred: hint: did you mean 'help'?" ]
}

@test "a noun without its verb says where the verbs are listed" {
  run -2 --separate-stderr "$VMCRED" vars
  [[ ${stderr_lines[0]} == "vmcred: error: 'vmcred vars' needs a verb: generate, list, get, "* ]]
  run -2 --separate-stderr "$VMCRED" secrets users
  [[ ${stderr_lines[0]} == "vmcred: error: 'vmcred secrets users' needs a verb: list, get, "* ]]
  [ "${stderr_lines[1]}" = "vmcred: hint: 'vmcred secrets users --help' says what each does" ]
  run -0 "$VMCRED" secrets users --help
}

@test "an unknown option is a usage error" {
  run -2 --separate-stderr "$VMCRED" help --mna
  [ "${stderr_lines[1]}" = "vmcred: hint: did you mean '--man'?" ]
}

@test "every command has help with a usage line and no line over 120 characters" {
  "$VMCRED" completion fish >/dev/null
  while read -r words; do
    run -0 "$VMCRED" $words --help
    [[ $output == *"usage: vmcred $words"* ]] || { echo "no usage in: $words"; return 1; }
    longest=$(awk '{ if (length > n) n = length } END { print n }' <<<"$output")
    [ "$longest" -le 120 ] || { echo "$words: a line of $longest characters"; return 1; }
  done < <("$VMCRED" help --words)
}

@test "every command has examples, vmcred takes each of them, and help shows them" {
  "$VMCRED" help --examples >examples
  [ "$(wc -l <examples)" -ge 80 ]
  while read -r line; do
    # What the shell makes of it, up to a redirection, a pipe or a comment.
    eval "words=(${line%%[<>|#]*})"
    [ "${words[0]}" = vmcred ]
    run -0 "$VMCRED" help --parse -- "${words[@]:1}"
    [ -z "$output" ]
  done <examples
  while read -r words; do
    grep -qE "^vmcred $words( |$)" examples || { echo "no example of: $words"; return 1; }
    line=$(grep -m 1 -E "^vmcred $words( |$)" examples)
    run -0 "$VMCRED" $words --help
    grep -qxF "  $line" <<<"$output" || { echo "help does not show: $line"; return 1; }
  done < <("$VMCRED" help --words)
}

@test "a command line that vmcred does not take is told, and nothing runs" {
  run -2 --separate-stderr "$VMCRED" help --parse -- vars rotate --genrator x
  [ "${stderr_lines[1]}" = "vmcred: hint: did you mean '--generator'?" ]
  run -2 "$VMCRED" help --parse -- vars explode
  run -2 "$VMCRED" help --parse -- vars set
  run -0 "$VMCRED" help --parse -- init --project there
  [ ! -e there ]
}

@test "every command has a manual page with its parts" {
  run -0 "$VMCRED" help --man
  [[ $output == "vmcred(1)"*"# COMMANDS"*"# EXIT STATUS"*"# SEE ALSO"* ]]
  while read -r words; do
    run -0 "$VMCRED" help --man $words
    [ "${lines[0]}" = "vmcred-${words// /-}(1)" ]
    for part in NAME SYNOPSIS EXAMPLES "EXIT STATUS" "SEE ALSO"; do
      grep -qx "# $part" <<<"$output" || { echo "$words: no $part"; return 1; }
    done
    ! command -v scdoc >/dev/null || scdoc <<<"$output" >page || { echo "scdoc does not take the page of: $words"; return 1; }
  done < <("$VMCRED" help --words)
  run -0 "$VMCRED" help --man vars check
  [[ $output == *"# FILES"*"readers"*"# ENVIRONMENT"*"0 done, 1 failed or refused, 2 wrong usage, 3 something is missing"* ]]
  run -2 "$VMCRED" help --man vars explode
}

@test "help says which command needs the command line of a VMM and which may have one" {
  run -0 "$VMCRED" exec --help
  [[ $output == *"usage: vmcred exec [options] -- VMM ARGS..."* ]]
  run -0 "$VMCRED" check --help
  [[ $output == *"usage: vmcred check [options] [-- VMM ARGS...]"* ]]
}

@test "what others wrote steers no terminal" {
  cat >vmcred.toml <<'TOML'
[machines.host]
[generators.loud]
script = '''printf '\033]0;owned\007\033[2J\302\233\r' >&2; exit 1'''
files.word = {}
[generators.quiet]
script = 'printf x >"$out/word"'
files.word = {}
prompts.pin.description = "\u001b[31mred"
TOML
  HOME=$PWD XDG_CONFIG_HOME=$PWD "$VMCRED" init
  run -1 --separate-stderr env HOME="$PWD" XDG_CONFIG_HOME="$PWD" "$VMCRED" vars generate -g loud
  [[ $stderr == *"owned"* ]]
  # The escape of our own colours is the only one, and only where colours are wanted.
  run -1 grep -P '[\x00-\x08\x0b-\x1f\x7f]|\xc2\x9b' <<<"$stderr"
  run -1 --separate-stderr env HOME="$PWD" XDG_CONFIG_HOME="$PWD" "$VMCRED" --color always vars generate -g loud
  [[ $stderr == *$'\e[31mfailed\e[0m'* ]]
  run -1 grep -P '\x1b(?!\[(0|1|2|31|32|33)m)|\x07|\xc2\x9b' <<<"$stderr"
  # A table: the name of a folder below the runtime folders.
  mkdir -p "run/"$'x\e[2J\ny'
  run -0 --separate-stderr env VMCRED_RUNTIME_DIR="$PWD/run" "$VMCRED" vm list
  [[ $output != *"x?"* ]] # an empty folder is no vm
  run -0 --separate-stderr env VMCRED_RUNTIME_DIR="$PWD/run" python3 -c '
import os, socket, subprocess, sys
os.chdir("run/x\x1b[2J\ny")
listener = socket.socket(socket.AF_UNIX)
listener.bind("control")
listener.listen()
sys.exit(subprocess.run([sys.argv[1], "--project", "/nonexistent", "vm", "list"]).returncode)' "$VMCRED"
  [[ $output == *"x?[2J?y"* ]]
  run -1 grep -P '\x1b' <<<"$output"
}

@test "the completion for bash offers verbs and options" {
  "$VMCRED" completion bash >completion
  # shellcheck disable=SC1091
  run -0 bash -c '. ./completion; COMP_WORDS=(vmcred comp); COMP_CWORD=1; _vmcred; echo "${COMPREPLY[@]}"'
  [ "$output" = "completion" ]
}

@test "the version is printed" {
  run -0 "$VMCRED" --version
  [[ $output =~ ^vmcred\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

setup() {
  cd "$BATS_TEST_TMPDIR" || exit 1
}
