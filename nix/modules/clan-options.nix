# The options of clan's vars, for configurations without clan-core: declare secrets as the guide does, and vmcred generates,
# stores and activates them.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;

  file = generator: { name, config, ... }: {
    options = {
      secret = mkOption { type = types.bool; default = true; description = "Whether it is encrypted."; };
      deploy = mkOption { type = types.bool; default = true; description = "Whether machines get it."; };
      owner = mkOption { type = types.str; default = "root"; description = "Owner on the machine."; };
      group = mkOption { type = types.str; default = "root"; description = "Group on the machine."; };
      mode = mkOption { type = types.strMatching "[0-7]{4}"; default = "0400"; description = "Mode on the machine."; };
      neededFor = mkOption { type = types.enum [ "partitioning" "activation" "users" "services" ]; default = "services"; description = "The first who needs it."; };
      restartUnits = mkOption { type = types.listOf types.str; default = [ ]; description = "Units to restart when it changes."; };
      allowEmpty = mkOption { type = types.bool; default = false; description = "Whether it may be empty."; };
      path = mkOption { type = types.str; default = "/run/vmcred/vars/${generator}/${name}"; description = "Where it lies once activated."; };
    };
  };

  prompt = { name, ... }: {
    options = {
      description = mkOption { type = types.str; default = name; description = "What to ask for."; };
      type = mkOption { type = types.enum [ "hidden" "line" "multiline" "multiline-hidden" ]; default = "line"; description = "How to ask."; };
      persist = mkOption { type = types.bool; default = false; description = "Whether the answer is stored as a file."; };
      display = mkOption { type = types.attrsOf types.str; default = { }; description = "group, label and helperText."; };
    };
  };

  generator = { name, config, ... }:
    let folder = if config.share then "shared/${name}" else "per-machine/${machine}/${name}"; in
    {
      options = {
        share = mkOption { type = types.bool; default = false; description = "One value for all machines."; };
        dependencies = mkOption { type = types.listOf types.str; default = [ ]; description = "Generators whose files the script reads."; };
        files = mkOption { type = types.attrsOf (types.submodule (file folder)); default = { }; description = "What the script makes."; };
        prompts = mkOption { type = types.attrsOf (types.submodule prompt); default = { }; description = "What is asked for."; };
        runtimeInputs = mkOption { type = types.listOf types.raw; default = [ ]; description = "Packages on the script's PATH."; };
        script = mkOption { type = types.either types.lines types.path; default = ""; description = "Makes the files in $out."; };
        onStale = mkOption { type = types.nullOr types.str; default = null; description = "report or regenerate."; };
        rotateAfter = mkOption { type = types.nullOr types.str; default = null; description = "Such as 90d."; };
        validation = mkOption { type = types.raw; default = null; description = "Its change makes the files stale."; };
      };
    };

  machine = if config.vmcred.machine or null != null then config.vmcred.machine else config.networking.hostName;
in
{
  options.clan.core = {
    vars.generators = mkOption { type = types.attrsOf (types.submodule generator); default = { }; description = "Generators of vars."; };
    sops.defaultGroups = mkOption { type = types.listOf types.str; default = [ ]; description = "Groups that may read every secret."; };
  };

  # What the vars lie in has to be seen by everybody, so a unit without a mount namespace mounts it.
  config.systemd.services.vmcred-memory = {
    description = "Memory for the vars of this machine";
    unitConfig = { DefaultDependencies = false; RequiresMountsFor = "/run"; Conflicts = "shutdown.target"; Before = "shutdown.target"; };
    serviceConfig = {
      Type = "oneshot";
      RemainAfterExit = true;
      ExecStart = "${config.vmcred.package}/bin/vmcred --project /etc/vmcred activate --mount";
      LimitCORE = 0;
      NoNewPrivileges = true;
      CapabilityBoundingSet = "CAP_SYS_ADMIN CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER";
      KeyringMode = "private";
      UMask = "0022";
      DevicePolicy = "closed";
      RestrictNamespaces = true;
      RestrictRealtime = true;
      RestrictSUIDSGID = true;
      RestrictAddressFamilies = "none";
      IPAddressDeny = "any";
      LockPersonality = true;
      MemoryDenyWriteExecute = true;
      SystemCallArchitectures = "native";
      SystemCallFilter = [ "@system-service @mount" "~@resources" ];
      SystemCallErrorNumber = "EPERM";
    };
  };

  # Where clan's sops-nix does not, vmcred decrypts what this machine may read, before any vm starts.
  config.systemd.services.vmcred-activate = {
    description = "Decrypt the vars of this machine";
    wantedBy = [ "multi-user.target" ];
    before = map (name: "microvm@${name}.service") (builtins.attrNames config.vmcred.declaration.vms);
    requiredBy = map (name: "microvm@${name}.service") (builtins.attrNames config.vmcred.declaration.vms);
    requires = [ "vmcred-memory.service" ];
    after = [ "vmcred-memory.service" ];
    restartTriggers = [ config.vmcred.declarationFile ] ++ lib.optional (config.vmcred.store != null) config.vmcred.store;
    serviceConfig = {
      Type = "oneshot";
      RemainAfterExit = true;
      # Confined as the unit of `vmcred vm units` is.
      ExecStart = "${config.vmcred.package}/bin/vmcred --project /etc/vmcred activate";
      # Sealed by `systemd-creds encrypt --name=vmcred.identity`; else /var/lib/vmcred/key.txt, then sops-nix's key.
      LoadCredentialEncrypted = "vmcred.identity";
      TimeoutStartSec = "5min";
      LimitCORE = 0;
      MemorySwapMax = 0;
      LimitMEMLOCK = "64M";
      NoNewPrivileges = true;
      CapabilityBoundingSet = "CAP_CHOWN CAP_FOWNER CAP_FSETID CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_IPC_LOCK CAP_LEASE";
      KeyringMode = "private";
      UMask = "0022";
      ProtectSystem = "strict";
      ReadWritePaths = "/run -/var/lib/vmcred";
      ProtectHome = "read-only";
      DevicePolicy = "closed";
      DeviceAllow = "/dev/tpmrm0 rw";
      PrivateNetwork = true;
      ProtectClock = true;
      ProtectHostname = true;
      ProtectKernelLogs = true;
      ProtectKernelModules = true;
      ProtectKernelTunables = true;
      ProtectControlGroups = true;
      ProtectProc = "invisible";
      RestrictNamespaces = true;
      RestrictRealtime = true;
      RestrictSUIDSGID = true;
      RestrictAddressFamilies = "AF_UNIX";
      IPAddressDeny = "any";
      LockPersonality = true;
      MemoryDenyWriteExecute = true;
      SystemCallArchitectures = "native";
      SystemCallFilter = [ "@system-service" "~@resources" ];
      SystemCallErrorNumber = "EPERM";
    };
  };
}
