# Stands for nixpkgs' package set under the real `lib`: real derivations, which bash and the tools of this machine build. A
# package has what nixpkgs' has as far as microvm.nix and clan-core look at it (July 2026): `version` where it comes from
# mkDerivation, none where runCommand made it; `override` from callPackage; `overrideAttrs`, `meta` and `passthru` always.
{ lib, system ? "x86_64-linux", path, tools ? "/usr", vmcred ? "/usr", kernel ? null }:
let
  inherit (builtins) isAttrs isFunction;

  # What a derivation's environment can hold; lazily, as nixpkgs does: runners for other systems are never looked into.
  plain = value: if isFunction value || (isAttrs value && !(value ? outPath)) then null else value;
  environment = attrs: lib.mapAttrs (_: plain) (removeAttrs attrs [
    "meta" "passthru" "pname" "buildCommand" "nativeBuildInputs" "unsafeDiscardReferences" "__structuredAttrs"
  ]);

  mkDerivation = attrs:
    let
      name = lib.strings.sanitizeDerivationName (attrs.name or "${attrs.pname}-${attrs.version}");
      drv = derivation (environment attrs // {
        inherit name system;
        __ignoreNulls = true;
        builder = "/bin/bash";
        # The shell ends last: nix kills what has closed its output.
        args = [ "-euc" "export PATH=/usr/bin:/bin HOME=/homeless; ${attrs.buildCommand or "mkdir -p \"$out\""}\nexit 0" ];
      });
      passthru = attrs.passthru or { };
    in
    lib.extendDerivation true
      ({
        inherit passthru;
        meta = { inherit name; position = "nowhere"; } // attrs.meta or { };
        overrideAttrs = change: mkDerivation (attrs // (if isFunction change then change attrs else change));
        stdenv = { inherit hostPlatform; };
      }
      // lib.optionalAttrs (attrs ? pname) { inherit (attrs) pname; }
      // lib.optionalAttrs (attrs ? version) { inherit (attrs) version; }
      // passthru)
      drv;

  runCommand = name: attrs: buildCommand: mkDerivation (attrs // { inherit name buildCommand; });
  writeTextFile = { name, text, executable ? false, destination ? "", meta ? { }, ... }:
    runCommand name { inherit meta; value = text; } ''
      target="$out${destination}"
      mkdir -p "$(dirname "$target")"
      printf '%s' "$value" >"$target"
      ${lib.optionalString executable "chmod 755 \"$target\""}
    '';
  script = name: text: writeTextFile { inherit name; executable = true; text = "#!/bin/bash\n${text}"; };
  script_bin = name: text: writeTextFile { inherit name; executable = true; destination = "/bin/${name}"; text = "#!/bin/bash\n${text}"; meta.mainProgram = name; };

  hostPlatform = {
    inherit system;
    isLinux = true;
    isDarwin = false;
    isx86_64 = true;
    linux-kernel.target = "bzImage";
  };

  # A package whose programs are this machine's.
  tool = pname: version: attrs: lib.makeOverridable (arguments: mkDerivation ({
    inherit pname version;
    buildCommand = ''mkdir -p "$out"; ln -s ${tools}/bin "$out/bin"'';
    meta.mainProgram = pname;
  } // attrs // lib.optionalAttrs (arguments ? nixosTestRunner) { pname = "${pname}-for-vm-tests"; })) { };
  linked = pname: version: programs: attrs: tool pname version ({
    buildCommand = ''mkdir -p "$out/bin" "$out/share"; for each in ${toString programs}; do ln -s "${tools}/bin/$each" "$out/bin/"; done'';
  } // attrs);

  vmms = {
    qemu_kvm = linked "qemu" "10.1.2" [ "qemu-system-x86_64" "qemu-img" ] { configureFlags = [ "--enable-seccomp" ]; buildInputs = [ ]; meta.mainProgram = "qemu-system-x86_64"; };
    cloud-hypervisor = linked "cloud-hypervisor" "51.1" [ "cloud-hypervisor" "ch-remote" ] { };
    cloud-hypervisor-graphics = linked "cloud-hypervisor" "51.1" [ "cloud-hypervisor" ] { };
    crosvm = linked "crosvm" "0-unstable-2026-07-01" [ "crosvm" ] { };
    firecracker = linked "firecracker" "1.14.0" [ "firecracker" ] { };
    kvmtool = linked "kvmtool" "0-unstable-2026-05-01" [ "lkvm" ] { };
    alioth = linked "alioth" "0.11.0" [ "alioth" ] { };
    stratovirt = linked "stratovirt" "2.4.0" [ "stratovirt" ] { };
    vfkit = linked "vfkit" "0.6.1" [ "vfkit" ] { };
  };
  names = [
    "acl" "age" "bash" "bubblewrap" "coreutils" "coreutils-full" "curl" "dnsutils" "dosfstools" "expect" "btrfs-progs" "xfsprogs" "findutils"
    "gawk" "gnugrep" "gnused" "gnutar" "gzip" "iproute2" "jq" "kmod" "libguestfs" "libguestfs-appliance" "libusb1" "netcat" "openssl" "openssh" "parted"
    "passage" "pass" "python3" "qemu-utils" "socat" "sops" "squashfs-tools-ng" "tcpdump" "time" "util-linux" "virtiofsd" "waypipe"
    "wayland-proxy-virtwl" "htop" "gitMinimal"
  ];
  kernel_package = tool "linux" "6.18.2" { buildCommand = if kernel == null then ''mkdir -p "$out"'' else ''mkdir -p "$out"; cp ${kernel} "$out/bzImage"''; };

  pkgs = lib.genAttrs names (name: tool name "1.0" { }) // vmms // {
    _type = "pkgs";
    inherit lib path system runCommand pkgs mkDerivation;
    runCommandLocal = runCommand;
    runCommandCC = runCommand;
    stdenv = { inherit hostPlatform mkDerivation; buildPlatform = hostPlatform; targetPlatform = hostPlatform; };
    qemu = vmms.qemu_kvm;
    systemd = tool "systemd" "259.1" { };
    e2fsprogs = tool "e2fsprogs" "1.47" { buildCommand = ''mkdir -p "$out"; ln -s ${tools}/sbin "$out/bin"''; };
    erofs-utils = tool "erofs-utils" "1.9" { configureFlags = [ ]; };
    linux = kernel_package // { target = "bzImage"; dev = kernel_package; };
    python3Packages.supervisor = tool "supervisor" "4.3" { };
    buildPackages = pkgs;
    writeText = name: text: writeTextFile { inherit name text; };
    writeScript = name: text: writeTextFile { inherit name text; executable = true; };
    writeScriptBin = name: text: writeTextFile { inherit name text; executable = true; destination = "/bin/${name}"; };
    writeShellScript = script;
    writeShellScriptBin = script_bin;
    writeShellApplication = { name, text, ... }: script_bin name text;
    writeClosure = paths: pkgs.writeText "closure" (toString paths);
    closureInfo = { rootPaths }: runCommand "closure-info" { inherit rootPaths; } ''mkdir -p "$out"; touch "$out/registration"'';
    writers = {
      writePython3 = name: _: text: script name "${text}";
      writeJSON = name: value: pkgs.writeText name (builtins.toJSON value);
    };
    replaceVars = file: _: file;
    runtimeShell = "/bin/bash";
    formats.json = _: { type = lib.types.attrs; generate = name: value: pkgs.writeText name (builtins.toJSON value); };
    callPackage = file: arguments:
      let f = if isFunction file then file else import file; in
      lib.makeOverridable f (builtins.intersectAttrs (builtins.functionArgs f) pkgs // arguments);
    pkgsStatic = pkgs // { hostPlatform = hostPlatform // { isStatic = true; }; };
    # What vmcred's package is built from.
    inherit (lib.genAttrs [ "cmake" "ninja" "pkg-config" "bats" "fmt" "nlohmann_json" "cli11" "tomlplusplus" "libyaml" "re2" "libseccomp" ] (name: tool name "1.0" { }))
      cmake ninja pkg-config bats fmt nlohmann_json cli11 tomlplusplus libyaml re2 libseccomp;
    # The build that is being tested, by its path on this machine.
    vmcred_here = mkDerivation { pname = "vmcred"; version = "0.1.0"; buildCommand = ''mkdir -p "$out"; ln -s ${vmcred}/bin "$out/bin"''; };
  };
in
pkgs
