"""Outcomes for reports: a paper that conforms, one that does not, and a file that cannot be read."""

import re
from functools import cache

import pytest
from wgig.papers.readers import read_paper_document
from wgig.problems import Problem
from wgig.rdf.formats import TURTLE
from wgig.settings import CHECKOUT_FOLDER
from wgig.shacl.check import check_document
from wgig.shacl.findings import CheckOutcome, Report, UncheckedFile

EXAMPLE_PATH = CHECKOUT_FOLDER / "data" / "examples" / "community-networks.ttl"
PAPER_IRI = "https://w3id.org/wgig/id/paper/example-community-networks"

# Replacements of text in the example, by pattern. Each breaks a rule.
REPLACEMENTS_BY_PATTERN = {
    r"wgig:opportunity ": "wgig:oportunity ",  # an unknown term
    r'"It costs little\."@en': "[]",  # a blank node instead of a text
    r"bibo:numPages +\d+": "bibo:numPages 9",  # too many pages; WAIVER waives this rule
    r"wgig:nature +\"[^\"]*\"@en ;": "",  # missing in both forums
    # not a Boolean, but text that may be harmful in HTML, tables and terminals
    r"wgig:makesDecisions +true": 'wgig:makesDecisions "<b>, \u202e=1+1\\u001B[31m: 100%"',
}
WAIVER = f"""
<{PAPER_IRI}> wgig:waiver <{PAPER_IRI}/waiver/1> .
<{PAPER_IRI}/waiver/1> a wgig:Waiver ;
    wgig:waives <https://w3id.org/wgig/shapes#WGIG-0-PAGES-MANY> ;
    wgig:reason "The chair asked for <more>."@en .
"""


@cache
def build_bad_text() -> str:
    """The Turtle of the example paper with faults, one of them waived."""
    text = EXAMPLE_PATH.read_text("utf-8")
    for pattern, replacement in REPLACEMENTS_BY_PATTERN.items():
        text, count = re.subn(pattern, replacement.replace("\\", "\\\\"), text)
        assert count, pattern
    return text + WAIVER


@pytest.fixture(scope="session")
def bad_text() -> str:
    """The Turtle of the paper in `bad_report`."""
    return build_bad_text()


@pytest.fixture(scope="session")
def good_report() -> Report:
    """The report on a paper that conforms to the profile final."""
    return check_document(read_paper_document("papers/good.ttl", EXAMPLE_PATH.read_bytes(), TURTLE), "final")


@pytest.fixture(scope="session")
def bad_report() -> Report:
    """The report on a paper that does not conform to the profile final, with one finding waived."""
    return check_document(
        read_paper_document("papers/bad, ü:1.ttl", build_bad_text().encode(), TURTLE), "final"
    )


@pytest.fixture(scope="session")
def unchecked_file() -> UncheckedFile:
    """The outcome of a file that is not valid Turtle."""
    with pytest.raises(Problem) as caught:
        read_paper_document("half.ttl", b"<http://example.org/a>\n  <http://example.org/b> <script", TURTLE)
    return UncheckedFile("half.ttl", caught.value)


@pytest.fixture(scope="session")
def outcomes(good_report: Report, bad_report: Report, unchecked_file: UncheckedFile) -> list[CheckOutcome]:
    """The outcomes of all three files."""
    return [good_report, bad_report, unchecked_file]
