{ networking.hostName = "web"; microvm.vms.v.config.imports = [ { imports = [ { imports = [ { imports = [ { microvm.credentialFiles.A = "/run/a"; } ]; } ]; } ]; } ]; }
