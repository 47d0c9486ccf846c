{ networking.hostName = "web"; vmcred.vms.v.credentials.a.from = "/etc/keys/a"; }
