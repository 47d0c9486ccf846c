# Options that modules declare themselves: what mkOption says becomes a node (modules.nix), and an option that two modules
# declare is one, by the rules of nixpkgs: only one may give a default, and the types must go together.
{ lib, fail }:
let
  inherit (builtins) mapAttrs;

  shape = arguments: type:
    if type ? merge then { merge_with = type.merge; }
    else if type.name or "" == "attrsOf" then { each = _: _: node_of_type arguments type.element; }
    else if type.name or "" == "submodule" then {
      modules = {
        inherit arguments;
        schema = _: { children = { }; };
        base = [ { file = "a submodule"; value = type.module; } ];
        always = true;
      };
    }
    else if type.name or "" == "lines" then { separator = "\n"; }
    else if type ? separator then { inherit (type) separator; }
    else { };
  node_of_type = arguments: type: shape arguments type // { inherit type; };

  node_of = arguments: option:
    (if option ? type then node_of_type arguments option.type else { })
    // (if option ? default then { inherit (option) default; } else { })
    // (if option ? apply then { inherit (option) apply; } else { })
    // { inherit option; };

  nodes_of = arguments: mapAttrs (_: option:
    if option._type or null != "option" then { children = nodes_of arguments option; } else node_of arguments option);

  # `b` was collected after `a`. As in nixpkgs the later one's type is asked whether the other fits.
  joined_option = arguments: path: a: b:
    let
      twice = what: fail { message = "the option '${lib.concatStringsSep "." path}' is declared twice, ${what}"; };
      type = b.type.typeMerge (a.type.functor or { });
    in
    if a ? default && b ? default then twice "with two defaults"
    else if a ? apply && b ? apply then twice "with two 'apply'"
    else if !(a ? type && b ? type) || a.type.name == b.type.name then null
    else if type == null then twice "with types that do not go together: ${a.type.description} and ${b.type.description}"
    else node_of arguments (a // b // { inherit type; });

  join = arguments: path: a: b:
    let both = if a ? option && b ? option then joined_option arguments path a.option b.option else null; in
    if a == null then b
    else if b == null then a
    else if both != null then both
    else if a ? children && b ? children then
      b // a // { children = b.children // mapAttrs (name: node: join arguments (path ++ [ name ]) node (b.children.${name} or null)) a.children; }
    else if a ? each && b ? each then b // a // { each = name: self: join arguments (path ++ [ name ]) (a.each name self) (b.each name self); }
    else if a ? modules && b ? modules then b // a // { modules = a.modules // { base = a.modules.base or [ ] ++ b.modules.base or [ ]; }; }
    else b // a;
in
{ inherit nodes_of join; }
