"""The clients are those that were tested, from where everybody gets them."""

import json
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).parent
WANTED = json.loads((HERE / "package.json").read_text(encoding="utf-8"))["dependencies"]
LOCKED = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))["packages"]


def test_each_client_has_one_exact_version() -> None:
    for name, version in WANTED.items():
        assert LOCKED[f"node_modules/{name}"]["version"] == version


def test_each_package_has_a_digest_and_no_other_host_than_the_public_registry() -> None:
    packages = [one for path, one in LOCKED.items() if path]
    assert all(one["integrity"].startswith("sha512-") for one in packages)
    hosts = {urlsplit(one["resolved"]).hostname for one in packages if "resolved" in one}
    assert hosts <= {"registry.npmjs.org"}
