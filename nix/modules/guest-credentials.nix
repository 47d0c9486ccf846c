# What nixosModules.host adds to every vm of microvm.nix: its VMM is started through `vmcred exec`, its credentials go to
# vmcred instead of the runner, and its services load what the short form names and do not start without.
{ guest_module, wrapper, own_user, names }:
{ name, cfg }:
{ config, lib, options, pkgs, ... }:
let
  inherit (lib) mkOption types;
  inherit (names { inherit lib; }) guest_name oem_name oem_prefix source_of user_of;
  own = own_user { inherit lib; };
  inherit (config.vmcred) seen;

  vm = { credentials = { }; package = null; ownUser = false; } // cfg.vms.${name} or { };
  static = vm.credentials != { };
  # vmcred.vms.NAME.guest has the last word.
  agent = let said = (vm.guest or { }).agent or null; in if said == null then config.vmcred.guest.agent else said;

  # Where no receipt is expected and microvm.nix forwards the guest's own READY, that is the one.
  forwarded = config.microvm.hypervisor == "cloud-hypervisor" && config.microvm.vsock.cid or null != null && !seen.receipt;
  wrapped = wrapper { inherit lib; } {
    inherit name;
    pkgs = config.microvm.vmHostPackages or pkgs;
    vmcred = cfg.package;
    environment = lib.optionalString forwarded "unset NOTIFY_SOCKET\\n";
  };
  # Without type and default, so that it joins microvm.nix's own declaration: what that or the user chose is wrapped.
  vmm = hypervisor: mkOption {
    apply = package: if seen.receives && config.microvm.hypervisor == hypervisor then wrapped package else package;
  };

  services = lib.unique (lib.concatMap (each: each.services) (builtins.attrValues vm.credentials));
  name_in_guest = credential: each: if each.guest != null then each.guest else guest_name credential;
  loaded_by = service: lib.mapAttrs name_in_guest (lib.filterAttrs (_: each: builtins.elem service each.services) vm.credentials);

  # ---- what arrives, and which services wait for it ----
  arriving = map guest_name (builtins.attrNames seen.credentialFiles)
    ++ builtins.attrNames seen.credentialFiles
    ++ builtins.filter (each: each != null) (map oem_name seen.oemStrings);
  asserted = lines: lib.unique (builtins.filter (each: builtins.elem each arriving)
    (map (line: let source = source_of line; in if source == null then line else source) (lib.toList lines)));

  # The guide writes `{ }`, upstream a path. This type takes both and wins over upstream's where the option is declared
  # twice: the declaration that is collected last is asked first whether the other fits.
  entries = types.attrsOf types.anything;
  both = lib.mkOptionType {
    name = "credentialFiles";
    description = "attribute set of { } or paths on the host";
    check = builtins.isAttrs;
    merge = path: definitions:
      if entries ? merge then entries.merge path definitions else lib.foldl' (all: each: all // each.value) { } definitions;
    typeMerge = _: both;
    functor = (entries.functor or { }) // { name = "credentialFiles"; type = both; };
  };

  # What was written, merged as its type says: what the options give is without it, so that no runner sees it.
  written = option: type: none:
    if type ? merge && option ? definitionsWithLocations then
      (if option.definitionsWithLocations == [ ] then none else type.merge option.loc option.definitionsWithLocations)
    else builtins.foldl' (all: each: if builtins.isList all then all ++ each else all // each) none option.definitions;

  # ---- services that nobody defines but us ----
  wanted = builtins.attrNames config.vmcred.guest.services;
  defined_elsewhere = service: lib.length (builtins.filter (each: each ? ${service}) options.systemd.services.definitions) > 1;
in
{
  # Modules are collected level by level, so this nesting puts the declaration behind microvm.nix's own.
  imports = [ guest_module { imports = [ { imports = [ { imports = [ { imports = [ {
    options.microvm.credentialFiles = mkOption { type = both; apply = _: { }; };
    options.microvm.qemu.package = vmm "qemu";
    options.microvm.cloud-hypervisor.package = vmm "cloud-hypervisor";
    options.microvm.crosvm.package = vmm "crosvm";
    options.microvm.firecracker.package = vmm "firecracker";
    # The runner would put these on a command line; strings that are no credentials stay there.
    options.microvm.cloud-hypervisor.platformOEMStrings = mkOption {
      type = types.listOf types.str;
      apply = builtins.filter (text: !lib.hasPrefix oem_prefix text);
    };
  } ]; } ]; } ]; } ]; } ]
    # The scripts that root runs before the VMM give taps and devices to a user.
    ++ lib.optional vm.ownUser { options.microvm.binScripts = mkOption { apply = own.scripts (user_of name); }; };

  # One option and not one for each: an evaluation pays for every option of every vm.
  options.vmcred.seen = mkOption {
    type = types.raw;
    internal = true;
    readOnly = true;
    default = {
      # As they were written.
      credentialFiles = written options.microvm.credentialFiles both { };
      # The credentials in platformOEMStrings as they were written.
      oemStrings = builtins.filter (lib.hasPrefix oem_prefix) (written options.microvm.cloud-hypervisor.platformOEMStrings (types.listOf types.str) [ ]);
      # Whether this vm receives credentials.
      receives = static || seen.credentialFiles != { } || seen.oemStrings != [ ];
      # Whether this vm counts as started only when its guest has proved what it received.
      receipt = agent && vm.receipt or null != "off";
      # Services that load credentials and that nothing else defines.
      undefinedServices = builtins.filter (each: !defined_elsewhere each) wanted;
      # Whether a script of the runner names the user of all vms although this one has its own.
      strangeScripts = vm.ownUser && own.unknown (user_of name) (config.microvm.binScripts or { });
    };
    description = "What the host needs to know of this vm.";
  };

  # Without default and description, so that it joins NixOS's own declaration. A missing credential is otherwise silent.
  options.systemd.services = mkOption {
    type = types.attrsOf (types.submodule ({ config, ... }: {
      config.unitConfig = lib.mkIf (asserted (config.serviceConfig.LoadCredential or [ ]) != [ ]) {
        AssertCredential = asserted (config.serviceConfig.LoadCredential or [ ]);
      };
    }));
  };

  config = {
    vmcred.guest.package = lib.mkDefault cfg.guestPackage;
    vmcred.guest.services = lib.genAttrs services (service: { credentials = loaded_by service; });
    microvm = lib.optionalAttrs (vm.package or null != null) (lib.genAttrs [ "qemu" "cloud-hypervisor" "crosvm" "firecracker" ] (hypervisor: {
      package = lib.mkIf (config.microvm.hypervisor == hypervisor) (lib.mkOverride 90 vm.package);
    }));
  };
}
