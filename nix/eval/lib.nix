# The part of nixpkgs' `lib` that configurations of this kind use, written for evaluation without nixpkgs. Names and
# argument orders are nixpkgs'.
{ types }:
let
  inherit (builtins)
    attrNames attrValues concatLists concatMap concatStringsSep elem elemAt filter foldl' genList head isAttrs isBool
    isFunction isInt isList isString length listToAttrs map match removeAttrs replaceStrings split stringLength substring
    tail toString;

  id = value: value;
  const = value: _: value;
  flip = f: a: b: f b a;

  # properties of definitions
  mkIf = condition: content: { _type = "if"; inherit condition content; };
  mkMerge = contents: { _type = "merge"; inherit contents; };
  mkOverride = priority: content: { _type = "override"; inherit priority content; };
  mkOrder = priority: content: { _type = "order"; inherit priority content; };
  mkOption = { ... }@option: option // { _type = "option"; };

  # attribute sets
  nameValuePair = name: value: { inherit name value; };
  mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
  mapAttrs' = f: set: listToAttrs (mapAttrsToList f set);
  filterAttrs = keep: set: removeAttrs set (filter (name: !keep name set.${name}) (attrNames set));
  genAttrs = names: f: listToAttrs (map (name: nameValuePair name (f name)) names);
  optionalAttrs = condition: set: if condition then set else { };
  attrByPath = path: default: set:
    if path == [ ] then set
    else if isAttrs set && set ? ${head path} then attrByPath (tail path) default set.${head path}
    else default;
  hasAttrByPath = path: set:
    path == [ ] || (isAttrs set && set ? ${head path} && hasAttrByPath (tail path) set.${head path});
  getAttrFromPath = path: attrByPath path (throw "there is no attribute '${concatStringsSep "." path}'");
  setAttrByPath = path: value:
    if path == [ ] then value else { ${head path} = setAttrByPath (tail path) value; };
  recursiveUpdate = left: right:
    left // builtins.mapAttrs
      (name: value:
        if isAttrs value && left ? ${name} && isAttrs left.${name} then recursiveUpdate left.${name} value else value)
      right;
  foldlAttrs = f: start: set: foldl' (state: name: f state name set.${name}) start (attrNames set);

  # lists
  optional = condition: element: if condition then [ element ] else [ ];
  optionals = condition: elements: if condition then elements else [ ];
  flatten = value: if isList value then concatMap flatten value else [ value ];
  unique = foldl' (seen: each: if elem each seen then seen else seen ++ [ each ]) [ ];
  range = first: last: if first > last then [ ] else genList (n: first + n) (last - first + 1);
  imap0 = f: list: genList (n: f n (elemAt list n)) (length list);
  imap1 = f: imap0 (n: f (n + 1));
  foldr = f: start: list:
    let from = n: if n == length list then start else f (elemAt list n) (from (n + 1)); in from 0;
  last = list: elemAt list (length list - 1);
  reverseList = list: genList (n: elemAt list (length list - 1 - n)) (length list);
  take = count: list: genList (elemAt list) (if count < length list then count else length list);
  drop = count: list: genList (n: elemAt list (n + count)) (if count < length list then length list - count else 0);
  zipListsWith = f: a: b: genList (n: f (elemAt a n) (elemAt b n)) (if length a < length b then length a else length b);
  zipLists = zipListsWith (fst: snd: { inherit fst snd; });
  cartesianProduct = foldlAttrs
    (all: name: values: concatMap (set: map (value: set // { ${name} = value; }) values) all) [ { } ];
  findFirst = wanted: default: list:
    let found = filter wanted list; in if found == [ ] then default else head found;
  count = wanted: list: length (filter wanted list);
  toList = value: if isList value then value else [ value ];

  # strings
  lowerLetters = [ "a" "b" "c" "d" "e" "f" "g" "h" "i" "j" "k" "l" "m" "n" "o" "p" "q" "r" "s" "t" "u" "v" "w" "x" "y" "z" ];
  upperLetters = [ "A" "B" "C" "D" "E" "F" "G" "H" "I" "J" "K" "L" "M" "N" "O" "P" "Q" "R" "S" "T" "U" "V" "W" "X" "Y" "Z" ];
  toUpper = replaceStrings lowerLetters upperLetters;
  toLower = replaceStrings upperLetters lowerLetters;
  optionalString = condition: text: if condition then text else "";
  hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
  hasSuffix = suffix: text:
    stringLength suffix <= stringLength text
    && substring (stringLength text - stringLength suffix) (-1) text == suffix;
  hasInfix = infix: text: replaceStrings [ infix ] [ "" ] text != text;
  removePrefix = prefix: text: if hasPrefix prefix text then substring (stringLength prefix) (-1) text else text;
  removeSuffix = suffix: text:
    if hasSuffix suffix text then substring 0 (stringLength text - stringLength suffix) text else text;
  escapeRegex = replaceStrings
    [ "\\" "." "*" "+" "?" "(" ")" "[" "]" "{" "}" "^" "$" "|" ]
    [ "\\\\" "\\." "\\*" "\\+" "\\?" "\\(" "\\)" "\\[" "\\]" "\\{" "\\}" "\\^" "\\$" "\\|" ];
  splitString = separator: text: filter isString (split (escapeRegex separator) text);
  concatMapStringsSep = separator: f: list: concatStringsSep separator (map f list);
  concatMapStrings = concatMapStringsSep "";
  concatStrings = concatStringsSep "";
  concatLines = concatMapStrings (line: line + "\n");
  trim = text: let found = match "[ \t\n\r]*(.*[^ \t\n\r])[ \t\n\r]*" text; in if found == null then "" else head found;
  escapeShellArg = value: "'${replaceStrings [ "'" ] [ "'\\''" ] (toString value)}'";
  fixedWidthString = width: filler: text:
    if stringLength text >= width then text else fixedWidthString width filler (filler + text);
  boolToString = value: if value then "true" else "false";

  all = {
    inherit (builtins)
      add attrNames attrValues catAttrs compareVersions concatLists concatMap concatStringsSep deepSeq elem elemAt filter
      foldl' functionArgs genList getAttr hasAttr head intersectAttrs isAttrs isBool isFloat isFunction isInt isList isPath
      isString length lessThan listToAttrs mapAttrs match partition removeAttrs replaceStrings seq sort split splitVersion
      stringLength substring tail toJSON toString typeOf zipAttrsWith groupBy map trace any all;
    inherit
      id const flip mkIf mkMerge mkOverride mkOrder mkOption nameValuePair mapAttrsToList mapAttrs' filterAttrs genAttrs
      optionalAttrs attrByPath hasAttrByPath getAttrFromPath setAttrByPath recursiveUpdate foldlAttrs optional optionals
      flatten unique range imap0 imap1 foldr last reverseList take drop zipListsWith zipLists cartesianProduct findFirst
      count toList toUpper toLower optionalString hasPrefix hasSuffix hasInfix removePrefix removeSuffix escapeRegex
      splitString concatMapStringsSep concatMapStrings concatStrings concatLines trim escapeShellArg fixedWidthString
      boolToString types;
    mkDefault = mkOverride 1000;
    mkForce = mkOverride 50;
    mkVMOverride = mkOverride 10;
    mkOptionDefault = mkOverride 1500;
    mkBefore = mkOrder 500;
    mkAfter = mkOrder 1500;
    mkEnableOption = text: mkOption { default = false; description = text; };
    mkPackageOption = packages: name: _: mkOption { default = packages.${name}; };
    mkOptionType = types.make;
    literalExpression = text: text;
    mergeAttrsList = foldl' (a: b: a // b) { };
    concatMapAttrs = f: set: foldlAttrs (all: name: value: all // f name value) { } set;
    pipe = foldl' (value: f: f value);
    fix = f: let self = f self; in self;
    escapeShellArgs = concatMapStringsSep " " escapeShellArg;
    getExe = package: "${package}/bin/${package.meta.mainProgram or package.pname or package.name}";
    getExe' = package: name: "${package}/bin/${name}";
    getBin = id;
    getLib = id;
    makeBinPath = concatMapStringsSep ":" (package: "${package}/bin");
    subtractLists = drops: filter (each: !elem each drops);
    intersectLists = keeps: filter (each: elem each keeps);
    stringToCharacters = text: genList (n: substring n 1 text) (stringLength text);
    isDerivation = value: isAttrs value && value.type or null == "derivation";
    assertMsg = condition: text: condition || throw text;
    warn = text: value: builtins.trace "warning: ${text}" value;
    importJSON = file: builtins.fromJSON (builtins.readFile file);
    importTOML = file: builtins.fromTOML (builtins.readFile file);
    fileContents = file: removeSuffix "\n" (builtins.readFile file);
    version = "0-vmcred";
  };
in
all // {
  attrsets = all;
  lists = all;
  strings = all;
  trivial = all;
  modules = all;
  options = all;
  inherit all;
}
