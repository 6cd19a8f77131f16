"""The pages show the code that their tests run, and every call of `wgig` on a page can be parsed."""

import re
import shlex
from collections.abc import Iterator
from itertools import chain, takewhile

import pytest
from markdown_it import MarkdownIt
from wgig.cli.parser import build_command_parser
from wgig.settings import CHECKOUT_FOLDER

from tests.docs.blocks import PAGES, blocks, calls, page, transcript

# What the tests of each page run, and how much of it there is: blocks by kind, and calls by program.
# An extraction that finds less than what the page shows would let commands go untested.
SHOWN: dict[str, dict[str, int]] = {
    "benchmarks/serving.md": {"": 1},
    "explanation/architecture.md": {"": 1},
    "how-to/checking.md": {"$": 7, "wgig": 5, "curl": 3, "python": 1, "sparql": 2, "yaml": 4, "turtle": 1},
    "how-to/clients.md": {"wgig": 1, "curl": 2, "python": 7, "json": 3},
    "how-to/deploying.md": {"": 10},
    "how-to/feeds-and-calendar.md": {"sh": 2, "python": 2},
    "how-to/following-changes.md": {"sh": 3},
    "how-to/harvesting.md": {"sh": 2, "python": 1},
    "how-to/operating.md": {"wgig": 8},
    "how-to/papers-by-the-million.md": {"wgig": 4},
    "how-to/sharing.md": {"wgig": 2},
    "how-to/writing-to-the-graph.md": {"wgig": 4, "curl": 5},
    "reference/pages.md": {"$": 2},
    "reference/querying.md": {"": 3, "sh": 2, "python": 1},
    "reference/representations.md": {"$": 6},
    "reference/rest.md": {"curl": 11},
    "reference/searching.md": {"curl": 6},
    "reference/self-description.md": {"curl": 4, "sparql": 1},
    "tutorials/writing-a-paper.md": {"wgig": 3},
}

SET = r"(?:[A-Z_]+=\S+\s+)*"
MAKE = re.compile(rf"^(?:\$ )?{SET}make\s+{SET}([a-z][a-z-]*)", re.MULTILINE)


def count(text: str, kind: str) -> int:
    """How many blocks of a kind a page shows, calls of a program, or, for `$`, commands with their output."""
    if kind == "$":
        return len(transcript(text))
    return len(calls(text, kind) if kind in ("wgig", "curl") else blocks(text, kind))


@pytest.mark.parametrize("name", SHOWN)
def test_the_page_shows_commands(name: str) -> None:
    assert {kind: count(page(name), kind) for kind in SHOWN[name]} == SHOWN[name]


def test_every_page_with_code_is_counted() -> None:
    assert {name for name in PAGES if re.search(r"^\s*```", page(name), re.MULTILINE)} == SHOWN.keys()


def test_each_target_of_make_that_a_page_names_exists() -> None:
    texts = [page(name) for name in PAGES]
    texts += [
        (CHECKOUT_FOLDER / name).read_text(encoding="utf-8")
        for name in ("CONTRIBUTING.md", "README.md", "CHANGELOG.md")
    ]
    there = re.findall(
        r"^([a-z][a-z-]*):(?!=)", (CHECKOUT_FOLDER / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    named = {target for text in texts for target in made(text)}
    assert len(named) > 5
    assert named - set(there) == set()


def made(text: str) -> set[str]:
    """The targets of `make` that the code of a text names, in blocks and within lines."""
    tokens = MarkdownIt().parse(text)
    inside = (child for one in tokens for child in one.children or ())
    code = (one.content for one in chain(tokens, inside) if one.type in ("fence", "code_inline"))
    return {target for one in code for target in MAKE.findall(one)}


def shown_calls() -> Iterator[tuple[str, str]]:
    """Each call of `wgig` with where it stands."""
    for call in calls((CHECKOUT_FOLDER / "README.md").read_text(encoding="utf-8"), "wgig"):
        yield "README.md", call
    for name in PAGES:
        for call in calls(page(name), "wgig"):
            yield f"docs/{name}", call


@pytest.mark.parametrize(("where", "call"), list(shown_calls()))
def test_a_command_can_be_called_as_shown(where: str, call: str) -> None:
    words = shlex.shlex(call, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    # Up to a pipe or a redirection, or to what the shell runs next.
    arguments = list(takewhile(lambda word: not set(word) <= set("();<>|&"), words))
    assert arguments, where
    build_command_parser().parse_args(arguments)
