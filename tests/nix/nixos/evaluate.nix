# nixosModules.host under the project's own module system, with stand-ins for NixOS, microvm.nix and clan-core. Shows what it
# defines beside those two, and where its own options take their place.
let
  lib = import ../../../nix/eval/lib.nix { types = import ../../../nix/eval/types.nix; };
  fail = { message, ... }: throw message;
  options = import ../../../nix/eval/options.nix { inherit lib fail; };
  modules = import ../../../nix/eval/modules.nix { inherit lib fail options; };
  ours = import ../../../nix/modules;

  # Packages have a version; what runCommand and writeText make has none (nixpkgs of July 2026).
  made = name: { type = "derivation"; inherit name; outPath = "/nix/store/${name}"; meta = { }; passthru = { }; };
  package = name: made name // { pname = name; version = "257.9"; };
  pkgs = lib.genAttrs [ "coreutils" "openssl" "systemd" "vmcred" "vmcred-guest" "qemu_kvm" "cloud-hypervisor" "crosvm" "firecracker" ] package // {
    qemu_kvm = package "qemu_kvm" // {
      configureFlags = [ "--enable-seccomp" ];
      override = { minimal }: package "qemu_kvm-minimal" // { configureFlags = [ "--enable-seccomp" ]; };
    };
    runtimeShell = "/bin/sh";
    runCommand = name: _: text: made name // { inherit text; };
    writeText = name: text: made name // { inherit text; };
    writeShellScript = name: text: made name // { inherit text; };
    stdenv.hostPlatform = "x86_64-linux";
    stdenv.buildPlatform.canExecute = other: other == "x86_64-linux";
  };

  system = path: values: modules.evaluate {
    inherit path;
    modules = map (value: { file = "tests"; inherit value; }) ([ ./nixos.nix { systemd.package = pkgs.systemd; } ] ++ values);
    arguments = config: { inherit config pkgs lib; };
    schema = _: { closed = true; label = "NixOS"; children = { }; };
  };
  evaluate_guest = name: values: system [ "microvm" "vms" name "config" ] ([ { networking.hostName = lib.mkDefault name; } ] ++ values);

  alone = configuration: system [ ] [ ours.host ours.clan-options ours.microvm-options configuration ];
  upstream = configuration: system [ ] [ ours.host ./clan.nix (import ./microvm.nix { inherit evaluate_guest; }) configuration ];

  without_places = value:
    if lib.isAttrs value && value.type or null != "derivation" then lib.mapAttrs (_: without_places) (removeAttrs value [ "__position" ])
    else if lib.isList value then map without_places value
    else value;
  used = lib.filterAttrs (_: value: value != [ ] && value != { } && value != "");
  show = config: without_places {
    inherit (config.vmcred) declaration;
    # Where vmcred can run it is what makes the file, or refuses to.
    declarationFile = lib.hasInfix "vmcred --project . check --declaration" config.environment.etc."vmcred/vmcred.json".source.text;
    units = lib.mapAttrs (_: used) config.systemd.services;
    packages = map (each: each.text) config.systemd.packages;
    users = config.users.users;
    failed = map (each: each.message) (builtins.filter (each: !each.assertion) config.assertions);
    inherit (config) warnings;
    guests = lib.mapAttrs
      (_: vm:
        let guest = vm.config.config or vm.config; in
        {
          services = lib.mapAttrs (_: each: used { unit = each.unitConfig; service = each.serviceConfig; }) guest.systemd.services;
          modules = guest.boot.initrd.kernelModules;
          runner = guest.microvm.declaredRunner or "vmcred's own";
          wrapper = if guest.microvm ? declaredRunner then guest.microvm.${guest.microvm.hypervisor}.package.text or "none" else "none";
        })
      (lib.filterAttrs (_: vm: vm.config != null) config.microvm.vms);
  };
in
{
  alone = show (alone ./configuration.nix);
  upstream = show (upstream {
    imports = [ ./configuration.nix ];
    microvm.vms.elsewhere.flake.nixosConfigurations.elsewhere.config.microvm = { hypervisor = "qemu"; mem = 128; };
    microvm.vms.test-vm.config.microvm.hypervisor = "cloud-hypervisor";
    microvm.vms.plain.config.microvm.hypervisor = "qemu";
    microvm.vms.small.config.microvm = { hypervisor = "qemu"; credentialFiles.KEY = "/run/key"; };
    microvm.vms.pixel.config.microvm.hypervisor = "crosvm";
    vmcred.vms.pixel.credentials.region.value = "north";
    vmcred.vms.short.package = package "my-cloud-hypervisor";
    clan.core.vars.generators.later.files = { public.secret = false; one = { }; two = { }; };
    vmcred.vms.plain.credentials.one.from = "later/one";
  });
  bad = (show (alone {
    networking.hostName = "web";
    systemd.services."microvm@v".serviceConfig.LoadCredential = [ "host-a:g/missing" "host-b:/etc/b" ];
    clan.core.vars.generators.g.files.a = { };
    microvm.vms.v.config = {
      microvm.credentialFiles = { "host-c" = { }; "host-b" = { }; };
      microvm.cloud-hypervisor.platformOEMStrings = [ "io.systemd.credential:B=1" ];
      systemd.services.s.serviceConfig.LoadCredential = [ "x:NOWHERE" ];
    };
  })).failed;
}
