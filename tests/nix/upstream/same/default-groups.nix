{ networking.hostName = "web"; clan.core.sops.defaultGroups = [ "admins" "backup" ]; clan.core.vars.generators.g.files.a = { }; }
