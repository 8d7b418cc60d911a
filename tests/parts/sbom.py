#!/usr/bin/env python3
"""The bill of materials of the Rust part: every crate that Cargo.lock names, as CycloneDX 1.6 in JSON.

    tests/parts/sbom.py --to FILE     writes it
    tests/parts/sbom.py --check       makes it and compares it with Cargo.lock; exit code 1 if they differ

The same lock file gives the same bytes. What the Android app takes from Maven is not in it.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tomllib
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def locked():
    """The packages of Cargo.lock by name and version."""
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    return {(package["name"], package["version"]): package for package in lock["package"]}


def made():
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--all-features"]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    own = set(metadata["workspace_members"])
    lock = locked()
    references = {package["id"]: purl(package) for package in metadata["packages"]}
    components = []
    for package in metadata["packages"]:
        component = {
            "type": "application" if package["id"] in own else "library",
            "bom-ref": purl(package),
            "name": package["name"],
            "version": package["version"],
            "purl": purl(package),
        }
        if package["license"]:
            # The old way of writing "or" is none of SPDX's.
            component["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
        checksum = lock.get((package["name"], package["version"]), {}).get("checksum")
        if checksum:
            component["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        if package["repository"]:
            component["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
        components.append(component)
    dependencies = [
        {"ref": references[node["id"]], "dependsOn": sorted(references[one] for one in node["dependencies"])}
        for node in metadata["resolve"]["nodes"]
    ]
    digest = hashlib.sha256((ROOT / "Cargo.lock").read_bytes()).hexdigest()
    version = next(package["version"] for package in metadata["packages"] if package["id"] in own)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, 'sotay:' + digest)}",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": "sotay", "name": "sotay", "version": version}},
        "components": sorted(components, key=lambda component: component["bom-ref"]),
        "dependencies": sorted(dependencies, key=lambda dependency: dependency["ref"]),
    }


def differences(bom):
    """What is wrong with a bill of materials, seen from Cargo.lock."""
    lock = locked()
    listed = [(component["name"], component["version"]) for component in bom["components"]]
    for name, version in sorted(set(lock) - set(listed)):
        yield f"{name} {version} is locked and not listed"
    for name, version in sorted(set(listed) - set(lock)):
        yield f"{name} {version} is listed and not locked"
    if len(listed) != len(set(listed)):
        yield "a crate is listed twice"
    references = {component["bom-ref"] for component in bom["components"]}
    for component in bom["components"]:
        of_lock = lock.get((component["name"], component["version"]), {})
        hashes = [entry["content"] for entry in component.get("hashes", [])]
        if hashes != [of_lock[key] for key in ["checksum"] if key in of_lock]:
            yield f"{component['bom-ref']} has another checksum"
        if not component.get("licenses"):
            yield f"{component['bom-ref']} names no licence"
    for dependency in bom["dependencies"]:
        for reference in {dependency["ref"], *dependency["dependsOn"]} - references:
            yield f"{reference} is needed and not listed"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--to", type=Path)
    what.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    bom = made()
    found = list(differences(bom))
    # The check itself: one that misses a crate, or has another checksum, must be seen.
    missing = {**bom, "components": bom["components"][1:]}
    with_hash = next(component for component in bom["components"] if "hashes" in component)
    other = {**with_hash, "hashes": [{"alg": "SHA-256", "content": "00" * 32}]}
    changed = {**bom, "components": [other if one is with_hash else one for one in bom["components"]]}
    if not list(differences(missing)) or not list(differences(changed)):
        found.append("the comparison with Cargo.lock does not see what is wrong")
    for line in found:
        print(line, file=sys.stderr)
    if arguments.to:
        arguments.to.write_text(json.dumps(bom, indent=1, ensure_ascii=False) + "\n")
    print(f"{len(bom['components'])} crates")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
