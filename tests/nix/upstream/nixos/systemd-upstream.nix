# NixOS's own systemd options, from the files of nixpkgs' nixos/lib in the folder `nixos`: put together as its utils.nix does.
{ lib, pkgs, config, nixos }:
let
  # Their arguments changed over the years.
  call = file: let f = import (nixos + "/lib/${file}"); in f (builtins.intersectAttrs (builtins.functionArgs f) { inherit lib pkgs config utils systemdUtils; });
  utils = { inherit systemdUtils; escapeSystemdPath = builtins.replaceStrings [ "/" ] [ "-" ]; };
  systemdUtils = {
    lib = call "systemd-lib.nix";
    unitOptions = call "systemd-unit-options.nix";
    types = call "systemd-types.nix";
  };
in
{ inherit (systemdUtils.types) services sockets targets; }
