"""What the page of a shape shows: how it is written, what it lets pass and what not."""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from functools import cache
from itertools import dropwhile
from pathlib import Path
from typing import NamedTuple

from ..settings import SHIPPED

EXAMPLES = SHIPPED / "shapes" / "examples" / "issue-paper"
PASSES = "ok-final"  # all rules; those that break one differ from it by one change
CONTEXT = 2  # lines around those that differ
BLOCK = re.compile(r"^shape:(?P<name>[\w-]+)\n.*? \.$(?=\n\n|\n?\Z)", re.MULTILINE | re.DOTALL)

FAILING, PASSING, BOTH = "-", "+", " "
GAP = "…"


class Line(NamedTuple):
    """A line of two examples: whether it stands in the failing one, the passing one or both, or a gap."""

    mark: str
    text: str


class Contrast(NamedTuple):
    """An example that breaks a rule, the one that passes, both by name, and where they differ."""

    failing: str
    passing: str
    lines: Sequence[Line]


@cache
def written() -> dict[str, str]:
    """The shapes as people wrote them in Turtle, by their local names."""
    files = sorted((SHIPPED / "shapes").glob("*.ttl"))
    return {
        block["name"]: block[0]
        for file in files
        for block in BLOCK.finditer(file.read_text(encoding="utf-8"))
    }


@cache
def examples() -> dict[str, Path]:
    """The files of the example papers that pass and that break a rule, by their names."""
    return {file.name: file for file in sorted(EXAMPLES.glob("*.ttl"))}


@cache
def contrast(code: str) -> Contrast | None:
    """The example that breaks the rule of this code beside the one that passes; None where there is none."""
    failing, passing = (examples().get(f"{name}.ttl") for name in (f"bad-{code}", PASSES))
    if failing is None or passing is None:
        return None
    return Contrast(failing.name, passing.name, [*differences(failing, passing)])


def matcher(failing: Path, passing: Path) -> SequenceMatcher[str]:
    """What compares two examples line by line, whatever the white space."""
    one, other = ([" ".join(line.split()) for line in statements(file)] for file in (failing, passing))
    return SequenceMatcher(a=one, b=other, autojunk=False)


def statements(file: Path) -> list[str]:
    """The lines of an example without its first comment and its prefixes."""
    lines = dropwhile(lambda line: line.startswith("#"), file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if not line.startswith("@prefix")]


def differences(failing: Path, passing: Path) -> Iterator[Line]:
    """The lines in which two examples differ, with some lines around them."""
    one, other = statements(failing), statements(passing)
    for number, group in enumerate(matcher(failing, passing).get_grouped_opcodes(CONTEXT)):
        if number:
            yield Line(GAP, "")
        for tag, start, end, other_start, other_end in group:
            if tag == "equal":
                yield from (Line(BOTH, line) for line in one[start:end])
            else:
                yield from (Line(FAILING, line) for line in one[start:end])
                yield from (Line(PASSING, line) for line in other[other_start:other_end])
