{ config, ... }: {
  networking.hostName = "web";
  clan.core.vars.generators.g = { files.a = { }; script = "printf x >$out/a"; };
  systemd.services."microvm@v".serviceConfig.LoadCredential = [ "host-a:${config.clan.core.vars.generators.g.files.a.path}" ];
  microvm.vms.v.config.microvm.credentialFiles."host-a" = { };
}
