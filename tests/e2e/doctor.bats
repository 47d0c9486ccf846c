#!/usr/bin/env bats
# doctor on any machine, with or without systemd: its verdict, its shapes, and what it never prints.
bats_require_minimum_version 1.5.0

setup() {
  cd "$BATS_TEST_TMPDIR" || return
  export HOME=$PWD XDG_CONFIG_HOME=$PWD/config
  mkdir -p config/sops/age
  touch config/sops/age/keys.txt
}
teardown() { [ -z "${planted:-}" ] || kill "$planted"; }

@test "a finding's page can be read, and all codes listed" {
  run -0 "$VMCRED" doctor --describe vc060
  [[ ${lines[0]} == "# VC060: a unit cannot load a credential" ]]
  run -0 "$VMCRED" doctor --describe all
  [[ $output == *"VC077  warning  a running guest has older values than the store"* ]]
  run -2 --separate-stderr "$VMCRED" doctor --describe VC999
  [ "${stderr_lines[0]}" = "vmcred: error: no finding has the code 'VC999'" ]
}

@test "an open key and a variable that looks like a secret are found, for people and for programs, and no value is shown" {
  chmod 0644 config/sops/age/keys.txt
  # A name that would colour the terminal, and is no UTF-8.
  printf 'import sys, time\nopen("/proc/self/comm", "wb").write(b"\\x1b[31m\\xff")\nopen("ready", "w")\ntime.sleep(300)\n' >named.py
  DB_PASSWORD=hunter2hunter2 python3 named.py 3>&- &
  planted=$!
  until [ -e ready ]; do read -rt 0.05 _ <> <(:) || true; done
  run -3 "$VMCRED" doctor
  [[ $output == *"config/sops/age/keys.txt: error: others can read or change this private key: its mode is 0644 [VC074]"* ]]
  [[ $output == *"process $planted (?[31m?): warning: its variable DB_PASSWORD looks like a secret"*"[VC065]"* ]]
  [[ $output != *hunter2* ]]
  [[ $output != *$'\e'* ]]
  chmod 0600 config/sops/age/keys.txt
  run -3 --separate-stderr "$VMCRED" doctor --json
  [ "$(jq --arg place "process $planted (?[31m?)" '[.findings[] | select(.file == $place and .code == "VC065" and .level == "warning")] | length' <<<"$output")" = 1 ]
  [ "$(jq '[.findings[] | select(.code == "VC074" and (.file | endswith("keys.txt")))] | length' <<<"$output")" = 0 ]
  [[ $output != *hunter2* ]]
}
