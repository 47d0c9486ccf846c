#!/usr/bin/env bats
# Commands are killed at random moments: no value is lost, none is half written. VMCRED_KILLS=500 is the long form, VMCRED_SEED
# brings one run back.
bats_require_minimum_version 1.5.0

@test "killed at random moments, generate, set, rotate, fix, activate, refresh, import and deploy lose nothing" {
  if ! python3 -c 'import cryptography' 2>/dev/null; then
    skip "NOT RUN HERE: python3-cryptography, which reads the store independently ('tools/setup' installs it)"
  fi
  cd "$BATS_TEST_TMPDIR"
  run -0 python3 "$VMCRED_SOURCE/tests/e2e/kills.py" "$VMCRED" "${VMCRED_KILLS:-32}" "${VMCRED_SEED:-$RANDOM}"
  echo "$output"
}
