{ lib, ... }: { networking.hostName = "web"; microvm.vms.v.config.microvm.credentialFiles = lib.mkMerge [ { A = "/run/a"; } (lib.mkIf true { B = "/run/b"; }) (lib.mkIf false { C = "/run/c"; }) ]; }
