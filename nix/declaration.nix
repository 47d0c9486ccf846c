# From an evaluated configuration to the declaration: the guide's options in, the shape of vmcred.json out. Used by the
# stand-alone evaluator and by nixosModules.host alike; it reads options and decides nothing else.
#
#   config       the host's evaluated configuration
#   machine      its name
#   guest_of     a vm's name -> the evaluated configuration of its guest, or { }
#   fail         { message, position?, hint? } -> throws
#   inputs_of    a script's text -> the runtime inputs that it names (stand-ins for packages; none where they are real)
#   hardware_of  a guest's `microvm` -> disks and networks, where vmcred itself starts the vm
{ lib, fail, config, machine, guest_of, inputs_of ? _: [ ], hardware_of ? _: { } }:
let
  inherit (builtins)
    attrNames concatMap concatStringsSep elem filter hasAttr head isAttrs isBool isInt isList isPath isString listToAttrs
    map mapAttrs match stringLength substring toString;

  generators = config.clan.core.vars.generators or { };
  microvms = config.microvm.vms or { };
  ours = config.vmcred.vms or { };
  host_services = config.systemd.services or { };

  strings = what: value:
    if isString value then [ value ]
    else if isList value && builtins.all isString value then value
    else if isPath value || (isList value && builtins.any isPath value) then fail {
      message = "${what} holds a path, which would copy the file into the world-readable store";
      hint = "write it as a string, or use the var's .path";
    }
    else fail { message = "${what} must be a list of strings"; };

  # What Nix copied to the store is readable by everybody, so no credential may come from there.
  stay_out_of_the_store = what: text:
    if builtins.hasContext text && !(public_paths ? ${builtins.unsafeDiscardStringContext text}) then fail {
      message = "${what} takes its value from the world-readable store";
      hint = "a path without quotes is copied there: write it as a string, or use the var's .path";
    }
    else builtins.unsafeDiscardStringContext text;

  without_nulls = set: removeAttrs set (filter (name: set.${name} == null) (attrNames set));

  # `commandLine` -> `command-line`
  kebab = name: concatStringsSep "" (map
    (part: if isList part then "-${lib.toLower (head part)}" else part)
    (builtins.split "([A-Z])" name));

  # ---- generators ----
  runtime_input = generator: input:
    if isString input then inputs_of input ++ (if inputs_of input == [ ] then [ (builtins.unsafeDiscardStringContext input) ] else [ ])
    else if isAttrs input && input ? vmcred_inputs then input.vmcred_inputs
    else if isAttrs input && input ? outPath then [ (builtins.unsafeDiscardStringContext "${input.bin or input}") ]
    else fail { message = "generator '${generator}': a runtime input must be a package or its name"; };

  text_of = value: if isPath value then builtins.readFile value else builtins.unsafeDiscardStringContext value;

  file = value: without_nulls {
    inherit (value) secret deploy owner group mode;
    needed-for = value.neededFor or null;
    restart-units = value.restartUnits or null;
    allow-empty = value.allowEmpty or null;
  };

  prompt = value: {
    inherit (value) description type persist;
    display = without_nulls {
      group = value.display.group or null;
      label = value.display.label or null;
      help = value.display.helperText or null;
    };
  };

  generator = name: value: without_nulls {
    share = value.share;
    machines = [ machine ];
    inherit (value) dependencies;
    runtime-inputs = lib.unique (concatMap (runtime_input name) value.runtimeInputs ++ (if isString value.script then inputs_of value.script else [ ]));
    script = text_of value.script;
    files = mapAttrs (_: file) value.files;
    prompts = mapAttrs (_: prompt) value.prompts;
    validation = value.validation or null;
    on-stale = value.onStale or null;
    rotate-after = value.rotateAfter or null;
    # clan-core's own, where a script may leave files that are not declared
    foreign = if value ? finalScript then true else null;
  };

  # ---- where a credential comes from: the activated path of a var is that var ----
  # In clan-core the path of what was never generated throws, or is /no-such-path for all of them.
  files_of = name: concatMap
    (file_name:
      let path = builtins.tryEval (path_text generators.${name}.files.${file_name}.path); in
      lib.optional (path.success && path.value != "/no-such-path") { name = path.value; value = "${name}/${file_name}"; })
    (filter (file_name: generators.${name}.files.${file_name}.deploy) (attrNames generators.${name}.files));
  path_text = path: builtins.unsafeDiscardStringContext (toString path);
  var_of_path = listToAttrs (concatMap files_of (attrNames generators));
  public_paths = var_of_path;

  source = what: text: let clean = stay_out_of_the_store what text; in var_of_path.${clean} or clean;

  # "NAME:SOURCE", the source a var where it is one's path
  load_line = what: line:
    let parts = match "([^:]*):(.*)" (builtins.unsafeDiscardStringContext line); in
    if parts == null then line
    else "${head parts}:${source what (builtins.appendContext (builtins.elemAt parts 1) (builtins.getContext line))}";

  # ---- vms ----
  unit_prefix = "microvm@";
  unit_of = vm: host_services."${unit_prefix}${vm}" or { };
  credentials_of_unit = vm: (unit_of vm).serviceConfig.LoadCredential or [ ];
  # The other ways to give a unit a credential; what they give is not known here.
  loaded_otherwise = vm: concatMap
    (setting:
      let given = (unit_of vm).serviceConfig.${setting} or [ ]; in
      map (line: { inherit setting; name = head (match "([^:]*).*" line); }) (if isList given then given else [ given ]))
    [ "LoadCredentialEncrypted" "SetCredential" "SetCredentialEncrypted" "ImportCredential" ];
  unit_vms = map (name: substring (stringLength unit_prefix) (-1) name)
    (filter (name: lib.hasPrefix unit_prefix name && name != unit_prefix && hasAttr "LoadCredential" (host_services.${name}.serviceConfig or { }))
      (attrNames host_services));
  vm_names = attrNames (listToAttrs (map (name: { inherit name; value = null; }) (attrNames microvms ++ attrNames ours ++ unit_vms)));

  # The path of a `credentialFiles` entry as upstream microvm.nix types it; null for the guide's `{ }`.
  path_of_entry = vm: name: value:
    let what = "credentialFiles.\"${name}\" of vm '${vm}'"; in
    if value == null || (isAttrs value && removeAttrs value [ "__position" "path" ] == { } && (value.path or null) == null) then null
    else if isString value then source what value
    else if isAttrs value && value ? path then path_of_entry vm name value.path
    else if isPath value then fail {
      message = "${what} is a path, which would copy the file into the world-readable store";
      hint = "write { } and load it with LoadCredential, or write the path as a string";
    }
    else fail { message = "${what} must be { } or the path of a file on the host"; };

  # What the guest's services load: by their own lines, or by vmcred.guest.services of nixosModules.guest.
  guest_services = guest:
    let
      written = lib.filterAttrs (_: service: hasAttr "LoadCredential" (service.serviceConfig or { })) (guest.systemd.services or { });
      ours = guest.vmcred.guest.services or { };
      lines = service:
        map builtins.unsafeDiscardStringContext
          (strings "LoadCredential of the guest service '${service}'" (written.${service}.serviceConfig.LoadCredential or [ ]))
        ++ lib.mapAttrsToList (id: name: "${id}:${name}") (removeAttrs ((ours.${service} or { }).credentials or { }) [ "__position" ]);
    in
    mapAttrs (service: _: { load-credential = lib.unique (lines service); }) (ours // written);

  # What the guest's configuration says of itself; vmcred.vms.NAME.guest has the last word.
  guest_facts = guest:
    let
      package = guest.systemd.package or null;
      version = if isAttrs package && !(package ? vmcred_inputs) then match "([0-9]+).*" (package.version or "") else null;
    in
    without_nulls {
      systemd = if version == null then null else builtins.fromJSON (head version);
      systemd-in-initrd = guest.boot.initrd.systemd.enable or null;
      agent = guest.vmcred.guest.agent or null;
      services = guest_services guest;
    };

  from_guest = vm:
    let
      guest = guest_of vm;
      micro = guest.microvm or { };
      # nixosModules.host keeps them from the runner, and so from these options.
      kept = guest.vmcred.seen or { };
      entries = kept.credentialFiles or (micro.credentialFiles or { });
      paths = mapAttrs (path_of_entry vm) entries;
      # nixosModules.host writes the lines of the short form into the unit; they are not the guide's lists.
      short = map (name: "host-${name}")
        (attrNames ((ours.${vm} or { }).credentials or { }) ++ filter (name: paths.${name} != null) (attrNames paths));
      lines = map (load_line "LoadCredential of microvm@${vm}")
        (filter (line: !elem (head (match "([^:]*).*" line)) short)
          (strings "LoadCredential of microvm@${vm}" (credentials_of_unit vm)));
      loaded = map (line: head (match "([^:]*).*" line)) lines;
      # A path of its own: upstream's form, where the name is the guest's and no unit loads it.
      direct = lib.filterAttrs (name: path: path != null && !elem name loaded) paths;
      listed = filter (name: !(direct ? ${name})) (attrNames entries);
      lost = filter (each: elem each.name listed && !elem each.name loaded) (loaded_otherwise vm);
      oem = strings "platformOEMStrings of vm '${vm}'" (kept.oemStrings or (micro.cloud-hypervisor.platformOEMStrings or [ ]));
    in
    if lost != [ ] then fail {
      message = "microvm@${vm} gets '${(head lost).name}' by ${(head lost).setting}, which vmcred does not read";
      hint = "load it with LoadCredential: systemd hands it over the same way";
      position = (unit_of vm).__position or null;
    }
    else without_nulls {
      inherit machine;
      hypervisor = micro.hypervisor or null;
      memory = if micro ? mem then "${toString micro.mem}M" else null;
      vcpus = micro.vcpu or null;
      vsock-cid = micro.vsock.cid or null;
      load-credential = if lines == [ ] then null else lines;
      credential-files = if listed == [ ] then null else listed;
      oem-strings = if oem == [ ] then null else oem;
      credentials = mapAttrs (name: path: { from = path; guest = name; }) direct;
      guest = guest_facts guest;
    }
    // lib.optionalAttrs (elem (micro.qemu.machine or null) [ "q35" "pc" "microvm" "virt" ]) { qemu.machine = micro.qemu.machine; }
    // hardware_of micro;

  plain = value:
    if isPath value then toString value
    else if isList value then map plain value
    else if isAttrs value && value ? outPath then builtins.unsafeDiscardStringContext value.outPath
    else if isAttrs value then
      listToAttrs (map (name: { name = kebab name; value = plain value.${name}; })
        (filter (name: name != "__position" && value.${name} != null) (attrNames value)))
    else if isString value then builtins.unsafeDiscardStringContext value
    else value;

  # Names of credentials and services are the user's own and stay as they are.
  named = f: mapAttrs (_: value: f value);
  # Without what is the default anyway.
  usual = value: lib.filterAttrs (key: each: !(elem key [ "allow-empty" "public" ] && each == false) && !(key == "services" && each == [ ])) value;
  short_credential = vm: name: value:
    let clean = plain value; in
    if value.from or null == null then usual clean
    else if isPath value.from then fail {
      message = "credential '${name}' of vm '${vm}' is a path, which would copy the file into the world-readable store";
      hint = "write the path as a string, or from = \"GENERATOR/FILE\"";
    }
    else usual clean // { from = source "credential '${name}' of vm '${vm}'" value.from; };

  from_ours = vm:
    let
      value = removeAttrs (ours.${vm} or { }) [ "credentials" "guest" "ownUser" "package" "__position" ];
      own_guest = (ours.${vm} or { }).guest or { };
    in
    plain value // {
      credentials = mapAttrs (short_credential vm) ((ours.${vm} or { }).credentials or { });
      guest = plain (removeAttrs own_guest [ "services" ])
        // lib.optionalAttrs (own_guest ? services) { services = mapAttrs (_: plain) own_guest.services; };
    };

  secret_store = config.clan.core.vars.settings.secretStore or "sops";
in
if secret_store != "sops" then fail {
  message = "clan.core.vars.settings.secretStore is '${secret_store}', and vmcred keeps secrets in the 'sops' store";
  hint = "set it to \"sops\"";
}
else {
  machines.${machine} = lib.optionalAttrs (config.clan.core.sops.defaultGroups or [ ] != [ ]) {
    default-groups = config.clan.core.sops.defaultGroups;
  };
  generators = mapAttrs generator generators;
  vms = listToAttrs (map (name: { inherit name; value = lib.recursiveUpdate (from_guest name) (from_ours name); }) vm_names);
} // lib.optionalAttrs (config.vmcred.git or { } != { }) { git = plain config.vmcred.git; }
