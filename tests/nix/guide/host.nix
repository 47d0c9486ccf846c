{ config, pkgs, ... }:
{
  networking.hostName = "britton-desktop";

  # In your machine configuration.nix
  clan.core.vars.generators.test-vm-secrets = {
    files = {
      "api-key" = {
        secret = true;
        mode = "0400";
      };
      "db-password" = {
        secret = true;
        mode = "0400";
      };
      "jwt-secret" = {
        secret = true;
        mode = "0400";
      };
    };

    runtimeInputs = with pkgs; [
      coreutils
      openssl
    ];

    script = ''
      openssl rand -base64 32 | tr -d '\n' > "$out/api-key"
      openssl rand -base64 32 | tr -d '\n' > "$out/db-password"
      openssl rand -base64 64 | tr -d '\n' > "$out/jwt-secret"

      chmod 400 "$out"/*
    '';
  };

  systemd.services."microvm@test-vm".serviceConfig.LoadCredential = [
    "host-api-key:${config.clan.core.vars.generators.test-vm-secrets.files."api-key".path}"
    "host-db-password:${config.clan.core.vars.generators.test-vm-secrets.files."db-password".path}"
    "host-jwt-secret:${config.clan.core.vars.generators.test-vm-secrets.files."jwt-secret".path}"
  ];

  microvm.vms.test-vm = {
    config = { ... }: {
      microvm = {
        # ... other microVM config ...

        credentialFiles = {
          "host-api-key" = { };
          "host-db-password" = { };
          "host-jwt-secret" = { };
        };

        # Optional: Add static OEM strings for non-secret config
        cloud-hypervisor.platformOEMStrings = [
          "io.systemd.credential:ENVIRONMENT=test"
          "io.systemd.credential:CLUSTER=britton-desktop"
        ];
      };

      # Inside the microVM config
      systemd.services.demo-oem-credentials = {
        description = "Service that uses injected credentials";
        wantedBy = [ "multi-user.target" ];

        serviceConfig = {
          Type = "oneshot";
          LoadCredential = [
            # Static credentials from OEM strings
            "environment:ENVIRONMENT"
            "cluster:CLUSTER"
            # Runtime secrets from OEM strings (note: no 'host-' prefix)
            "api-key:API_KEY"
            "db-password:DB_PASSWORD"
            "jwt-secret:JWT_SECRET"
          ];
        };

        script = ''
          echo "Environment: $(cat $CREDENTIALS_DIRECTORY/environment)"
          echo "API Key length: $(wc -c < $CREDENTIALS_DIRECTORY/api-key) bytes"
          # Use secrets for your application...
        '';
      };
    };
  };
}
