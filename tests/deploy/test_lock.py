"""What is installed where the service is shipped to is what the package asks for, to the byte."""

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

PROJECT = tomllib.loads((CHECKOUT_FOLDER / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
DEPLOY = CHECKOUT_FOLDER / "deploy"
WANTED = {
    "requirements.lock": [*PROJECT["project"]["dependencies"], *EXTRAS["mcp"], *EXTRAS["parquet"]],
    "build.lock": PROJECT["dependency-groups"]["build"],
}
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
every_lock = pytest.mark.parametrize("lock", [DEPLOY / name for name in WANTED], ids=lambda lock: lock.name)


def locked(lock: Path) -> Iterator[tuple[Requirement, list[str]]]:
    """Each requirement of a lock, with its hashes."""
    text = re.sub(r"^ *#.*\n", "", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for line in text.replace("\\\n", " ").splitlines():
        requirement, *hashes = re.split(r" +(?=--)", line.strip())
        yield Requirement(requirement), hashes


@every_lock
def test_each_dependency_is_locked_at_a_version_within_its_range(lock: Path) -> None:
    versions = {canonicalize_name(one.name): str(one.specifier)[2:] for one, _ in locked(lock)}
    for wanted in map(Requirement, WANTED[lock.name]):
        assert versions[canonicalize_name(wanted.name)] in wanted.specifier, wanted


@every_lock
def test_each_package_has_one_version_and_its_hashes(lock: Path) -> None:
    for one, hashes in locked(lock):
        assert re.fullmatch(r"==[\w.!+]+", str(one.specifier)), one
        assert hashes, one
        assert all(HASH.fullmatch(digest) for digest in hashes), one


@every_lock
def test_no_place_is_named_from_which_it_comes(lock: Path) -> None:
    assert not re.search(r"://|--index|--find|--extra-index| @ ", lock.read_text(encoding="utf-8"))


def test_the_bill_of_materials_has_the_packages_that_pages_carry_and_no_tools() -> None:
    made = runpy.run_path(str(DEPLOY / "sbom.py"))
    lock = json.loads(made["LOCK"].read_text(encoding="utf-8"))
    wanted = json.loads(made["LOCK"].with_name("package.json").read_text(encoding="utf-8"))
    packages = {one["purl"]: one for one in made["in_browser"](lock)}
    for name, version in wanted["dependencies"].items():
        one = packages[f"pkg:npm/{name.replace('@', '%40')}@{version}"]
        assert [len(digest["content"]) for digest in one["hashes"]] == [128]
    assert not [purl for purl in packages if any(f"/{name}@" in purl for name in wanted["devDependencies"])]
