# microvm.nix's disks and networks as vmcred's own units start them; microvm.nix starts its vms itself.
{ lib, fail }: micro:
let
  inherit (builtins) filter isPath map toString;
  refuse = what: hint: fail { message = "${what} is not what vmcred starts a vm with"; inherit hint; };

  disk = volume: {
    path = if isPath volume.image then toString volume.image else builtins.unsafeDiscardStringContext volume.image;
    read-only = volume.readOnly or false;
  };

  forwards = map
    (each: "${each.proto or "tcp"}:${let at = each.host.address or ""; in if at == "" then "0.0.0.0" else at}:${toString each.host.port}:${toString each.guest.port}")
    (filter (each: each.from or "host" == "host") (micro.forwardPorts or [ ]));
  network = interface:
    let mac = lib.optionalAttrs (interface ? mac) { inherit (interface) mac; }; in
    if interface.type == "tap" then { type = "tap"; tap = interface.id; } // mac
    else if interface.type == "user" then { type = "user"; forward = forwards; } // mac
    else refuse "microvm.interfaces of type '${interface.type}'" "it starts 'tap' and 'user'";

  share = each:
    if each.proto or "9p" == "virtiofs" then { inherit (each) tag socket; }
    else refuse "microvm.shares of '${each.proto or "9p"}'" "write proto = \"virtiofs\", and run virtiofsd at its socket";
  list = name: f: let given = micro.${name} or [ ]; in lib.optionalAttrs (given != [ ]) { ${name} = map f given; };
  renamed = from: to: set: lib.optionalAttrs (set ? ${from}) { ${to} = set.${from}; };
in
if micro.devices or [ ] != [ ] then refuse "microvm.devices" "pass it with vmcred.vms.NAME.extraArguments"
else renamed "volumes" "disks" (list "volumes" disk)
  // renamed "interfaces" "networks" (list "interfaces" network)
  // list "shares" share
