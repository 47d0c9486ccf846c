#!/usr/bin/env bats
# A canary secret goes through the whole chain (generated, stored, planned, delivered to a real guest) and is found nowhere
# it must not be: `vmcred demo` searches while the vm runs, this file searches what is said and left behind.
bats_require_minimum_version 1.5.0

setup() {
  cd "$BATS_TEST_TMPDIR" || exit 1
  export XDG_CONFIG_HOME=$PWD/config XDG_RUNTIME_DIR=$PWD/run VMCRED_RUNTIME_DIR=$PWD/run HOME=$PWD
  unset SOPS_AGE_KEY SOPS_AGE_KEY_FILE SOPS_AGE_KEY_CMD
  mkdir project
  cp "$VMCRED_SOURCE/examples/test-vm/vmcred.toml" project/
  canary="canary-$(head -c 24 /dev/urandom | base64 | tr -d '+/=\n')"
}

# The canary in each form it could leak in: raw, hex, base64 at the three alignments (their common middle).
forms() {
  printf '%s\n' "$canary"
  printf '%s' "$canary" | od -An -tx1 | tr -d ' \n'
  echo
  for pad in "" x xx; do
    printf '%s%s' "$pad" "$canary" | base64 -w0 | cut -c5-40
  done
}

@test "what vmcred prints while it fails never holds a value" {
  cd project
  "$VMCRED" init
  printf '%s' "$canary" >../value
  "$VMCRED" vars set test-vm-secrets/api-key <../value >../said 2>&1 || true
  "$VMCRED" --verbose vars generate >>../said 2>&1 || true
  "$VMCRED" --verbose vars list >>../said 2>&1 || true
  "$VMCRED" vars check >>../said 2>&1 || true
  "$VMCRED" vm plan test-vm --argv >>../said 2>&1 || true
  "$VMCRED" vm run test-vm >>../said 2>&1 || true # no guest here: refused
  forms >../forms
  rm ../value
  run -1 grep -F -f ../forms ../said
}

@test "the project folder holds ciphertext only" {
  cd project
  "$VMCRED" init
  printf '%s' "$canary" | "$VMCRED" vars set test-vm-secrets/api-key
  forms >../forms
  run -1 grep -r -F -f ../forms .
  [ "$("$VMCRED" vars get test-vm-secrets/api-key)" = "$canary" ]
}

@test "the demo: every credential arrives, no leak is found, nothing is left behind" {
  [ -e "$VMCRED_SOURCE/build/guest/vmlinuz" ] || skip_loudly
  mkdir tmp
  export TMPDIR=$PWD/tmp
  run -0 --separate-stderr "$VMCRED" demo --guest "$VMCRED_SOURCE/build/guest" --json
  echo "$output" >demo.json
  python3 - <<'PY'
import json
demo = json.load(open("demo.json"))
assert demo["vm"] == "test-vm"
assert demo["guest_systemd"].startswith("252"), demo["guest_systemd"]
assert demo["leaks"] == {"argv": 0, "environ": 0, "files": 0}, demo["leaks"]
guests = {c["guest"]: c for c in demo["credentials"]}
assert set(guests) == {"ENVIRONMENT", "CLUSTER", "API_KEY", "DB_PASSWORD", "JWT_SECRET"}, guests
assert all(c["received"] and c["matches"] for c in guests.values())
assert guests["API_KEY"]["host"] == "host-api-key" and guests["API_KEY"]["size"] == 44
assert guests["JWT_SECRET"]["size"] == 88
assert "Environment: test" in demo["service_output"], demo["service_output"]
# An undumpable process of somebody else may refuse even root; a file of ours may not.
assert all(place.startswith("/proc/") for place in demo.get("unreadable_places", [])), demo["unreadable_places"]
PY
  run -0 ls -A tmp
  [ -z "$output" ]
}

skip_loudly() {
  echo "there is no guest in build/guest: run tools/guest-image first" >&2
  return 1
}
