"""The list of what an installation consists of is whole, true, valid, and the same for the same commit."""

from __future__ import annotations

import json
import re

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from clusterqa import __version__
from probes import tool

sbom = tool("sbom")


@pytest.fixture(scope="module")
def made() -> str:
    text = sbom.as_json(sbom.made(sbom.graph([sbom.WHOLE]), sbom.pinned()))
    assert isinstance(text, str)
    return text


def test_it_is_what_the_standard_says(made: str) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(made) is None


def test_it_names_what_is_installed_in_the_version_that_was_tested(made: str) -> None:
    told = json.loads(made)
    versions = {component["name"]: component["version"] for component in told["components"]}
    pinned = sbom.pinned()
    assert {"openvino", "gradio", "scipy", "mcp", "lxml", "starlette", "pillow"} <= set(versions)
    assert versions["openvino"] == pinned["openvino"]
    assert not {"torch", "pytest", "playwright", "mypy"} & set(versions)
    assert (told["metadata"]["component"]["name"], told["metadata"]["component"]["version"]) == (
        "clusterqa",
        __version__,
    )
    assert all("licenses" in component for component in told["components"])


def test_it_tells_what_needs_what(made: str) -> None:
    needs = {entry["ref"]: entry.get("dependsOn", []) for entry in json.loads(made)["dependencies"]}
    pinned = sbom.pinned()
    assert f"fastapi@{pinned['fastapi']}" in needs[f"clusterqa@{__version__}"]
    assert f"starlette@{pinned['starlette']}" in needs[f"fastapi@{pinned['fastapi']}"]


def test_no_library_of_the_default_install_is_under_the_gpl(made: str) -> None:
    licences = {c["name"]: json.dumps(c["licenses"]) for c in json.loads(made)["components"]}

    def only_gpl(told: str) -> bool:
        return all("GPL" in choice for choice in re.split(r"\bor\b", told.replace("LGPL", ""), flags=re.IGNORECASE))

    assert only_gpl("GPL-3.0-only") and not only_gpl("MPL-1.1 OR GPL-2.0-only") and not only_gpl("LGPL-2.1-only")
    assert [name for name, told in licences.items() if only_gpl(told)] == []


def test_the_same_commit_gives_the_same_bytes(made: str) -> None:
    assert sbom.as_json(sbom.made(sbom.graph([sbom.WHOLE]), sbom.pinned())) == made


def test_a_package_that_the_lock_does_not_name_is_told() -> None:
    with pytest.raises(SystemExit, match=r"constraints\.txt has no version of newcomer"):
        sbom.made({"clusterqa": {"newcomer"}, "newcomer": set()}, {})
