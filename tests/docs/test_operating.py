"""What the page about running the service shows can be called."""

import json
import re
import shlex

import pytest
from wgig.backup.manifest import NAME
from wgig.backup.swap import ASIDE, BEFORE
from wgig.settings import CHECKOUT
from wgig.usage import parser

PAGE = (CHECKOUT / "docs" / "operating.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^(?:[\d*]+ ){0,5}wgig (.*)$", PAGE, re.MULTILINE)


def test_the_page_shows_commands() -> None:
    assert len(COMMANDS) == 8


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_can_be_called_as_shown(command: str) -> None:
    parser().parse_args(shlex.split(command.partition(">")[0], comments=True))


def test_what_it_names_is_called_so() -> None:
    (shown,) = re.findall(r"^\{.*\}$", PAGE, re.MULTILINE)
    under_way = {"copying", "indexing", "comparing", "describing"}
    assert json.loads(shown).keys() == {"status", "lastBackup", "failedWrite", *under_way}
    assert f"`{NAME}`" in PAGE
    assert f"`{ASIDE}/{BEFORE}…`" in PAGE
