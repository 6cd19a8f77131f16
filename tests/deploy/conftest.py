"""What tests of the balancer have in common."""

import subprocess
from pathlib import Path

import pytest

from tests.deploy.places import DEPLOY, need


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the secrets that the stack makes for whoever has none."""
    need("openssl")
    script = tmp_path_factory.mktemp("secrets") / "make"
    script.write_bytes((DEPLOY / "secrets" / "make").read_bytes())
    subprocess.run(["sh", str(script)], check=True)
    return script.parent


@pytest.fixture(scope="session")
def certificate(secrets: Path) -> Path:
    """The certificate among them."""
    return secrets / "certificate.pem"
