{ networking.hostName = "web"; vmcred.machine = "other"; vmcred.git.commit = true; clan.core.vars.generators.g.files.a = { }; vmcred.vms.v.credentials.a.from = "g/a"; }
