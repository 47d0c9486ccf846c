# A vm that runs as a user of its own (vmcred.vms.NAME.ownUser). microvm.nix makes its folder, its taps and its devices for the
# user microvm: here they become the vm's. Back and forth: what another vm user made in the folder changes hands before the start.
{ lib }:
let
  # The scripts of the runner that root starts before the VMM: who may use a tap, a macvtap or a passed device.
  given_to = user: builtins.replaceStrings [ "user 'microvm'" "'microvm:kvm'" "chown microvm:kvm" ] [ "user '${user}'" "'${user}:kvm'" "chown ${user}:kvm" ];
in
{
  # microvm.binScripts of the guest
  scripts = user: lib.mapAttrs (_: given_to user);
  # Whether a script still names the user of all vms: microvm.nix's text is not the one that is known here.
  unknown = user: scripts: builtins.any
    (name: builtins.match ".*user '?microvm'?.*|.*microvm:kvm.*" (builtins.replaceStrings [ "\n" ] [ " " ] (scripts.${name} or "")) != null)
    [ "tap-up" "macvtap-up" "pci-setup" ];

  # One for all vms: NAME's folder, its user, the folder's mode, the images in it.
  take = pkgs: pkgs.writeShellScript "vmcred-take" ''
    # Nothing of the vm runs before its start, and links are not followed: who had the folder before cannot turn this elsewhere.
    set -eu
    cd "$1" || exit 0
    user=$2 mode=$3
    shift 3
    take() {
      case $(${pkgs.coreutils}/bin/stat -c %U -- "$1" 2>/dev/null) in
        microvm | vmcred-* | UNKNOWN) ${pkgs.coreutils}/bin/chown -h "$user:kvm" -- "$1" ;;
      esac
    }
    ${pkgs.coreutils}/bin/chown -h "$user:kvm" .
    ${pkgs.coreutils}/bin/chmod "$mode" .
    for each in current booted *.sock *.vsock "$@"; do
      if [ -e "$each" ] || [ -L "$each" ]; then take "$each"; fi
    done
  '';

  # Services of the host: who runs the vm owns its folder from the time on that its runner is installed.
  services = { take, name, user, own, folder, images }:
    let command = "${take} ${lib.escapeShellArgs ([ folder user (if own then "0700" else "0755") ] ++ images)}"; in
    {
      # It is run at each rebuild, and gives the folder to microvm.
      "install-microvm-${name}".serviceConfig.ExecStartPost = [ command ];
    }
    // lib.optionalAttrs own {
      "microvm-set-booted@${name}" = {
        overrideStrategy = "asDropin";
        path = lib.mkForce [ ];
        serviceConfig = {
          ExecStartPre = [ "+${command}" ];
          User = user;
        };
      };
    };
}
