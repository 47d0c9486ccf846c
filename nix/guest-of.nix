# The evaluated configuration of a vm's guest, wherever microvm.nix keeps it; { } where there is none.
config: name:
let
  vm = config.microvm.vms.${name} or { };
  flake = vm.flake or null;
  # microvm.nix keeps whole evaluations, whose `config` is meant; without it `config` is the configuration itself.
  evaluated =
    if flake != null then flake.nixosConfigurations.${name} or { }
    else if vm.evaluatedConfig or null != null then vm.evaluatedConfig
    else vm.config or null;
in
if evaluated == null then { } else evaluated.config or evaluated
