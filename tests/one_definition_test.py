#!/usr/bin/env python3
"""No two types of one name in one namespace: the linker would take either's functions for both (one definition rule), and no compiler says so."""
import collections
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
places = collections.defaultdict(set)
for path in sorted(path for folder in ("src", "apps") for kind in ("*.h", "*.cc") for path in (root / folder).rglob(kind)):
    spaces = []
    for line in path.read_text().splitlines():
        if opened := re.match(r"\s*namespace\s*([\w:]*)\s*\{", line):
            spaces.append(opened[1])
        elif re.match(r"\}\s*//\s*namespace", line) and spaces:
            spaces.pop()
        elif (named := re.match(r"(?:struct|class|enum class|enum)\s+(\w+)\s*(?:final\s*)?(?::[^:].*)?\{", line)) and "" not in spaces:
            places["::".join(spaces + [named[1]])].add(path.relative_to(root))
twice = {name: files for name, files in places.items() if len(files) > 1}
for name, files in twice.items():
    print(f"{name} is defined in {' and '.join(map(str, sorted(files)))}")
assert len(places) > 300, f"only {len(places)} types were seen"
sys.exit(bool(twice))
