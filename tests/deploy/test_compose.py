"""The compose files are valid, their containers restricted, and their settings known."""

import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.places import (
    DEPLOY,
    REMOTE_SETTINGS,
    assert_known_settings,
    find_remote_settings,
    find_tool,
    load_yaml,
)

STACK_FILE = DEPLOY / "compose.yaml"  # Virtuoso, two instances and a load balancer
EMBEDDED_FILE = DEPLOY / "compose.embedded.yaml"  # one instance with the embedded store
FILES = [STACK_FILE, EMBEDDED_FILE]
SERVICES = [(path.name, name) for path in FILES for name in load_yaml(path)["services"]]
each_service = pytest.mark.parametrize(("file", "name"), SERVICES)


def load_service(file: str, name: str) -> dict[str, Any]:
    service: dict[str, Any] = load_yaml(DEPLOY / file)["services"][name]
    return service


@each_service
def test_a_container_has_restrictions_and_limits(file: str, name: str) -> None:
    service = load_service(file, name)
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert not {"privileged", "cap_add", "devices", "pid", "network_mode"} & service.keys()


@each_service
def test_an_image_has_a_full_version(file: str, name: str) -> None:
    *_, tag = load_service(file, name)["image"].partition(":")
    assert tag.count(".") >= 2


@each_service
def test_settings_of_the_service_are_known(file: str, name: str) -> None:
    service = load_service(file, name)
    if service["image"].startswith("wgig:"):
        assert_known_settings(service["environment"])


def test_only_the_balancer_is_reachable_from_outside() -> None:
    services = load_yaml(STACK_FILE)["services"]
    networks = load_yaml(STACK_FILE)["networks"]
    assert [name for name, service in services.items() if "ports" in service] == ["balancer"]
    internal = [name for name, network in networks.items() if network.get("internal")]
    for name, service in services.items():
        assert name == "balancer" or set(service["networks"]) <= set(internal)
    assert "store" not in services["balancer"]["networks"]
    (embedded,) = load_yaml(EMBEDDED_FILE)["services"].values()
    assert all(port.startswith("127.0.0.1:") for port in embedded["ports"])


def test_instances_trust_only_the_balancer_and_share_only_tokens() -> None:
    services = load_yaml(STACK_FILE)["services"]
    address = services["balancer"]["networks"]["front"]["ipv4_address"]
    instances = [service for name, service in services.items() if name.startswith("wgig-")]
    assert len(instances) == 2
    assert {instance["environment"]["WGIG_PROXIES"] for instance in instances} == {address}
    volumes = [set(instance["volumes"]) for instance in instances]
    assert set.intersection(*volumes) == {"tokens:/tokens"}
    assert {instance["environment"]["WGIG_TOKENS"] for instance in instances} == {"/tokens/tokens.json"}


def test_secrets_are_created_as_files_and_never_in_the_environment() -> None:
    content = load_yaml(STACK_FILE)
    script = (DEPLOY / "secrets" / "make").read_text(encoding="utf-8")
    for secret in content["secrets"].values():
        assert f"> {Path(secret['file']).name}\n" in script
    for service in content["services"].values():
        for name, value in service["environment"].items():
            is_secret = any(fnmatch(name, pattern) for pattern in ("*PASSWORD*", "*TOKEN*", "*AUTH*"))
            assert not is_secret or re.search(r"(^|:)/\w", value), "the value must be a file"


def test_virtuoso_creates_a_separate_user_for_the_service(secrets: Path) -> None:
    user, password = (secrets / "virtuoso_login").read_text(encoding="utf-8").strip().split(":")
    assert user == "wgig"
    assert password not in (secrets / "virtuoso_dba").read_text(encoding="utf-8")
    assert f"USER_CREATE('wgig', '{password}')" in (secrets / "virtuoso_user.sql").read_text(encoding="utf-8")
    assert {
        "source": "virtuoso_user",
        "target": "/opt/virtuoso-opensource/initdb.d/wgig.sql",
    } in load_service("compose.yaml", "virtuoso")["secrets"]


def test_existing_secrets_are_not_changed(secrets: Path) -> None:
    before = {path: path.read_bytes() for path in secrets.iterdir()}
    subprocess.run(["sh", str(secrets / "make")], check=True, capture_output=True)
    assert {path: path.read_bytes() for path in secrets.iterdir()} == before


def test_all_files_have_the_same_settings_of_the_shared_store() -> None:
    assert load_yaml(STACK_FILE)["services"]["wgig-1"]["environment"].keys() >= REMOTE_SETTINGS
    for path in ("systemd/remote.conf", "helm/wgig/templates/_helpers.tpl"):
        assert find_remote_settings(DEPLOY / path) == REMOTE_SETTINGS


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_compose_accepts_the_file(path: Path) -> None:
    command = [find_tool("docker-compose"), "--file", str(path), "config", "--quiet"]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (process.returncode, process.stderr) == (0, "")
