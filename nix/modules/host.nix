# nixosModules.host: carries credentials into the vms of microvm.nix. It reads the options of clan-core and microvm.nix (of
# clan-options.nix and microvm-options.nix where those are not used), writes the declaration, and gives microvm.nix VMMs
# that are started through `vmcred exec`. Unit names and folders stay microvm.nix's.
{ declaration, checks, guest, guest_of, hardware, unit, own_user, vm_options, names, packages }:
{ config, lib, options, pkgs, ... }:
let
  inherit (lib) mkOption types;
  inherit (names { inherit lib; }) user_of;
  cfg = config.vmcred;
  generators = config.clan.core.vars.generators;

  declared = declaration {
    inherit lib config;
    inherit (cfg) machine;
    guest_of = guest_of config;
    hardware_of = if cfg.ownUnits then hardware { inherit lib fail; } else (_: { });
    inherit fail;
  };
  fail = { message, hint ? "", ... }: throw (if hint == "" then "vmcred: ${message}" else "vmcred: ${message}; ${hint}");
  vm_names = lib.unique (builtins.attrNames config.microvm.vms ++ builtins.attrNames cfg.vms);
  # microvm.nix's units run the vms, or vmcred's own (microvm-options.nix).
  has_microvm = !cfg.ownUnits;
  own = name: (cfg.vms.${name} or { }).ownUser or false;
  aside = name: (guest_of config name).vmcred.seen or { };

  # ---- the short form: the unit loads what the credentials name ----
  # What does not exist is told by an assertion; until then it must not end the evaluation.
  path_of = from:
    let
      parts = builtins.match "([^/]+)/([^/]+)" from;
      generator = builtins.head parts;
      file = builtins.elemAt parts 1;
    in
    if builtins.substring 0 1 from == "/" || parts == null then from
    else if generators ? ${generator} && generators.${generator}.files ? ${file} then generators.${generator}.files.${file}.path
    else "/no-such-path";
  line = credential: from: if from == null then [ ] else [ "host-${credential}:${path_of from}" ];
  # Upstream's form, credentialFiles.NAME = "/path": the unit has to load it.
  upstream_line = credential: entry: line credential
    (if builtins.isString entry then entry else if builtins.isAttrs entry then entry.path or null else null);
  lines_of = name:
    let
      short = (cfg.vms.${name} or { }).credentials or { };
      upstream = (aside name).credentialFiles or { };
    in
    builtins.concatMap (credential: line credential short.${credential}.from) (builtins.attrNames short)
    ++ builtins.concatMap (credential: upstream_line credential upstream.${credential}) (builtins.attrNames upstream);

  seconds = text:
    let parts = if text == null then null else builtins.match "([0-9]+)([smh])" text; in
    if parts == null then null
    else builtins.fromJSON (builtins.head parts) * { s = 1; m = 60; h = 3600; }.${builtins.elemAt parts 1};
  confined = name: unit { inherit lib; } {
    inherit name;
    guest = guest_of config name;
    state_folder = toString config.microvm.stateDir;
    own_user = own name;
    receipt = (aside name).receipt or false;
    receipt_limit = seconds (cfg.vms.${name}.receiptTimeout or null);
    start_limit = seconds (cfg.vms.${name}.startTimeout or null);
  };
  vm_unit = name: let lines = lines_of name; in {
    # The unit is an instance of a template: as a unit of its own, as NixOS would write it, it would hide that.
    overrideStrategy = lib.mkDefault "asDropin";
    serviceConfig = lib.mkMerge [
      # A list beside the user's text would be an error of NixOS, so there is none where there are no lines.
      (lib.mkIf (lines != [ ]) { LoadCredential = lines; })
      (lib.mkIf (has_microvm && (aside name).receives or false) (confined name))
      (lib.mkIf (has_microvm && own name) { User = lib.mkForce (user_of name); })
    ];
  };
  folder_units = name: owning.services {
    inherit take name;
    own = own name;
    user = if own name then user_of name else "microvm";
    folder = "${toString config.microvm.stateDir}/${name}";
    images = map (each: each.image) (builtins.filter (each: each.autoCreate or true) ((guest_of config name).microvm.volumes or [ ]));
  };
  owning = own_user { inherit lib; };
  take = owning.take pkgs;
  folders = builtins.filter (name: config.microvm.vms ? ${name} && (own name || (aside name).receives or false)) vm_names;

  # ---- guests that are evaluated elsewhere ----
  extended = name: evaluated:
    if evaluated ? extendModules then evaluated.extendModules { modules = [ (guest { inherit name cfg; }) ]; } else evaluated;
  extended_flake = name: flake:
    if flake ? nixosConfigurations.${name} then
      flake // { nixosConfigurations = flake.nixosConfigurations // { ${name} = extended name flake.nixosConfigurations.${name}; }; }
    else flake;

  written = pkgs.writeText "vmcred.json" (builtins.toJSON declared);
  # What Nix does not see, vmcred does: names, types, the links of the chain, what the declared guest can receive. No system
  # is built whose vmcred.json it would refuse.
  checked = pkgs.runCommand "vmcred.json" { } ''
    cp ${written} vmcred.json
    if ! ${cfg.package}/bin/vmcred --project . check --declaration --fail-on error; then
      echo "vmcred: the declaration of this system has errors (above); vmcred.vms, microvm.vms and clan.core.vars make it" >&2
      exit 1
    fi
    cp vmcred.json "$out"
  '';
  can_run = pkgs.stdenv.buildPlatform.canExecute or (_: true) pkgs.stdenv.hostPlatform;
