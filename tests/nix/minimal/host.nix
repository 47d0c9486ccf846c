{ config, ... }:
{
  # 1. Generate secret
  clan.core.vars.generators.my-vm-secrets = {
    files."secret-key" = { secret = true; mode = "0400"; };
    script = ''echo "my-secret-value" > "$out/secret-key"'';
  };

  # 2. Load into systemd service
  systemd.services."microvm@my-vm".serviceConfig.LoadCredential = [
    "host-secret-key:${config.clan.core.vars.generators.my-vm-secrets.files."secret-key".path}"
  ];

  # 3. Declare for injection
  microvm.vms.my-vm.config.microvm.credentialFiles."host-secret-key" = { };

  # 4. Use in guest
  # Guest service with LoadCredential = [ "secret-key:SECRET_KEY" ];
  # Access via: cat $CREDENTIALS_DIRECTORY/secret-key
}
