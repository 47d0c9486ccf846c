# What the guide's options mean without NixOS: their defaults, what is computed, and which names they may have. The option
# names are clan's, microvm.nix's and NixOS's; vmcred.vms.* is ours.
{ lib, fail, folder, machine_of, evaluate_guest }:
let
  vm_options = [
    "hypervisor" "qemu" "vmm" "architecture" "binary" "kernel" "initrd" "commandLine" "memory" "vcpus" "accel" "delivery" "receipt"
    "receiptTimeout" "startTimeout" "disks" "networks" "shares" "vsockCid" "extraArguments" "allowOptions" "credentials" "guest" "ownUser" "package"
  ];
  credential_options = [ "from" "value" "guest" "allowEmpty" "services" "onChange" "public" ];
  guest_options = [ "systemd" "systemdInInitrd" "agent" "services" ];
  # microvm.nix's, in a guest. Those that vmcred does not read concern the guest's build or microvm.nix's runner.
  microvm_options = [
    "guest" "optimize" "cpu" "hypervisor" "preStart" "extraArgsScript" "socket" "user" "kernel" "initrdPath" "vcpu" "mem"
    "hugepageMem" "hotplugMem" "hotpluggedMem" "balloon" "initialBalloonMem" "deflateOnOOM" "forwardPorts" "volumes"
    "interfaces" "shares" "devices" "vsock" "registerWithMachined" "machineId" "kernelParams" "storeOnDisk"
    "writableStoreOverlay" "graphics" "vmHostPackages" "qemu" "crosvm" "firecracker" "kvmtool" "stratovirt" "alioth" "vfkit"
    "prettyProcnames" "virtiofsd" "runner" "declaredRunner" "binScripts" "storeDiskType" "storeDisk" "storeDiskErofsFlags"
    "storeDiskSquashfsFlags" "systemSymlink" "testing"
  ];
  vm_settings = [ "nixpkgs" "pkgs" "updateFlake" "autostart" "restartIfChanged" ];

  value = default: { inherit default; };
  needs_nix = name: option: {
    apply = _: fail {
      message = "'microvm.vms.${name}.${option}' needs the flakes that the configuration comes from";
      hint = "evaluate all of it with --flake REF#HOST, or write the guest as microvm.vms.${name}.config";
    };
  };
  any = null;
  closed = label: children: { closed = true; inherit label children; };

  file = config: generator: name: self:
    let
      all = config.clan.core.vars.generators.${generator};
      relative = "${all.rel_dir}/${name}";
      stored = folder + "/vars/${relative}/value";
      # The program learns from these what the outcome depends on, beside the module files.
      noted = builtins.trace "vmcred-read:${stored}";
    in
    closed "file '${generator}/${name}'" {
      name = { fixed = name; };
      secret = value true;
      deploy = value true;
      owner = value "root";
      group = value "root";
      mode = value "0400";
      neededFor = value "services";
      restartUnits = value [ ];
      allowEmpty = value false;
      rel_dir = { fixed = all.rel_dir; };
      generatorName = { fixed = generator; };
      share = { fixed = all.share; };
      exists = { fixed = noted (builtins.pathExists stored); };
      flakePath = { fixed = stored; };
      path = value "/run/vmcred/vars/${relative}";
      value = value (
        if self.secret then
          fail {
            message = "'${generator}/${name}' is secret: its value is not known to Nix";
            hint = "use .path, or say secret = false";
          }
        else if noted (builtins.pathExists stored) then builtins.readFile stored
        else fail {
          message = "'${generator}/${name}' was not generated yet";
          hint = "run 'vmcred vars generate'";
        });
    };

  prompt = generator: name: closed "prompt '${name}' of generator '${generator}'" {
    name = { fixed = name; };
    description = value name;
    type = value "line";
    persist = value false;
    display = { children = { }; };
  };

  generator = config: name: self: closed "generator '${name}'" {
    name = { fixed = name; };
    share = value false;
    dependencies = value [ ];
    files = { each = file config name; };
    prompts = { each = prompt_name: _: prompt name prompt_name; };
    runtimeInputs = value [ ];
    script = { default = ""; separator = "\n"; };
    validation = value null;
    onStale = value null;
    rotateAfter = value null;
    rel_dir = { fixed = if self.share then "shared/${name}" else "per-machine/${machine_of config}/${name}"; };
  };

  services = { each = _: _: {
    children = {
      serviceConfig = { children = { }; };
      script = { default = ""; separator = "\n"; };
    };
  }; };

  in_guest = where: name: if builtins.elem name (microvm_options ++ [ "credentialFiles" "cloud-hypervisor" ]) then "it belongs into the guest: ${where}.microvm.${name}" else "";
  names = list: builtins.listToAttrs (map (name: { inherit name; value = any; }) list);
in
{
  host = config: {
    children = {
      clan = { children = { core = { children = {
        vars = closed "'clan.core.vars'" (names [ "age" "password-store" "enableConsistencyCheck" ] // {
          generators = { each = generator config; };
          settings = { children = { }; };
          sops = { children = { }; };
        });
        sops = { children = { defaultGroups = value [ ]; }; };
      }; }; }; };
      systemd = { children = { inherit services; }; };
      networking = { children = { }; };
      microvm = closed "'microvm' of the host" (names [ "host" "stateDir" "autostart" ] // {
        vms = { each = name: self: closed "'microvm.vms.${name}'" (names vm_settings // {
          config = { modules = evaluate_guest name config self; };
          specialArgs = value { };
          extraModules = value [ ];
          flake = needs_nix name "flake";
          evaluatedConfig = needs_nix name "evaluatedConfig";
        }) // { hint_for = in_guest "microvm.vms.${name}.config"; }; };
      }) // { hint_for = in_guest "microvm.vms.NAME.config"; };
      vmcred = closed "'vmcred'" {
        machine = value null;
        package = any;
        guestPackage = any;
        git = { children = { }; };
        vms = { each = name: _: closed "vm '${name}'" (names vm_options // {
          credentials = { each = credential: _: closed "credential '${credential}' of vm '${name}'" (names credential_options); };
          guest = closed "the guest of vm '${name}'" (names guest_options);
        }); };
      };
    };
  };

  # Inside a guest.
  guest = config: {
    children = {
      systemd = { children = { inherit services; }; };
      microvm = closed "'microvm' of the guest" (names microvm_options // {
        credentialFiles = { each = _: _: any; };
        cloud-hypervisor = { children = { platformOEMStrings = value [ ]; }; };
      });
      # nixosModules.guest
      vmcred = closed "'vmcred' of the guest" {
        guest = closed "'vmcred.guest'" {
          agent = value false;
          package = any;
          services = { each = service: _: closed "'vmcred.guest.services.${service}'" { credentials = { each = _: _: any; }; }; };
        };
      };
      networking = { children = { }; };
    };
  };
}
