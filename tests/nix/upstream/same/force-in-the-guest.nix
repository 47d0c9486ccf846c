{ lib, ... }: { networking.hostName = "web"; microvm.vms.v.config = { imports = [ { microvm.credentialFiles.A = "/run/a"; } ]; microvm.credentialFiles = lib.mkForce { B = "/run/b"; }; }; }
