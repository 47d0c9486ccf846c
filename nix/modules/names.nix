# Names that host and guests derive from a vm's: its user, the guest's name of a credential.
{ lib }:
rec {
  # As src/unit/host.cc: a user name has 31 characters at most, and no name may look like another one's digits.
  user_of = vm:
    let whole = "vmcred-${vm}"; in
    if builtins.stringLength whole <= 31 && builtins.match "[0-9a-f]{16}" vm == null then whole
    else "vmcred-${builtins.substring 0 16 (builtins.hashString "sha256" vm)}";

  # api-key and host-api-key -> API_KEY
  guest_name = credential: lib.toUpper (builtins.replaceStrings [ "-" ] [ "_" ] (lib.removePrefix "host-" credential));

  # "NAME:SOURCE", as LoadCredential= has it; null without a colon
  name_of = line: let parts = builtins.match "([^:]*):.*" line; in if parts == null then null else builtins.head parts;
  source_of = line: let parts = builtins.match "[^:]*:(.*)" line; in if parts == null then null else builtins.head parts;

  # The name in "io.systemd.credential:NAME=VALUE"; null in other strings
  oem_prefix = "io.systemd.credential";
  oem_name = text: let parts = builtins.match "io[.]systemd[.]credential([.]binary)?:([^=]*)=.*" text; in if parts == null then null else builtins.elemAt parts 1;

  # " did you mean 'x'?", where one of `known` differs by one letter, by case, or by what stands between its words.
  did_you_mean = word: known:
    let
      bare = text: lib.toLower (builtins.replaceStrings [ "-" "_" "." ] [ "" "" "" ] text);
      without = n: text: builtins.substring 0 n text + builtins.substring (n + 1) (-1) text;
      shorter = text: map (n: without n text) (builtins.genList (n: n) (builtins.stringLength text));
      near = other:
        let a = bare word; b = bare other; in
        a == b || builtins.elem a (shorter b) || builtins.elem b (shorter a) || lib.any (each: builtins.elem each (shorter b)) (shorter a);
      found = builtins.filter near known;
    in
    lib.optionalString (found != [ ]) ", did you mean '${builtins.head found}'?";
}
