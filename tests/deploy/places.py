"""Helpers for the files of `deploy/`."""

import os
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from wgig.settings import CHECKOUT_FOLDER, iter_variable_errors

DEPLOY = CHECKOUT_FOLDER / "deploy"
# The settings of the connection to a shared store, the same in all files of `deploy/`.
REMOTE_SETTINGS = {f"WGIG_REMOTE_{name}" for name in ("PROFILE", "QUERY", "UPDATE", "AUTH")}


def load_yaml(path: Path) -> dict[str, Any]:
    """The content of a YAML file."""
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def assert_known_settings(names: Iterable[str]) -> None:
    """Raises AssertionError if an environment variable `WGIG_…` is not a setting of the service."""
    assert list(iter_variable_errors(names)) == []


def find_tool(tool: str) -> str:
    """The path of a tool, beside Python or on PATH. Skips the test if there is none."""
    path = shutil.which(tool, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return path or pytest.skip(f"There is no {tool} on this machine.")


def find_remote_settings(path: Path) -> set[str]:
    """The settings WGIG_REMOTE_… in a file."""
    return set(re.findall(r"WGIG_REMOTE_[A-Z]+", path.read_text(encoding="utf-8")))
