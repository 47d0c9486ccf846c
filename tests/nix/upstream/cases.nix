# What is true under the real `lib`, microvm.nix and clan-core: each is "" where it holds, else what is wrong. tests/nix/upstream/run
# evaluates each by itself.
{ upstream, project ? ../../.. }:
let
  harness = import ./host.nix { inherit upstream project; };
  inherit (harness) lib pkgs ours;
  inherit (builtins) attrNames concatStringsSep elem filter head length toJSON;

  # ---- what is looked at ----
  full = modules: (harness.full ([ { networking.hostName = "britton-desktop"; } ] ++ modules)).config;
  alone = modules: (harness.alone ([ { networking.hostName = "britton-desktop"; } ] ++ modules)).config;
  failed = config: map (each: each.message) (filter (each: !each.assertion) config.assertions);
  guest_of = config: name:
    let vm = config.microvm.vms.${name}; in
    if vm.flake != null then vm.flake.nixosConfigurations.${name}.config
    else if vm.evaluatedConfig != null then vm.evaluatedConfig.config
    else vm.config.config;
  runner = config: name: (guest_of config name).microvm.declaredRunner;
  unit = config: name: config.systemd.services."microvm@${name}".serviceConfig;
  # All that a rebuild evaluates.
  whole = config: builtins.deepSeq
    [
      (lib.mapAttrs (_: each: [ each.serviceConfig each.unitConfig each.environment ]) config.systemd.services)
      (map (name: (runner config name).drvPath) (attrNames config.microvm.vms))
      (lib.mapAttrs (_: each: toString each.source) config.environment.etc)
      config.users.users
      config.warnings
    ]
    config;

  # ---- judgements ----
  holds = condition: message: if condition then "" else message;
  equal = what: seen: wanted: holds (seen == wanted) "${what} is ${toJSON seen}, not ${toJSON wanted}";
  all = judgements: concatStringsSep "; " (filter (each: each != "") judgements);
  evaluates = config: let messages = failed (whole config); in holds (messages == [ ]) (concatStringsSep "; " messages);
  refused = words: config:
    let messages = failed config; in
    holds (builtins.any (message: builtins.all (word: lib.hasInfix word message) words) messages)
      (if messages == [ ] then "nothing is refused" else "refused with: ${concatStringsSep "; " messages}");
  throws = value: holds (!(builtins.tryEval (builtins.deepSeq value true)).success) "it evaluates";

  # ---- configurations ----
  guide = ../guide/host.nix;
  guide_with = hypervisor: [ guide { microvm.vms.test-vm.config.microvm.hypervisor = hypervisor; } ];
  generator = { clan.core.vars.generators.g.files = { a = { }; b = { }; }; };
  vm = hypervisor: guest: [ generator { microvm.vms.v.config = { imports = [ guest ]; microvm.hypervisor = hypervisor; }; } ];
  short = hypervisor: full (vm hypervisor { systemd.services.app.script = "true"; }
    ++ [ { vmcred.vms.v.credentials = { a = { from = "g/a"; services = [ "app" ]; }; region.value = "north"; }; } ]);
  short_with = guest: settings: full (vm "qemu" { imports = [ guest ]; systemd.services.app.script = "true"; }
    ++ [ { vmcred.vms.v = { credentials.a = { from = "g/a"; services = [ "app" ]; }; } // settings; } ]);
  credentials = set: full (vm "qemu" { systemd.services.app.script = "true"; } ++ [ { vmcred.vms.v.credentials = set; } ]);
  path_form = modules: full ([ { microvm.vms.v.config.imports = modules; } ]);
  kept = config: (guest_of config "v").vmcred.seen.credentialFiles;
  elsewhere = modules: harness.guest ([ { networking.hostName = "v"; microvm.vsock.cid = 7; } ] ++ modules);

  judged_guide = hypervisor:
    let config = full (guide_with hypervisor); declared = config.vmcred.declaration.vms.test-vm; in
    all [
      (evaluates config)
      (equal "credential-files" declared.credential-files [ "host-api-key" "host-db-password" "host-jwt-secret" ])
      (equal "oem-strings" declared.oem-strings [ "io.systemd.credential:ENVIRONMENT=test" "io.systemd.credential:CLUSTER=britton-desktop" ])
      (equal "the guest's services" (attrNames declared.guest.services) [ "demo-oem-credentials" ])
      (equal "what the runner sees" (guest_of config "test-vm").microvm.credentialFiles { })
      (holds ((guest_of config "test-vm").microvm.${hypervisor}.package ? unwrapped) "the VMM is not wrapped")
    ];
  judged_short = hypervisor:
    let config = short hypervisor; in
    all [
      (evaluates config)
      (equal "the vm's credentials" (attrNames config.vmcred.declaration.vms.v.credentials) [ "a" "region" ])
      (equal "the guest's lines" (guest_of config "v").systemd.services.app.serviceConfig.LoadCredential [ "a:A" ])
      (equal "the unit's lines" (map (line: head (builtins.match "([^:]*):.*" line)) (unit config "v").LoadCredential) [ "host-a" ])
    ];
  judged_hypervisor = hypervisor: refused [ "'v'" "runner for ${hypervisor} can get no credentials" "one of qemu" ]
    (full (vm hypervisor { microvm.credentialFiles.KEY = "/run/key"; }));

  # ---- the host ----
  unit_of = guest: settings: unit (short_with guest settings) "v";
  interface = type: more: { microvm.interfaces = [ ({ inherit type; id = "vm-v"; mac = "02:00:00:00:00:01"; } // more) ]; };
  allows = device: serviceConfig: holds (elem device serviceConfig.DeviceAllow) "DeviceAllow has no '${device}'";
  is = name: wanted: serviceConfig: equal name (serviceConfig.${name} or null) wanted;
  judged_unit = guest: judgements: let serviceConfig = unit_of guest { }; in all (map (judge: judge serviceConfig) judgements);
in
{
  # ---- forms of a declaration ----
  "guide/qemu" = judged_guide "qemu";
  "guide/cloud-hypervisor" = judged_guide "cloud-hypervisor";
  "guide/minimal" = evaluates (full [ ../minimal/host.nix { networking.hostName = lib.mkForce "britton-desktop"; systemd.services."microvm@my-vm".overrideStrategy = "asDropin"; } ]);
  "example/nixos-host" = evaluates (harness.full [ (project + "/examples/nixos-host/host.nix") ]).config;
  "short/qemu" = judged_short "qemu";
  "short/cloud-hypervisor" = judged_short "cloud-hypervisor";
  "short/firecracker" = judged_short "firecracker";
  "short/crosvm" = judged_short "crosvm";
  "path/alone" = let config = path_form [ { microvm.credentialFiles.KEY = "/run/key"; } ]; in all [
    (evaluates config)
    (equal "its source" config.vmcred.declaration.vms.v.credentials { KEY = { from = "/run/key"; guest = "KEY"; }; })
    (equal "the unit's lines" (unit config "v").LoadCredential [ "host-KEY:/run/key" ])
  ];
  "path/var" = let config = full [ generator
    ({ config, ... }: {
      clan.core.vars.settings.fileModule = file: { path = lib.mkForce "/run/secrets/${file.config.rel_dir}/${file.config.name}"; };
      microvm.vms.v.config.microvm.credentialFiles.KEY = config.clan.core.vars.generators.g.files.a.path;
    }) ]; in all [
    (evaluates config)
    (equal "its source" config.vmcred.declaration.vms.v.credentials.KEY.from "g/a")
  ];
  "path/mixed" = let config = full (guide_with "qemu" ++ [ { microvm.vms.test-vm.config.microvm.credentialFiles.KEY = "/run/key"; } ]); in all [
    (evaluates config)
    (equal "listed" config.vmcred.declaration.vms.test-vm.credential-files [ "host-api-key" "host-db-password" "host-jwt-secret" ])
    (equal "direct" (attrNames config.vmcred.declaration.vms.test-vm.credentials) [ "KEY" ])
  ];
  "path/relative" = refused [ "'v'" "'KEY'" "neither GENERATOR/FILE nor an absolute path" ] (path_form [ { microvm.credentialFiles.KEY = "run/x/key"; } ]);
  "path/literal" = throws (path_form [ { microvm.credentialFiles.KEY = ./run; } ]).vmcred.declaration;
  "merge/mkForce" = equal "kept" (kept (path_form [ { microvm.credentialFiles = { A = "/run/a"; }; } { microvm.credentialFiles = lib.mkForce { B = "/run/b"; }; } ])) { B = "/run/b"; };
  "merge/mkForce of one" = equal "kept" (kept (path_form [ { microvm.credentialFiles = { A = "/run/a"; }; } { microvm.credentialFiles.A = lib.mkForce "/run/b"; } ])) { A = "/run/b"; };
  "merge/mkMerge" = equal "kept" (kept (path_form [ { microvm.credentialFiles = lib.mkMerge [ { A = "/run/a"; } (lib.mkIf true { B = "/run/b"; }) (lib.mkIf false { C = "/run/c"; }) ]; } ])) { A = "/run/a"; B = "/run/b"; };
  "merge/mkIf of one" = equal "kept" (kept (path_form [ { microvm.credentialFiles = { A = lib.mkIf true "/run/a"; B = lib.mkIf false "/run/b"; }; } ])) { A = "/run/a"; };
  "merge/mkDefault" = equal "kept" (kept (path_form [ { microvm.credentialFiles.A = lib.mkDefault "/run/a"; } { microvm.credentialFiles.A = "/run/b"; } ])) { A = "/run/b"; };
  "merge/deep imports" = equal "kept" (kept (path_form [ { imports = [ { imports = [ { imports = [ { imports = [ { imports = [ { imports = [ { microvm.credentialFiles.A = "/run/a"; } ]; } ]; } ]; } ]; } ]; } ]; } ])) { A = "/run/a"; };
  "merge/oem strings" =
    let config = path_form [ { microvm.hypervisor = "cloud-hypervisor"; microvm.cloud-hypervisor.platformOEMStrings = lib.mkAfter [ "io.systemd.credential:B=2" ]; } { microvm.cloud-hypervisor.platformOEMStrings = [ "other=1" "io.systemd.credential:A=1" ]; } ]; in all [
      (equal "kept" (guest_of config "v").vmcred.seen.oemStrings [ "io.systemd.credential:A=1" "io.systemd.credential:B=2" ])
      (equal "what the runner sees" (guest_of config "v").microvm.cloud-hypervisor.platformOEMStrings [ "other=1" ])
    ];

  # ---- packages ----
  "package/of the module" = let config = full (guide_with "qemu"); in
    holds (config.vmcred.package.pname == "vmcred" && config.vmcred.guestPackage.pname == "vmcred-guest") "the module brings no packages of its own";
  "package/of an overlay" = equal "the package" (full [ { _module.args.pkgs = lib.mkForce (pkgs // { vmcred = pkgs.vmcred_here; }); } ]).vmcred.package.drvPath pkgs.vmcred_here.drvPath;
  "package/none in a guest without an agent" = let config = short "qemu"; in
    holds (!builtins.any (each: lib.hasInfix "vmcred" each.name) (guest_of config "v").environment.systemPackages) "the guest wants vmcred-guest";
  "package/in a guest with an agent" = let config = short_with { vmcred.guest.agent = true; } { }; in
    holds (builtins.any (each: each.pname or "" == "vmcred-guest") (guest_of config "v").environment.systemPackages) "the guest has no vmcred-guest";
  "package/guestPackage is what guests get" = let config = full (vm "qemu" { vmcred.guest.agent = true; } ++ [ { vmcred.guestPackage = pkgs.coreutils; } ]); in
    equal "the guest's package" (guest_of config "v").vmcred.guest.package.drvPath pkgs.coreutils.drvPath;
  "package/a guest imports nixosModules.guest itself" = evaluates (full (vm "qemu" { imports = [ ours.guest ]; vmcred.guest.agent = true; } ++ [ { vmcred.vms.v.credentials.a.from = "g/a"; } ]));

  # ---- a wrapper looks like what it wraps ----
  "wrapper/version" = let config = short "cloud-hypervisor"; in
    equal "the version" (guest_of config "v").microvm.cloud-hypervisor.package.version "51.1";
  "wrapper/meta, passthru, override" =
    let package = (guest_of (short "qemu") "v").microvm.qemu.package; in all [
      (equal "getExe" (lib.hasSuffix "/bin/qemu-system-x86_64" (lib.getExe package)) true)
      (equal "configureFlags" package.configureFlags [ "--enable-seccomp" ])
      (holds (package.drvPath != package.unwrapped.drvPath && package.out.outPath == package.outPath) "its files are not the wrapper's")
      (holds ((package.override { nixosTestRunner = true; }) ? unwrapped) "override loses the wrapper")
      (holds ((package.overrideAttrs (old: { configureFlags = old.configureFlags ++ [ "--enable-libusb" ]; })).configureFlags == [ "--enable-seccomp" "--enable-libusb" ]) "overrideAttrs is lost")
      (holds (lib.isDerivation package) "it is no derivation")
    ];
  "wrapper/usb" = evaluates (short_with { microvm.devices = [ { bus = "usb"; path = "vendorid=0xabcd,productid=0x0123"; } ]; } { });
  "wrapper/own package" = let config = short_with { } { package = pkgs.qemu_kvm.overrideAttrs { version = "99"; }; }; in
    equal "the version" (guest_of config "v").microvm.qemu.package.version "99";
  "wrapper/only where credentials are" = holds (!((guest_of (full (vm "qemu" { })) "v").microvm.qemu.package ? unwrapped)) "a vm without credentials is wrapped";

  # ---- guests from elsewhere, other hypervisors ----
  "elsewhere/evaluatedConfig" =
    let config = full [ generator { microvm.vms.v.evaluatedConfig = elsewhere [ ]; vmcred.vms.v.credentials.a.from = "g/a"; } ]; in all [
      (evaluates config)
      (holds ((guest_of config "v").microvm.qemu.package ? unwrapped) "the VMM is not wrapped")
    ];
  "elsewhere/evaluatedConfig, its own credentials" =
    let config = full [ { microvm.vms.v.evaluatedConfig = elsewhere [ { microvm.credentialFiles.KEY = "/run/key"; } ]; } ]; in all [
      (evaluates config)
      (equal "the unit's lines" (unit config "v").LoadCredential [ "host-KEY:/run/key" ])
      (equal "what the runner sees" (guest_of config "v").microvm.credentialFiles { })
    ];
  "elsewhere/flake" =
    let config = full [ generator { microvm.vms.v.flake = { outPath = "/nix/store/flake"; nixosConfigurations.v = elsewhere [ { microvm.credentialFiles.KEY = "/run/key"; } ]; }; } ]; in all [
      (evaluates config)
      (equal "its credentials" (attrNames config.vmcred.declaration.vms.v.credentials) [ "KEY" ])
      (equal "what the runner sees" (guest_of config "v").microvm.credentialFiles { })
    ];
  "elsewhere/updateFlake" = refused [ "'v'" "microvm -u" "updateFlake" ]
    (full [ { microvm.vms.v = { flake = { outPath = "/nix/store/flake"; nixosConfigurations.v = elsewhere [ { microvm.credentialFiles.KEY = "/run/key"; } ]; }; updateFlake = "git+file:///srv/v"; }; } ]);
  "elsewhere/not extendable" = refused [ "'v'" "evaluated elsewhere" "microvm.vms.v.config" ]
    (full [ generator { microvm.vms.v.evaluatedConfig = { inherit (elsewhere [ ]) config; }; vmcred.vms.v.credentials.a.from = "g/a"; } ]);
  "elsewhere/without credentials" = evaluates (full [ { microvm.vms.v = { flake = { outPath = "/nix/store/flake"; nixosConfigurations.v = elsewhere [ ]; }; updateFlake = "git+file:///srv/v"; }; } ]);
  "hypervisor/kvmtool" = judged_hypervisor "kvmtool";
  "hypervisor/alioth" = judged_hypervisor "alioth";
  "hypervisor/stratovirt" = judged_hypervisor "stratovirt";
  "hypervisor/vfkit" = judged_hypervisor "vfkit";
  "hypervisor/crosvm with an agent" = refused [ "'v'" "crosvm has no link" ] (full (vm "crosvm" { microvm.credentialFiles.KEY = "/run/key"; vmcred.guest.agent = true; }));
  "hypervisor/cloud-hypervisor with graphics" = refused [ "'v'" "with graphics" ] (full (vm "cloud-hypervisor" { microvm.credentialFiles.KEY = "/run/key"; microvm.graphics.enable = true; }));
  "hypervisor/arguments that cannot be kept" = all [
    (refused [ "'v'" "'-gdb'" ] (full (vm "qemu" { microvm.credentialFiles.KEY = "/run/key"; microvm.qemu.extraArgs = [ "-gdb" "tcp::1234" ]; })))
    (refused [ "'v'" "'--tpm'" ] (full (vm "cloud-hypervisor" { microvm.credentialFiles.KEY = "/run/key"; microvm.cloud-hypervisor.extraArgs = [ "--tpm" "socket=x" ]; })))
    (evaluates (full (vm "cloud-hypervisor" { microvm.credentialFiles.KEY = "/run/key"; microvm.cloud-hypervisor.extraArgs = [ "--rng" "src=/dev/urandom" ]; })))
  ];
  "hypervisor/crosvm with its socket" = let config = short "crosvm"; in all [
    (evaluates config)
    (equal "the socket" (guest_of config "v").microvm.socket "v.sock")
  ];

  # ---- without microvm.nix, without clan-core ----
  "alone/guide" = let config = alone [ guide ]; in all [
    (holds (failed config == [ ]) (concatStringsSep "; " (failed config)))
    (equal "listed" config.vmcred.declaration.vms.test-vm.credential-files [ "host-api-key" "host-db-password" "host-jwt-secret" ])
    (holds (config.environment.etc."vmcred/vmcred.json".source.drvPath != "") "")
  ];
  "alone/short, crosvm" = let config = alone [ generator { microvm.vms.v.config.microvm.hypervisor = "crosvm"; vmcred.vms.v.credentials.a.from = "g/a"; } ]; in all [
    (equal "declared" (attrNames config.vmcred.declaration.vms.v.credentials) [ "a" ])
    (holds (failed config == [ ]) (concatStringsSep "; " (failed config)))
  ];
  "alone/the guest has pkgs" = let config = alone [ { microvm.vms.v.config = { pkgs, ... }: { microvm.credentialFiles.KEY = "${pkgs.coreutils.name}" ; systemd.services.app.script = "true"; }; } ]; in
    equal "kept" config.microvm.vms.v.config.vmcred.seen.credentialFiles { KEY = "coreutils-1.0"; };

  # ---- what Nix can see fails the rebuild ----
  "declaration/neither from nor value" = refused [ "'v'" "'a'" "neither 'from' nor 'value'" ] (credentials { a = { }; });
  "declaration/from and value" = refused [ "'v'" "'a'" "has 'from' and 'value'" ] (credentials { a = { from = "g/a"; value = "x"; }; });
  "declaration/misspelt key of a credential" = throws (credentials { a = { frm = "g/a"; }; }).vmcred.declaration;
  "declaration/misspelt key of a vm" = throws (short_with { } { hypervizor = "qemu"; }).vmcred.declaration;
  "declaration/misspelt vm" = refused [ "no vm 'w'" "did you mean 'v'" ] (full (vm "qemu" { } ++ [ { vmcred.vms.w.credentials.a.from = "g/a"; } ]));
  "declaration/misspelt unit" = refused [ "no vm 'test-wm'" "did you mean 'test-vm'" ]
    (full (guide_with "qemu" ++ [ { systemd.services."microvm@test-wm" = { overrideStrategy = "asDropin"; serviceConfig.LoadCredential = [ "host-a:/run/a" ]; }; } ]));
  "declaration/misspelt guest service" = refused [ "'v'" "guest service 'apq'" "did you mean 'app'" ] (credentials { a = { from = "g/a"; services = [ "apq" ]; }; });
  "declaration/a package's service" = evaluates (full (vm "qemu" { systemd.services.apq.overrideStrategy = "asDropin"; } ++ [ { vmcred.vms.v.credentials.a = { from = "g/a"; services = [ "apq" ]; }; } ]));
  "declaration/unknown generator" = refused [ "'v'" "no generator 'h'" ] (credentials { a.from = "h/a"; });
  "declaration/unknown generator, a rebuild evaluates so far" = let config = credentials { a.from = "nosuch/a"; }; in holds (elem "host-a:/no-such-path" (unit config "v").LoadCredential) "the unit does not evaluate";
  "declaration/unknown file" = refused [ "'v'" "makes no file 'aa'" "did you mean 'a'" ] (credentials { a.from = "g/aa"; });
  "declaration/not deployed" = refused [ "'v'" "not deployed" ] (full (vm "qemu" { } ++ [ { clan.core.vars.generators.g.files.a.deploy = false; vmcred.vms.v.credentials.a.from = "g/a"; } ]));
  "declaration/relative source" = refused [ "'v'" "'a'" "neither GENERATOR/FILE nor an absolute path" ] (credentials { a.from = "some/where/a"; });
  "declaration/one name twice" = refused [ "'v'" "'A_B'" ] (credentials { a-b.from = "g/a"; a_b.value = "x"; });
  "declaration/a list that lacks one" = refused [ "'test-vm'" "'host-more'" "does not name it" ] (full (guide_with "qemu" ++ [ { systemd.services."microvm@test-vm".serviceConfig.LoadCredential = [ "host-more:/run/more" ]; } ]));
  "declaration/the build checks the rest" = let config = short "qemu"; in
    holds (lib.hasInfix "check --declaration --fail-on error" (toString config.vmcred.declarationFile.args)) "vmcred.json is built unchecked";
  "declaration/never generated is a warning" = let config = full (guide_with "qemu"); in all [
    (evaluates config)
    (holds (builtins.any (lib.hasInfix "vm 'test-vm' will not start: host-api-key, host-db-password, host-jwt-secret have no value yet") config.warnings) "no warning")
  ];

  # ---- the program and the module read the same ----
  "flake/the same as the module" =
    let
      config = full (guide_with "cloud-hypervisor" ++ vm "qemu" { microvm.credentialFiles.KEY = "/run/key"; systemd.services.app.script = "true"; }
        ++ [ { vmcred.vms.v = { ownUser = true; package = pkgs.coreutils; guest.systemd = 257; credentials.a = { from = "g/a"; services = [ "app" ]; }; }; } ]);
      parts = {
        lib = import (project + "/nix/eval/lib.nix") { types = import (project + "/nix/eval/types.nix"); };
        guest_of = import (project + "/nix/guest-of.nix");
        declaration = import (project + "/nix/declaration.nix");
      };
      read = (import (project + "/nix/eval/flake.nix") parts "britton-desktop" config).declaration;
    in
    all [
      (equal "the declaration" read config.vmcred.declaration)
      (equal "listed" read.vms.test-vm.credential-files [ "host-api-key" "host-db-password" "host-jwt-secret" ])
      (equal "direct" (attrNames read.vms.v.credentials) [ "KEY" "a" ])
    ];
  "flake/a public var that was never generated" =
    let
      config = full [ generator
        ({ config, ... }: {
          clan.core.vars.generators.g.files.pub.secret = false;
          systemd.services."microvm@v".serviceConfig.LoadCredential = [ "host-pub:${config.clan.core.vars.generators.g.files.pub.path}" ];
          microvm.vms.v.config.microvm.credentialFiles."host-pub" = { };
        }) ];
      parts = {
        lib = import (project + "/nix/eval/lib.nix") { types = import (project + "/nix/eval/types.nix"); };
        guest_of = import (project + "/nix/guest-of.nix");
        declaration = import (project + "/nix/declaration.nix");
      };
    in
    equal "the generators" (attrNames (import (project + "/nix/eval/flake.nix") (parts // { only_generators = true; }) "britton-desktop" config).declaration.generators.g.files) [ "a" "b" "pub" ];

  # ---- the unit ----
  "unit/folder, core files, swap" = let serviceConfig = unit_of { } { }; in all [
    (equal "RuntimeDirectory" serviceConfig.RuntimeDirectory [ "vmcred/vm/v" ])
    (is "RuntimeDirectoryMode" "0700" serviceConfig)
    (is "LimitCORE" 0 serviceConfig)
    (is "MemorySwapMax" 0 serviceConfig)
    (is "KillMode" "mixed" serviceConfig)
  ];
  "unit/a receipt: only the supervisor's word counts" =
    let of = hypervisor: unit (full (vm hypervisor { vmcred.guest.agent = true; microvm.vsock.cid = 7; } ++ [ { vmcred.vms.v.credentials.a.from = "g/a"; } ])) "v"; in
    all (lib.concatMap (hypervisor: [ (is "Type" "notify" (of hypervisor)) (is "NotifyAccess" "main" (of hypervisor)) ]) [ "qemu" "cloud-hypervisor" "firecracker" ]);
  "unit/no receipt, a guest that says READY itself" =
    let serviceConfig = unit (full (vm "cloud-hypervisor" { microvm.vsock.cid = 7; } ++ [ { vmcred.vms.v.credentials.a.from = "g/a"; } ])) "v"; in
    all [ (is "Type" "notify" serviceConfig) (is "NotifyAccess" null serviceConfig) ];
  "unit/no receipt" = let serviceConfig = unit_of { } { }; in all [ (is "Type" "notify" serviceConfig) (is "NotifyAccess" "main" serviceConfig) ];
  "unit/receipt off" = let serviceConfig = unit (full (vm "cloud-hypervisor" { microvm.vsock.cid = 7; vmcred.guest.agent = true; } ++ [ { vmcred.vms.v = { receipt = "off"; credentials.a.from = "g/a"; }; } ])) "v"; in is "NotifyAccess" null serviceConfig;
  "unit/start timeout" = is "TimeoutStartSec" "450s" (unit_of { vmcred.guest.agent = true; } { startTimeout = "2m"; });
  "unit/receipt timeout" = is "TimeoutStartSec" "180s" (unit_of { vmcred.guest.agent = true; } { receiptTimeout = "2m"; });
  "unit/a vm without credentials is microvm.nix's alone" = let serviceConfig = unit (full (vm "qemu" { })) "v"; in all [ (is "RuntimeDirectory" null serviceConfig) (is "Type" "simple" serviceConfig) ];
  "unit/the user has the last word" = let config = short_with { } { }; own = full (vm "qemu" { systemd.services.app.script = "true"; } ++ [ {
      vmcred.vms.v.credentials.a.from = "g/a";
      systemd.services."microvm@v".serviceConfig = { ProtectSystem = "no"; UMask = "0007"; RuntimeDirectory = [ "mine" ]; SystemCallFilter = [ "~@mount" ]; };
    } ]); in all [ (evaluates config) (equal "RuntimeDirectory" (lib.sort builtins.lessThan (unit own "v").RuntimeDirectory) [ "mine" "vmcred/vm/v" ]) (is "ProtectSystem" "no" (unit own "v")) (is "UMask" "0007" (unit own "v")) (is "SystemCallFilter" [ "~@mount" ] (unit own "v")) ];
  "unit/no network" = judged_unit { } [ (is "PrivateNetwork" true) (is "PrivateUsers" true) (is "RestrictAddressFamilies" [ "AF_UNIX" ]) (is "DeviceAllow" [ "/dev/kvm rw" ]) (is "ProtectSystem" "strict") ];
  "unit/user network" = judged_unit (interface "user" { }) [ (is "PrivateNetwork" null) (is "IPAddressDeny" null) (is "PrivateUsers" true) ];
  "unit/tap" = judged_unit (interface "tap" { }) [ (allows "/dev/net/tun rw") (is "PrivateNetwork" null) (is "PrivateUsers" null) (is "NoNewPrivileges" true) ];
  "unit/tap with vhost" = judged_unit (interface "tap" { tap.vhost = true; }) [ (allows "/dev/vhost-net rw") ];
  "unit/macvtap" = judged_unit (interface "macvtap" { macvtap = { link = "eth0"; mode = "bridge"; }; }) [ (allows "char-macvtap rw") (is "PrivateNetwork" null) ];
  "unit/bridge" = judged_unit (interface "bridge" { bridge = "br0"; }) ([ (is "CapabilityBoundingSet" [ "CAP_NET_ADMIN" "CAP_SETPCAP" ]) (is "ProtectSystem" "strict") (allows "/dev/kvm rw") ]
    ++ map (name: is name null) [ "NoNewPrivileges" "SystemCallFilter" "SystemCallArchitectures" "RestrictAddressFamilies" "RestrictNamespaces" "RestrictRealtime" "RestrictSUIDSGID" "LockPersonality" "ProtectKernelLogs" "ProtectKernelModules" "ProtectKernelTunables" "ProtectClock" "ProtectHostname" "PrivateDevices" "PrivateUsers" "MemoryDenyWriteExecute" ]);
  "unit/vfio" = judged_unit { microvm.devices = [ { bus = "pci"; path = "0000:01:00.0"; } ]; } [ (allows "/dev/vfio/vfio rw") (allows "char-vfio rw") (is "PrivateUsers" null) ];
  "unit/usb" = judged_unit { microvm.devices = [ { bus = "usb"; path = "vendorid=0xabcd,productid=0x0123"; } ]; } [ (allows "char-usb_device rw") (is "RestrictAddressFamilies" [ "AF_UNIX" "AF_NETLINK" ]) ];
  "unit/graphics" = judged_unit { microvm.graphics.enable = true; } [ (is "DevicePolicy" null) (is "ProtectHome" null) (is "ProtectClock" null) ];
  "unit/9p" = judged_unit { microvm.shares = [ { tag = "data"; source = "/srv/data"; mountPoint = "/data"; } ]; } [ (is "ReadWritePaths" [ "-/var/lib/microvms/v" "-/srv/data" ]) (is "PrivateUsers" null) ];
  "unit/9p of the store" = judged_unit { microvm.shares = [ { tag = "store"; source = "/nix/store"; mountPoint = "/nix/.ro-store"; } ]; } [ (is "ReadWritePaths" [ "-/var/lib/microvms/v" ]) ];
  "unit/virtiofs" = judged_unit { microvm.shares = [ { tag = "data"; source = "/srv/data"; mountPoint = "/data"; proto = "virtiofs"; } ]; } [ (is "ReadWritePaths" [ "-/var/lib/microvms/v" ]) (is "ProtectSystem" "strict") ];
  "unit/images elsewhere" = judged_unit { microvm.volumes = [ { image = "/srv/images/v.img"; size = 64; mountPoint = null; } { image = "/srv/given.img"; autoCreate = false; size = 1; mountPoint = null; } ]; } [ (is "ReadWritePaths" [ "-/var/lib/microvms/v" "-/srv/images" "-/srv/given.img" ]) ];
  "unit/images at home" = judged_unit { microvm.volumes = [ { image = "/home/me/v.img"; size = 64; mountPoint = null; } ]; } [ (is "ProtectHome" null) (is "ReadWritePaths" [ "-/var/lib/microvms/v" "-/home/me" ]) ];
  "unit/images in /tmp" = judged_unit { microvm.volumes = [ { image = "/var/tmp/v.img"; size = 64; mountPoint = null; } ]; } [ (is "PrivateTmp" null) ];
  "unit/block devices" = judged_unit { microvm.volumes = [ { image = "/dev/zvol/tank/v"; autoCreate = false; size = 1; mountPoint = null; } ]; } [ (allows "/dev/zvol/tank/v rw") (is "ReadWritePaths" [ "-/var/lib/microvms/v" ]) ];
  "unit/free text" = judged_unit { microvm.qemu.extraArgs = [ "-device" "ich9-intel-hda" ]; } [ (is "DevicePolicy" null) (is "SystemCallFilter" null) (is "ProtectSystem" "full") (is "PrivateNetwork" null) ];
  "unit/vsock" = judged_unit { microvm.vsock.cid = 7; } [ (allows "/dev/vhost-vsock rw") (is "PrivateNetwork" null) ];
  "unit/state folder elsewhere" = let config = full (vm "qemu" { } ++ [ { microvm.stateDir = "/srv/vms"; vmcred.vms.v.credentials.a.from = "g/a"; } ]); in is "ReadWritePaths" [ "-/srv/vms/v" ] (unit config "v");
  "unit/microvm.nix's own settings stay" = let serviceConfig = unit_of { } { }; template = (short_with { } { }).systemd.services."microvm@".serviceConfig; in all [
    (is "ExecStop" null serviceConfig)
    (is "ExecStart" "/var/lib/microvms/%i/current/bin/microvm-run" template)
    (is "User" null serviceConfig)
  ];

  # ---- a user of its own ----
  "own user/unit" = is "User" "vmcred-v" (unit_of { } { ownUser = true; });
  "own user/account" = let config = short_with { } { ownUser = true; }; in equal "the account" { inherit (config.users.users.vmcred-v) group isSystemUser; } { group = "kvm"; isSystemUser = true; };
  "own user/long name" = let config = full [ generator { microvm.vms.a-vm-with-a-name-of-many-letters.config = { }; vmcred.vms.a-vm-with-a-name-of-many-letters = { ownUser = true; credentials.a.from = "g/a"; }; } ]; in
    holds (builtins.match "vmcred-[0-9a-f]{16}" (unit config "a-vm-with-a-name-of-many-letters").User != null) "the name is too long";
  "own user/taps" = let config = short_with (interface "tap" { }) { ownUser = true; }; scripts = (guest_of config "v").microvm.binScripts; in all [
    (evaluates config)
    (holds (lib.hasInfix "user 'vmcred-v'" scripts.tap-up && !lib.hasInfix "user 'microvm'" scripts.tap-up) "the tap is microvm's")
  ];
  "own user/macvtap and devices" = let config = short_with { imports = [ (interface "macvtap" { macvtap = { link = "eth0"; mode = "bridge"; }; }) ]; microvm.devices = [ { bus = "pci"; path = "0000:01:00.0"; } ]; } { ownUser = true; }; scripts = (guest_of config "v").microvm.binScripts; in all [
    (evaluates config)
    (holds (lib.hasInfix "'vmcred-v:kvm'" scripts.macvtap-up && lib.hasInfix "chown vmcred-v:kvm" scripts.pci-setup) "they are microvm's")
  ];
  "own user/folder" = let services = (short_with { } { ownUser = true; }).systemd.services; in all [
    (equal "the user of microvm-set-booted@v" services."microvm-set-booted@v".serviceConfig.User "vmcred-v")
    (holds (services."install-microvm-v".serviceConfig.ExecStartPost != [ ]) "the folder stays microvm's")
  ];
  "own user/no warning" = equal "warnings" (filter (lib.hasInfix "run as one user") (full (vm "qemu" { } ++ [ { microvm.vms.w.config = { }; vmcred.vms = lib.genAttrs [ "v" "w" ] (_: { ownUser = true; credentials.a.from = "g/a"; }); } ])).warnings) [ ];
  "own user/unknown scripts" = refused [ "'v'" "ownUser" ] (short_with { microvm.binScripts.tap-up = "ip tuntap add name x mode tap user microvm"; } { ownUser = true; });

  "unit/one line as text" = let config = full (vm "qemu" { microvm.credentialFiles."host-a" = { }; } ++ [ { systemd.services."microvm@v".serviceConfig.LoadCredential = "host-a:/run/a"; } ]); in all [
    (evaluates config)
    (equal "load-credential" config.vmcred.declaration.vms.v.load-credential [ "host-a:/run/a" ])
  ];
  "machine/clan's name" = let config = (harness.full [ { networking.hostName = "other"; clan.core.vars.generators.g.files.a = { }; } ]).config; in
    equal "the machine" config.vmcred.declaration.generators.g.machines [ "britton-desktop" ];

  # ---- several vms ----
  "several/each its own" = let config = full [ generator { microvm.vms = lib.genAttrs [ "x" "y" ] (_: { config = { }; }); vmcred.vms = { x.credentials.a.from = "g/a"; y.credentials.b.from = "g/b"; }; } ]; in all [
    (evaluates config)
    (equal "x" (map (line: head (builtins.match "([^:]*):.*" line)) (unit config "x").LoadCredential) [ "host-a" ])
    (equal "y" (map (line: head (builtins.match "([^:]*):.*" line)) (unit config "y").LoadCredential) [ "host-b" ])
  ];
  "several/the warning names them" = let config = full [ generator { microvm.vms = lib.genAttrs [ "x" "y" ] (_: { config = { }; }); vmcred.vms = lib.genAttrs [ "x" "y" ] (_: { credentials.a.from = "g/a"; }); } ]; in
    holds (builtins.any (lib.hasInfix "the vms x, y run as one user") config.warnings) "no warning";
  "several/a guest sees the host" = evaluates (full [ generator ({ config, ... }: {
    microvm.vms.v.config = { environment.etc."host".text = "${config.networking.hostName} ${toString (attrNames config.systemd.services)}"; };
    vmcred.vms.v.credentials.a.from = "g/a";
  }) ]);
}
