# Stands for NixOS's systemd options where $VMCRED_UPSTREAM/nixos is absent: the same names, closed types, and the same rules
# for settings of units (lists are joined, all else must be equal), as nixos/lib/systemd-unit-options.nix of 2026 has them.
{ lib, pkgs }:
let
  inherit (lib) mkIf mkMerge mkOption types;

  unit_option = lib.mkOptionType {
    name = "systemd option";
    merge = loc: definitions:
      let left = lib.filterOverrides definitions; in
      if builtins.isList (builtins.head left).value then
        lib.concatMap
          (each: if builtins.isList each.value then each.value
          else throw "The definitions for systemd unit options should be either all lists or all non-lists: ${lib.showOption loc}")
          left
      else lib.mergeEqualOption loc left;
  };
  unit_name = types.strMatching "[a-zA-Z0-9@%:_.\\-]+[.](service|socket|device|mount|automount|swap|target|path|timer|scope|slice)";
  names = mkOption { type = types.listOf unit_name; default = [ ]; };
  texts = mkOption { type = types.listOf types.str; default = [ ]; };
  lines = mkOption { type = types.lines; default = ""; };
  flag = default: mkOption { type = types.bool; inherit default; };
  settings = mkOption { type = types.attrsOf unit_option; default = { }; };
  # NixOS refuses these at evaluation as well.
  checked = mkOption {
    default = { };
    type = types.addCheck (types.attrsOf unit_option) (value:
      let of = name: words: !(value ? ${name}) || lib.elem (value.${name}.content or value.${name}) words; in
      of "Type" [ "exec" "simple" "forking" "oneshot" "dbus" "notify" "notify-reload" "idle" ]
      && of "Restart" [ "no" "on-success" "on-failure" "on-abnormal" "on-abort" "always" ]);
  };

  shared = {
    enable = flag true;
    description = mkOption { type = types.singleLineStr; default = ""; };
    documentation = texts;
    requires = names; wants = names; after = names; before = names; bindsTo = names; partOf = names; conflicts = names; requisite = names;
    wantedBy = names; requiredBy = names; upheldBy = names; aliases = names; onFailure = names; onSuccess = names;
    overrideStrategy = mkOption { type = types.enum [ "asDropinIfExists" "asDropin" ]; default = "asDropinIfExists"; };
    unitConfig = settings;
    startLimitBurst = mkOption { type = types.nullOr types.int; default = null; };
    startLimitIntervalSec = mkOption { type = types.nullOr types.int; default = null; };
  };
  job = name: text: "${pkgs.writeShellScript "unit-script-${lib.replaceStrings [ "@" ] [ "_" ] name}" "set -e\n${text}"}";

  service = { name, config, ... }: {
    options = shared // {
      environment = mkOption { type = types.attrsOf (types.nullOr (types.oneOf [ types.str types.path types.package ])); default = { }; };
      path = mkOption { type = types.listOf (types.oneOf [ types.package types.str ]); default = [ ]; };
      serviceConfig = checked;
      script = lines; preStart = lines; postStart = lines; reload = lines; preStop = lines; postStop = lines;
      scriptArgs = mkOption { type = types.str; default = ""; };
      jobScripts = mkOption { type = types.listOf types.path; default = [ ]; };
      restartTriggers = mkOption { type = types.listOf types.unspecified; default = [ ]; };
      reloadTriggers = mkOption { type = types.listOf unit_option; default = [ ]; };
      restartIfChanged = flag true;
      reloadIfChanged = flag false;
      stopIfChanged = flag true;
      startAt = mkOption { type = types.either types.str (types.listOf types.str); default = [ ]; };
    };
    config = mkMerge [
      {
        unitConfig = lib.optionalAttrs (config.requires != [ ]) { Requires = toString config.requires; }
          // lib.optionalAttrs (config.wants != [ ]) { Wants = toString config.wants; }
          // lib.optionalAttrs (config.after != [ ]) { After = toString config.after; }
          // lib.optionalAttrs (config.before != [ ]) { Before = toString config.before; }
          // lib.optionalAttrs (config.partOf != [ ]) { PartOf = toString config.partOf; }
          // lib.optionalAttrs (config.description != "") { Description = config.description; }
          // lib.optionalAttrs (config.restartTriggers != [ ]) { X-Restart-Triggers = toString config.restartTriggers; };
        path = lib.mkAfter [ pkgs.coreutils pkgs.findutils pkgs.gnugrep pkgs.gnused pkgs.systemd ];
        environment.PATH = mkIf (config.path != [ ]) "${lib.makeBinPath config.path}:${lib.makeSearchPathOutput "bin" "sbin" config.path}";
      }
      (mkIf (config.preStart != "") { serviceConfig.ExecStartPre = [ (job "${name}-pre-start" config.preStart) ]; })
      (mkIf (config.script != "") { serviceConfig.ExecStart = "${job "${name}-start" config.script} ${config.scriptArgs}"; })
      (mkIf (config.postStart != "") { serviceConfig.ExecStartPost = [ (job "${name}-post-start" config.postStart) ]; })
      (mkIf (config.preStop != "") { serviceConfig.ExecStop = job "${name}-pre-stop" config.preStop; })
      (mkIf (config.postStop != "") { serviceConfig.ExecStopPost = job "${name}-post-stop" config.postStop; })
    ];
  };
in
{
  services = types.attrsOf (types.submodule service);
  sockets = types.attrsOf (types.submodule { options = shared // { socketConfig = settings; listenStreams = texts; }; });
  targets = types.attrsOf (types.submodule { options = shared; });
}
