{ config, ... }: { networking.hostName = "web"; clan.core.vars.generators.g.files.a = { }; microvm.vms.v.config.microvm.credentialFiles.A = config.clan.core.vars.generators.g.files.a.path; }
