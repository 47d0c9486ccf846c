# `pkgs` without nixpkgs: every word of the files is a package of that name, found when a script needs it as in vmcred.toml:
# an installed command, else an installed package. `${pkgs.NAME}` is /usr, and a script that holds it needs NAME as well.
{ lib, fail, identifiers, system }:
let
  inherit (builtins) appendContext attrNames elem filter getContext listToAttrs map removeAttrs replaceStrings storeDir;

  # Packages of nixpkgs whose commands other systems keep elsewhere.
  commands = {
    gawk = [ "awk" ];
    gnugrep = [ "grep" ];
    gnupg = [ "gpg" ];
    gnused = [ "sed" ];
    gnutar = [ "tar" ];
    libuuid = [ "uuidgen" ];
    openssh = [ "ssh-keygen" "ssh-keyscan" ];
    step-cli = [ "step" ];
    wireguard-tools = [ "wg" ];
  };
  outputs = [ "bin" "dev" "doc" "info" "lib" "man" "out" ];

  # Text remembers the packages that it names by its string context; these are the names in there.
  mark = "${storeDir}/00000000000000000000000000000000-";
  marked = name: { name = mark + replaceStrings [ "'" ] [ "_" ] name; value = { path = true; }; };

  # pkgs.openssl.bin is openssl, pkgs.unixtools.xxd is xxd.
  stand_in = path: name:
    let
      spoken = lib.concatStringsSep "." ([ "pkgs" ] ++ path);
      inputs = commands.${name} or [ name ];
      needs = what: fail {
        message = "${spoken} ${what}, which needs nixpkgs";
        hint = "name the nixpkgs to use with --nixpkgs, or write what it would give";
      };
    in
    members (word: stand_in (path ++ [ word ]) (if elem word outputs then name else word))
    // {
      type = "derivation";
      inherit name;
      pname = name;
      version = needs "is asked for its version";
      vmcred_inputs = inputs;
      outPath = appendContext "/usr" (listToAttrs (map marked inputs));
      meta.mainProgram = name;
      __functor = _: _: needs "is called as a function";
    };
  members = value: listToAttrs (map (name: { inherit name; value = value name; }) identifiers);

  platform = { inherit system; isLinux = true; isDarwin = false; isx86_64 = system == "x86_64-linux"; isAarch64 = system == "aarch64-linux"; };
  # `with lib; with pkgs;` must not hide lib's functions.
  pkgs = removeAttrs (members (name: stand_in [ name ] name)) (attrNames lib) // {
    inherit lib system pkgs;
    stdenv = stand_in [ "stdenv" ] "stdenv" // { hostPlatform = platform; buildPlatform = platform; inherit (platform) isLinux isDarwin; };
  };
in
{
  inherit pkgs;
  # The inputs that a text needs.
  inputs_of = text: filter (name: name != null)
    (map (path: if lib.hasPrefix mark path then lib.removePrefix mark path else null) (attrNames (getContext text)));
}
