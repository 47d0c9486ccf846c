#!/usr/bin/env bats
# The first minutes: the tour of README.md, typed as it is printed, up to where the guest boots: tests/vm/tours.bats goes on from there.
bats_require_minimum_version 1.5.0

@test "README: every command up to the boot prints what the page shows" {
  cd "$BATS_TEST_TMPDIR"
  mkdir -p -m 700 home/vmcred/build/{release/bin,guest}
  ln -s "$VMCRED" home/vmcred/build/release/bin/vmcred
  touch home/vmcred/build/guest/{vmlinuz,initrd}
  run -0 "$VMCRED_SOURCE/tests/support/tour" "$PWD/home" "$VMCRED_SOURCE/README.md" --before "vmcred vm run"
  [[ $output == *"ok: vmcred explain"* ]]
}

@test "a tour that differs from its page is seen" {
  cd "$BATS_TEST_TMPDIR"
  mkdir -m 700 home
  printf '    $ %s\n    yes\n' 'echo yes' 'echo yes' 'echo no' 'echo yes; false' 'printf "a\nyes\n"' >page.md
  run -1 "$VMCRED_SOURCE/tests/support/tour" "$PWD/home" "$PWD/page.md"
  [ "$(grep -c '^ok: ' <<<"$output")" = 2 ]
  [ "$(grep -c '^NOT AS PRINTED: ' <<<"$output")" = 3 ]
}

@test "what init writes for you to uncomment is a declaration" {
  cd "$BATS_TEST_TMPDIR"
  export HOME=$PWD USER=me
  unset XDG_CONFIG_HOME SOPS_AGE_KEY SOPS_AGE_KEY_FILE
  "$VMCRED" init
  sed -i '4,$s/^# //' vmcred.toml
  run -0 "$VMCRED" declare
  [[ $output == *'"my-vm-secrets"'*'"my-service"'* ]] || { cat vmcred.toml; return 1; }
  "$VMCRED" vars generate
}
