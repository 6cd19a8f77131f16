"""Writes the reference pages of the command and of the settings, from the code: `make reference`."""

import argparse
import re
from collections.abc import Iterator
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

from wgig.cli.parser import build_command_parser
from wgig.settings import Settings

REFERENCE_FOLDER = Path(__file__).parents[1] / "reference"
COMMAND_INTRODUCTION = """\
# The command

`wgig` serves, queries, checks and keeps the graph. `wgig --help` and `wgig COMMAND --help` print what is on
this page, and `wgig completion SHELL` prints the completion script of a shell. A command exits with 0 after
success, 1 after a negative or empty result, 2 for wrong arguments or unreadable input, and 3 after an error
of the environment or a bug; it is said where a command differs. [Settings](settings.md) lists the environment
variables.

This page is generated from the arguments of the commands (`service/wgig/cli/`) by `make reference`.
"""
SETTINGS_INTRODUCTION = """\
# Settings

Each setting is an environment variable. The options `--store`, `--data`, `--host`, `--port` and `--workers`
of `wgig serve` override five of them. The default store is in the user's data folder:
`~/.local/share/wgig/store` on Linux. [While the service runs](RELOADING), settings with ↻ can be changed.

This page is generated from `service/wgig/settings.py` by `make reference`.

| setting | default | what it does |
| --- | --- | --- |
""".replace("RELOADING", "../how-to/operating.md#settings-that-change-while-it-runs")


def write_reference_pages(folder: Path) -> None:
    """Write both pages into a folder."""
    (folder / "command.md").write_text(build_command_page(), encoding="utf-8")
    (folder / "settings.md").write_text(build_settings_page(), encoding="utf-8")


def build_settings_page() -> str:
    """The page of all settings, in the order of the code."""
    rows = (
        f"| `WGIG_{setting.name.upper()}`{' ↻' if setting.metadata['live'] else ''} "
        f"| {describe_default(setting)} | {setting.metadata['help']} |\n"
        for setting in fields(Settings)
    )
    return SETTINGS_INTRODUCTION + "".join(rows)


def describe_default(setting: Field[Any]) -> str:
    """The default of a setting in words: the value, unless it depends on the machine."""
    return setting.metadata["default_words"] or str(setting.default) or "none"


def build_command_page() -> str:
    """The page of all commands, with those of `wgig token` and `wgig bulk` below them."""
    parser = build_command_parser()
    return COMMAND_INTRODUCTION + "".join(
        section
        for name, command in iter_subcommands(parser)
        for section in iter_sections(f"wgig {name}", command, 2)
    )


def iter_subcommands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """The name and the parser of each subcommand, by name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from sorted(action.choices.items())


def iter_sections(command: str, parser: argparse.ArgumentParser, level: int) -> Iterator[str]:
    """The section of a command, and those of its subcommands."""
    actions = [action for action in parser._actions if is_argument(action)]
    rows = "".join(f"| {name_argument(action)} | {describe_argument(action)} |\n" for action in actions)
    table = f"\n| argument | what it does |\n| --- | --- |\n{rows}" if rows else ""
    examples, *notes = (parser.epilog or "").removeprefix("examples:\n").split("\n\n")
    texts = [f"```\n{re.sub('^  ', '', examples, flags=re.MULTILINE)}\n```\n"]
    texts.extend(f"{format_note(note)}\n" for note in notes)
    yield f"\n{'#' * level} {command}\n\n{parser.description}\n{table}\n" + "\n".join(texts)
    for name, subparser in iter_subcommands(parser):
        yield from iter_sections(f"{command} {name}", subparser, level + 1)


def is_argument(action: argparse.Action) -> bool:
    """Whether an action is an argument to describe, and neither --help nor a subcommand."""
    return not isinstance(action, argparse._HelpAction | argparse._SubParsersAction)


def name_argument(action: argparse.Action) -> str:
    """The names of an option with its value, or the name of a positional argument."""
    value = action.metavar or ("" if action.choices else action.dest.upper())
    if not action.option_strings:
        return f"`{value or action.dest.upper()}`" + (" …" if action.nargs in ("*", "+") else "")
    has_value = action.nargs != 0
    shown_value = f" {value or '…'}" if has_value else ""
    return ", ".join(f"`{option}{shown_value}`" for option in action.option_strings)


def describe_argument(action: argparse.Action) -> str:
    """The help of an argument, and the values that can be chosen."""
    choices = ", ".join(f"`{choice}`" for choice in action.choices or ())
    help_ = (action.help or "") % {"default": action.default, "prog": "wgig"}
    text = f"{help_[:1].upper()}{help_[1:]}".replace("|", r"\|")
    return f"{text}: {choices}." if choices else f"{text.removesuffix('.')}."


def format_note(note: str) -> str:
    """What follows the examples in the help of a command: exit codes as a paragraph, tables as they are."""
    lines = [line.removeprefix("  ") for line in note.splitlines()]
    if len(lines) > 1 and not lines[0].startswith("exit codes:"):
        title, *rest = lines
        return f"{title[0].upper()}{title[1:]}\n\n```\n" + "\n".join(rest) + "\n```"
    text = " ".join(lines)
    return f"{text[0].upper()}{text[1:]}."


if __name__ == "__main__":
    write_reference_pages(REFERENCE_FOLDER)
