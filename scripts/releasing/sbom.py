"""A software bill of materials: CycloneDX 1.5, from what cargo resolves."""

import json
import uuid
from datetime import datetime, timezone
from functools import cache

from .build import TARGETS, Release
from .shell import run


@cache
def document(release: Release) -> str:
    """Every package that is linked into a program, for any of the platforms."""
    packages: dict[str, dict] = {}
    edges: dict[str, set] = {}
    for target in TARGETS:
        command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", target]
        collect(json.loads(run(command, folder=release.root)), packages, edges)
    names = {key: reference(package) for key, package in packages.items()}
    root = next(key for key, package in packages.items() if package["name"] == "meshc")
    components = sorted((component(packages[key]) for key in edges if key != root), key=lambda one: one["bom-ref"])
    graph = [{"ref": names[key], "dependsOn": sorted(names[to] for to in edges[key])} for key in edges]
    time = datetime.fromtimestamp(release.time, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'meshc {release.version} {release.commit}')}",
        "version": 1,
        "metadata": {"timestamp": time, "component": {**component(packages[root]), "type": "application"}},
        "components": components,
        "dependencies": sorted(graph, key=lambda one: one["ref"]),
    }
    return json.dumps(bill, indent=2) + "\n"


def collect(metadata: dict, packages: dict[str, dict], edges: dict[str, set]) -> None:
    """Adds what the program needs: no dependencies of tests, none of build scripts only."""
    packages.update({package["id"]: package for package in metadata["packages"]})
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    todo = [metadata["resolve"]["root"]]
    done = set()
    while todo:
        key = todo.pop()
        if key in done:
            continue
        done.add(key)
        needed = {
            one["pkg"] for one in nodes[key]["deps"] if any(kind["kind"] is None for kind in one["dep_kinds"])
        }
        edges.setdefault(key, set()).update(needed)
        todo.extend(needed)


def reference(package: dict) -> str:
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package: dict) -> dict:
    name = reference(package)
    made = {"type": "library", "bom-ref": name, "name": package["name"], "version": package["version"], "purl": name}
    if package.get("license"):
        made["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    if package.get("repository"):
        made["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return made
