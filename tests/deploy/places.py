"""What the places have in common in which the service is shipped, and how they are read."""

import os
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from wgig.settings import CHECKOUT_FOLDER, iter_unknown_variables

DEPLOY = CHECKOUT_FOLDER / "deploy"
# How an instance reaches a store that it shares: the same names wherever it runs.
REMOTE = {f"WGIG_REMOTE_{name}" for name in ("PROFILE", "QUERY", "UPDATE", "AUTH")}


def document(path: Path) -> dict[str, Any]:
    """What a YAML file says."""
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def refuse_unknown(names: Iterable[str]) -> None:
    """Raises AssertionError where one of these environment variables is no setting of the service."""
    assert list(iter_unknown_variables(names)) == []


def need(tool: str) -> str:
    """The path of a tool, beside Python or of the machine. Skips where there is none."""
    found = shutil.which(tool, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return found or pytest.skip(f"There is no {tool} here.")


def exports(path: Path) -> set[str]:
    """The names of our environment variables in a file."""
    return set(re.findall(r"WGIG_REMOTE_[A-Z]+", path.read_text(encoding="utf-8")))
