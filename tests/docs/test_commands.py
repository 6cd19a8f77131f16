"""The code on the pages is counted, so that none goes untested, and all calls of `wgig` can be parsed."""

import re
import shlex
from collections.abc import Iterator
from itertools import chain, takewhile

import pytest
from markdown_it import MarkdownIt
from wgig.cli.parser import build_command_parser
from wgig.settings import CHECKOUT_FOLDER

from tests.docs.blocks import PAGES, find_calls, find_code_blocks, parse_transcript, read_docs_page

# The code that the tests of each page run: numbers of blocks by language, of calls by program, and for `$` of
# commands with output. If the extraction missed some, commands would go untested.
SHOWN: dict[str, dict[str, int]] = {
    "benchmarks/serving.md": {"": 1},
    "explanation/architecture.md": {"": 1},
    "explanation/judgments.md": {"sparql": 1, "csv": 1},
    "how-to/checking.md": {"$": 9, "wgig": 9, "curl": 6, "python": 1, "sparql": 2, "yaml": 4, "turtle": 4},
    "how-to/clients.md": {"wgig": 1, "curl": 2, "python": 11, "json": 3},
    "how-to/data-releases.md": {"sh": 3, "wgig": 2},
    "how-to/deploying.md": {"": 10},
    "how-to/feeds-and-calendar.md": {"sh": 2, "python": 2},
    "how-to/following-changes.md": {"sh": 3, "python": 1, "json": 1},
    "how-to/harvesting.md": {"sh": 4, "python": 2},
    "how-to/operating.md": {"wgig": 8},
    "how-to/own-rules.md": {"$": 2, "wgig": 6, "sh": 2, "turtle": 2, "sparql": 1},
    "how-to/papers-by-the-million.md": {"wgig": 4},
    "how-to/sharing.md": {"wgig": 2},
    "how-to/writing-to-the-graph.md": {"wgig": 5, "curl": 5},
    "reference/command.md": {"wgig": 73},
    "reference/pages.md": {"$": 2},
    "reference/querying.md": {"": 5, "sh": 2, "python": 1},
    "reference/representations.md": {"$": 7},
    "reference/rest.md": {"curl": 17, "sh": 1, "python": 1},
    "reference/searching.md": {"curl": 6},
    "reference/self-description.md": {"curl": 4, "sparql": 1},
    "tutorials/writing-a-paper.md": {"wgig": 3},
}

VARIABLES_PATTERN = r"(?:[A-Z_]+=\S+\s+)*"
MAKE_TARGET_PATTERN = re.compile(
    rf"^(?:\$ )?{VARIABLES_PATTERN}make\s+{VARIABLES_PATTERN}([a-z][a-z-]*)", re.MULTILINE
)


def count_code(text: str, kind: str) -> int:
    """The number of blocks in a language, of calls of a program, or, for `$`, of commands with output."""
    if kind == "$":
        return len(parse_transcript(text))
    return len(find_calls(text, kind) if kind in ("wgig", "curl") else find_code_blocks(text, kind))


@pytest.mark.parametrize("name", SHOWN)
def test_the_code_of_the_page_is_counted(name: str) -> None:
    assert {kind: count_code(read_docs_page(name), kind) for kind in SHOWN[name]} == SHOWN[name]


def test_every_page_with_code_is_counted() -> None:
    assert {
        name for name in PAGES if re.search(r"^\s*```", read_docs_page(name), re.MULTILINE)
    } == SHOWN.keys()


def test_each_make_target_on_a_page_exists() -> None:
    texts = [read_docs_page(name) for name in PAGES]
    texts += [
        (CHECKOUT_FOLDER / name).read_text(encoding="utf-8")
        for name in ("CONTRIBUTING.md", "README.md", "CHANGELOG.md")
    ]
    targets = re.findall(
        r"^([a-z][a-z-]*):(?!=)", (CHECKOUT_FOLDER / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    shown = {target for text in texts for target in find_make_targets(text)}
    assert len(shown) > 5
    assert shown - set(targets) == set()


def find_make_targets(text: str) -> set[str]:
    """The targets of `make` in code blocks and inline code."""
    tokens = MarkdownIt().parse(text)
    children = (child for token in tokens for child in token.children or ())
    code = (token.content for token in chain(tokens, children) if token.type in ("fence", "code_inline"))
    return {target for line in code for target in MAKE_TARGET_PATTERN.findall(line)}


def iter_wgig_calls() -> Iterator[tuple[str, str]]:
    """The path of the page and the arguments of each call of `wgig`."""
    for call in find_calls((CHECKOUT_FOLDER / "README.md").read_text(encoding="utf-8"), "wgig"):
        yield "README.md", call
    for name in PAGES:
        for call in find_calls(read_docs_page(name), "wgig"):
            yield f"docs/{name}", call


@pytest.mark.parametrize(("path", "call"), list(iter_wgig_calls()))
def test_the_arguments_of_a_call_can_be_parsed(path: str, call: str) -> None:
    tokens = shlex.shlex(call, posix=True, punctuation_chars=True)
    tokens.whitespace_split = True
    # Up to a pipe, a redirection or the next command.
    arguments = list(takewhile(lambda token: not set(token) <= set("();<>|&"), tokens))
    assert arguments, path
    build_command_parser().parse_args(arguments)
