# A host with modules of its own: options with types, conditions, functions of lib, folders that are read, guests from parts.
{ config, lib, pkgs, ... }:
{
  imports = [ ./secrets.nix ] ++ map (n: ./parts + "/${n}") (builtins.attrNames (builtins.readDir ./parts));
  networking.hostName = "fleet";
  services.fleet = { enable = true; vms.big = { enable = true; secrets = [ "api-key" "db-url" ]; }; vms.off.secrets = [ "x" ]; };
  environment.etc."x".text = lib.generators.toINI { } { a.b = 1; };
  security.acme.certs = lib.mkIf false { a = 1; };
  boot.kernelPackages = pkgs.linuxPackages_6_6;
}
