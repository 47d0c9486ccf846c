# What the journeys with doubles of VMMs share. (sourced)

# A folder with values to deliver, the doubles under their names, and a runtime folder.
prepare_doubles() {
  cd "$BATS_TEST_TMPDIR" || exit 1
  mkdir -m 700 credentials run record
  export CREDENTIALS_DIRECTORY=$PWD/credentials RUNTIME_DIRECTORY=$PWD/run
  printf 'canary-%s' "$(head -c 33 /dev/urandom | base64 -w0)" >credentials/host-api-key
  "$VMCRED_SOURCE/tests/e2e/canary_patterns" credentials/host-api-key >patterns
  ln -s "$VMCRED_SOURCE"/tests/e2e/doubles/{cloud-hypervisor,firecracker,crosvm,lkvm} .
  printf 'kernel' >kernel
  printf 'the initrd' >initrd
}

# The vm v stands where the commands about running vms look for those of a user.
be_a_users_vm() {
  export VMCRED_RUNTIME_DIR=$PWD/user/vmcred/vm
  mkdir -p user/vmcred/vm && ln -s "$PWD/run" user/vmcred/vm/v
}

# declare_vm HYPERVISOR PROGRAM [GUEST-KEYS]
declare_vm() {
  cat >vmcred.toml <<TOML
[machines.host]
[generators.g]
script = "true"
files.api-key = {}
[vms.v]
machine = "host"
hypervisor = "$1"
binary = "$PWD/$2"
accel = "kvm"
kernel = "kernel"
initrd = "initrd"
[vms.v.credentials]
api-key = { from = "g/api-key", services = ["s"] }
stage = { value = "test", services = ["s"] }
[vms.v.guest]
${3:-}
TOML
}

behave() { printf '%s\n' "$@" >record/behave; }

# in_background COMMAND...: runs it until the vm is ready.
in_background() {
  : >story
  "$@" >output 2>>story &
  supervisor=$!
  timeout 60 grep -q ": ready" <(tail -n +1 -f --pid="$supervisor" story) || { cat story; return 1; }
}

stop_it() {
  kill -TERM "$supervisor"
  wait "$supervisor"
}

end_doubles() {
  [[ -z ${supervisor:-} ]] || kill -9 "$supervisor" 2>/dev/null || true
}

# No canary where others look, while it runs: command lines, environments, open files, logs, files.
no_canary_while_it_runs() {
  local process descriptor
  for process in "$supervisor" "$(cat record/pid)"; do
    run -1 grep -aFf patterns "/proc/$process/cmdline" "/proc/$process/environ"
    for descriptor in /proc/"$process"/fd/*; do
      [[ $(readlink "$descriptor") != *memfd* ]] || run -1 grep -aqFf patterns "$descriptor"
    done
  done
  run -1 grep -arFf patterns story output run vmcred.toml record/argv record/environ
}
