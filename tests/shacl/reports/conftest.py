"""Outcomes to write reports of: a paper that conforms, one that does not, and a file that cannot be read."""

import re
from functools import cache

import pytest
from wgig.papers.readers import read_paper_document
from wgig.problems import Problem
from wgig.rdf.formats import TURTLE
from wgig.settings import CHECKOUT_FOLDER
from wgig.shacl.check import check_document
from wgig.shacl.findings import CheckOutcome, Report, UncheckedFile

EXAMPLE = CHECKOUT_FOLDER / "data" / "examples" / "community-networks.ttl"
PAPER = "https://w3id.org/wgig/id/paper/example-community-networks"

# What is written in place of what, to break a rule each.
BREAKS = {
    r"wgig:opportunity ": "wgig:oportunity ",  # a misspelt term, and nothing where it should be
    r'"It costs little\."@en': "[]",  # no text
    r"bibo:numPages +\d+": "bibo:numPages 9",  # waived
    r"wgig:nature +\"[^\"]*\"@en ;": "",  # missing twice
    r"wgig:makesDecisions +true": 'wgig:makesDecisions "<b>, \u202e=1+1\\u001B[31m: 100%"',
}
WAIVER = f"""
<{PAPER}> wgig:waiver <{PAPER}/waiver/1> .
<{PAPER}/waiver/1> a wgig:Waiver ;
    wgig:waives <https://w3id.org/wgig/shapes#WGIG-0-PAGES-MANY> ;
    wgig:reason "The chair asked for <more>."@en .
"""


@cache
def broken_text() -> str:
    """The example, broken in a few places."""
    text = EXAMPLE.read_text("utf-8")
    for pattern, replacement in BREAKS.items():
        text, count = re.subn(pattern, replacement.replace("\\", "\\\\"), text)
        assert count, pattern
    return text + WAIVER


@pytest.fixture(scope="session")
def text() -> str:
    """The text of the paper that does not conform."""
    return broken_text()


@pytest.fixture(scope="session")
def good() -> Report:
    """A paper that conforms to the profile final."""
    return check_document(read_paper_document("papers/good.ttl", EXAMPLE.read_bytes(), TURTLE), "final")


@pytest.fixture(scope="session")
def bad() -> Report:
    """A paper that does not conform to the profile final, with one finding waived."""
    return check_document(read_paper_document("papers/bad, ü:1.ttl", broken_text().encode(), TURTLE), "final")


@pytest.fixture(scope="session")
def unread() -> UncheckedFile:
    """A file that is no Turtle."""
    with pytest.raises(Problem) as refused:
        read_paper_document("half.ttl", b"<http://example.org/a>\n  <http://example.org/b> <script", TURTLE)
    return UncheckedFile("half.ttl", refused.value)


@pytest.fixture(scope="session")
def outcomes(good: Report, bad: Report, unread: UncheckedFile) -> list[CheckOutcome]:
    """All of them."""
    return [good, bad, unread]
