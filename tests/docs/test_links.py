"""Every link of a page leads to a file and a heading that exist, and the index lists every page."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from wgig.settings import CHECKOUT_FOLDER

from tests.docs.blocks import DOCS

TEXTS = sorted([*CHECKOUT_FOLDER.glob("*.md"), *DOCS.rglob("*.md")])
MARKDOWN = MarkdownIt("commonmark").enable("table")
# Files that tell their readers by a comment where to read on.
REFERRING = [
    CHECKOUT_FOLDER / "action.yml",
    CHECKOUT_FOLDER / ".pre-commit-hooks.yaml",
    *(path for path in sorted((CHECKOUT_FOLDER / "deploy").rglob("*")) if path.is_file()),
]


def name(path: Path) -> str:
    """The path of a file below the checkout."""
    return path.relative_to(CHECKOUT_FOLDER).as_posix()


@cache
def tokens(path: Path) -> list[Token]:
    """What a page consists of."""
    return MARKDOWN.parse(path.read_text(encoding="utf-8"))


def relative_links(path: Path) -> Iterator[tuple[str, str]]:
    """The file and the anchor of each link or picture that is relative; either may be empty."""
    for block in tokens(path):
        for one in block.children or []:
            target = one.attrGet("href") or one.attrGet("src")
            if target and not re.match(r"[a-z][a-z+.-]*:", str(target)):
                file, _, anchor = unquote(str(target)).partition("#")
                yield file, anchor


@cache
def anchors(path: Path) -> set[str]:
    """The anchors that GitHub and GitLab give to the headings of a page."""
    found: dict[str, int] = {}
    parsed = tokens(path)
    for opening, heading in pairwise(parsed):
        if opening.type == "heading_open":
            text = "".join(one.content for one in heading.children or [])
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            number = found[slug] = found.get(slug, -1) + 1
            if number:
                found[f"{slug}-{number}"] = 0
    return set(found)


@pytest.mark.parametrize("path", TEXTS, ids=name)
def test_every_relative_link_leads_to_a_file_and_a_heading_that_exist(path: Path) -> None:
    for file, anchor in relative_links(path):
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), f"{name(path)}: {file}"
        assert target.is_relative_to(CHECKOUT_FOLDER), f"{name(path)}: {file}"
        assert not anchor or anchor in anchors(target), f"{name(path)}: {file}#{anchor}"


def test_links_are_found() -> None:
    assert sum(1 for path in TEXTS for _ in relative_links(path)) > 100


def test_the_index_lists_every_page() -> None:
    listed = {(DOCS / file).resolve() for file, _ in relative_links(DOCS / "README.md")}
    pages = {*DOCS.rglob("*.md"), *DOCS.rglob("*.ipynb")} - {DOCS / "README.md"}
    assert sorted(map(name, pages - listed)) == []


@pytest.mark.parametrize("path", REFERRING, ids=name)
def test_a_page_that_a_comment_names_exists(path: Path) -> None:
    for page in re.findall(r"\bdocs/[\w./-]+\.md\b", path.read_text(encoding="utf-8")):
        assert (CHECKOUT_FOLDER / page).exists(), page
