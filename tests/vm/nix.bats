#!/usr/bin/env bats
# The guide's Nix configuration, from its text to what its services print in a guest.
bats_require_minimum_version 1.5.0

setup() {
  [ -x "$VMCRED_GUEST_STATIC" ] || { echo "build the release preset first: it makes vmcred-guest for the guest" >&2; return 1; }
  cd "$BATS_TEST_TMPDIR" || return
  export HOME=$PWD/home USER=alice VMCRED_RUNTIME_DIR=$PWD/run XDG_RUNTIME_DIR=$PWD/run CREDENTIALS_DIRECTORY=$PWD/credentials
  unset XDG_CONFIG_HOME XDG_CACHE_HOME SOPS_AGE_KEY SOPS_AGE_KEY_FILE CLAN_NO_COMMIT
  mkdir -m 700 home run credentials
  mkdir project root guest
  cd project || return
}

# What the Nix file cannot say: where the guest's kernel and initrd lie, and that vmcred-guest is in it.
beside_nix() {
  cat >vmcred.toml <<TOML
declaration = "host.nix"
[vms.$1]
kernel = "../image/vmlinuz"
initrd = "../image/initrd"
memory = "256M"
command-line = "quiet"
guest.agent = true
TOML
}

# chain VM: declare, generate, check, activate, load as the unit of VM says, put its services into a guest, boot it
chain() {
  beside_nix "$1"
  "$VMCRED" init
  "$VMCRED" vars generate
  "$VMCRED" check
  install -D -m 600 ../home/.config/sops/age/keys.txt ../root/var/lib/vmcred/key.txt
  "$VMCRED" activate --root-prefix "$PWD/../root"
  "$VMCRED" vm units "$1" | sed -n 's/^LoadCredential=//p' >../loads
  while IFS=: read -r name path; do cp "../root$path" "../credentials/$name"; done <../loads
  "$VMCRED" vm units "$1" --guest ../guest/etc/systemd/system
  "$VMCRED_SOURCE/tools/guest-image" --guest "$VMCRED_GUEST_STATIC" --overlay "$VMCRED_SOURCE/tests/vm/overlay" --overlay ../guest ../image
  "$VMCRED" vm run "$1" --accel tcg --console
}

@test "the guide's configuration: its demo service prints its lines in the guest" {
  cp "$VMCRED_SOURCE/tests/nix/guide/host.nix" .
  run -0 chain test-vm
  [[ $output == *"Environment: test"* ]]
  [[ $output == *"API Key length: 44 bytes"* ]]
  [[ $output == *"receipt: 5 credentials arrived"* ]]
  # What the guide's scripts generated is on no disk in clear, and not on the guest's console.
  key=$("$VMCRED" vars get britton-desktop test-vm-secrets/api-key)
  [ "${#key}" = 44 ]
  [[ $output != *"$key"* ]]
}

@test "the guide's minimal example: its secret is what the service of the guest reads" {
  cp "$VMCRED_SOURCE/tests/nix/minimal/host.nix" minimal.nix
  cat >host.nix <<'NIX'
{
  imports = [ ./minimal.nix ];
  networking.hostName = "host";
  # Step 4 of the example stands there as two comments.
  microvm.vms.my-vm.config.systemd.services.reader = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { Type = "oneshot"; LoadCredential = [ "secret-key:SECRET_KEY" ]; };
    script = ''echo "the service read: $(cat $CREDENTIALS_DIRECTORY/secret-key)"'';
  };
}
NIX
  run -0 chain my-vm
  [[ $output == *"the service read: my-secret-value"* ]]
  [[ $output == *"receipt: 1 credential arrived"* ]]
}
