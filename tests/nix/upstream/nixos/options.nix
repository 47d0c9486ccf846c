# Stands for NixOS's options, as far as microvm.nix, clan-core and vmcred define or read them. What vmcred's modules touch has
# closed types; the rest takes anything.
{ config, lib, pkgs, ... }:
let
  inherit (lib) mkOption types;
  upstream = pkgs.upstream_nixos or null;
  systemd =
    if upstream == null then import ./systemd.nix { inherit lib pkgs; }
    else import ./systemd-upstream.nix { inherit lib pkgs config; nixos = upstream; };
  any = default: mkOption { type = types.anything; inherit default; };
  flag = default: mkOption { type = types.bool; inherit default; };
  texts = mkOption { type = types.listOf types.str; default = [ ]; };
  number = mkOption { type = types.nullOr types.int; default = null; };

  user = { name, ... }: {
    options = {
      name = mkOption { type = types.str; default = name; };
      isSystemUser = flag false;
      isNormalUser = flag false;
      group = mkOption { type = types.str; default = ""; };
      extraGroups = texts;
      description = mkOption { type = types.str; default = ""; };
      home = mkOption { type = types.path; default = "/var/empty"; };
      uid = number;
    };
  };
  file = { name, config, options, ... }: {
    options = {
      enable = flag true;
      target = mkOption { type = types.str; default = name; };
      text = mkOption { type = types.nullOr types.lines; default = null; };
      source = mkOption { type = types.path; };
      mode = mkOption { type = types.str; default = "symlink"; };
      user = mkOption { type = types.str; default = "+0"; };
      group = mkOption { type = types.str; default = "+0"; };
    };
    config.source = lib.mkIf (config.text != null) (lib.mkDerivedConfig options.text (pkgs.writeText "etc-${baseNameOf name}"));
  };
in
{
  options = {
    assertions = mkOption { type = types.listOf types.unspecified; default = [ ]; };
    warnings = texts;
    networking.hostName = mkOption { type = types.strMatching "^$|^[[:alnum:]]([[:alnum:]_-]{0,61}[[:alnum:]])?$"; default = "nixos"; };
    networking.hostId = any null;
    networking.useNetworkd = flag false;
    environment.etc = mkOption { type = types.attrsOf (types.submodule file); default = { }; };
    environment.systemPackages = mkOption { type = types.listOf types.package; default = [ ]; };
    users.users = mkOption { type = types.attrsOf (types.submodule user); default = { }; };
    users.groups = any { };
    systemd.package = mkOption { type = types.package; default = pkgs.systemd; };
    systemd.enableStrictShellChecks = flag false;
    systemd.packages = mkOption { type = types.listOf types.package; default = [ ]; };
    systemd.services = mkOption { type = systemd.services; default = { }; };
    systemd.sockets = mkOption { type = systemd.sockets; default = { }; };
    systemd.targets = mkOption { type = systemd.targets; default = { }; };
    systemd.mounts = any [ ];
    systemd.tmpfiles.settings = any { };
    systemd.tmpfiles.rules = texts;
    systemd.generators = any { };
    systemd.network.wait-online.enable = flag true;
    systemd.tpm2.enable = flag true;
    boot.kernelModules = texts;
    boot.kernelParams = texts;
    boot.blacklistedKernelModules = texts;
    boot.postBootCommands = mkOption { type = types.lines; default = ""; };
    boot.swraid.enable = flag false;
    boot.loader.grub.enable = flag true;
    boot.kernelPackages = any { kernel = pkgs.linux; };
    boot.initrd.kernelModules = texts;
    boot.initrd.availableKernelModules = texts;
    boot.initrd.systemd.enable = flag true;
    boot.initrd.systemd.tpm2.enable = flag true;
    documentation.enable = flag true;
    fileSystems = any { };
    hardware.ksm.enable = flag false;
    nix.enable = flag true;
    nix.package = any pkgs.coreutils;
    nix.optimise.automatic = flag false;
    nix.settings.auto-optimise-store = flag false;
    nixpkgs.overlays = mkOption { type = types.listOf types.raw; default = [ ]; };
    nixpkgs.hostPlatform = any null;
    security.virtualisation.flushL1DataCache = any null;
    security.wrappers = any { };
    security.pam.loginLimits = any [ ];
    services.openssh.enable = flag false;
    security.acme.certs = any { };
    system.build = mkOption { type = types.lazyAttrsOf types.unspecified; default = { }; };
    system.activationScripts = any { };
    system.boot.loader.kernelFile = any "bzImage";
    system.boot.loader.initrdFile = any "initrd";
    system.nixos.label = any "26.11";
    system.stateVersion = any "26.11";
    system.switch.enable = flag true;
    virtualisation.libvirtd.enable = flag false;
    virtualisation.rosetta = any { };
  };
  config = {
    system.build.toplevel = pkgs.writeText "nixos-system-${config.networking.hostName}" (builtins.toJSON {
      etc = lib.mapAttrs (_: each: toString each.source) config.environment.etc;
      units = lib.mapAttrs (_: each: { inherit (each) serviceConfig unitConfig environment; }) config.systemd.services;
      packages = map toString config.environment.systemPackages;
    });
    system.build.initialRamdisk = pkgs.writeText "initrd" "";
  };
}
