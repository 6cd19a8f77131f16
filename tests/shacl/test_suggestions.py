"""What an author probably meant is told with an unknown name, and why a file has no paper."""

import pytest
from wgig.papers.readers import read_paper_document
from wgig.problems import Problem
from wgig.rdf.formats import JSON_LD, MARKDOWN
from wgig.shacl import suggestions
from wgig.shacl.check import check_document

from tests.fixtures.checked_papers import checked, codes

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("a wgig:IssuePapr", "wgig:IssuePapr is not a class of the vocabulary. Did you mean wgig:IssuePaper"),
        (
            "a <http://example.org/IssuePaper>",
            "example.org/IssuePaper is not a class .* mean wgig:IssuePaper?",
        ),
        ("a wgig:Qqq", "wgig:Qqq is not a class of the vocabulary. Correct its spelling."),
        ('dcterms:title "Spam"@en', "Nothing in it has a type."),
    ],
)
def test_a_file_without_a_paper_is_told_what_may_be_the_reason(said: str, hint: str) -> None:
    with pytest.raises(Problem, match=hint.replace("?", r"\?")):
        checked(f"paper:x {said} .")


def test_a_misspelt_term_is_found_with_the_one_that_was_probably_meant() -> None:
    report = checked("paper:x a wgig:IssuePaper ; wgig:strenght 1 ; wgig:qqq wgig:Fourm .", "draft")
    found = {str(one.value).rpartition("#")[2]: one.suggestion for one in report.findings}
    assert found == {"strenght>": "wgig:strength", "qqq>": "", "Fourm>": "wgig:Forum"}


# What an author wrote, the finding, and what was probably meant, in Turtle and in Markdown.
SLIPS = [
    ("wgig:issue issue:spamm", "issue: spamm", "WGIG-1-ISSUE-UNKNOWN", "issue:spam"),
    ("wgig:issue issue:Spam", "", "WGIG-1-ISSUE-UNKNOWN", "issue:spam"),
    ("wgig:drafter agent:afonsoo", "drafters: [afonsoo]", "WGIG-0-DRAFTER-MEMBER", "agent:afonso"),
    (
        "cito:cites declaration:480",
        "cites: [declaration/480]",
        "WGIG-0-CITATION-UNKNOWN",
        "declaration:48",
    ),
    ("wgig:category category:access", "", "WGIG-2-CATEGORY-UNKNOWN", "category:access-for-all"),
    ("wgig:drafter agent:rits", "", "WGIG-0-DRAFTER-MEMBER", ""),  # known, though no member
    ("wgig:category <http://example.org/access>", "", "WGIG-2-CATEGORY-UNKNOWN", ""),
    (
        "wgig:assessment [ a wgig:Assessment ; wgig:criterion principle:transparent ]",
        "",
        "WGIG-7-CRITERION-UNKNOWN",
        "principle:transparency",
    ),
    (
        "wgig:assessment [ wgig:criterion principle:democracy ; wgig:verdict verdict:adequat ; "
        "a wgig:Assessment ]",
        "",
        "WGIG-7-VERDICT-UNKNOWN",
        "verdict:adequate",
    ),
    (
        'wgig:waiver [ wgig:waives shape:WGIG-0-LATER ; wgig:reason "So."@en ]',
        "waivers: {WGIG-0-LATER: So.}",
        "WGIG-0-WAIVER-UNKNOWN",
        "shape:WGIG-0-LATE",
    ),
]


@pytest.mark.parametrize(("turtle", "markdown", "code", "name"), SLIPS)
def test_an_unknown_name_is_found_with_the_one_that_was_probably_meant(
    turtle: str, markdown: str, code: str, name: str
) -> None:
    (finding,) = checked(f"paper:x a wgig:IssuePaper ; {turtle} .", "draft").findings
    assert (finding.rule.code, finding.suggestion) == (code, name)
    if markdown:
        text = f"---\npaper: x\n{markdown}\n---\n"
        (finding,) = check_document(
            read_paper_document("paper.md", text.encode(), MARKDOWN), "draft"
        ).findings
        plain = name.replace("declaration:", "declaration/").rpartition(":")[2]
        assert (finding.rule.code, finding.suggestion) == (code, plain)


def test_what_was_probably_meant_is_looked_up_for_few_names_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggestions, "MAX_SUGGESTED_NAMES", 2)
    names = ", ".join(f"issue:spam{letter}" for letter in "mnopq")
    found = checked(f"paper:x a wgig:IssuePaper ; wgig:issue {names} .", "draft").findings
    assert [one.suggestion for one in found if one.value] == ["issue:spam"] * 2 + [""] * 3


@pytest.mark.parametrize(
    ("paper", "title", "codes_"),
    [
        ("wp-spam", "Notes on mail", ["WGIG-0-NAME-TAKEN"]),
        ("wp-spam", "Spam", []),
        ("my-spam", "Notes on mail", []),
    ],
)
def test_a_paper_under_the_name_of_a_known_one_is_told_its_title(
    paper: str, title: str, codes_: list[str]
) -> None:
    report = checked(f'paper:{paper} a wgig:IssuePaper ; dcterms:title "{title}"@en .', "draft")
    assert codes(report) == codes_
    assert [one.suggestion for one in report.findings] == ["Spam"] * len(codes_)
    assert report.conforms


def test_a_slip_in_json_with_the_context_of_the_project_is_found() -> None:
    text = """{"@context": "https://w3id.org/wgig/context.jsonld", "id": "x", "type": "IssuePaper",
 "issu": "https://w3id.org/wgig/id/issue/spam"}"""
    (finding,) = check_document(read_paper_document("x.jsonld", text.encode(), JSON_LD), "draft").findings
    assert (finding.rule.code, finding.suggestion) == ("WGIG-0-TERM-UNKNOWN", "wgig:issue")
    assert finding.place == (2, 2)
