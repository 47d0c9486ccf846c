# nixosModules.guest: in a guest, services load their credentials and do not start without them; with the agent the guest
# proves to its host what arrived.
{ packages }:
{ config, lib, pkgs, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.vmcred.guest;
in
{
  # A guest may import it by itself, too.
  key = "vmcred:nixosModules.guest";

  options.vmcred.guest = {
    package = mkOption { type = types.package; default = (packages pkgs).vmcred-guest; description = "The static vmcred-guest."; };
    agent = mkOption { type = types.bool; default = false; description = "Whether the guest proves what it received."; };
    services = mkOption {
      default = { };
      description = "Services and the credentials that they load.";
      type = types.attrsOf (types.submodule {
        options.credentials = mkOption {
          type = types.attrsOf types.str;
          default = { };
          description = "Name for the service -> name in the guest: { api-key = \"API_KEY\"; }.";
        };
      });
    };
  };

  config = {
    systemd.services = lib.mapAttrs
      (_: service: {
        unitConfig.AssertCredential = builtins.attrValues service.credentials;
        serviceConfig = {
          LoadCredential = lib.mapAttrsToList (id: name: "${id}:${name}") service.credentials;
          PrivateMounts = true;
        };
      })
      cfg.services
    // lib.optionalAttrs cfg.agent {
      vmcred-receipt = {
        description = "Prove to the host which credentials arrived";
        wantedBy = [ "multi-user.target" ];
        after = [ "multi-user.target" ];
        unitConfig.ConditionCredential = "vmcred.link";
        serviceConfig = {
          Type = "oneshot";
          RemainAfterExit = true;
          ExecStart = "${cfg.package}/bin/vmcred-guest receipt";
        };
      };
    };

    # PID 1 reads the credentials before any unit runs, so what shows them must be in the initrd: the SMBIOS tables, QEMU's
    # fw_cfg device, and the port of the link. Without dmi_sysfs no credential arrives, and nothing says so.
    boot.initrd.kernelModules = [ "dmi_sysfs" "qemu_fw_cfg" "virtio_pci" "virtio_console" ];
    environment.systemPackages = lib.optional cfg.agent cfg.package;
  };
}
