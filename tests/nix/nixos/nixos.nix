# NixOS's options as far as vmcred's modules define or read them.
{ lib, ... }:
let
  inherit (lib) mkOption types;
  settings = mkOption { type = types.attrsOf types.anything; default = { }; };
  service_settings = mkOption {
    default = { };
    type = types.attrsOf types.anything;
    apply = value: if builtins.elem (value.Type or "simple") [ "simple" "exec" "forking" "oneshot" "dbus" "notify" "notify-reload" "idle" ] then value else throw "Type=${value.Type}";
  };
  texts = mkOption { type = types.listOf types.str; default = [ ]; };
  service = {
    options = {
      description = mkOption { type = types.str; default = ""; };
      wantedBy = texts;
      requiredBy = texts;
      requires = texts;
      before = texts;
      after = texts;
      restartTriggers = mkOption { type = types.listOf types.unspecified; default = [ ]; };
      overrideStrategy = mkOption { type = types.enum [ "asDropinIfExists" "asDropin" ]; default = "asDropinIfExists"; };
      path = mkOption { type = types.listOf types.package; default = [ ]; };
      script = mkOption { type = types.lines; default = ""; };
      unitConfig = settings;
      preStart = mkOption { type = types.lines; default = ""; };
      postStart = mkOption { type = types.lines; default = ""; };
      serviceConfig = service_settings;
    };
  };
in
{
  options = {
    assertions = mkOption { type = types.listOf types.unspecified; default = [ ]; };
    warnings = texts;
    boot.initrd.kernelModules = texts;
    boot.initrd.systemd.enable = mkOption { type = types.bool; default = false; };
    environment.etc = mkOption { type = types.attrsOf types.anything; default = { }; };
    environment.systemPackages = mkOption { type = types.listOf types.package; default = [ ]; };
    networking.hostName = mkOption { type = types.str; default = "nixos"; };
    systemd.package = mkOption { type = types.package; };
    systemd.packages = mkOption { type = types.listOf types.package; default = [ ]; };
    systemd.services = mkOption { type = types.attrsOf (types.submodule service); default = { }; };
    users.users = mkOption { type = types.attrsOf types.anything; default = { }; };
  };
}
