"""The pages of `docs/`, the code blocks and commands that they show, and how a shell runs a block."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from wgig.settings import CHECKOUT_FOLDER

DOCS = CHECKOUT_FOLDER / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
HERE = "http://127.0.0.1:8000/"  # where a page says that the service is


def page(name: str) -> str:
    """The text of a page, whose name is its path below `docs/`."""
    return (DOCS / name).read_text(encoding="utf-8")


def need(*tools: str) -> None:
    """Skip where this machine lacks a tool with which the page asks the service."""
    for tool in tools:
        if not shutil.which(tool):
            pytest.skip(f"There is no {tool}, with which the page asks the service.")


def blocks(text: str, kind: str) -> list[str]:
    """The blocks of a kind, in their order; the kind of a block that has no name is empty."""
    return [one.content for one in MarkdownIt().parse(text) if one.type == "fence" and one.info == kind]


def transcript(text: str) -> list[tuple[str, str]]:
    """Each command of the `console` blocks, and what it prints until the next one or the end of the block."""
    return [
        found
        for block in blocks(text, "console")
        for found in re.findall(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    ]


def calls(text: str, program: str) -> list[str]:
    """The arguments of each call of a program in code blocks, with a prompt or settings before it or not."""
    fences = [one.content for one in MarkdownIt().parse(text) if one.type == "fence"]
    lines = "".join(fences).replace("\\\n", " ")
    return re.findall(rf"^(?:\$ |[\d*]+ |\w+=\S+ )*{program} (.*)$", lines, re.MULTILINE)


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
