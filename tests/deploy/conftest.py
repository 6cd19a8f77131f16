"""The secrets of the compose files of deploy/."""

import subprocess
from pathlib import Path

import pytest

from tests.deploy.places import DEPLOY, find_tool


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of secrets, created by the script deploy/secrets/make."""
    find_tool("openssl")
    script = tmp_path_factory.mktemp("secrets") / "make"
    script.write_bytes((DEPLOY / "secrets" / "make").read_bytes())
    subprocess.run(["sh", str(script)], check=True)
    return script.parent


@pytest.fixture(scope="session")
def certificate(secrets: Path) -> Path:
    """The certificate of the load balancer."""
    return secrets / "certificate.pem"
