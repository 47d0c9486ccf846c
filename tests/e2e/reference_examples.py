#!/usr/bin/env python3
"""reference_examples.py SCHEMA MANUAL: each example and default of vmcred.toml(5) fits its own key's schema, and a declaration that holds
the example is read by `$VMCRED declare`; so is the example at the page's top."""
import copy
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema

SCHEMA = json.loads(pathlib.Path(sys.argv[1]).read_text())
BASE = {
    "machines": {"web1": {}, "web2": {}},
    "generators": {"test-vm-secrets": {"script": "true", "machines": ["web1"], "files": {"api-key": {}}}, "ca": {"script": "true", "machines": ["web1"], "files": {"root.crt": {}}},
                   "other": {"script": "true", "machines": ["web1"], "files": {"word": {}}, "prompts": {"pin": {"description": "a PIN"}}}},
    "vms": {"test-vm": {"machine": "web1", "kernel": "guest/vmlinuz", "initrd": "guest/initrd",
                        "guest": {"systemd": 257, "agent": True, "services": {"web": {}}},
                        "credentials": {"api-key": {"from": "test-vm-secrets/api-key", "services": ["web"]}},
                        "disks": [{"path": "root.raw"}], "networks": [{"type": "user"}],
                        "shares": [{"tag": "store", "socket": "/run/virtiofsd/store.sock"}]}},
}
VM = ("vms", "test-vm")
PLACES = {  # definition: where one of its kind stands; of others only the schema is asked
    None: (), "machine": ("machines", "web1"), "generator": ("generators", "other"), "file": ("generators", "other", "files", "word"),
    "prompt": ("generators", "other", "prompts", "pin"), "vm": VM, "credential": (*VM, "credentials", "api-key"),
    "service": (*VM, "guest", "services", "web"), "disk": (*VM, "disks", 0), "network": (*VM, "networks", 0), "share": (*VM, "shares", 0),
}
# What a key excludes, or needs beside it.
WITHOUT = {"generator.share": ["machines"], "generator.vms": ["machines"], "credential.value": ["from"], "credential.public": ["from"], "vm.load-credential": ["credentials"],
           "vm.credential-files": ["credentials"]}
WITH = {"credential.public": {"value": "x"}, "credential.value": {"public": True}, "vm.credential-files": {"load-credential": ["host-api-key:test-vm-secrets/api-key"]},
        "network.tap": {"type": "tap"}, "network.type": {"tap": "vm-test"}}


def keys_of(node, path=()):
    for name, key in node["properties"].items():
        yield path + (name,), key
        if "properties" in key:
            yield from keys_of(key, path + (name,))


def read(declaration):
    """What `vmcred declare` says against it; empty: nothing."""
    with tempfile.TemporaryDirectory() as folder:
        if isinstance(declaration, str):
            (pathlib.Path(folder) / "vmcred.toml").write_text(declaration)
        else:
            (pathlib.Path(folder) / "vmcred.json").write_text(json.dumps(declaration))
        ran = subprocess.run([os.environ["VMCRED"], "declare", "--project", folder], capture_output=True, text=True)
        return ran.stderr if ran.returncode != 0 else ""


def main():
    bad, seen = [], 0
    kinds = [None, *(name for name, node in SCHEMA["$defs"].items() if "properties" in node)]
    for kind in kinds:
        place = PLACES.get(kind)
        for path, key in keys_of(SCHEMA if kind is None else SCHEMA["$defs"][kind]):
            name = ".".join((kind or "top level",) + path)
            rules = {**key, "$defs": SCHEMA["$defs"]}
            for value in key.get("examples", []) + ([key["default"]] if "default" in key else []):
                for error in jsonschema.Draft202012Validator(rules).iter_errors(value):
                    bad.append(f"{name}: {value!r}: {error.message}")
            for value in key.get("examples", []) if place is not None else []:
                seen += 1
                declaration = copy.deepcopy(BASE)
                at = declaration
                for step in place + path[:-1]:
                    at = at.setdefault(step, {}) if isinstance(at, dict) else at[step]
                for other in WITHOUT.get(name, []):
                    del at[other]
                at.update(WITH.get(name, {}))
                at[path[-1]] = value
                if said := read(declaration):
                    bad.append(f"{name} = {json.dumps(value)}: {said}")
    page = pathlib.Path(sys.argv[2]).read_text()
    if said := read(re.search(r'EXAMPLE = """(.*?)"""', page, re.S)[1]):
        bad.append(f"the page's example: {said}")
    assert seen > 70, f"only {seen} examples were seen"
    print("\n".join(bad))
    return 1 if bad else 0


sys.exit(main())
