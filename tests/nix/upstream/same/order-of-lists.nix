{ config, lib, ... }:
let path = name: config.clan.core.vars.generators.g.files.${name}.path; in {
  imports = [ { systemd.services."microvm@v".serviceConfig.LoadCredential = lib.mkAfter [ "host-c:${path "c"}" ]; } { systemd.services."microvm@v".serviceConfig.LoadCredential = lib.mkBefore [ "host-a:${path "a"}" ]; } ];
  networking.hostName = "web";
  clan.core.vars.generators.g.files = { a = { }; b = { }; c = { }; };
  systemd.services."microvm@v".serviceConfig.LoadCredential = [ "host-b:${path "b"}" ];
  microvm.vms.v.config.microvm.credentialFiles = { "host-a" = { }; "host-b" = { }; "host-c" = { }; };
}
