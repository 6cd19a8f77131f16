"""npm installs the tested versions of packages, from any registry."""

import json
from pathlib import Path
from typing import Any

import pytest
from wgig.settings import CHECKOUT_FOLDER

FOLDERS = (Path(__file__).parent, CHECKOUT_FOLDER / "service" / "web")
for_each_folder = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def read_json(folder: Path, name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
    return document


@for_each_folder
def test_each_dependency_has_an_exact_version(folder: Path) -> None:
    manifest = read_json(folder, "package.json")
    locked = read_json(folder, "package-lock.json")["packages"]
    for name, version in (manifest.get("devDependencies", {}) | manifest["dependencies"]).items():
        assert locked[f"node_modules/{name}"]["version"] == version


@for_each_folder
def test_each_package_has_a_digest_and_no_registry_url(folder: Path) -> None:
    locked = read_json(folder, "package-lock.json")["packages"]
    packages = [package for path, package in locked.items() if path]  # "" is the path of the project itself
    assert all(package["integrity"].startswith("sha512-") for package in packages)
    assert not [package for package in packages if "resolved" in package]
