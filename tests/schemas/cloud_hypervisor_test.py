#!/usr/bin/env python3
"""Every golden vm.create body is what cloud-hypervisor's own API description allows, and nothing unknown is in it.

usage: cloud_hypervisor_test.py SOURCE_FOLDER"""

import json
import os
import pathlib
import sys

import jsonschema
import yaml


def close(schema):
    """The description leaves objects open; the real parser refuses unknown fields (serde's deny_unknown_fields)."""
    if isinstance(schema, dict):
        if schema.get("type") == "object" and "properties" in schema:
            schema.setdefault("additionalProperties", False)
        for value in schema.values():
            close(value)
    elif isinstance(schema, list):
        for value in schema:
            close(value)


def main():
    source = pathlib.Path(sys.argv[1]).resolve()
    golden = source / "tests/golden/cloud_hypervisor"
    shared = pathlib.Path(os.environ.get("VMCRED_SHARED", source.parent / "shared"))
    description = shared / "data/cloud-hypervisor-openapi.yaml"
    if not description.is_file():
        print(f"NOT RUN HERE: {description} is not there; set VMCRED_SHARED to compare with it")
        return 0
    document = yaml.safe_load(description.read_text())
    close(document["components"]["schemas"])
    schema = {"$ref": "#/components/schemas/VmConfig", "components": document["components"]}
    validator = jsonschema.Draft7Validator(schema)
    bodies = sorted(golden.glob("*.json"))
    failed = 0
    for body in bodies:
        for error in validator.iter_errors(json.loads(body.read_text())):
            failed += 1
            print(f"{body.name}: {'/'.join(map(str, error.path))}: {error.message}")
    print(f"{len(bodies)} bodies checked, {failed} errors")
    return 1 if failed or not bodies else 0


sys.exit(main())
