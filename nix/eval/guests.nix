# The guests' own services that load credentials, whole: without NixOS nobody else makes units of them.
{ lib, fail }: config:
let
  inherit (builtins) attrNames concatMap elem hasAttr head isBool isList mapAttrs removeAttrs unsafeDiscardStringContext;

  # NixOS's names of settings in [Unit], and of scripts.
  unit_settings = {
    after = "After"; before = "Before"; wants = "Wants"; requires = "Requires"; requisite = "Requisite"; bindsTo = "BindsTo";
    partOf = "PartOf"; conflicts = "Conflicts"; onFailure = "OnFailure"; onSuccess = "OnSuccess"; documentation = "Documentation";
    startLimitBurst = "StartLimitBurst"; startLimitIntervalSec = "StartLimitIntervalSec";
  };
  scripts = {
    preStart = "ExecStartPre"; script = "ExecStart"; postStart = "ExecStartPost"; reload = "ExecReload"; preStop = "ExecStop";
    postStop = "ExecStopPost";
  };
  # `path` is all in /usr; the others concern the switch to a new configuration.
  known = attrNames unit_settings ++ attrNames scripts ++ [
    "description" "enable" "environment" "path" "reloadIfChanged" "reloadTriggers" "requiredBy" "restartIfChanged"
    "restartTriggers" "serviceConfig" "stopIfChanged" "unitConfig" "wantedBy" "__position"
  ];

  # Every setting is a list of lines.
  lines = value:
    if value == null then [ ]
    else if isList value then concatMap lines value
    else if isBool value then [ (if value then "yes" else "no") ]
    else [ (unsafeDiscardStringContext (toString value)) ];
  settings = set: mapAttrs (_: lines) (removeAttrs set [ "__position" ]);

  renamed = names: value: lib.mapAttrs' (from: to: lib.nameValuePair to value.${from}) (lib.filterAttrs (from: _: value ? ${from}) names);
  service = name: value: let unknown = builtins.filter (each: !elem each known) (attrNames value); in
  if unknown != [ ] then fail {
    message = "guest service '${name}' has '${head unknown}', which vmcred cannot write into a unit";
    hint = "say it in serviceConfig or unitConfig, in systemd's words";
    position = value.__position or null;
  }
  else {
    description = value.description or "";
    wanted-by = lines (value.wantedBy or [ ]) ++ lines (value.requiredBy or [ ]);
    unit = settings (value.unitConfig or { }) // lib.filterAttrs (_: each: each != [ ]) (mapAttrs (_: lines) (renamed unit_settings value));
    # The drop-in of vmcred loads the credentials.
    service = settings (removeAttrs value.serviceConfig [ "LoadCredential" ]) // lib.optionalAttrs (value ? environment) {
      Environment = lib.mapAttrsToList (name: each: "${name}=${toString each}") value.environment;
    };
    scripts = mapAttrs (_: unsafeDiscardStringContext) (lib.filterAttrs (_: text: text != "") (renamed scripts value));
  };
  loads = settings: hasAttr "LoadCredential" settings || hasAttr "ImportCredential" settings;
  complete = value: value.enable or true && loads value.serviceConfig && (value.script != "" || value.serviceConfig ? ExecStart);
in
lib.mapAttrs (_: vm: lib.mapAttrs service (lib.filterAttrs (_: complete) ((vm.config or { }).systemd.services or { }))) config.microvm.vms
