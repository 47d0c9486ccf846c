{ networking.hostName = "web"; microvm.vms.v.config = { vmcred.guest.agent = true; microvm.credentialFiles.A = "/run/a"; }; }
