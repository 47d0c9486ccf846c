# The findings of `vmcred check` that an evaluation can see, as assertions.
{ lib, declaration }:
let
  inherit (builtins) attrNames attrValues concatMap elem elemAt filter head length map match replaceStrings;

  host_of = line: head (match "([^:]*):.*" line);
  source_of = line: elemAt (match "([^:]*):(.*)" line) 1;
  guest_of = host: lib.toUpper (replaceStrings [ "-" ] [ "_" ] (lib.removePrefix "host-" host));
  oem_name = text: let parts = match "io[.]systemd[.]credential([.]binary)?:([^=]*)=.*" text; in if parts == null then null else elemAt parts 1;

  vm_checks = name: vm:
    let
      lines = vm.load-credential or [ ];
      loaded = map host_of (filter (line: match "[^:]*:.*" line != null) lines);
      listed = vm.credential-files or [ ];
      short = vm.credentials or { };
      arriving = map guest_of listed
        ++ lib.mapAttrsToList (credential: each: each.guest or (guest_of credential)) short
        ++ filter (each: each != null) (map oem_name (vm.oem-strings or [ ]));
      services = vm.guest.services or { };
      wanted = service: filter (each: !lib.hasPrefix "/" each)
        (map (line: if match "[^:]*:.*" line == null then line else source_of line) (service.load-credential or [ ]));
      var_exists = source:
        let parts = match "([^/]+)/([^/]+)" source; in
        parts == null || (declaration.generators ? ${head parts} && declaration.generators.${head parts}.files ? ${elemAt parts 1});
      twice = filter (each: length (filter (other: other == each) arriving) > 1) (lib.unique arriving);
    in
    map
      (host: {
        assertion = elem host loaded;
        message = "vmcred: vm '${name}': credentialFiles names '${host}', but LoadCredential of microvm@${name} does not load it";
      })
      listed
    ++ map
      (host: {
        assertion = elem host listed;
        message = "vmcred: vm '${name}': LoadCredential of microvm@${name} loads '${host}', but credentialFiles does not name it";
      })
      loaded
    ++ map
      (line: {
        assertion = match "[^:]*:.*" line != null && var_exists (source_of line);
        message = "vmcred: vm '${name}': LoadCredential '${line}' has no source, or one that no generator makes";
      })
      lines
    ++ map
      (guest: {
        assertion = false;
        message = "vmcred: vm '${name}': two credentials are called '${guest}' in the guest";
      })
      twice
    ++ concatMap
      (service: map
        (guest: {
          assertion = elem guest arriving;
          message = "vmcred: vm '${name}': guest service '${service}' loads '${guest}', which does not arrive";
        })
        (wanted services.${service}))
      (attrNames services);
in
concatMap (name: vm_checks name declaration.vms.${name}) (attrNames declaration.vms)
