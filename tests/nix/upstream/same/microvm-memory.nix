{ networking.hostName = "web"; microvm.vms.v.config.microvm = { mem = 1024; vcpu = 4; vsock.cid = 7; hypervisor = "cloud-hypervisor"; credentialFiles.A = "/run/a"; }; }
