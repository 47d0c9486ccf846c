# nixosModules.host: carries credentials into the vms of microvm.nix. It reads the options of clan-core and microvm.nix (of
# clan-options.nix and microvm-options.nix where those are not used), writes the declaration, and gives microvm.nix VMMs
# that are started through `vmcred exec`. Unit names and folders stay microvm.nix's.
{ declaration, checks, guest, guest_of }:
{ config, lib, pkgs, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.vmcred;

  # The runners must see no credentials (guest-credentials.nix keeps them aside), so they are put back here.
  guest_with_credentials = name:
    let
      found = guest_of config name;
      micro = found.microvm or { };
      aside = found.vmcred or { };
    in
    found // { microvm = micro // {
      credentialFiles = aside.credentialFiles or micro.credentialFiles or { };
      cloud-hypervisor = micro.cloud-hypervisor or { } // {
        platformOEMStrings = aside.oemStrings or micro.cloud-hypervisor.platformOEMStrings or [ ];
      };
    }; };

  declared = declaration {
    inherit lib config;
    inherit (cfg) machine;
    guest_of = guest_with_credentials;
    fail = { message, hint ? "", ... }: throw (if hint == "" then "vmcred: ${message}" else "vmcred: ${message}; ${hint}");
  };

  credential = {
    options = {
      from = mkOption { type = types.nullOr types.str; default = null; description = "GENERATOR/FILE, or an absolute path on the host."; };
      value = mkOption { type = types.nullOr types.str; default = null; description = "A static value that everybody may read."; };
      guest = mkOption { type = types.nullOr types.str; default = null; description = "Name in the guest; default: API_KEY for api-key."; };
      services = mkOption { type = types.listOf types.str; default = [ ]; description = "Services of the guest that load it."; };
      onChange = mkOption { type = types.nullOr types.str; default = null; description = "restart, reload, none or signal:HUP."; };
      allowEmpty = mkOption { type = types.bool; default = false; description = "Whether it may be empty."; };
      public = mkOption { type = types.bool; default = false; description = "The static value only looks like a secret."; };
    };
  };

  vm = { name, ... }: {
    freeformType = types.attrsOf types.anything;  # every further key of [vms.NAME] in vmcred.toml, in camelCase
    options = {
      credentials = mkOption { type = types.attrsOf (types.submodule credential); default = { }; description = "One credential a name."; };
      ownUser = mkOption { type = types.bool; default = false; description = "Run this vm as a user of its own, not as microvm."; };
      package = mkOption { type = types.nullOr types.package; default = null; description = "The VMM to wrap; default: nixpkgs'."; };
    };
  };

  # ---- the short form: the unit loads what the credentials name ----
  path_of = from:
    let
      parts = builtins.split "/" from;
      file = config.clan.core.vars.generators.${builtins.elemAt parts 0}.files.${builtins.elemAt parts 2};
    in
    if lib.hasPrefix "/" from then from else file.path;
  secrets = name: lib.filterAttrs (_: each: each.from != null) ((cfg.vms.${name} or { }).credentials or { });
  unit = name: {
    # The unit is an instance of a template: as a unit of its own, as NixOS would write it, it would hide that.
    overrideStrategy = lib.mkDefault "asDropin";
    serviceConfig = {
      LoadCredential = lib.mapAttrsToList (credential: each: "host-${credential}:${path_of each.from}") (secrets name)
        ++ lib.mapAttrsToList (credential: path: "host-${credential}:${path}") (upstream_paths name);
    } // lib.optionalAttrs (cfg.vms.${name}.ownUser or false) { User = lib.mkForce (user_of name); };
  };
  # Upstream's form, credentialFiles.NAME = "/path": the unit has to load it.
  upstream_paths = name: lib.filterAttrs (_: builtins.isString) ((guest_of config name).vmcred.credentialFiles or { });
  vm_names = lib.unique (builtins.attrNames config.microvm.vms ++ builtins.attrNames cfg.vms);
  user_of = name:
    let whole = "vmcred-${name}"; in
    if builtins.stringLength whole <= 31 then whole else "vmcred-${builtins.substring 0 16 (builtins.hashString "sha256" name)}";
  own_users = lib.filterAttrs (_: each: each.ownUser) cfg.vms;
in
{
  options.vmcred = {
    package = mkOption { type = types.package; default = pkgs.vmcred; description = "The vmcred to use."; };
    guestPackage = mkOption { type = types.package; default = pkgs.vmcred-guest; description = "The static vmcred-guest."; };
    machine = mkOption { type = types.nullOr types.str; default = config.networking.hostName; description = "The name of this machine among the vars."; };
    vms = mkOption { type = types.attrsOf (types.submodule vm); default = { }; description = "Credentials and settings of vms, by name."; };
    store = mkOption {
      type = types.nullOr types.path;
      default = null;
      example = lib.literalExpression "./.";
      description = "The folder that holds vars/ and sops/, which are encrypted, where vmcred activates them on this machine.";
    };
    git = mkOption { type = types.attrsOf types.anything; default = { }; description = "As [git] in vmcred.toml."; };
    declaration = mkOption { type = types.raw; default = declared; readOnly = true; description = "What vmcred reads, as a set."; };
    declarationFile = mkOption {
      type = types.path;
      default = pkgs.writeText "vmcred.json" (builtins.toJSON declared);
      readOnly = true;
      description = "The declaration as JSON.";
    };
  };

  # Without default and description, so that it joins microvm.nix's own declaration of the option.
  options.microvm.vms = mkOption {
    type = types.attrsOf (types.submodule ({ name, config, ... }: {
      # A vm from a flake of its own, or evaluated elsewhere, must have no `config` beside that.
      config.config = lib.mkIf (config.flake or null == null && config.evaluatedConfig or null == null) (guest { inherit name cfg; });
    }));
  };

  config = {
    environment.etc = { "vmcred/vmcred.json".source = cfg.declarationFile; }
      // lib.optionalAttrs (cfg.store != null) {
        "vmcred/vars".source = cfg.store + "/vars";
        "vmcred/sops".source = cfg.store + "/sops";
      };
    environment.systemPackages = [ cfg.package ];
    systemd.services = builtins.listToAttrs (map (name: lib.nameValuePair "microvm@${name}" (unit name)) vm_names);
    users.users = lib.mapAttrs' (name: _: lib.nameValuePair (user_of name) { isSystemUser = true; group = "kvm"; }) own_users;
    assertions = checks { inherit lib; declaration = declared; };
    warnings =
      let shared = builtins.filter (name: !(cfg.vms.${name}.ownUser or false)) (builtins.attrNames declared.vms); in
      lib.optional (builtins.length shared > 1)
        "vmcred: the vms ${builtins.concatStringsSep ", " shared} run as one user and can read each other's memory; set vmcred.vms.NAME.ownUser = true";
  };
}
