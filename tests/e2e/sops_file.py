#!/usr/bin/env python3
"""Writes a file as sops does, without sops and without vmcred: python3-cryptography and Debian's age.

usage: sops_file.py FILE RECIPIENT... <VALUES (JSON)

By the name of FILE: .env (dotenv), .ini, else a JSON object, which YAML is as well. Keys that end in "_unencrypted" stay in the clear.
"""
import base64, hashlib, json, os, subprocess, sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

path, recipients = sys.argv[1], sys.argv[2:]
values = json.load(sys.stdin)
key = os.urandom(32)
digest = hashlib.sha512()
modified = "2026-11-30T12:00:00Z"


def sealed(text, aad, kind):
    iv = os.urandom(32)
    whole = AESGCM(key).encrypt(iv, text.encode(), aad.encode())
    data, tag = whole[:-16], whole[-16:]
    parts = ",".join(f"{name}:{base64.b64encode(part).decode()}" for name, part in (("data", data), ("iv", iv), ("tag", tag)))
    return f"ENC[AES256_GCM,{parts},type:{kind}]"


def walk(node, where, clear):
    if isinstance(node, dict):
        return {name: walk(each, where + [name], clear or name.endswith("_unencrypted")) for name, each in node.items()}
    if isinstance(node, list):
        return [walk(each, where, clear) for each in node]
    kind = {bool: "bool", int: "int", float: "float"}.get(type(node), "str")
    text = str(node)
    digest.update(text.encode())
    return node if clear or text == "" else sealed(text, "".join(step + ":" for step in where), kind)


def wrapped(recipient):
    return subprocess.run(["age", "-a", "-r", recipient], input=key, capture_output=True, check=True).stdout.decode()


tree = walk(values, [], False)
entries = [{"recipient": each, "enc": wrapped(each)} for each in recipients]
mac = sealed(digest.hexdigest().upper(), modified, "str")
version = "3.11.0"
if path.endswith((".env", ".ini")):
    flat = [(f"age__list_{i}__map_{name}", entry[name].replace("\n", "\\n")) for i, entry in enumerate(entries) for name in ("enc", "recipient")]
    flat += [("lastmodified", modified), ("mac", mac), ("unencrypted_suffix", "_unencrypted"), ("version", version)]
    if path.endswith(".env"):
        lines = [f"{name}={value}" for name, value in tree.items()] + [f"sops_{name}={value}" for name, value in flat]
    else:
        lines = [line for section, part in tree.items() for line in [f"[{section}]"] + [f"{name} = {value}" for name, value in part.items()]]
        lines += ["[sops]"] + [f"{name} = {value}" for name, value in flat]
    text = "\n".join(lines) + "\n"
else:
    tree["sops"] = {"age": entries, "lastmodified": modified, "mac": mac, "unencrypted_suffix": "_unencrypted", "version": version}
    text = json.dumps(tree, indent=2) + "\n"
with open(path, "w") as file:
    file.write(text)
