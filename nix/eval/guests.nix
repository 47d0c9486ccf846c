# The guests' own services that load credentials, whole: without NixOS nobody else makes units of them.
{ lib }: config:
let
  inherit (builtins) concatMap hasAttr isBool isList mapAttrs removeAttrs unsafeDiscardStringContext;

  # Every setting is a list of lines.
  lines = value:
    if value == null then [ ]
    else if isList value then concatMap lines value
    else if isBool value then [ (if value then "yes" else "no") ]
    else [ (unsafeDiscardStringContext (toString value)) ];
  settings = set: mapAttrs (_: lines) (removeAttrs set [ "__position" ]);

  service = value: {
    description = value.description or "";
    wanted-by = lines (value.wantedBy or [ ]);
    unit = settings (value.unitConfig or { }) // lib.filterAttrs (_: each: each != [ ]) {
      After = lines (value.after or [ ]);
      Before = lines (value.before or [ ]);
      Wants = lines (value.wants or [ ]);
      Requires = lines (value.requires or [ ]);
    };
    # The drop-in of vmcred loads the credentials.
    service = settings (removeAttrs value.serviceConfig [ "LoadCredential" ]) // lib.optionalAttrs (value ? environment) {
      Environment = lib.mapAttrsToList (name: each: "${name}=${toString each}") value.environment;
    };
    script = unsafeDiscardStringContext (value.script or "");
  };
  loads = settings: hasAttr "LoadCredential" settings || hasAttr "ImportCredential" settings;
  complete = value: loads value.serviceConfig && (value.script != "" || value.serviceConfig ? ExecStart);
in
lib.mapAttrs (_: vm: lib.mapAttrs (_: service) (lib.filterAttrs (_: complete) ((vm.config or { }).systemd.services or { }))) config.microvm.vms
