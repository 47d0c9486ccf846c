# The NixOS modules, put together from their files.
let
  declaration = import ../declaration.nix;
  checks = import ./checks.nix;
  guest_module = import ./guest.nix;
in
{
  host = import ./host.nix {
    inherit declaration checks;
    guest_of = import ../guest-of.nix;
    guest = import ./guest-credentials.nix { inherit guest_module; };
  };
  guest = guest_module;
  clan-options = import ./clan-options.nix;
  microvm-options = import ./microvm-options.nix;
}
