{ networking.hostName = "web"; clan.core.vars.generators.g = { share = true; files.a = { }; }; vmcred.vms.v.credentials.a.from = "g/a"; }
