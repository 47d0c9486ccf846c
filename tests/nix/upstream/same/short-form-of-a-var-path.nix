{ config, ... }: { networking.hostName = "web"; clan.core.vars.generators.g.files.a = { }; vmcred.vms.v.credentials.a.from = config.clan.core.vars.generators.g.files.a.path; }
