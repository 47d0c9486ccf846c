#!/usr/bin/env bats
# The tours of README.md and docs/tutorial.md, typed as they are printed, with a guest that boots.
bats_require_minimum_version 1.5.0

# A home with what the reader has after ./demo.sh in ~/vmcred.
setup() {
  [ -x "$VMCRED_GUEST_STATIC" ] || { echo "build the release preset first: it makes vmcred-guest for the guest" >&2; return 1; }
  home=$BATS_TEST_TMPDIR/home
  mkdir -p -m 700 "$home/vmcred/build/release/bin"
  mkdir -p "$VMCRED_SOURCE/build/guest-cache"
  ln -s "$VMCRED_SOURCE"/{tools,examples,packaging} "$home/vmcred/"
  ln -s "$VMCRED_SOURCE/build/guest-cache" "$home/vmcred/build/"
  ln -s "$VMCRED" "$home/vmcred/build/release/bin/vmcred"
  ln -s "$VMCRED_GUEST_STATIC" "$home/vmcred/build/release/bin/vmcred-guest"
}

tour() { "$VMCRED_SOURCE/tests/support/tour" "$home" "$VMCRED_SOURCE/$1"; }

@test "README: from nothing to new secrets in a running guest" {
  "$VMCRED_SOURCE/tools/guest-image" --guest "$VMCRED_GUEST_STATIC" "$home/vmcred/build/guest"
  run -0 tour README.md
  [[ $output == *"ok: vmcred vm refresh test-vm"*"ok: vmcred vm stop test-vm" ]]
}

@test "the tutorial: a secret, a service and a guest of one's own" {
  run -0 tour docs/tutorial.md
  [[ $output == *"ok: vmcred vm refresh shop"*"ok: vmcred vm stop shop" ]]
}
