# Every option that vmcred reads, at least once.
{ config, lib, pkgs, ... }:
let
  vars = config.clan.core.vars.generators;
in
{
  imports = [ ./guest/service.nix ];

  networking.hostName = "web";
  clan.core.sops.defaultGroups = [ "admins" ];
  vmcred.git.commit = true;

  clan.core.vars.generators.database = {
    dependencies = [ "base" ];
    runtimeInputs = [ pkgs.openssl pkgs.jq "age" "/opt/tool" ];
    prompts.admin = {
      description = "password of the administrator";
      type = "hidden";
      persist = true;
      display.group = "database";
      display.label = "admin";
      display.helperText = "at least 12 characters";
    };
    files.password = {
      owner = "postgres";
      group = "postgres";
      mode = "0440";
      neededFor = "users";
      restartUnits = [ "postgresql.service" ];
    };
    files.hash = { secret = false; allowEmpty = true; };
    files.seed.deploy = false;
    validation = { length = 32; kind = "alpha"; };
    onStale = "regenerate";
    rotateAfter = "90d";
    script = ./guest/make.sh;
  };
  clan.core.vars.generators.base = {
    share = true;
    files.root = { };
    script = ''
      ${pkgs.openssl}/bin/openssl rand -hex 16 > "$out/root"
    '';
  };

  # the guide's form
  systemd.services."microvm@long".serviceConfig.LoadCredential = [
    "host-password:${vars.database.files.password.path}"
    "host-root:${vars.base.files.root.path}"
    "host-other:/etc/other"
  ];
  microvm.vms.long.config = { lib, ... }: {
    microvm = {
      hypervisor = "cloud-hypervisor";
      mem = 1024;
      vcpu = 4;
      vsock.cid = 7;
      credentialFiles = lib.genAttrs [ "host-password" "host-root" "host-other" ] (_: { });
      cloud-hypervisor.platformOEMStrings = lib.mkAfter [ "io.systemd.credential:REGION=north" ];
    };
    systemd.services.plain.script = "true";
  };

  # the short form
  vmcred.vms.short = {
    hypervisor = "qemu";
    qemu.machine = "pc";
    kernel = ./guest/vmlinuz;
    initrd = "guest/initrd";
    commandLine = "quiet";
    memory = "256M";
    vcpus = 2;
    receiptTimeout = "45s";
    startTimeout = "2m";
    extraArguments = [ "-nodefaults" ];
    disks = [ { path = "disk.raw"; readOnly = true; } ];
    networks = [ { type = "user"; forward = [ "tcp:127.0.0.1:2222:22" ]; } ];
    credentials.password = { from = "database/password"; services = [ "app" ]; onChange = "reload"; };
    credentials.root = { from = vars.base.files.root.path; guest = "ROOT_KEY"; allowEmpty = true; };
    credentials.region = { value = "north"; services = [ "app" ]; };
    guest = {
      systemd = 257;
      systemdInInitrd = true;
      agent = true;
      services.app.loadCredential = [ "extra:EXTRA" ];
    };
  };

  # upstream microvm.nix: the path stands in credentialFiles, and the name is the guest's
  microvm.vms.upstream.config.microvm.credentialFiles.SOPS_AGE_KEY = "/run/secrets/guest-key";
}
