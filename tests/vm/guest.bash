# What the journeys with real guests share. (sourced)

# guest_image OPTIONS...: builds the guest of this file, with these options of tools/guest-image; $IMAGE is where it lies.
guest_image() {
  [ -x "$VMCRED_GUEST_STATIC" ] || { echo "build the release preset first: it makes vmcred-guest for the guest" >&2; return 1; }
  export IMAGE=$BATS_FILE_TMPDIR/image
  "$VMCRED_SOURCE/tools/guest-image" --guest "$VMCRED_GUEST_STATIC" "$@" "$IMAGE"
}

# A folder of the test's own to stand in, with the unit's credentials and the runtime folder in it.
vm_folder() {
  cd "$BATS_TEST_TMPDIR" || return
  export CREDENTIALS_DIRECTORY=$PWD/credentials XDG_RUNTIME_DIR=$PWD/run VMCRED_RUNTIME_DIR=$PWD/run
  mkdir -m 700 credentials run
}

# secret NAME [MORE]: stdin becomes a credential of the vm
secret() {
  cat >"credentials/host-$1"
  echo "$1 = { from = \"$PWD/credentials/host-$1\"${2:-} }" >>secrets.toml
}

# declare_guest NAME [LINE...]: a vm with that guest and what secret() made; the lines are more of its keys.
declare_guest() {
  cat - secrets.toml >vmcred.toml <<TOML
[machines.host]
[vms.$1]
machine = "host"
kernel = "$IMAGE/vmlinuz"
initrd = "$IMAGE/initrd"
memory = "${memory:-256M}"
command-line = "${command_line:-quiet}"
guest.agent = true
$(printf '%s\n' "${@:2}")
[vms.$1.credentials]
TOML
}
