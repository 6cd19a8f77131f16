"""The pages about settings, commands and the Python client list everything that the code has."""

import argparse
import re
from collections.abc import Iterator
from dataclasses import fields

import pytest
import wgig
from wgig.cli.parser import build_command_parser
from wgig.settings import Settings

from docs.site.reference import (
    build_command_page,
    build_settings_page,
    describe_default,
    iter_subcommands,
)
from tests.docs.blocks import read_docs_page


def test_generated_pages_are_current() -> None:
    assert read_docs_page("reference/command.md") == build_command_page(), "Run: make reference"
    assert read_docs_page("reference/settings.md") == build_settings_page(), "Run: make reference"


def test_table_of_settings_matches_the_code() -> None:
    page = read_docs_page("reference/settings.md")
    rows = re.findall(r"^\| `WGIG_(\w+)`( ↻)? \| (.*?) \| (.*) \|$", page, re.MULTILINE)
    assert [(name.lower(), bool(live), default, help_) for name, live, default, help_ in rows] == [
        (setting.name, setting.metadata["live"], describe_default(setting), setting.metadata["help"])
        for setting in fields(Settings)
    ]


def test_defaults_that_depend_on_the_machine_have_words() -> None:
    machine_dependent = {"store", "workers", "readers", "reader_quads"}
    assert {
        setting.name for setting in fields(Settings) if setting.metadata["default_words"]
    } == machine_dependent


def iter_parsers(
    parser: argparse.ArgumentParser, command: str
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Each command and subcommand with its parser."""
    yield command, parser
    for name, subparser in iter_subcommands(parser):
        yield from iter_parsers(subparser, f"{command} {name}")


COMMANDS = dict(iter_parsers(build_command_parser(), "wgig"))


def read_command_section(command: str) -> str:
    """The section of a command, without those of its subcommands."""
    page = read_docs_page("reference/command.md")
    return re.split(r"^#+ ", page.partition(f"# {command}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


@pytest.mark.parametrize("command", [command for command in COMMANDS if command != "wgig"])
def test_each_command_lists_each_option_value_and_help(command: str) -> None:
    section, parser = read_command_section(command), COMMANDS[command]
    assert parser.description
    assert parser.description in section
    options = [option for action in parser._actions for option in action.option_strings]
    listed = re.findall(r"`(-[\w-]+)[^`]*`", section)
    assert sorted(listed) == sorted({*options} - {"-h", "--help"})
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction | argparse._SubParsersAction):
            continue
        help_ = str(action.help)[1:].replace("|", r"\|").removesuffix(".")
        assert f"{help_}" in section
        assert all(f"`{choice}`" in section for choice in action.choices or ())


def test_all_commands_have_sections() -> None:
    assert len(COMMANDS) > 20
    headings = re.findall(r"^##+ (wgig.*)$", read_docs_page("reference/command.md"), re.MULTILINE)
    assert sorted(headings) == sorted(COMMANDS.keys() - {"wgig"})


def test_each_public_name_of_the_client_is_in_the_reference() -> None:
    listed = re.findall(
        r"^::: wgig(?:_client)?\.(?:\w+\.)*(\w+)$", read_docs_page("reference/python.md"), re.MULTILINE
    )
    assert sorted(listed) == sorted(wgig.PUBLIC_NAMES)