in
{
  options.vmcred = {
    package = mkOption { type = types.package; default = (packages pkgs).vmcred; defaultText = "vmcred, built with this system's packages"; description = "The vmcred to use."; };
    guestPackage = mkOption { type = types.package; default = (packages pkgs).vmcred-guest; defaultText = "vmcred-guest, built with this system's packages"; description = "The static vmcred-guest of guests with an agent."; };
    machine = mkOption { type = types.nullOr types.str; default = config.clan.core.settings.machine.name or config.networking.hostName; defaultText = "clan's name of it, else networking.hostName"; description = "The name of this machine among the vars."; };
    vms = mkOption { type = types.attrsOf (types.submodule (vm_options { inherit lib; }).vm); default = { }; description = "Credentials and settings of vms, by name."; };
    store = mkOption {
      type = types.nullOr types.path;
      default = null;
      example = lib.literalExpression "./.";
      description = "The folder that holds vars/ and sops/, which are encrypted, where vmcred activates them on this machine.";
    };
    git = mkOption { type = types.attrsOf types.anything; default = { }; description = "As [git] in vmcred.toml."; };
    ownUnits = mkOption { type = types.bool; internal = true; default = false; description = "Whether vmcred's own units run the vms."; };
    declaration = mkOption { type = types.raw; default = declared; readOnly = true; description = "What vmcred reads, as a set."; };
    declarationFile = mkOption {
      type = types.path;
      default = if can_run then checked else written;
      readOnly = true;
      description = "The declaration as JSON, checked by vmcred.";
    };
  };

  # Without default and description, so that these join microvm.nix's own declarations.
  options.microvm.vms = mkOption {
    type = types.attrsOf (types.submodule ({ name, config, ... }: {
      options.evaluatedConfig = mkOption { apply = evaluated: if evaluated == null then null else extended name evaluated; };
      options.flake = mkOption { apply = flake: if flake == null then null else extended_flake name flake; };
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
    systemd.services = lib.mkMerge
      ([ (builtins.listToAttrs (map (name: lib.nameValuePair "microvm@${name}" (vm_unit name)) vm_names)) ]
        ++ lib.optional has_microvm (lib.mkMerge (map folder_units folders)));
    users.users = lib.mapAttrs' (name: _: lib.nameValuePair (user_of name) { isSystemUser = true; group = "kvm"; })
      (lib.filterAttrs (name: _: has_microvm && own name) cfg.vms);
    assertions = checks { inherit lib config; declaration = declared; guest_of = guest_of config; names = names { inherit lib; }; };
    warnings =
      let
        shared = builtins.filter (name: !own name) (builtins.attrNames declared.vms);
        # clan-core's path of what was never generated, and of what is not deployed
        lines = name: lib.toList (config.systemd.services."microvm@${name}".serviceConfig.LoadCredential or [ ]);
        waiting = builtins.filter (name: builtins.any (lib.hasSuffix ":/no-such-path") (lines name)) vm_names;
      in
      map
        (name: "vmcred: vm '${name}' will not start: ${builtins.concatStringsSep ", " (map (lib.removeSuffix ":/no-such-path") (builtins.filter (lib.hasSuffix ":/no-such-path") (lines name)))} have no value yet, or are not deployed; run 'clan vars generate'")
        waiting ++
      lib.optional (has_microvm && builtins.length shared > 1)
        "vmcred: the vms ${builtins.concatStringsSep ", " shared} run as one user and can read each other's memory; set vmcred.vms.NAME.ownUser = true";
  };
}
