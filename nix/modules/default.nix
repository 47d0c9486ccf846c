# The NixOS modules, put together from their files.
let
  packages = import ../packages.nix;
  names = import ./names.nix;
  own_user = import ./own-user.nix;
  guest_module = import ./guest.nix { inherit packages; };
in
{
  host = {
    _file = "vmcred.nixosModules.host";
    key = "vmcred:nixosModules.host";
    imports = [
      (import ./host.nix {
        inherit names own_user packages;
        declaration = import ../declaration.nix;
        checks = import ./checks.nix;
        hardware = import ../eval/hardware.nix;
        unit = import ./unit.nix;
        vm_options = import ./options.nix;
        guest_of = import ../guest-of.nix;
        guest = import ./guest-credentials.nix { inherit guest_module names own_user; wrapper = import ./wrapper.nix; };
      })
    ];
  };
  guest = guest_module;
  clan-options = import ./clan-options.nix;
  microvm-options = import ./microvm-options.nix;
}
