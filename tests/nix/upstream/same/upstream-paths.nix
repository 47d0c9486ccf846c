{ networking.hostName = "web"; microvm.vms.v.config.microvm.credentialFiles = { SOPS_AGE_KEY = "/run/keys/age"; OTHER = "/run/keys/other"; }; }
