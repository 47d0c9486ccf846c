# A module file evaluated with nixpkgs: its module system, its packages, NixOS's options. `parts.modules` are nixosModules.host
# and the options of clan and microvm.nix, which a plain nixpkgs has not.
parts: { file, machine, nixpkgs, system }:
let
  evaluated = import (/. + nixpkgs + "/nixos/lib/eval-config.nix") {
    inherit system;
    modules = [
      (/. + file)
      ({ lib, ... }: lib.mkIf (machine != "") { vmcred.machine = lib.mkForce machine; })
    ] ++ parts.modules;
  };
in
{
  declaration = (if parts.only_generators or false then whole: removeAttrs whole [ "vms" ] else whole: whole) evaluated.config.vmcred.declaration;
  places = [ ];
}
