# The guide's example on NixOS, with a second vm in the short form.
{ config, pkgs, ... }:
{
  imports = [ ../guide/host.nix ];

  vmcred.vms.short = {
    ownUser = true;
    credentials.api-key = { from = "test-vm-secrets/api-key"; services = [ "app" ]; };
    credentials.region = { value = "north"; services = [ "app" ]; };
  };
  microvm.vms.short.config = {
    microvm.hypervisor = "cloud-hypervisor";
    systemd.services.app.script = "cat \"$CREDENTIALS_DIRECTORY\"/region";
  };
}
