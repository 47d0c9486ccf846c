# Stands where nixpkgs has its own: packages are names, overlays apply.
{ system, overlays ? [ ] }:
let
  lib = import ./lib.nix;
  package = name: { type = "derivation"; inherit name; outPath = "/nix/store/${name}"; };
  base = lib.genAttrs
    [ "cmake" "ninja" "pkg-config" "fmt" "openssl" "nlohmann_json" "cli11" "tomlplusplus" "libyaml" "re2" "bats" "libseccomp" "coreutils" "qemu_kvm"
      "cloud-hypervisor" "crosvm" "firecracker" "systemd" ]
    package
  // {
    inherit lib pkgs;
    runtimeShell = "/bin/sh";
    stdenv = { hostPlatform = { inherit system; }; buildPlatform.canExecute = _: true; mkDerivation = attributes: package attributes.pname // attributes; };
    callPackage = file: arguments: let f = import file; in f (builtins.intersectAttrs (builtins.functionArgs f) pkgs // arguments);
    runCommand = name: _: text: package name // { inherit text; };
    writeShellScript = name: text: package name // { inherit text; };
    writeText = name: text: package name // { inherit text; };
    pkgsStatic = pkgs;
  };
  pkgs = lib.foldl' (all: overlay: all // overlay pkgs all) base overlays;
in
pkgs
