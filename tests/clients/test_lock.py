"""Packages of npm are those that were tested, from whatever registry somebody uses."""

import json
from pathlib import Path
from typing import Any

import pytest
from wgig.settings import CHECKOUT_FOLDER

FOLDERS = (Path(__file__).parent, CHECKOUT_FOLDER / "service" / "web")
every_folder = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def content(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
    return found


@every_folder
def test_each_wanted_package_has_one_exact_version(folder: Path) -> None:
    wanted, locked = content(folder, "package.json"), content(folder, "package-lock.json")["packages"]
    for name, version in (wanted.get("devDependencies", {}) | wanted["dependencies"]).items():
        assert locked[f"node_modules/{name}"]["version"] == version


@every_folder
def test_each_package_has_a_digest_and_names_no_host(folder: Path) -> None:
    packages = [one for path, one in content(folder, "package-lock.json")["packages"].items() if path]
    assert all(one["integrity"].startswith("sha512-") for one in packages)
    assert not [one for one in packages if "resolved" in one]
