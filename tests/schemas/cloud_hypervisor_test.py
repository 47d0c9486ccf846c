#!/usr/bin/env python3
"""Every golden vm.create body is what cloud-hypervisor's own API description allows, and nothing unknown is in it. The
double in tests/e2e knows no field that the description does not, and wants the same to be there.

usage: cloud_hypervisor_test.py SOURCE_FOLDER"""

import importlib.machinery
import importlib.util
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


def load_double(source):
    path = str(source / "tests/e2e/doubles/cloud-hypervisor")
    loader = importlib.machinery.SourceFileLoader("cloud_hypervisor_double", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


def differences(table, schema, schemas, path):
    """Where the double's table and a schema of the description disagree. Fields that the double lacks are none: we never
    send them."""
    if isinstance(table, list):
        yield from differences(table[0], schema.get("items", {}), schemas, path + "[]")
        return
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rsplit("/", 1)[1]]
    if not isinstance(table, dict):
        names = {str: ("string", None), int: ("integer", "number"), bool: ("boolean", None)}
        if schema.get("type", "string") not in names[table]:
            yield f"{path}: the double takes {table.__name__}"
        return
    for name, kind in table.items():
        field = name.rstrip("!")
        if field not in schema["properties"]:
            yield f"{path}.{field}: unknown to the description"
            continue
        if name.endswith("!") != (field in schema.get("required", [])):
            yield f"{path}.{field}: required in only one of the two"
        yield from differences(kind, schema["properties"][field], schemas, f"{path}.{field}")


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
    double = load_double(source)
    for difference in differences(double.VM, schema, document["components"]["schemas"], "vm"):
        failed += 1
        print(f"tests/e2e/doubles/cloud-hypervisor: {difference}")
    print(f"{len(bodies)} bodies and the double checked, {failed} errors")
    return 1 if failed or not bodies else 0


sys.exit(main())
