# What the guide's options mean without NixOS: their defaults, what is computed, and which names they may have. The option
# names are clan's, microvm.nix's and NixOS's; vmcred.vms.* is ours.
{ lib, fail, folder, machine_of, evaluate_guest }:
let
  vm_options = [
    "hypervisor" "qemu" "architecture" "binary" "kernel" "initrd" "commandLine" "memory" "vcpus" "accel" "delivery" "receipt"
    "receiptTimeout" "disks" "networks" "shares" "vsockCid" "extraArguments" "credentials" "guest" "ownUser"
  ];
  credential_options = [ "from" "value" "guest" "allowEmpty" "services" "onChange" "public" ];
  guest_options = [ "systemd" "systemdInInitrd" "agent" "services" ];

  value = default: { inherit default; };
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
    script = { default = ""; merge = "lines"; };
    validation = value null;
    onStale = value null;
    rotateAfter = value null;
    rel_dir = { fixed = if self.share then "shared/${name}" else "per-machine/${machine_of config}/${name}"; };
  };

  services = { each = _: _: {
    children = {
      serviceConfig = { children = { }; };
      script = { default = ""; merge = "lines"; };
    };
  }; };

  names = list: builtins.listToAttrs (map (name: { inherit name; value = any; }) list);
in
{
  host = config: {
    children = {
      clan = { children = { core = { children = {
        vars = { children = {
          generators = { each = generator config; };
          settings = { children = { }; };
        }; };
        sops = { children = { defaultGroups = value [ ]; }; };
      }; }; }; };
      systemd = { children = { inherit services; }; };
      networking = { children = { }; };
      microvm = { children = {
        vms = { each = name: _: {
          children = { config = { modules = { inherit (evaluate_guest name config) arguments schema; }; }; };
        }; };
      }; };
      vmcred = closed "'vmcred'" {
        machine = value null;
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
      microvm = { children = {
        credentialFiles = { each = _: _: any; };
        cloud-hypervisor = { children = { platformOEMStrings = value [ ]; }; };
      }; };
      networking = { children = { }; };
    };
  };
}
