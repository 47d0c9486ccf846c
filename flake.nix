{
  description = "vmcred carries secrets from a host into its microVMs, and proves that they arrived";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" ];
      each = f: nixpkgs.lib.genAttrs systems (system: f (import nixpkgs { inherit system; overlays = [ self.overlays.default ]; }));
      modules = import ./nix/modules;
    in
    {
      # vmcred and the static vmcred-guest
      overlays.default = final: _: {
        vmcred = final.callPackage ./nix/package.nix { };
        vmcred-guest = final.pkgsStatic.callPackage ./nix/package.nix { only_guest = true; };
      };

      packages = each (pkgs: { inherit (pkgs) vmcred vmcred-guest; default = pkgs.vmcred; });

      # host and guest stand beside microvm.nix and clan-core; the other two declare their options where those are not used
      nixosModules = {
        inherit (modules) host guest clan-options microvm-options;
        default = modules.host;
      };

      checks = each (pkgs: {
        inherit (pkgs) vmcred vmcred-guest;
        # The guide's configuration on a real NixOS: the assertions of nixosModules.host hold, and the declaration is written.
        guide =
          let
            host = nixpkgs.lib.nixosSystem {
              inherit (pkgs.stdenv.hostPlatform) system;
              modules = [
                modules.host
                modules.clan-options
                modules.microvm-options
                ./tests/nix/nixos/configuration.nix
                {
                  nixpkgs.overlays = [ self.overlays.default ];
                  boot.loader.grub.enable = false;
                  fileSystems."/".device = "none";
                  system.stateVersion = "25.05";
                }
              ];
            };
            failed = builtins.filter (each: !each.assertion) host.config.assertions;
          in
          assert nixpkgs.lib.assertMsg (failed == [ ]) (nixpkgs.lib.concatMapStringsSep "\n" (each: each.message) failed);
          host.config.vmcred.declarationFile;
      });
    };
}
