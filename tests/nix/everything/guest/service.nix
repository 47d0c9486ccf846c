{
  microvm.vms.long.config.systemd.services.app.serviceConfig.LoadCredential = [ "password:PASSWORD" "region:REGION" ];
  microvm.vms.long.config.systemd.services.one.serviceConfig.LoadCredential = "root:ROOT";
}
