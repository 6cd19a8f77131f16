"""Each misspelled name has one message: what follows from it is left out, and the paper does not conform."""

import re
from collections.abc import Iterator

import pytest
from wgig.papers.readers import read_paper_document
from wgig.rdf.formats import MARKDOWN, TURTLE
from wgig.settings import SHIPPED_FOLDER
from wgig.shacl import misspellings
from wgig.shacl.check import check_document
from wgig.shacl.engines import ENGINE_NAMES
from wgig.shacl.findings import Report
from wgig.shacl.rules import CHECK_PROFILES

from tests.fixtures.checked_papers import check_text, read_example, rule_codes, waiver_change

pytestmark = pytest.mark.slow

EXAMPLE_TEXT = read_example("ok-final").text
MARKDOWN_TEXT = (SHIPPED_FOLDER / "data" / "examples" / "community-networks.md").read_text("utf-8")
# Without the type of the paper, nothing is checked.
PAPER_CLASS = "wgig:IssuePaper"
NAME_PATTERN = re.compile(r"(?<=[\s,(])(?:wgig|issue|category|declaration|principle|verdict):[\w-]+")


def iter_misspelled_texts() -> Iterator[tuple[str, str]]:
    """Each name of the example, and the text of the example with an `s` after that name."""
    for match in NAME_PATTERN.finditer(EXAMPLE_TEXT):
        if match[0] != PAPER_CLASS:
            yield match[0], f"{EXAMPLE_TEXT[: match.end()]}s{EXAMPLE_TEXT[match.end() :]}"


def check_markdown(*changes: tuple[str, str]) -> Report:
    text = MARKDOWN_TEXT
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return check_document(read_paper_document("paper.md", text.encode(), MARKDOWN))


@pytest.mark.parametrize("profile", CHECK_PROFILES)
def test_each_misspelled_name_has_one_message_and_the_paper_does_not_conform(profile: str) -> None:
    messages = {}
    for name, text in iter_misspelled_texts():
        report = check_document(read_paper_document("paper.ttl", text.encode(), TURTLE), profile)
        messages[name] = [finding.suggestion for finding in report.findings]
        assert not report.conforms, name
    assert len(messages) > 40
    assert messages == {name: [name] for name in messages}


@pytest.mark.parametrize("engine", ENGINE_NAMES)
def test_a_forum_under_a_misspelled_property_is_not_missing(engine: str) -> None:
    document = read_example("ok-final", ("wgig:forum  ", "wgig:forums "))
    (paper,) = check_document(document, "complete", engine).papers
    assert rule_codes(paper) == ["WGIG-0-TERM-UNKNOWN"]
    states = {section.number: section.state for section in paper.sections}
    assert {number for number, state in states.items() if state == "faulty"} == {5}
    assert [finding.section for finding in paper.findings] == [5]
    assert (paper.met, paper.left_out, paper.conforms) == (paper.parts, 0, False)
    (draft,) = check_document(document, "draft", engine).papers
    assert {section.number: section.state for section in draft.sections}[5] == "faulty"


def test_a_section_lacks_only_the_parts_that_a_finding_names() -> None:
    (paper,) = check_text("paper:x a wgig:IssuePaper ; wgig:forums [] .", "complete").papers
    section = paper.sections[5]
    assert (section.state, section.missing) == ("faulty", ())  # a finding, on the name, is in this section
    assert {finding.rule.code for finding in paper.findings if finding.section == 5} == {
        "WGIG-0-TERM-UNKNOWN"
    }


def test_another_slip_in_the_same_part_keeps_its_message() -> None:
    changes = ("wgig:forum  ", "wgig:forums "), ("wgig:swot  ", "dcterms:relation ")
    report = check_document(read_example("ok-final", *changes))
    assert rule_codes(report) == ["WGIG-3-SWOT-MISSING", "WGIG-0-TERM-UNKNOWN"]


def test_a_part_that_is_missing_beside_an_unrelated_unknown_term_is_missing() -> None:
    codes = rule_codes(check_text("paper:x a wgig:IssuePaper ; wgig:qqq 1 ; wgig:forums 2 .", "complete"))
    assert "WGIG-5-FORUM-MISSING" not in codes
    assert codes.count("WGIG-0-TERM-UNKNOWN") == 2
    assert {"WGIG-0-TITLE-MISSING", "WGIG-6-MECHANISM-MISSING"} <= {*codes}


def test_what_follows_from_a_waived_finding_is_not_left_out() -> None:
    waiver = waiver_change("WGIG-0-TERM-UNKNOWN", '"Our own term."@en')
    report = check_document(read_example("ok-final", ("wgig:forum  ", "wgig:forums "), waiver))
    assert rule_codes(report) == ["WGIG-0-TERM-UNKNOWN", "WGIG-5-FORUM-MISSING"]
    assert not report.conforms


def test_at_most_max_suggested_names_are_corrected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(misspellings, "MAX_SUGGESTED_NAMES", 1)
    document = read_example("ok-final", ("wgig:forum  ", "wgig:forums "), ("wgig:swot  ", "wgig:swots "))
    assert len(rule_codes(check_document(document))) == 3


@pytest.mark.parametrize(
    ("passage", "expected_codes"),
    [
        ("declaration/500", ["WGIG-7-CITATION-UNKNOWN"]),
        ("no-such-document/5", ["WGIG-7-CITATION-UNKNOWN"]),
        ("background-report/21", ["WGIG-7-CITATION-MISSING"]),
        # The correction would be a passage of another document.
        ("background-report/1188", ["WGIG-7-CITATION-MISSING", "WGIG-7-CITATION-UNKNOWN"]),
    ],
)
def test_a_wrong_citation_in_markdown_has_one_message(passage: str, expected_codes: list[str]) -> None:
    report = check_markdown(("Cites: declaration/50\n", f"Cites: {passage}\n"))
    assert rule_codes(report) == expected_codes
    assert not report.conforms


@pytest.mark.parametrize("value", ['"declaration/48"', "<http://example.org/48>"])
def test_a_wrong_citation_in_turtle_has_one_message(value: str) -> None:
    document = read_example("ok-final", ("declaration:21", value))
    assert rule_codes(check_document(document)) == ["WGIG-7-CITATION-UNKNOWN"]


def test_a_misspelled_datatype_or_described_resource_is_not_corrected() -> None:
    report = check_text(
        """paper:x a wgig:IssuePaper ; wgig:issueDescription ""^^wgig:issu ; wgig:swot wgig:Sw0t .
           wgig:Sw0t wgig:strength <x:> .""",
        "draft",
    )
    assert {"WGIG-1-BLANK", "WGIG-3-TEXT", "WGIG-0-TERM-UNKNOWN"} <= {*rule_codes(report)}
    assert report.papers[0].met == 2  # the analysis with a strength, and no description
