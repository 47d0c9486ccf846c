{ pkgs, ... }: {
  networking.hostName = "web";
  clan.core.vars.generators.base.files.root = { };
  clan.core.vars.generators.g = {
    dependencies = [ "base" ];
    runtimeInputs = [ pkgs.openssl pkgs.jq ];
    prompts.p = { description = "say it"; type = "hidden"; persist = true; display.group = "all"; display.label = "it"; };
    files.a = { owner = "app"; group = "app"; mode = "0440"; neededFor = "users"; restartUnits = [ "app.service" ]; };
    files.b = { secret = false; };
    files.c.deploy = false;
    validation = { length = 32; };
    script = "openssl rand -hex 8 >$out/a";
  };
}
