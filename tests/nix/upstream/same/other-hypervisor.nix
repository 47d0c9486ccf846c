{ networking.hostName = "web"; microvm.vms.v.config.microvm = { hypervisor = "firecracker"; credentialFiles.A = "/run/a"; }; vmcred.vms.v.guest = { systemd = 262; systemdInInitrd = true; }; }
