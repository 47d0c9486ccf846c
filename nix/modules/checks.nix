# The findings of `vmcred check` that an evaluation can see, as assertions. What they do not see, the build of vmcred.json does.
{ lib, config, declaration, guest_of, names }:
let
  inherit (builtins) attrNames concatMap elem elemAt filter head isString length map match;
  inherit (names) did_you_mean guest_name name_of oem_name source_of;

  # Only what fails becomes an assertion: a host has thousands that hold.
  refuse = condition: message: if condition then [ { assertion = false; message = "vmcred: ${message}"; } ] else [ ];
  generators = declaration.generators;

  # ---- where a credential comes from ----
  bad_source = from:
    let
      parts = match "([^/]+)/([^/]+)" from;
      generator = head parts;
      file = elemAt parts 1;
    in
    if lib.hasPrefix "/" from then null
    else if parts == null then "'${from}', which is neither GENERATOR/FILE nor an absolute path"
    else if !(generators ? ${generator}) then "'${from}', and there is no generator '${generator}'${did_you_mean generator (attrNames generators)}"
    else if !(generators.${generator}.files ? ${file}) then
      "'${from}', and generator '${generator}' makes no file '${file}'${did_you_mean file (attrNames generators.${generator}.files)}"
    else if !(generators.${generator}.files.${file}.deploy or true) then "'${from}', which is not deployed to machines (deploy = false)"
    else null;

  of_source = what: from: let bad = bad_source from; in refuse (bad != null) "${what} comes from ${toString bad}";

  short = name: credential: each:
    let
      what = "vm '${name}': credential '${credential}'";
      from = each.from or null;
      value = each.value or null;
    in
    if from == null then (if value == null then refuse true "${what} has neither 'from' nor 'value'" else [ ])
    else refuse (value != null) "${what} has 'from' and 'value'" ++ (if isString from then of_source what from else [ ]);

  # ---- the guide's lists ----
  lists = name: vm:
    let
      lines = vm.load-credential or [ ];
      loaded = filter (each: each != null) (map name_of lines);
      listed = vm.credential-files or [ ];
    in
    concatMap (host: refuse (!elem host loaded) "vm '${name}': credentialFiles names '${host}', but LoadCredential of microvm@${name} does not load it${did_you_mean host loaded}") listed
    ++ concatMap (host: refuse (!elem host listed) "vm '${name}': LoadCredential of microvm@${name} loads '${host}', but credentialFiles does not name it${did_you_mean host listed}") loaded
    ++ concatMap
      (line:
        if source_of line == null then refuse true "vm '${name}': LoadCredential '${line}' has no source"
        else of_source "vm '${name}': LoadCredential '${line}'" (source_of line))
      lines;

  # ---- the guest ----
  in_guest = name: vm:
    let
      arriving = map guest_name (vm.credential-files or [ ])
        ++ lib.mapAttrsToList (credential: each: if each.guest or null == null then guest_name credential else each.guest) (vm.credentials or { })
        ++ filter (each: each != null) (map oem_name (vm.oem-strings or [ ]));
      by_name = builtins.groupBy (each: each) arriving;
      twice = if length (attrNames by_name) == length arriving then [ ] else filter (each: length by_name.${each} > 1) (attrNames by_name);
      services = vm.guest.services or { };
      wanted = service: filter (each: !lib.hasPrefix "/" each && !lib.hasPrefix "vmcred." each)
        (map (line: if name_of line == null then line else source_of line) (service.load-credential or [ ]));
    in
    concatMap (guest: refuse true "vm '${name}': two credentials are called '${guest}' in the guest") twice
    ++ concatMap
      (service: concatMap
        (guest: refuse (!elem guest arriving) "vm '${name}': guest service '${service}' loads '${guest}', which does not arrive${did_you_mean guest arriving}")
        (wanted services.${service}))
      (attrNames services);

  # ---- what runs it ----
  has_microvm = !config.vmcred.ownUnits;
  guests = filter (name: config.microvm.vms ? ${name}) (attrNames declaration.vms);
  # What `vmcred exec` would refuse at the start of the vm.
  forbidden = micro: word:
    if micro.hypervisor or "" == "qemu" then elem (lib.removePrefix "-" (lib.removePrefix "-" word)) [ "S" "s" "gdb" "daemonize" "no-shutdown" "incoming" "loadvm" "readconfig" ] && lib.hasPrefix "-" word
    else if micro.hypervisor or "" == "cloud-hypervisor" then lib.hasPrefix "--" word && !elem (head (match "(--[^=]*).*" word)) known_of_cloud_hypervisor
    else false;
  known_of_cloud_hypervisor = map (name: "--${name}") [
    "kernel" "initramfs" "cmdline" "firmware" "cpus" "memory" "balloon" "vsock" "rng" "disk" "fs" "device" "net" "platform" "api-socket" "serial"
    "console" "watchdog" "pvpanic" "landlock" "seccomp" "log-file" "event-monitor"
  ];

  adopted = [ "qemu" "cloud-hypervisor" "crosvm" "firecracker" ];
  run_by = name:
    let
      guest = guest_of name;
      micro = guest.microvm or { };
      entry = config.microvm.vms.${name};
      services = attrNames (guest.systemd.services or { });
      undefined = guest.vmcred.seen.undefinedServices or [ ];
      receives = has_credentials name;
    in
    refuse (receives && !(guest ? vmcred.seen))
      "vm '${name}': its guest is evaluated elsewhere (evaluatedConfig, flake) in a way that cannot be extended, so its credentials would be lost; write the guest as microvm.vms.${name}.config, or evaluate it with nixpkgs.lib.nixosSystem"
    ++ refuse (receives && entry.updateFlake or null != null)
      "vm '${name}': 'microvm -u' would update it without its credentials; remove microvm.vms.${name}.updateFlake"
    ++ refuse (receives && micro.hypervisor or null != null && !elem micro.hypervisor adopted)
      "vm '${name}': microvm.nix's runner for ${micro.hypervisor or ""} can get no credentials; set microvm.hypervisor to one of ${toString adopted}"
    ++ refuse (receives && micro.hypervisor or "" == "crosvm" && guest.vmcred.seen.receipt or false)
      "vm '${name}': crosvm has no link over which a guest could prove what it received; set vmcred.guest.agent = false in the guest, or another microvm.hypervisor"
    ++ refuse (receives && micro.hypervisor or "" == "cloud-hypervisor" && micro.graphics.enable or false)
      "vm '${name}': vmcred cannot give credentials to a cloud-hypervisor with graphics; use qemu, or no graphics"
    ++ refuse (guest.vmcred.seen.strangeScripts or false)
      "vm '${name}': ownUser = true, and this microvm.nix gives its taps or devices to the user microvm in a way that vmcred does not know; remove ownUser"
    ++ concatMap
      (word: refuse true "vm '${name}': microvm.${micro.hypervisor}.extraArgs has '${word}', with which vmcred cannot give it credentials; remove it")
      (filter (word: receives && isString word && forbidden micro word) (if micro.hypervisor or null == null then [ ] else (micro.${micro.hypervisor} or { }).extraArgs or [ ]))
    ++ concatMap
      (service: refuse true
      "vm '${name}': credentials are for the guest service '${service}', which the guest does not define${did_you_mean service (filter (each: !elem each undefined) services)} (the unit of a package needs systemd.services.${service}.overrideStrategy = \"asDropin\")")
      undefined;
  has_credentials = name:
    let vm = declaration.vms.${name}; in
    builtins.any (key: vm.${key} or { } != { } && vm.${key} or [ ] != [ ]) [ "credentials" "load-credential" "credential-files" "oem-strings" ];
  unknown = filter (name: has_microvm && !(config.microvm.vms ? ${name})) (attrNames declaration.vms);
in
concatMap
  (name: refuse true "there is no vm '${name}' in microvm.vms${did_you_mean name (attrNames config.microvm.vms)} (vmcred.vms.${name}, or systemd.services.\"microvm@${name}\")")
  unknown
++ concatMap
  (name: let vm = declaration.vms.${name}; in
    lists name vm
    ++ lib.concatLists (lib.mapAttrsToList (short name) (vm.credentials or { }))
    ++ in_guest name vm)
  (attrNames declaration.vms)
++ lib.optionals has_microvm (concatMap run_by guests)
