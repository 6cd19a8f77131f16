"""Credentials for a SPARQL engine are read from a file, unless other users can read or change it."""

from pathlib import Path

import pytest
from wgig.remote.client import RemoteCredentials


@pytest.fixture
def credentials_file(tmp_path: Path) -> Path:
    """A file with a user name and a password."""
    path = tmp_path / "login"
    path.write_text("wgig:secret\n")
    return path


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o440])  # the group may read the file
def test_credentials_file_is_read(credentials_file: Path, mode: int) -> None:
    credentials_file.chmod(mode)
    assert RemoteCredentials(f"digest:{credentials_file}").user_and_password == ("wgig", "secret")


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o660])  # others may read it, or the group may change it
def test_insecure_credentials_file_is_refused(credentials_file: Path, mode: int) -> None:
    credentials_file.chmod(mode)
    with pytest.raises(ValueError, match="chmod 600"):
        RemoteCredentials(f"digest:{credentials_file}")


@pytest.mark.parametrize("setting", ["wgig:secret", "digest:", "basic:/no/such/file"])
def test_invalid_setting_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match="WGIG_REMOTE_AUTH"):
        RemoteCredentials(setting)
