"""The blocks of the pages of `docs/`, and how a shell runs one."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from wgig.settings import CHECKOUT

HERE = "http://127.0.0.1:8000/"  # where a page says that the service is


def page(name: str) -> str:
    """The text of a page."""
    return (CHECKOUT / "docs" / name).read_text(encoding="utf-8")


def need(*tools: str) -> None:
    """Skip where this machine lacks a tool with which the page asks the service."""
    for tool in tools:
        if not shutil.which(tool):
            pytest.skip(f"There is no {tool}, with which the page asks the service.")


def blocks(text: str, kind: str) -> list[str]:
    """The blocks of a kind, in their order; the kind of a block that has no name is empty."""
    return [one.content for one in MarkdownIt().parse(text) if one.type == "fence" and one.info == kind]


def run(block: str, service: str, folder: Path, **more: str) -> "subprocess.CompletedProcess[bytes]":
    """What becomes of a block of shell commands in a folder, with `$SERVICE` and more in the environment."""
    environment: Mapping[str, str] = os.environ | {"SERVICE": service.rstrip("/")} | more
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        env=environment,
        cwd=folder,
        capture_output=True,
        check=False,
    )
