"""The stacks of containers are well formed, their containers confined, and their settings known."""

import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.places import DEPLOY, REMOTE, document, exports, need, refuse_unknown

FILES = [DEPLOY / "compose.yaml", DEPLOY / "compose.embedded.yaml"]
SERVICES = [(path.name, name) for path in FILES for name in document(path)["services"]]
every_service = pytest.mark.parametrize(("file", "name"), SERVICES)


def service(file: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = document(DEPLOY / file)["services"][name]
    return found


@every_service
def test_a_container_may_do_little_and_takes_no_more_than_it_is_given(file: str, name: str) -> None:
    one = service(file, name)
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert one["mem_limit"]
    assert one["pids_limit"]
    assert not {"privileged", "cap_add", "devices", "pid", "network_mode"} & one.keys()


@every_service
def test_an_image_has_a_full_version(file: str, name: str) -> None:
    *_, tag = service(file, name)["image"].partition(":")
    assert tag.count(".") >= 2


@every_service
def test_settings_of_the_service_are_known(file: str, name: str) -> None:
    one = service(file, name)
    if one["image"].startswith("wgig:"):
        refuse_unknown(one["environment"])


def test_only_the_balancer_is_reached_from_outside() -> None:
    services = document(FILES[0])["services"]
    networks = document(FILES[0])["networks"]
    assert [name for name, one in services.items() if "ports" in one] == ["balancer"]
    inside = [name for name, one in networks.items() if one.get("internal")]
    for name, one in services.items():
        assert name == "balancer" or set(one["networks"]) <= set(inside)
    assert "store" not in services["balancer"]["networks"]
    (embedded,) = document(FILES[1])["services"].values()
    assert all(port.startswith("127.0.0.1:") for port in embedded["ports"])


def test_instances_believe_the_balancer_alone_and_share_nothing_but_tokens() -> None:
    services = document(FILES[0])["services"]
    address = services["balancer"]["networks"]["front"]["ipv4_address"]
    instances = [one for name, one in services.items() if name.startswith("wgig-")]
    assert len(instances) == 2
    assert {one["environment"]["WGIG_PROXIES"] for one in instances} == {address}
    volumes = [set(one["volumes"]) for one in instances]
    assert set.intersection(*volumes) == {"tokens:/tokens"}
    assert {one["environment"]["WGIG_TOKENS"] for one in instances} == {"/tokens/tokens.json"}


def test_secrets_are_files_that_are_made_and_never_in_the_environment() -> None:
    content = document(FILES[0])
    made = (DEPLOY / "secrets" / "make").read_text(encoding="utf-8")
    for secret in content["secrets"].values():
        assert f"> {Path(secret['file']).name}\n" in made
    for one in content["services"].values():
        for name, value in one["environment"].items():
            hidden = any(fnmatch(name, pattern) for pattern in ("*PASSWORD*", "*TOKEN*", "*AUTH*"))
            assert not hidden or re.search(r"(^|:)/\w", value), "a file"


def test_the_service_is_a_user_of_its_own_whom_virtuoso_makes_at_its_first_start(secrets: Path) -> None:
    user, password = (secrets / "virtuoso_login").read_text(encoding="utf-8").strip().split(":")
    assert user == "wgig"
    assert password not in (secrets / "virtuoso_dba").read_text(encoding="utf-8")
    assert f"USER_CREATE('wgig', '{password}')" in (secrets / "virtuoso_user.sql").read_text(encoding="utf-8")
    assert {
        "source": "virtuoso_user",
        "target": "/opt/virtuoso-opensource/initdb.d/wgig.sql",
    } in service("compose.yaml", "virtuoso")["secrets"]


def test_secrets_that_are_there_are_left_as_they_are(secrets: Path) -> None:
    before = {path: path.read_bytes() for path in secrets.iterdir()}
    subprocess.run(["sh", str(secrets / "make")], check=True, capture_output=True)
    assert {path: path.read_bytes() for path in secrets.iterdir()} == before


def test_the_shared_store_is_reached_by_the_same_names_everywhere() -> None:
    assert document(FILES[0])["services"]["wgig-1"]["environment"].keys() >= REMOTE
    for path in ("systemd/remote.conf", "helm/wgig/templates/_helpers.tpl"):
        assert exports(DEPLOY / path) == REMOTE


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_compose_takes_it(path: Path) -> None:
    command = [need("docker-compose"), "--file", str(path), "config", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
