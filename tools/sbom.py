"""
The list of what a whole installation consists of (SBOM), in CycloneDX's JSON, for scanners of known weaknesses.

    python tools/sbom.py dist/clusterqa.cdx.json

What `clusterqa[all]` brings comes from the metadata of the packages that are installed here, versions from constraints.txt.
The same commit gives the same bytes: there is no time and no random number in it.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, metadata, requires
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from clusterqa import __version__

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WHOLE = "clusterqa[all]"


def graph(given: Iterable[str]) -> dict[str, set[str]]:
    """
    What these requirements bring on this machine: package → the packages it needs itself, all by canonical name.

    clusterqa's own requirements are read from pyproject.toml, others from the metadata of what is installed; of a package that is
    not, nothing is known but its name.
    """
    found: dict[str, set[str]] = {}
    waiting = [Requirement(line) for line in given]
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        needs = found.setdefault(name, set())
        for extra in {"", *requirement.extras}:
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for inner in map(Requirement, _required_by(name, extra)):
                if inner.marker and not inner.marker.evaluate({"extra": extra}):
                    continue
                waiting.append(inner)
                if (needed := canonicalize_name(inner.name)) != name:
                    needs.add(needed)
    return found


def _required_by(name: str, extra: str) -> list[str]:
    if name == canonicalize_name(PROJECT["name"]):
        lines: list[str] = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
        return lines
    try:
        return requires(name) or []
    except PackageNotFoundError:
        return []


def pinned() -> dict[str, str]:
    """Canonical name → version, from constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pairs}


def made(needs: Mapping[str, set[str]], versions: Mapping[str, str]) -> Bom:
    """The list for a graph. Exits with a message for packages without a version: the lock is then not whole."""
    if lacking := sorted(set(needs) - set(versions) - {"clusterqa"}):
        sys.exit(f"constraints.txt has no version of {', '.join(lacking)}. Add what `pip freeze` says.")
    known = {**versions, "clusterqa": __version__}
    components = {name: _component(name, known[name]) for name in sorted(needs)}
    bom = Bom()
    bom.metadata.component = components["clusterqa"]
    bom.components.update(component for name, component in components.items() if name != "clusterqa")
    for name, component in components.items():
        bom.register_dependency(component, [components[needed] for needed in sorted(needs[name])])
    return bom


def _component(name: str, version: str) -> Component:
    ours = name == "clusterqa"
    licence = PROJECT["license"] if ours else _licence(name)
    return Component(
        name=name,
        version=version,
        type=ComponentType.APPLICATION if ours else ComponentType.LIBRARY,
        bom_ref=f"{name}@{version}",
        purl=PackageURL("pypi", None, name, version),
        licenses=[LicenseFactory().make_from_string(licence)] if licence else None,
    )


def _licence(name: str) -> str:
    """The licence as the package names it, in one line; "" when it does not."""
    told = metadata(name)
    short = next((line.strip() for name in ("License-Expression", "License") for line in told.get_all(name) or ()), "")
    if short and "\n" not in short and len(short) < 100:
        return short
    classes = [c.rpartition(" :: ")[2] for c in told.get_all("Classifier") or [] if c.startswith("License :: ")]
    return " or ".join(classes)


def as_json(bom: Bom) -> str:
    """Without the moment and the random serial number, so that it can be compared."""
    told = json.loads(JsonV1Dot6(bom).output_as_string())
    del told["serialNumber"], told["metadata"]["timestamp"]
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    found = graph([WHOLE])
    target.write_text(as_json(made(found, pinned())), encoding="utf-8")
    print(f"Wrote {target}: {len(found)} packages.")
