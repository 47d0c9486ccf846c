{ lib, ... }: { networking.hostName = "web"; microvm.vms.v.config = { imports = [ { microvm.credentialFiles.A = "/run/a"; } ]; microvm.credentialFiles.A = lib.mkForce "/run/b"; }; }
