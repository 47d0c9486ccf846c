# What nixosModules.host adds to every vm of microvm.nix: its VMM is started through `vmcred exec`, its credentials go to
# vmcred instead of the runner, and its services load what the short form names and do not start without.
{ guest_module }:
{ name, cfg }:
{ config, lib, options, pkgs, ... }:
let
  inherit (lib) mkOption types;
  vm = cfg.vms.${name} or { credentials = { }; package = null; };
  has_credentials = config.vmcred.credentialFiles != { } || config.vmcred.oemStrings != [ ] || vm.credentials != { };

  # The VMMs of a package, started through vmcred; the rest of it (qemu-img, firmware) as it is. microvm.nix's runners change
  # the package before they use it, and look at how it was built.
  wrapped = package:
    pkgs.runCommand "vmcred-${name}-${package.name}" { } ''
      mkdir -p "$out/bin"
      for entry in ${package}/*; do
        [ "''${entry##*/}" = bin ] || ln -s "$entry" "$out/"
      done
      for program in ${package}/bin/*; do
        wrapper="$out/bin/''${program##*/}"
        case ''${program##*/} in
          qemu-system-* | qemu-kvm | cloud-hypervisor | crosvm | firecracker)
            printf '#!%s\nexec %s --project /etc/vmcred exec --vm %s -- %s "$@"\n' \
              ${pkgs.runtimeShell} ${cfg.package}/bin/vmcred ${name} "$program" > "$wrapper"
            chmod 755 "$wrapper" ;;
          *) ln -s "$program" "$wrapper" ;;
        esac
      done
    ''
    // lib.optionalAttrs (package ? override) { override = change: wrapped (package.override change); }
    // lib.optionalAttrs (package ? overrideAttrs) { overrideAttrs = change: wrapped (package.overrideAttrs change); }
    // lib.optionalAttrs (package ? configureFlags) { inherit (package) configureFlags; };
  # Without type and default, so that it joins microvm.nix's own declaration: what that or the user chose is wrapped.
  vmm = hypervisor: mkOption {
    apply = package: if has_credentials && config.microvm.hypervisor == hypervisor then wrapped package else package;
  };

  guest_name = credential: each:
    if each.guest != null then each.guest
    else lib.toUpper (builtins.replaceStrings [ "-" ] [ "_" ] (lib.removePrefix "host-" credential));
  services = lib.unique (lib.concatMap (each: each.services) (builtins.attrValues vm.credentials));
  loaded_by = service: lib.mapAttrs guest_name (lib.filterAttrs (_: each: builtins.elem service each.services) vm.credentials);

  # ---- what arrives, and which services wait for it ----
  prefix = "io.systemd.credential";
  name_in = text: let parts = builtins.match "${prefix}([.]binary)?:([^=]*)=.*" text; in lib.optional (parts != null) (builtins.elemAt parts 1);
  arriving = map (name: guest_name name { guest = null; }) (builtins.attrNames config.vmcred.credentialFiles)
    ++ builtins.attrNames config.vmcred.credentialFiles
    ++ lib.concatMap name_in config.vmcred.oemStrings;
  source_of = line: let parts = builtins.match "[^:]*:(.*)" line; in if parts == null then line else builtins.head parts;
  asserted = lines: lib.unique (builtins.filter (name: builtins.elem name arriving) (map source_of (lib.toList lines)));

  # The guide writes `{ }`, upstream a path. This type takes both and wins over upstream's where the option is declared
  # twice: the declaration that is collected last is asked first whether the other fits.
  entry = types.attrsOf types.anything;
  both = entry // {
    name = "credentialFiles";
    check = builtins.isAttrs;
    merge = _: definitions: lib.foldl' (all: each: all // each.value) { } definitions;
    typeMerge = _: both;
    functor = (entry.functor or { }) // { name = "credentialFiles"; type = both; };
  };
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
      apply = builtins.filter (text: !lib.hasPrefix prefix text);
    };
  } ]; } ]; } ]; } ]; } ];

  options.vmcred.credentialFiles = mkOption {
    type = types.attrsOf types.anything;
    internal = true;
    default = lib.foldl' (all: each: all // each) { } options.microvm.credentialFiles.definitions;
    description = "microvm.credentialFiles as they were written.";
  };

  options.vmcred.oemStrings = mkOption {
    type = types.listOf types.str;
    internal = true;
    default = builtins.filter (lib.hasPrefix prefix) (lib.concatLists options.microvm.cloud-hypervisor.platformOEMStrings.definitions);
    description = "The credentials in platformOEMStrings as they were written.";
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
    vmcred.guest.services = lib.genAttrs services (service: { credentials = loaded_by service; });
    microvm = lib.genAttrs [ "qemu" "cloud-hypervisor" "crosvm" "firecracker" ] (hypervisor: {
      package = lib.mkIf (vm.package or null != null && config.microvm.hypervisor == hypervisor) (lib.mkOverride 90 vm.package);
    }) // {
      # Nothing can guard crosvm's control socket, so `vmcred exec` refuses it.
      socket = lib.mkIf (has_credentials && config.microvm.hypervisor == "crosvm") (lib.mkDefault null);
    };
  };
}
