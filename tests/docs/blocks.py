"""The pages of `docs/`: their code blocks and commands, and running a block in a shell."""

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
SHOWN_URL = "http://127.0.0.1:8000/"  # of the service, on all pages


def read_docs_page(name: str) -> str:
    """The text of a page, by its path below `docs/`."""
    return (DOCS / name).read_text(encoding="utf-8")


def skip_without(*tools: str) -> None:
    """Skip the test if this machine does not have a tool that the commands of a page use."""
    for tool in tools:
        if not shutil.which(tool):
            pytest.skip(f"There is no {tool}, which the commands of the page use.")


def find_code_blocks(text: str, language: str) -> list[str]:
    """The code blocks in a language, in order; `language` is empty for blocks without one."""
    return [
        token.content
        for token in MarkdownIt().parse(text)
        if token.type == "fence" and token.info == language
    ]


def parse_transcript(text: str) -> list[tuple[str, str]]:
    """Each command of the `console` blocks, and its output until the next command or the end of the block."""
    return [
        command_and_output
        for block in find_code_blocks(text, "console")
        for command_and_output in re.findall(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    ]


def find_calls(text: str, program: str) -> list[str]:
    """The arguments of each call of a program in code blocks, after a prompt, cron schedule or variables."""
    fences = [token.content for token in MarkdownIt().parse(text) if token.type == "fence"]
    lines = "".join(fences).replace("\\\n", " ")
    return re.findall(rf"^(?:\$ |[\d*]+ |\w+=\S+ )*{program} (.*)$", lines, re.MULTILINE)


def run_shell_block(
    block: str, service: str, folder: Path, **variables: str
) -> "subprocess.CompletedProcess[bytes]":
    """Run shell commands in a folder, with `$SERVICE` and other variables in the environment."""
    environment: Mapping[str, str] = os.environ | {"SERVICE": service.rstrip("/")} | variables
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        env=environment,
        cwd=folder,
        capture_output=True,
        check=False,
    )
