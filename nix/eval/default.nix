# The stand-alone evaluator from its files; vmcred carries the same text within itself.
import ./main.nix {
  lib = import ./lib.nix { types = import ./types.nix; };
  options = import ./options.nix;
  modules = import ./modules.nix;
  packages = import ./packages.nix;
  schema = import ./schema.nix;
  places = import ./places.nix;
  guests = import ./guests.nix;
  hardware = import ./hardware.nix;
  guest_of = import ../guest-of.nix;
  declaration = import ../declaration.nix;
}
