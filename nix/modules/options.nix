# vmcred.vms.NAME: what stands in [vms.NAME] of vmcred.toml, in camelCase. A name that is not here is an error of NixOS's own;
# what a value may be is checked when vmcred.json is built.
{ lib }:
let
  inherit (lib) mkOption types;
  text = description: mkOption { type = types.nullOr types.str; default = null; inherit description; };
  flag = description: mkOption { type = types.nullOr types.bool; default = null; inherit description; };
  number = description: mkOption { type = types.nullOr types.int; default = null; inherit description; };
  any = description: mkOption { type = types.nullOr types.anything; default = null; inherit description; };

  credential.options = {
    from = text "GENERATOR/FILE, or an absolute path on the host.";
    value = text "A static value that everybody may read.";
    guest = text "Name in the guest; default: API_KEY for api-key.";
    services = mkOption { type = types.listOf types.str; default = [ ]; description = "Services of the guest that load it."; };
    onChange = text "restart, reload, none or signal:HUP.";
    allowEmpty = mkOption { type = types.bool; default = false; description = "Whether it may be empty."; };
    public = mkOption { type = types.bool; default = false; description = "The static value only looks like a secret."; };
  };
  service.options.loadCredential = mkOption { type = types.listOf types.str; default = [ ]; description = "NAME:GUEST_NAME, as LoadCredential=."; };
  guest.options = {
    systemd = number "The version of the guest's systemd.";
    systemdInInitrd = flag "Whether systemd runs in the guest's initrd.";
    agent = flag "Whether vmcred-guest is in the image.";
    services = mkOption { type = types.attrsOf (types.submodule service); default = { }; description = "What services of the guest load."; };
  };
in
{
  vm.options = {
    credentials = mkOption { type = types.attrsOf (types.submodule credential); default = { }; description = "One credential a name."; };
    guest = mkOption { type = types.submodule guest; default = { }; description = "What the guest is, where its configuration does not say it."; };
    allowOptions = mkOption {
      type = types.nullOr (types.listOf types.str);
      default = null;
      example = [ "device=ivshmem-plain" ];
      description = "Options of the VMM that vmcred does not know and lets pass: NAME, NAME= (with a value) or NAME=TYPE.";
    };
    ownUser = mkOption { type = types.bool; default = false; description = "Run this vm as a user of its own, not as microvm."; };
    package = mkOption { type = types.nullOr types.package; default = null; description = "The VMM to wrap; default: microvm.nix's."; };
    hypervisor = text "qemu, cloud-hypervisor, crosvm, firecracker or kvmtool.";
    qemu = any "QEMU's own settings: { machine = \"q35\"; }.";
    vmm = any "Options of every VMM: { version = \"54.0\"; }.";
    architecture = text "Of the guest.";
    binary = any "The VMM's program.";
    kernel = any "The guest's kernel.";
    initrd = any "The guest's initrd.";
    commandLine = text "The kernel's command line.";
    memory = text "Such as 512M.";
    vcpus = number "How many processors.";
    accel = text "auto, kvm or tcg.";
    delivery = any "How credentials travel.";
    receipt = text "required or off.";
    receiptTimeout = any "How long the guest may take to prove what it received.";
    startTimeout = any "How long the VMM may take to read what it is given.";
    disks = any "Disks.";
    networks = any "Networks.";
    shares = any "Shared folders.";
    vsockCid = number "The guest's address.";
    extraArguments = any "Further arguments of the VMM.";
  };
}
