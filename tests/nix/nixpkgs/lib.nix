# nixpkgs' lib, by the project's own.
import ../../../nix/eval/lib.nix { types = import ../../../nix/eval/types.nix; } // {
  cleanSource = path: path;
  licenses.asl20 = "Apache-2.0";
  platforms.linux = [ "x86_64-linux" "aarch64-linux" ];
}
