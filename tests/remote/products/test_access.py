"""Who we are to a service comes from a file that not all can read."""

from pathlib import Path

import pytest
from wgig.remote.client import RemoteCredentials


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with a name and a password."""
    path = tmp_path / "login"
    path.write_text("wgig:secret\n")
    return path


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o440])
def test_a_file_of_ours_is_read(file: Path, mode: int) -> None:
    file.chmod(mode)
    assert RemoteCredentials(f"digest:{file}").user_and_password == ("wgig", "secret")


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o660])
def test_a_file_that_is_open_to_others_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(ValueError, match="chmod 600"):
        RemoteCredentials(f"digest:{file}")


@pytest.mark.parametrize("setting", ["wgig:secret", "digest:", "basic:/no/such/file"])
def test_a_setting_that_does_not_fit_is_named(setting: str) -> None:
    with pytest.raises(ValueError, match="WGIG_REMOTE_AUTH"):
        RemoteCredentials(setting)
