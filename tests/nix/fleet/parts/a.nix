{ services.fleet.vms.small = { enable = true; secrets = [ "token" ]; }; }
