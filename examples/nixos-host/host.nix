# One host with one vm, as a NixOS-style module. vmcred evaluates it with the `nix` of any machine; on NixOS the same file
# is part of the configuration, beside microvm.nix and nixosModules.host.
{ config, pkgs, ... }:
let
  vars = config.clan.core.vars.generators.billing.files;
in
{
  networking.hostName = "nixos-host";

  # what is generated, and by which script
  clan.core.vars.generators.billing = {
    files."signing-key" = { };
    files."database-url" = { mode = "0400"; };
    runtimeInputs = with pkgs; [ coreutils openssl ];
    script = ''
      openssl genpkey -algorithm ed25519 -out "$out/signing-key"
      printf 'postgres://billing:%s@db/billing' "$(openssl rand -hex 24)" > "$out/database-url"
    '';
  };

  # the host's unit of the vm loads it
  systemd.services."microvm@billing".serviceConfig.LoadCredential = [
    "host-signing-key:${vars."signing-key".path}"
    "host-database-url:${vars."database-url".path}"
  ];

  # the vm gets it injected, and a service of its guest loads it
  microvm.vms.billing.config = { ... }: {
    microvm = {
      hypervisor = "qemu";
      mem = 512;
      vcpu = 2;
      credentialFiles = {
        "host-signing-key" = { };
        "host-database-url" = { };
      };
      cloud-hypervisor.platformOEMStrings = [ "io.systemd.credential:REGION=north" ];
    };
    systemd.services.billing = {
      wantedBy = [ "multi-user.target" ];
      serviceConfig.LoadCredential = [
        "signing-key:SIGNING_KEY"
        "database-url:DATABASE_URL"
        "region:REGION"
      ];
      script = ''wc -c "$CREDENTIALS_DIRECTORY"/*'';
    };
  };
}
