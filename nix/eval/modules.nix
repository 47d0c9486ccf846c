# Modules in small: collects modules through `imports`, merges their definitions attribute by attribute, and ties the knot
# of `config`. What neither `schema` nor the options of a module describe merges by its shape.
#
# A schema node is one of
#   { children = { NAME = node; … }; }     a set; names that nobody defines are there when they have a default
#   { each = name: self: node; }           a set of any names, each of that node; what no condition lets through is absent
#   { default = value; }                   a value with a default; a `separator` joins several texts
#   { modules = { arguments, schema, … }; }  modules of their own (a guest, a submodule); gives the evaluated set
#   { merge_with = path: definitions: …; }  whatever this function makes of the definitions
#   { fixed = value; }                     computed; nobody may define it
#   null                                   anything
# and may have `apply`, a function of the merged value, and `type` (types.nix), which checks each. A `closed` set takes no
# other names; its `hint_for` may say where a name belongs.
{ lib, fail, options }:
let
  inherit (builtins)
    attrNames concatMap concatStringsSep elem elemAt filter foldl' functionArgs genList head intersectAttrs isAttrs
    isFunction isList isPath isString length listToAttrs map removeAttrs sort toString unsafeGetAttrPos;

  spoken = path: concatStringsSep "." path;
  is_plain = value: isAttrs value && !(value ? _type) && value.type or null != "derivation" && !(value ? __functor);

  # ---- definitions: { value; when; priority; order; file; position } with all properties taken off ----
  no_priority = 100;
  no_order = 1000;

  unwrap = definition:
    let
      inherit (definition) value;
      type = if isAttrs value then value._type or null else null;
    in
    if type == "merge" then concatMap (content: unwrap (definition // { value = content; })) value.contents
    else if type == "if" then
      # The condition is kept and looked at late: names below do not depend on it, so `config` may.
      unwrap (definition // { value = value.content; when = definition.when && value.condition; })
    else if type == "override" then
      unwrap (definition // { value = value.content; inherit (value) priority; })
    else if type == "order" then
      unwrap (definition // { value = value.content; order = value.priority; })
    else [ definition ];

  active = filter (definition: definition.when);

  # Only the definitions of the strongest priority count; a condition has to be known for that.
  strongest = definitions:
    if builtins.all (definition: definition.priority == no_priority) definitions then definitions
    else
      let
        here = active definitions;
        best = foldl' (low: definition: if definition.priority < low then definition.priority else low) 10000 here;
      in
      filter (definition: definition.priority == best) here;

  place = definition: definition.position or null;
  # A name that a function of `lib` made has no place in the user's files: then that of the set around it.
  position_in = name: definition:
    let at = unsafeGetAttrPos name definition.value; in
    if at != null && lib.hasPrefix "/" at.file then at else place definition;
  file_of = definition: let at = place definition; in if at == null then toString definition.file else "${at.file}:${toString at.line}";

  # ---- merging ----
  below = name: definitions: concatMap
    (definition:
      if definition.value ? ${name} then unwrap {
        inherit (definition) when file order;
        priority = no_priority;
        value = definition.value.${name};
        position = position_in name definition;
      } else [ ])
    definitions;

  names_in = definitions: attrNames (foldl' (all: definition: all // definition.value) { } definitions);

  merge_value = path: node: definitions:
    let
      here = strongest (active definitions);
      convert = node.type.convert or (value: value);
      values = map (definition: convert definition.value) (sort (a: b: a.order < b.order) here);
      wrong = filter (definition: !(node.type.check or (_: true)) definition.value) here;
      first = head values;
      second = first_that (definition: definition.value != first) here;
    in
    if here == [ ] then
      if node ? default then node.default
      else fail { message = "'${spoken path}' is used, but nothing defines it"; }
    else if wrong != [ ] then fail {
      message = "'${spoken path}' must be ${node.type.description}, not ${describe (head wrong).value}";
      position = place (head wrong);
    }
    else if node ? merge_with then node.merge_with path here
    else if length values == 1 then first
    else if builtins.all isList values then builtins.concatLists values
    else if node ? separator && builtins.all isString values then concatStringsSep node.separator values
    else if builtins.all (value: value == first) values then first
    else fail {
      message = "'${spoken path}' is defined twice, with different values: ${file_of (head here)} and ${file_of second}";
      position = place second;
      hint = "keep one of them, or mark the other with lib.mkDefault or lib.mkForce";
    };

  first_that = wanted: list: let found = filter wanted list; in if found == [ ] then head list else head found;

  merge = path: node: definitions:
    if node != null && node ? apply then node.apply (merge_plain path node definitions) else merge_plain path node definitions;

  # A set of definitions becomes a set of values; anything else one value.
  merge_plain = path: node: definitions:
    if node != null && node ? fixed then
      (if definitions == [ ] then node.fixed
      else fail {
        message = "'${spoken path}' is read-only";
        position = place (head definitions);
        hint = "vmcred computes it";
      })
    else if node != null && node ? merge_with then merge_value path node definitions
    else if node != null && node ? type && definitions != [ ] && builtins.all (definition: definition.value == null) definitions && active definitions != [ ] then null
    else if node != null && node ? modules then merge_modules path node definitions
    else if definitions != [ ] && isFunction (head definitions).value then merge_value path { } definitions
    else if node != null && node ? each && node ? default && definitions == [ ] then node.default
    else if node != null && (node ? children || node ? each) then merge_set path node (demand_sets path definitions)
    else if definitions != [ ] && is_plain (head definitions).value then merge_set path { children = { }; } (demand_sets path definitions)
    else merge_value path (if node == null then { } else node) definitions;

  demand_sets = path: map (definition:
    if is_plain definition.value then definition
    else fail {
      message = "'${spoken path}' must be a set, not ${describe definition.value}";
      position = place definition;
    });

  describe = value:
    let type = builtins.typeOf value; in
    { int = "a number"; bool = "a boolean"; string = "a string"; path = "a path"; null = "null"; list = "a list"; lambda = "a function"; float = "a number"; }.${type} or "a package";

  merge_set = path: node: all_definitions:
    let
      definitions = strongest all_definitions;
      names = names_in definitions;
      child = name: below name definitions;
      known = node.children or { };
      unknown = filter (name: !(known ? ${name}) && name != "_module") names;
      place_of = name: position_in name (head (filter (definition: definition.value ? ${name}) definitions));
      checked =
        if (node.closed or false) && unknown != [ ] then
          fail {
            message = "${node.label or "'${spoken path}'"} has no option '${head unknown}'";
            position = place_of (head unknown);
            hint = (node.hint_for or (_: "")) (head unknown);
            word = head unknown;
            candidates = attrNames known;
          }
        else names;
    in
    if node ? each then
      listToAttrs (map
        (name: {
          inherit name;
          value =
            let self = merge (path ++ [ name ]) (node.each name self) (child name); in
            if isAttrs self && !(self ? _type) then self // { __position = place_of name; } else self;
        })
        (filter (name: builtins.any (definition: definition.when) (child name)) names))
    else
      listToAttrs (map
        (name: { inherit name; value = merge (path ++ [ name ]) (known.${name} or null) (child name); })
        (checked ++ filter (name: !elem name names) (filter (name: has_default known.${name}) (attrNames known))));

  has_default = node:
    node != null && (node ? default || node ? fixed || node ? children || node ? each || (node.modules.always or false));

  merge_modules = path: node: definitions:
    evaluate (node.modules // {
      inherit path;
      modules = node.modules.base or [ ] ++ map
        (definition:
          # A set that defines a submodule is all configuration: `config` and `options` in it are names like others.
          if (node.modules.always or false) && isAttrs definition.value then { inherit (definition) file; value.config = definition.value; }
          else if is_module definition.value then { inherit (definition) file value; }
          else fail {
            message = "'${spoken path}' must be a module: a set or a function, not ${describe definition.value}";
            position = place definition;
          })
        (strongest (active definitions));
    });

  # ---- modules ----
  is_module = value: isAttrs value || isFunction value || isPath value || (isString value && lib.hasPrefix "/" value);

  # A module becomes its body and its imports; `closure` follows those, each file once.
  # What it asks for beside the usual arguments comes from _module.args: late, as those may stand in any module. Imports
  # cannot wait for that.
  load = { arguments, later }: { key, file, value }:
    let
      is_file = isPath value || isString value;
      loaded = if is_file then import value else value;
      from = if is_file then toString value else file;
      wants = functionArgs loaded;
      missing = filter (name: !wants.${name} && !(arguments ? ${name})) (attrNames wants);
      not_given = name: fail {
        message = "the module asks for '${name}', which it is not given";
        position = { file = from; line = 0; column = 0; } // at (unsafeGetAttrPos name wants);
        hint = "modules get ${concatStringsSep ", " (attrNames arguments)}; others come with --flake or --nixpkgs";
      };
      apply = other:
        let
          given = listToAttrs (map (name: { inherit name; value = other name; }) missing);
          applied = if isFunction loaded then loaded (if wants == { } then arguments else intersectAttrs wants arguments // given) else loaded;
        in
        if isAttrs applied then applied
        else fail {
          message = "a module must be a set or a function that gives one, not ${describe applied}";
          position = { file = from; line = 0; column = 0; };
        };
      set = apply (name: (later name).value or (not_given name));
      bare = set ? _type;
    in
    {
      inherit key;
      file = from;
      body =
        if bare then set
        else if set ? config || set ? options then set.config or { }
        else removeAttrs set [ "imports" "disabledModules" "freeformType" "_file" "key" "_class" ];
      options = if bare then { } else set.options or { };
      freeform = !bare && set ? freeformType;
      imports = numbered "${key}/" from (let early = apply not_given; in if early ? _type then [ ] else early.imports or [ ]);
    };
  at = position: if position == null then { } else position;

  numbered = prefix: file: values: genList
    (n:
      let value = elemAt values n; in
      {
        key = if isPath value || isString value then toString value else "${prefix}${toString n}";
        inherit file value;
      })
    (length values);

  closure = context: start: builtins.genericClosure {
    startSet = map (load context) start;
    operator = module: map (load context) module.imports;
  };

  # What a module may ask of `options`: the definitions as they are before merging.
  options_of = node: definitions: builtins.mapAttrs
    (name: child:
      let own = below name definitions; in
      if child ? children then options_of child (filter (definition: is_plain definition.value) own)
      else rec {
        _type = "option";
        definitions = map (definition: definition.value) (active own);
        isDefined = definitions != [ ];
      })
    (lib.filterAttrs (_: child: child != null) node.children);

  evaluate = { modules, arguments, schema, path ? [ ], always ? false, ... }:
    let
      start = numbered "module " "" (map (module: module.value) modules);
      with_files = genList (n: elemAt start n // { inherit (elemAt modules n) file; }) (length start);
      given = (if path == [ ] then { } else { name = elemAt path (length path - 1); })
        // arguments config
        // { options = options_of node definitions; };
      later = name: let args = config._module.args or { }; in if args ? ${name} then { value = args.${name}; } else { };
      loaded = closure { arguments = given; inherit later; } with_files;
      definitions = demand_sets path (concatMap
        (module: unwrap { value = module.body; inherit (module) file; when = true; priority = no_priority; order = no_order; })
        loaded);
      node = foldl' (all: module: options.join arguments path all { children = options.nodes_of arguments module.options; }) (schema config) loaded
        // lib.optionalAttrs (always && !builtins.any (module: module.freeform) loaded) { closed = true; };
      config = merge_set path node definitions;
    in
    config;
in
{ inherit evaluate; }
