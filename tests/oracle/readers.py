"""Prints how PyYAML understands a batch of texts.

Standard input: a JSON array of YAML texts. Standard output: a JSON array with, per text, a list of one reading: the
documents (empty ones left out) or the error. What JSON cannot say (times, sets, keys that are no strings, numbers that
are not finite) is written as a string that names its type, so that it never equals the value that was meant.
"""

import json
import math
import sys

import yaml

# The reader in Python is a second implementation, but slow; libyaml, where PyYAML was built with it, reads large texts.
LARGE = 256 * 1024
FAST_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def main():
    texts = json.load(sys.stdin)
    json.dump([[reading(text)] for text in texts], sys.stdout)


def reading(text):
    loader = FAST_LOADER if len(text) > LARGE else yaml.SafeLoader
    try:
        documents = [as_json(document) for document in yaml.load_all(text, loader) if document is not None]
    except yaml.YAMLError as error:
        return {"reader": "PyYAML", "documents": [], "error": str(error)}
    return {"reader": "PyYAML", "documents": documents}


def as_json(value):
    if isinstance(value, dict):
        return {key if isinstance(key, str) else foreign(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return foreign(value)


def foreign(value):
    return f"!{type(value).__name__} {value!r}"


main()
