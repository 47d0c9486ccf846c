# The stand-alone evaluator from its files; vmcred carries the same text within itself.
import ./main.nix {
  lib = import ./lib.nix;
  modules = import ./modules.nix;
  schema = import ./schema.nix;
  places = import ./places.nix;
  guests = import ./guests.nix;
  declaration = import ../declaration.nix;
}
