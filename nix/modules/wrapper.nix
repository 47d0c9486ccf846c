# A VMM's package whose programs start through `vmcred exec`. microvm.nix's runners compare its `version`, call `override` and
# `overrideAttrs`, and look at how it was built: so it has all that the package has, but its files.
{ lib }:
{ name, pkgs, vmcred, environment ? "" }:
let
  # crosvm's other commands only talk to one that runs, by a socket that it does not get (--without-control): its power
  # key is pressed by systemd, which ends the supervisor next, and that asks the guest.
  text = ''
    real=$1
    wrapper() {
      printf '#!${pkgs.runtimeShell}\n'
      if [ "''${1##*/}" = crosvm ]; then
        printf 'case "''${1:-}" in\n  run) ;;\n  powerbtn | stop) exit 0 ;;\n  *) exec %s "$@" ;;\nesac\n' "$1"
        set -- "$1" --without-control
      fi
      printf '${environment}exec ${vmcred}/bin/vmcred --project /etc/vmcred exec --vm ${name}%s -- %s "$@"\n' "''${2:+ $2}" "$1"
    }
    mkdir -p "$out/bin"
    for entry in "$real"/*; do
      [ "''${entry##*/}" = bin ] || ln -s "$entry" "$out/"
    done
    for program in "$real"/bin/*; do
      case ''${program##*/} in
        qemu-system-* | qemu-kvm | cloud-hypervisor | crosvm | firecracker)
          wrapper "$program" > "$out/bin/''${program##*/}"
          chmod 755 "$out/bin/''${program##*/}" ;;
        *) ln -s "$program" "$out/bin/''${program##*/}" ;;
      esac
    done
  '';

  wrapped = package:
    let
      files = pkgs.runCommand "vmcred-${name}-${package.name}" { } "set -- ${lib.getBin package}\n${text}";
    in
    package // removeAttrs files [ "meta" "passthru" "override" "overrideAttrs" ]
    // { pname = "vmcred-${name}-${package.pname or package.name}"; passthru = package.passthru or { } // { unwrapped = package; }; unwrapped = package; }
    // lib.optionalAttrs (package ? bin) { bin = files; }
    // lib.optionalAttrs (package ? override) { override = change: wrapped (package.override change); }
    // lib.optionalAttrs (package ? overrideAttrs) { overrideAttrs = change: wrapped (package.overrideAttrs change); };
in
wrapped
