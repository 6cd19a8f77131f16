"""Suggestions for unknown names, and reasons why a file has no paper."""

import pytest
from wgig.papers.readers import read_paper_document
from wgig.problems import Problem
from wgig.rdf.formats import JSON_LD, MARKDOWN
from wgig.shacl import suggestions
from wgig.shacl.check import check_document

from tests.fixtures.checked_papers import check_text, rule_codes

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("a wgig:IssuePapr", "wgig:IssuePapr is not a class in the vocabulary. Did you mean wgig:IssuePaper"),
        (
            "a <http://example.org/IssuePaper>",
            "example.org/IssuePaper is not a class .* mean wgig:IssuePaper?",
        ),
        ("a wgig:Qqq", "wgig:Qqq is not a class in the vocabulary. Correct its spelling."),
        ('dcterms:title "Spam"@en', "Nothing in it has a type."),
    ],
)
def test_a_file_without_a_paper_is_refused_with_the_probable_reason(statement: str, message: str) -> None:
    with pytest.raises(Problem, match=message.replace("?", r"\?")):
        check_text(f"paper:x {statement} .")


def test_a_misspelled_term_gets_the_nearest_term_as_suggestion() -> None:
    report = check_text("paper:x a wgig:IssuePaper ; wgig:strenght 1 ; wgig:qqq wgig:Fourm .", "draft")
    suggestions_by_term = {
        str(finding.value).rpartition("#")[2].rstrip(">"): finding.suggestion for finding in report.findings
    }
    assert suggestions_by_term == {"strenght": "wgig:strength", "qqq": "", "Fourm": "wgig:Forum"}


# A misspelling in Turtle and in Markdown (empty: not tried), the code of the finding, and the suggestion.
MISSPELLINGS = [
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
    ("wgig:drafter agent:rits", "", "WGIG-0-DRAFTER-MEMBER", ""),  # a known agent, but no member
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
        'wgig:assessment [ wgig:criterion principle:democracy ; wgig:verdict "inadequate" ; '
        "a wgig:Assessment ]",
        "",
        "WGIG-7-VERDICT-UNKNOWN",
        "verdict:inadequate",
    ),
    ("cito:cites bg:1188", "cites: [background-report/1188]", "WGIG-0-CITATION-UNKNOWN", "bg:188"),
    (
        "wgig:mechanism [ a wgig:Mechanism ; wgig:about mechanism:icann ]",
        "",
        "WGIG-6-ABOUT-UNKNOWN",
        "agent:icann",
    ),
    (
        "wgig:assessment [ a wgig:Assessment ; wgig:criterion principle:democracy ; "
        "wgig:judges mechanism:coe-conventon ]",
        "",
        "WGIG-7-MECHANISM-UNKNOWN",
        "mechanism:coe-convention",
    ),
    (
        "wgig:assessment [ a wgig:Assessment ; wgig:judges agent:afonso ; "
        "wgig:criterion principle:democracy ]",
        "",
        "WGIG-7-MECHANISM-UNKNOWN",
        "",
    ),
    (
        'wgig:waiver [ wgig:waives shape:WGIG-0-LATER ; wgig:reason "So."@en ]',
        "waivers: {WGIG-0-LATER: So.}",
        "WGIG-0-WAIVER-UNKNOWN",
        "shape:WGIG-0-LATE",
    ),
]


@pytest.mark.parametrize(("turtle", "markdown", "code", "suggestion"), MISSPELLINGS)
def test_an_unknown_name_gets_the_nearest_name_as_suggestion(
    turtle: str, markdown: str, code: str, suggestion: str
) -> None:
    (finding,) = check_text(f"paper:x a wgig:IssuePaper ; {turtle} .", "draft").findings
    assert (finding.rule.code, finding.suggestion) == (code, suggestion)
    if markdown:
        text = f"---\npaper: x\n{markdown}\n---\n"
        (finding,) = check_document(
            read_paper_document("paper.md", text.encode(), MARKDOWN), "draft"
        ).findings
        path = suggestion.replace("declaration:", "declaration/").replace("bg:", "background-report/")
        markdown_suggestion = path.rpartition(":")[2]
        assert (finding.rule.code, finding.suggestion) == (code, markdown_suggestion)


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("mechanism/icann", "agent/icann"),
        ("agent/gac", "mechanism/gac"),
        ("World Trade Organisation", "agent/world-trade-organization"),
        ("Code of practise", "Code of practice"),
        ("Something else", ""),
    ],
)
def test_an_unknown_mechanism_gets_one_of_the_paper_or_of_the_graph_as_suggestion(
    name: str, suggestion: str
) -> None:
    text = (
        "---\npaper: x\n---\n\n## 6. Mechanisms\n\n### Code of practice\n\n"
        f"## 7. Adequacy\n\n### b. Transparent\n\nMechanism: {name}\n"
    )
    (finding,) = check_document(read_paper_document("paper.md", text.encode(), MARKDOWN), "draft").findings
    assert (finding.rule.code, finding.suggestion) == ("WGIG-7-MECHANISM-UNKNOWN", suggestion)


def test_at_most_max_suggested_names_are_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggestions, "MAX_SUGGESTED_NAMES", 2)
    names = ", ".join(f"issue:spam{letter}" for letter in "mnopq")
    findings = check_text(f"paper:x a wgig:IssuePaper ; wgig:issue {names} .", "draft").findings
    assert [finding.suggestion for finding in findings if finding.value] == ["issue:spam"] * 2 + [""] * 3


@pytest.mark.parametrize(
    ("paper", "title", "expected_codes"),
    [
        ("wp-spam", "Notes on mail", ["WGIG-0-NAME-TAKEN"]),
        ("wp-spam", "Spam", []),
        ("my-spam", "Notes on mail", []),
    ],
)
def test_a_paper_with_the_iri_but_not_the_title_of_a_known_paper_gets_that_title_as_suggestion(
    paper: str, title: str, expected_codes: list[str]
) -> None:
    report = check_text(f'paper:{paper} a wgig:IssuePaper ; dcterms:title "{title}"@en .', "draft")
    assert rule_codes(report) == expected_codes
    assert [finding.suggestion for finding in report.findings] == ["Spam"] * len(expected_codes)
    assert report.conforms


def test_a_misspelled_key_in_json_ld_gets_a_suggestion() -> None:
    text = """{"@context": "https://w3id.org/wgig/context.jsonld", "id": "x", "type": "IssuePaper",
 "issu": "https://w3id.org/wgig/id/issue/spam"}"""
    (finding,) = check_document(read_paper_document("x.jsonld", text.encode(), JSON_LD), "draft").findings
    assert (finding.rule.code, finding.suggestion) == ("WGIG-0-TERM-UNKNOWN", "wgig:issue")
    assert finding.position == (2, 2)
