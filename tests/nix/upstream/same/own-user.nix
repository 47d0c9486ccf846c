{ networking.hostName = "web"; vmcred.vms.v = { ownUser = true; credentials.a.value = "x"; }; }
