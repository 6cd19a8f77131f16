"""The clients are those that were tested, from whatever registry somebody uses."""

import json
from pathlib import Path

HERE = Path(__file__).parent
WANTED = json.loads((HERE / "package.json").read_text(encoding="utf-8"))["dependencies"]
LOCKED = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))["packages"]


def test_each_client_has_one_exact_version() -> None:
    for name, version in WANTED.items():
        assert LOCKED[f"node_modules/{name}"]["version"] == version


def test_each_package_has_a_digest_and_names_no_host() -> None:
    packages = [one for path, one in LOCKED.items() if path]
    assert all(one["integrity"].startswith("sha512-") for one in packages)
    assert not [one for one in packages if "resolved" in one]
