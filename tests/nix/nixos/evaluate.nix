# Evaluates nixosModules.host with the project's own module system in place of NixOS, and shows what it defines.
let
  lib = import ../../../nix/eval/lib.nix;
  fail = { message, ... }: throw message;
  modules = import ../../../nix/eval/modules.nix { inherit lib fail; };
  nixos = import ../../../nix/modules;

  package = name: { type = "derivation"; inherit name; pname = name; outPath = "/nix/store/${name}"; };
  pkgs = lib.genAttrs [ "coreutils" "openssl" "vmcred" "vmcred-guest" "qemu_kvm" "cloud-hypervisor" "crosvm" "firecracker" ] package // {
    runtimeShell = "/bin/sh";
    runCommand = name: _: text: package name // { inherit text; };
    writeText = name: text: package name // { inherit text; };
  };

  evaluate = configuration: modules.evaluate {
    modules = map (value: { file = "tests"; inherit value; }) [
      nixos.host
      nixos.clan-options
      nixos.microvm-options
      configuration
    ];
    arguments = config: { inherit config pkgs lib; };
    schema = _: { children = { systemd = { children = { services = { each = _: _: { children = { }; }; }; }; }; }; };
  };
  show = config: {
    inherit (config.vmcred) declaration;
    declarationFile = builtins.fromJSON config.environment.etc."vmcred/vmcred.json".source.text == config.vmcred.declaration;
    units = lib.mapAttrs (_: unit: removeAttrs unit [ "__position" ])
      (lib.filterAttrs (name: _: lib.hasPrefix "microvm@" name) config.systemd.services);
    users = lib.mapAttrs (_: user: removeAttrs user [ "__position" ]) config.users.users;
    failed = map (each: each.message) (builtins.filter (each: !each.assertion) config.assertions);
    inherit (config) warnings;
    guests = lib.mapAttrs
      (_: vm: {
        services = lib.mapAttrs (_: each: { unit = each.unitConfig or { }; service = each.serviceConfig; }) vm.config.systemd.services;
        modules = vm.config.boot.initrd.kernelModules;
        runner_sees = vm.config.microvm.credentialFiles;
        wrapper = vm.config.microvm.${vm.config.microvm.hypervisor}.package.text;
      })
      config.microvm.vms;
  };
in
{
  good = show (evaluate ./configuration.nix);
  bad = (show (evaluate {
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
