{ config, ... }: {
  networking.hostName = "web";
  clan.core.vars.generators.g.files = { a = { }; b = { }; c = { }; };
  systemd.services."microvm@v".serviceConfig.LoadCredential = [ "host-a:${config.clan.core.vars.generators.g.files.a.path}" ];
  microvm.vms.v.config.microvm.credentialFiles = { "host-a" = { }; KEY = "/run/key"; };
  vmcred.vms.v.credentials.b.from = "g/b";
}
