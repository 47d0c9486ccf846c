# Where things were declared, for messages: JSON pointers into the declaration with file, line and column. Every name of a
# set with free names carries its `__position` (modules.nix).
{ lib }: config:
let
  inherit (builtins) attrNames concatMap elemAt filter genList isAttrs length replaceStrings;
  step = replaceStrings [ "~" "/" ] [ "~0" "~1" ];
  place = pointer: value:
    let at = if isAttrs value then value.__position or null else null; in
    if at == null then [ ] else [ { inherit pointer; inherit (at) file line column; } ];
  each = pointer: set: concatMap (name: place "${pointer}/${step name}" set.${name}) (attrNames set);
  under = pointer: set: f: concatMap (name: f "${pointer}/${step name}" set.${name} name) (attrNames set);

  generators = config.clan.core.vars.generators;
  ours = config.vmcred.vms;
  unit = name: config.systemd.services."microvm@${name}" or { };
in
each "/generators" generators
++ under "/generators" generators (pointer: value: _: each "${pointer}/files" value.files ++ each "${pointer}/prompts" value.prompts)
++ each "/vms" config.microvm.vms
++ each "/vms" ours
++ under "/vms" ours (pointer: value: _: each "${pointer}/credentials" value.credentials)
++ under "/vms" config.microvm.vms (pointer: value: name:
  let guest = value.config or { }; entries = guest.microvm.credentialFiles or { }; in
  place "${pointer}/load-credential" (unit name)
  ++ concatMap (n: place "${pointer}/credential-files/${toString n}" entries.${elemAt (attrNames entries) n})
    (genList (n: n) (length (attrNames entries)))
  ++ each "${pointer}/guest/services" (guest.systemd.services or { }))
