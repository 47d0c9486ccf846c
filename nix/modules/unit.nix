# The drop-in of microvm.nix's microvm@NAME for a vm with credentials: a folder for its supervisor, no core file, no swap, who
# says that it started, and a confinement that follows what the guest's configuration gives the VMM. All of it is a default,
# so that systemd.services."microvm@NAME".serviceConfig has the last word. docs/nix.md has the same as a table.
{ lib }:
{ name, guest, state_folder, own_user, receipt, receipt_limit, start_limit }:
let
  inherit (builtins) any elem filter map match;
  micro = guest.microvm or { };
  default = lib.mapAttrs (_: lib.mkDefault);

  # ---- what the VMM is given ----
  networks = map (each: each.type) (micro.interfaces or [ ]);
  has = type: elem type networks;
  shares = micro.shares or [ ];
  p9 = filter (each: each.proto == "9p") shares;
  devices = map (each: each.bus) (micro.devices or [ ]);
  volumes = micro.volumes or [ ];
  graphics = micro.graphics.enable or false;
  crosvm = micro.hypervisor or "" == "crosvm";
  # A helper that gets its rights from its file: all that implies NoNewPrivileges= takes them away.
  bridge = has "bridge";
  # Free text may ask the VMM for anything.
  of_vmm = if micro.hypervisor or null == null then { } else micro.${micro.hypervisor} or { };
  free = (of_vmm.extraArgs or [ ]) != [ ] || (of_vmm.extraConfig or { }) != { }
    || micro.extraArgsScript or null != null || (micro.preStart or "") != "";
  network = networks != [ ] || free;
  vsock = micro.vsock.cid or null != null && micro.hypervisor or "" != "cloud-hypervisor";

  absolute = path: lib.hasPrefix "/" path;
  below = folder: path: path == folder || lib.hasPrefix "${folder}/" path;
  in_dev = filter (each: below "/dev" each.image) volumes;
  folder_of = path: let parts = match "(.*)/[^/]*" path; in if parts == null || parts == [ "" ] then "/" else builtins.head parts;
  # An image that is made at the first start needs its folder; a socket always does.
  writable = lib.unique (
    map (each: if each.autoCreate or true then folder_of each.image else each.image)
      (filter (each: absolute each.image && !(below "/dev" each.image) && !(each.readOnly or false)) volumes)
    ++ filter (path: path != "/nix/store") (map (each: each.source) (filter (each: !(each.readOnly or false)) p9))
    ++ map folder_of (filter (path: path != null && absolute path) [ (micro.socket or null) (if graphics then micro.graphics.socket or null else null) ])
  );
  named = writable ++ map (each: each.image) volumes ++ map (each: each.source) p9 ++ map (each: toString (each.socket or "")) shares;
  homes = graphics || free || any (path: any (folder: below folder path) [ "/home" "/root" "/run/user" ]) named;
  temporary = graphics || free || any (path: any (folder: below folder path) [ "/tmp" "/var/tmp" ]) named;

  # Systemd's words for devices that have a fixed name, or a driver's.
  allowed = [ "/dev/kvm rw" ]
    ++ lib.optional vsock "/dev/vhost-vsock rw"
    ++ lib.optional (has "tap") "/dev/net/tun rw"
    ++ lib.optional (any (each: each.tap.vhost or false) (micro.interfaces or [ ])) "/dev/vhost-net rw"
    ++ lib.optional (has "macvtap") "char-macvtap rw"
    ++ lib.optionals (elem "pci" devices) [ "/dev/vfio/vfio rw" "char-vfio rw" "/dev/iommu rw" ]
    ++ lib.optional (elem "usb" devices) "char-usb_device rw"
    ++ map (each: "${each.image} ${if each.readOnly or false then "r" else "rw"}") in_dev;
  any_device = graphics || free;

  # ---- settings ----
  always = {
    RuntimeDirectoryMode = "0700";
    LimitCORE = 0;
    MemorySwapMax = 0;
    # The supervisor ends the VMM; systemd would take both at once.
    KillMode = "mixed";
    # The limits of the VMM's start and of the receipt, and half a minute.
    TimeoutStartSec = if receipt_limit == null && start_limit == null then "6min" else
      "${toString ((if start_limit == null then 30 else start_limit) + (if receipt_limit == null then 300 else receipt_limit) + 30)}s";
    RestartPreventExitStatus = [ "2" "CREDENTIALS" ];
    # All vms are in the group kvm: what one makes is its user's alone.
    UMask = "0077";
    ProtectControlGroups = true;
    ProtectSystem = if free then "full" else "strict";
    ReadWritePaths = map (path: "-${path}") ([ "${state_folder}/${name}" ] ++ writable);
    InaccessiblePaths = map (path: "-${path}") [
      "/run/vmcred.d" "/run/secrets" "/run/secrets.d" "/run/secrets-for-users.d" "/var/lib/vmcred/key.txt" "/var/lib/sops-nix"
    ];
    PrivateIPC = true;
  }
  // lib.optionalAttrs (!homes) { ProtectHome = true; }
  // lib.optionalAttrs (!temporary) { PrivateTmp = true; }
  // lib.optionalAttrs own_user { RemoveIPC = true; }
  // lib.optionalAttrs (!network && !vsock) { PrivateNetwork = true; }
  // lib.optionalAttrs (!any_device) { DevicePolicy = "closed"; DeviceAllow = allowed; };
  # Each of these implies NoNewPrivileges=.
  unprivileged = {
    NoNewPrivileges = true;
    CapabilityBoundingSet = "";
    LockPersonality = true;
    ProtectHostname = true;
    ProtectKernelLogs = true;
    ProtectKernelModules = true;
    RestrictRealtime = true;
    RestrictSUIDSGID = true;
    SystemCallArchitectures = "native";
  }
  // lib.optionalAttrs (!free) {
    # Other processes' folders, and what the kernel can be told: crosvm builds file systems of its own.
    RestrictAddressFamilies = [ "AF_UNIX" ]
      ++ lib.optionals network [ "AF_INET" "AF_INET6" ]
      ++ lib.optional (network || elem "usb" devices) "AF_NETLINK";
  }
  // lib.optionalAttrs (!free && !has "user") { IPAddressDeny = "any"; }
  // lib.optionalAttrs (!crosvm && !free) {
    ProtectProc = "invisible";
    ProtectKernelTunables = true;
    RestrictNamespaces = true;
    SystemCallFilter = [ "@system-service seccomp" "~@privileged @resources" ];
    SystemCallErrorNumber = "EPERM";
  }
  # It allows a device, and so would forbid all others.
  // lib.optionalAttrs (!any_device) { ProtectClock = true; }
  # Taps, passed devices and shared folders belong to users of the host.
  // lib.optionalAttrs (builtins.all (each: each == "user") networks && devices == [ ] && p9 == [ ] && in_dev == [ ]
    && !crosvm && !free && !graphics && !vsock) { PrivateUsers = true; };
  privileged = {
    CapabilityBoundingSet = [ "CAP_NET_ADMIN" "CAP_SETPCAP" ];
  };

  # microvm.nix forwards the guest's own READY where its runner can. It counts only where no receipt is expected.
  from_guest = !receipt && guest.microvm.declaredRunner.supportsNotifySocket or false;
in
default (always // (if bridge then privileged else unprivileged))
// { RuntimeDirectory = [ "vmcred/vm/${name}" ]; }  # beside what the user adds
# NixOS looks at this one's value, through one property of a definition and no more.
// lib.optionalAttrs (!from_guest) {
  Type = lib.mkForce "notify";
  NotifyAccess = lib.mkForce "main";
}
