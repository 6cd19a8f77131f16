"""The lock files have the dependencies of the package, with versions in range and hashes."""

import json
import re
import runpy
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from wgig.settings import CHECKOUT_FOLDER

PYPROJECT = tomllib.loads((CHECKOUT_FOLDER / "pyproject.toml").read_text(encoding="utf-8"))
CLIENT_PYPROJECT = tomllib.loads((CHECKOUT_FOLDER / "client" / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PYPROJECT["project"]["optional-dependencies"]
DEPLOY = CHECKOUT_FOLDER / "deploy"
REQUIREMENTS = {
    # The wheel of the client is installed with that of the service, so only its dependencies are locked.
    "requirements.lock": [
        requirement
        for requirements in (
            PYPROJECT["project"]["dependencies"],
            CLIENT_PYPROJECT["project"]["dependencies"],
            *(EXTRAS[name] for name in ("cluster", "explain", "mcp", "parquet", "word")),
        )
        for requirement in requirements
        if not requirement.startswith("wgig-client")
    ],
    "build.lock": [
        requirement
        for group in ("build", "docs")  # the first includes the second
        for requirement in PYPROJECT["dependency-groups"][group]
        if isinstance(requirement, str)
    ],
}
HASH_OPTION_PATTERN = re.compile(r"--hash=sha256:[0-9a-f]{64}")
each_lock = pytest.mark.parametrize(
    "lock", [DEPLOY / name for name in REQUIREMENTS], ids=lambda lock: lock.name
)


def iter_locked_requirements(lock: Path) -> Iterator[tuple[Requirement, list[str]]]:
    """Each requirement of a lock, with its hashes."""
    text = re.sub(r"^ *#.*\n", "", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for line in filter(None, text.replace("\\\n", " ").splitlines()):
        requirement, *hashes = re.split(r" +(?=--)", line.strip())
        yield Requirement(requirement), hashes


@each_lock
def test_each_dependency_is_locked_at_a_version_within_its_range(lock: Path) -> None:
    versions = {
        canonicalize_name(pin.name): str(pin.specifier).removeprefix("==")
        for pin, _ in iter_locked_requirements(lock)
    }
    for requirement in map(Requirement, REQUIREMENTS[lock.name]):
        assert versions[canonicalize_name(requirement.name)] in requirement.specifier, requirement


@each_lock
def test_each_package_has_one_version_and_its_hashes(lock: Path) -> None:
    for pin, hashes in iter_locked_requirements(lock):
        assert re.fullmatch(r"==[\w.!+]+", str(pin.specifier)), pin
        assert hashes, pin
        assert all(HASH_OPTION_PATTERN.fullmatch(digest) for digest in hashes), pin


@each_lock
def test_a_lock_names_no_package_index(lock: Path) -> None:
    assert not re.search(r"://|--index|--find|--extra-index| @ ", lock.read_text(encoding="utf-8"))


def test_the_bill_of_materials_has_the_browser_packages_and_no_build_tools() -> None:
    sbom = runpy.run_path(str(DEPLOY / "sbom.py"))
    lock = json.loads(sbom["LOCK"].read_text(encoding="utf-8"))
    manifest = json.loads(sbom["LOCK"].with_name("package.json").read_text(encoding="utf-8"))
    components = {component["purl"]: component for component in sbom["iter_browser_components"](lock)}
    for name, version in manifest["dependencies"].items():
        component = components[f"pkg:npm/{name.replace('@', '%40')}@{version}"]
        assert [len(digest["content"]) for digest in component["hashes"]] == [128]  # SHA-512, hexadecimal
    assert not [
        purl for purl in components if any(f"/{name}@" in purl for name in manifest["devDependencies"])
    ]
