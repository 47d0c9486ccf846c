# What NixOS would lay out for a host with three vms, as one folder that nix builds: its units, its users, /etc/vmcred, the
# runners. tests/host/nixos starts it.
#   vmcred    a folder with bin/vmcred, and the guest's kernel as vmlinuz
{ upstream, project ? ../../.., vmcred }:
let
  harness = import ./host.nix { inherit upstream project vmcred; kernel = "${vmcred}/vmlinuz"; };
  inherit (harness) lib pkgs;

  # Emulated, as the machine of the test may have no KVM; kernel and initrd are the project's own guest.
  guest = { lib, ... }: {
    microvm = {
      cpu = "max";
      mem = 320;
      qemu.machine = "q35";
      # microvm.nix adds a keyboard controller to each machine; beside q35's own, keys would reach one that no guest sees.
      qemu.machineOpts = { accel = "tcg"; i8042 = "off"; };
      storeOnDisk = false;
      initrdPath = "/etc/vmcred/guest/initrd";
      volumes = [ { image = "data.img"; size = 8; mountPoint = null; } ];
    };
    vmcred.guest.agent = true;
    vmcred.guest.package = pkgs.coreutils;
  };
  config = (harness.full [
    ../guide/host.nix
    ({ config, ... }: {
      networking.hostName = "britton-desktop";
      # sops-nix's paths, as if all had been generated
      clan.core.vars.settings.fileModule = file: { path = lib.mkForce "/run/secrets/vars/${file.config.rel_dir}/${file.config.name}"; };
      vmcred.package = pkgs.vmcred_here;
      microvm.vms.test-vm.config = guest;
      # The short form, and a user of its own.
      microvm.vms.own-vm.config = { imports = [ guest ]; systemd.services.app.script = "true"; };
      vmcred.vms.own-vm = {
        ownUser = true;
        credentials.api-key = { from = "test-vm-secrets/api-key"; services = [ "app" ]; };
      };
      # A guest that takes no credentials, with somebody in its unit who says that all is well.
      microvm.vms.deaf-vm.config = {
        imports = [ guest ];
        boot.kernelParams = [ "systemd.import_credentials=no" ];
        microvm.preStart = "systemd-notify READY=1 &";
      };
      vmcred.vms.deaf-vm = { receiptTimeout = "150s"; credentials.api-key.from = "test-vm-secrets/api-key"; };
      # Never started: what its confinement allows is measured.
      microvm.vms.measured.config = {
        microvm.storeOnDisk = false;
        microvm.interfaces = [ { type = "tap"; id = "vm-measured"; mac = "02:00:00:00:00:01"; } ];
        microvm.volumes = [ { image = "data.img"; size = 8; mountPoint = null; } ];
        microvm.shares = [ { tag = "data"; source = "/srv"; mountPoint = "/data"; proto = "virtiofs"; } ];
      };
      vmcred.vms.measured.credentials.api-key.from = "test-vm-secrets/api-key";
    })
  ]).config;

  word = value: if value == true then "true" else if value == false then "false" else toString value;
  section = settings: lib.concatStrings (lib.concatLists (lib.mapAttrsToList
    (name: value: map (each: "${name}=${word each}\n") (if builtins.isList value then (if value == [ ] then [ ] else value) else [ value ]))
    settings));
  # nixos/lib/systemd-lib.nix: an instance that is a drop-in stands beside its template.
  unit = name: service: {
    path = if service.overrideStrategy == "asDropin" then "${name}.service.d/overrides.conf" else "${name}.service";
    text = "[Unit]\n${section service.unitConfig}\n[Service]\n"
      + lib.concatStrings (lib.mapAttrsToList (key: value: lib.optionalString (value != null) "Environment=${builtins.toJSON "${key}=${toString value}"}\n") service.environment)
      + section service.serviceConfig;
  };
  units = lib.mapAttrsToList unit config.systemd.services;
  names = builtins.attrNames config.microvm.vms;
  failed = map (each: each.message) (builtins.filter (each: !each.assertion) config.assertions);
in
assert lib.assertMsg (failed == [ ]) (lib.concatStringsSep "\n" failed);
pkgs.runCommand "host" { } ''
  mkdir -p "$out/units" "$out/etc/vmcred" "$out/runners"
  ${lib.concatMapStrings (each: ''
    mkdir -p "$out/units/$(dirname ${lib.escapeShellArg each.path})"
    cp ${pkgs.writeText "unit" each.text} "$out/units/"${lib.escapeShellArg each.path}
  '') units}
  ln -s ${config.environment.etc."vmcred/vmcred.json".source} "$out/etc/vmcred/vmcred.json"
  ${lib.concatMapStrings (name: "ln -s ${config.microvm.vms.${name}.config.config.microvm.declaredRunner} \"$out/runners/${name}\"\n") names}
  printf '%s\n' ${toString (lib.mapAttrsToList (name: user: "${name}:${user.group}") config.users.users)} > "$out/users"
''
