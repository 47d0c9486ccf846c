{ networking.hostName = "web"; microvm.vms.v.config = { }; }
