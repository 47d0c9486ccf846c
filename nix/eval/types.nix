# Types of options that modules declare themselves: which values they take, and how definitions merge (modules.nix). What is
# inside a list is not looked at.
let
  inherit (builtins) elem foldl' isAttrs isBool isFloat isFunction isInt isList isPath isString listToAttrs map match toString;

  # A type is { name; description; check; } and may have `merge` and `typeMerge`, as in nixpkgs.
  make = { name, ... }@type: { description = name; check = _: true; typeMerge = _: null; functor = { inherit name; }; } // type;
  simple = name: description: check: make { inherit name description check; };
  named = types: listToAttrs (map (type: { inherit (type) name; value = type; }) types);

  is_package = value: isAttrs value && value.type or null == "derivation";
  between = low: high: simple "int" "a number from ${toString low} to ${toString high}" (value: isInt value && value >= low && value <= high);
  least = low: simple "int" "a number from ${toString low} on" (value: isInt value && value >= low);
  either = a: b: simple "either" "${a.description} or ${b.description}" (value: a.check value || b.check value);
  is_module = value: isAttrs value || isFunction value || isPath value;
  submodule = module: make { name = "submodule"; description = "a set"; check = is_module; inherit module; };
  attrs_of = element: make { name = "attrsOf"; description = "a set"; check = isAttrs; inherit element; };
in
named [
  (simple "anything" "anything" (_: true))
  (simple "raw" "anything" (_: true))
  (simple "unspecified" "anything" (_: true))
  (simple "deferredModule" "a module" is_module)
  (simple "attrs" "a set" isAttrs)
  (simple "bool" "true or false" isBool)
  (simple "float" "a number" isFloat)
  (simple "int" "a whole number" isInt)
  (simple "number" "a number" (value: isInt value || isFloat value))
  (simple "str" "a string" isString)
  (simple "singleLineStr" "a string of one line" (value: isString value && match "[^\n]*\n?" value != null))
  (simple "lines" "a string" isString)
  (simple "package" "a package" is_package)
  (simple "path" "a path" (value: isPath value || is_package value || (isString value && match "/.*" value != null)))
]
// {
  inherit make either submodule;
  port = between 0 65535;
  attrsOf = attrs_of;
  lazyAttrsOf = attrs_of;
  submoduleWith = { modules, ... }: submodule { imports = modules; };
  listOf = element: make { name = "listOf"; description = "a list"; check = isList; inherit element; };
  nullOr = element: element // { check = value: value == null || element.check value; description = "null or ${element.description}"; };
  uniq = element: element;
  oneOf = types: foldl' either (builtins.head types) (builtins.tail types);
  coercedTo = from: f: to: make {
    name = "coercedTo";
    description = "${from.description} or ${to.description}";
    check = value: from.check value || to.check value;
    convert = value: if from.check value then f value else value;
  };
  functionTo = _: simple "functionTo" "a function" isFunction;
  enum = values: simple "enum" "one of ${builtins.toJSON values}" (value: elem value values);
  strMatching = pattern: simple "strMatching" "a string like ${pattern}" (value: isString value && match pattern value != null);
  separatedString = separator: make { name = "separatedString"; description = "a string"; check = isString; inherit separator; };
  ints = { inherit between; positive = least 1; unsigned = least 0; u8 = between 0 255; u16 = between 0 65535; u32 = between 0 4294967295; };
}
