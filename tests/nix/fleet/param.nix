{ secrets }: { config, lib, ... }: {
  systemd.services.app = lib.mkIf (secrets != [ ]) {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { Type = "oneshot"; LoadCredential = map (s: "${s}:${lib.toUpper (lib.replaceStrings [ "-" ] [ "_" ] s)}") secrets; };
    script = "echo ${config.my.greeting}";
  };
}
