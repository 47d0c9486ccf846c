# A module file evaluated with nixpkgs: its module system, its packages, NixOS's options. `parts` are the other files.
parts: { file, machine, nixpkgs, system }:
let
  evaluated = import (/. + nixpkgs + "/nixos/lib/eval-config.nix") {
    inherit system;
    modules = [
      (/. + file)
      parts.host
      ({ lib, ... }: lib.mkIf (machine != "") { vmcred.machine = lib.mkForce machine; })
    ];
  };
in
{
  inherit (evaluated.config.vmcred) declaration;
  places = [ ];
}
