#!/usr/bin/env python3
"""Does PyYAML read the texts of a YAML file as the JSON file beside it says?

usage: check.py FILE.yaml FILE.json

The YAML file has `values`, a list of texts, and `keys`, a mapping from text to a number. The JSON file has both as lists, the
keys in the order of their numbers. Both of PyYAML's scanners are asked where both are there.
"""

import json
import sys

import yaml

SHOWN = 20


def differences(read, expected):
    """Yields (what, expected, read) for each text that came back as something else."""
    for number, text in enumerate(expected["values"]):
        value = read["values"][number]
        if type(value) is not str or value != text:
            yield "value", text, value
    if len(read["values"]) != len(expected["values"]):
        yield "number of values", len(expected["values"]), len(read["values"])
    by_number = {number: key for key, number in read["keys"].items()}
    for number, text in enumerate(expected["keys"]):
        key = by_number.get(number)
        if type(key) is not str or key != text:
            yield "key", text, key
    if len(read["keys"]) != len(expected["keys"]):
        yield "number of keys", len(expected["keys"]), len(read["keys"])


def main(yaml_path, json_path):
    with open(json_path, encoding="utf-8") as file:
        expected = json.load(file)
    with open(yaml_path, encoding="utf-8", newline="") as file:
        text = file.read()
    failed = False
    for loader in [yaml.SafeLoader, getattr(yaml, "CSafeLoader", None)]:
        if loader is None:
            print("skipped: this PyYAML is built without libyaml")
            continue
        found = list(differences(yaml.load(text, Loader=loader), expected))
        failed = failed or bool(found)
        print(f"PyYAML {yaml.__version__} {loader.__name__}: {len(found)} differences")
        for what, wanted, got in found[:SHOWN]:
            print(f"  {what} {wanted!r} is read as {got!r}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
