{ networking.hostName = "web"; microvm.vms.v.config = { vmcred.guest.services.app.credentials.a = "A"; systemd.services.app.script = "true"; microvm.credentialFiles.A = "/run/a"; }; }
