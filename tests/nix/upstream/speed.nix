# A host of 200 vms with 10 credentials each, as a rebuild evaluates it: with upstream's credentialFiles alone, and with vmcred.
{ upstream, project ? ../../.., count ? 200, modules ? "vmcred" }:
let
  harness = import ./host.nix { inherit upstream project; };
  inherit (harness) lib;
  number = n: lib.fixedWidthString 3 "0" (toString n);
  names = map (n: "vm-${number n}") (lib.range 1 count);
  host = {
    networking.hostName = "britton-desktop";
  } // lib.optionalAttrs (modules == "vmcred") {
    vmcred.package = harness.pkgs.vmcred_here;  # what it is built from is read once, however many vms there are
  } // {
    microvm.vms = lib.genAttrs names (name: {
      config.microvm.credentialFiles = lib.listToAttrs (map (n: lib.nameValuePair "KEY_${toString n}" "/run/keys/${name}/${toString n}") (lib.range 1 10));
    });
  };
  config = (if modules == "vmcred" then harness.full [ host ] else harness.bare [ host ]).config;
in
builtins.deepSeq
  [
    (lib.mapAttrs (_: each: [ each.serviceConfig each.unitConfig each.environment ]) config.systemd.services)
    (map (name: config.microvm.vms.${name}.config.config.microvm.declaredRunner.drvPath) names)
    (lib.mapAttrs (_: each: toString each.source) config.environment.etc)
    (builtins.filter (each: !each.assertion) config.assertions)
    config.warnings
  ]
  (builtins.length names)
