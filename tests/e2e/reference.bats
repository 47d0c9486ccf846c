# The language's reference: vmcred.toml(5) is made from the schema, and what it shows is what the program takes.
# shellcheck shell=bash disable=SC2154

bats_require_minimum_version 1.5.0
load project

setup() { new_project; }

@test "every key of the schema has a description and an example, and the program takes each example" {
  "$VMCRED" declare --schema >schema.json
  python3 - schema.json "$VMCRED" <<'PY'
import copy, json, os, subprocess, sys, tempfile

schema, vmcred = json.load(open(sys.argv[1])), sys.argv[2]
defs = schema["$defs"]
base = {
    "machines": {"web1": {}, "web2": {}},
    "generators": {
        "ca": {"share": True, "files": {"key": {}}},
        "test-vm-secrets": {"machines": ["web1"], "files": {"api-key": {}}, "prompts": {"password": {}}},
    },
    "vms": {"test-vm": {"machine": "web1", "kernel": "k", "initrd": "i", "vsock-cid": 3, "guest": {"agent": True}}},
}
vm, generator = ["vms", "test-vm"], ["generators", "test-vm-secrets"]
credential = vm + ["credentials", "environment"]
places = {
    "machine": ["machines", "web1"], "generator": generator, "file": generator + ["files", "api-key"],
    "prompt": generator + ["prompts", "password"], "vm": vm, "credential": credential,
    "service": vm + ["guest", "services", "web"], "disk": vm + ["disks", 0], "network": vm + ["networks", 0], "share": vm + ["shares", 0],
}
around = {  # what an example needs beside it
    ("credential", None): {"from": "test-vm-secrets/api-key"}, ("credential", "value"): {}, ("credential", "from"): {},
    ("credential", "public"): {"value": "aGVsbG8gd29ybGQ"}, ("disk", None): {"path": "d"}, ("share", None): {"tag": "t", "socket": "/s"},
    ("network", "tap"): {"type": "tap"}, ("network", "type"): {"tap": "t"},
    ("vm", "credential-files"): {"load-credential": ["host-api-key:test-vm-secrets/api-key"]},
    ("vm", "load-credential"): {"credential-files": ["host-api-key"]},
}
without = {("generator", "vms"): ["machines"], ("generator", "share"): ["machines"]}
missing, refused, tried = [], [], 0

def put(declaration, path, key, value, beside):
    at = declaration
    for step, following in zip(path, path[1:] + [None]):
        empty = [] if following == 0 else {}
        if isinstance(at, list):
            while len(at) <= step:
                at.append({})
            at = at[step]
        else:
            at = at.setdefault(step, empty)
    at.update(beside)
    at[key] = value

def look(table, node, path, prefix=""):
    global tried
    for key, each in node["properties"].items():
        name = f"{table}: {prefix}{key}"
        inner = each.get("type") == "object" and "properties" in each
        # A table of named tables is shown by the keys inside it.
        if not each.get("description") or not (each.get("examples") or inner or "additionalProperties" in each):
            missing.append(name)
        for example in each.get("examples", []):
            declaration = copy.deepcopy(base)
            for gone in without.get((table, key), []):
                declaration["generators"]["test-vm-secrets"].pop(gone)
            beside = around.get((table, key), around.get((table, None), {}))
            put(declaration, path, key, example, beside)
            folder = tempfile.mkdtemp(dir=os.environ["BATS_TEST_TMPDIR"])
            with open(folder + "/vmcred.json", "w") as file:
                json.dump(declaration, file)
            done = subprocess.run([vmcred, "--project", folder, "declare"], capture_output=True, text=True)
            tried += 1
            if done.returncode != 0:
                refused.append(f"{name} = {json.dumps(example)}: {done.stderr}")
        if inner:
            look(table, each, path + [key], f"{prefix}{key}.")

look("top level", schema, [])
for table, path in places.items():
    look(table, defs[table], path)
assert set(places) | {"validation"} == set(defs), f"a table has no place here: {set(defs) ^ set(places)}"
assert not missing, f"no description or no example: {missing}"
assert not refused, "\n".join(refused)
assert tried > 70, tried
PY
}

@test "the manual page vmcred.toml(5) is built from the schema, with every key in it, and its example is taken" {
  "$VMCRED" declare --schema | "$VMCRED_SOURCE/packaging/manual-of-schema" >page.scd
  scdoc <page.scd >page.5
  python3 - "$VMCRED_SOURCE/packaging/vmcred.schema.json" page.scd <<'PY'
import json, sys
schema, page = json.load(open(sys.argv[1])), open(sys.argv[2]).read().replace("\\", "")
for name, node in [("", schema), *schema["$defs"].items()]:
    for key in node.get("properties", {}):
        assert f"*{key}*" in page, f"{name}: {key}"
PY
  sed -n '/^```$/,/^```$/p' page.scd | sed '1d;$d' >vmcred.toml
  grep -q 'generators.app-secrets' vmcred.toml
  run -0 "$VMCRED" declare
}
