# vmcred and the static vmcred-guest out of a package set: those of an overlay where there is one, else built from here.
pkgs: {
  vmcred = pkgs.vmcred or (pkgs.callPackage ./package.nix { });
  vmcred-guest = pkgs.vmcred-guest or (pkgs.pkgsStatic.callPackage ./package.nix { only_guest = true; });
}
