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
  [ "${stderr_lines[0]}" = "vmcred: error: 'vars' needs a verb" ]
  run -2 --separate-stderr "$VMCRED" secrets users
  [ "${stderr_lines[0]}" = "vmcred: error: 'secrets users' needs a verb" ]
  [ "${stderr_lines[1]}" = "vmcred: hint: 'vmcred secrets users --help' lists them" ]
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
