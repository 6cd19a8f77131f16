"""The summary of a paper: the states of its sections, its completeness, and its waivers."""

from collections import Counter

import pytest
from wgig.papers.readers import read_paper_document
from wgig.rdf.formats import MARKDOWN
from wgig.shacl.check import check_document
from wgig.shacl.findings import Report
from wgig.shacl.reports.phrases import section_state_text
from wgig.shacl.rules import rules_by_code
from wgig.shacl.summary import UNWAIVABLE_CODE_PREFIX

from tests.fixtures.checked_papers import check_text, read_example, rule_codes, waiver_change

pytestmark = pytest.mark.slow

LATE_POSTING_CHANGE = ("2005-01-20", "2005-02-20")


def list_section_states(report: Report) -> list[str]:
    """The states of the sections of the first paper."""
    return [section.state for section in report.papers[0].sections]


def test_a_paper_with_only_a_title_is_a_draft_without_checked_sections() -> None:
    report = check_text('paper:x a wgig:IssuePaper ; dcterms:title "Spam"@en .', "draft")
    assert report.conforms
    assert list_section_states(report) == ["not checked"] * 9  # sections 0 to 8
    assert (report.papers[0].met, report.papers[0].title) == (1, "Spam")


def test_a_section_is_done_missing_faulty_or_not_checked() -> None:
    report = check_text(
        """paper:x a wgig:IssuePaper ; dcterms:title "Spam"@en ; wgig:drafter agent:afonso ;
             wgig:issue issue:spam ; wgig:issueDescription "Much mail."@en ;
             wgig:category <http://example.org/none> ; wgig:swot paper:x\\/swot .
           paper:x\\/swot a wgig:Swot ; wgig:strength "Strong."@en ."""
    )
    assert list_section_states(report) == ["done", "done", "faulty", *["missing"] * 5, "not checked"]


def test_the_comments_section_is_done_with_text_and_faulty_if_blank() -> None:
    paper = "paper:x a wgig:IssuePaper ; wgig:additionalComments {} ."
    assert list_section_states(check_text(paper.format('"Yes."@en'), "draft"))[8] == "done"
    assert list_section_states(check_text(paper.format('"\\t"@en'), "draft"))[8] == "faulty"


def test_completeness_counts_all_required_parts() -> None:
    required = [rule for rule in rules_by_code().values() if rule.required]
    empty_paper, complete_paper = (
        check_text("paper:x a wgig:IssuePaper .").papers[0],
        check_document(read_example("ok-final")).papers[0],
    )
    assert (empty_paper.met, empty_paper.parts) == (0, len(required))
    assert (complete_paper.met, complete_paper.parts) == (len(required), len(required))
    paper_without_objectives = check_document(read_example("bad-WGIG-6A-MISSING")).papers[0]
    assert paper_without_objectives.met == len(required) - 1


@pytest.mark.parametrize(
    ("old", "new", "section"),
    [
        ('"Spam (an example)"@en', '""@en', 0),
        (
            '"Mail that nobody asked for costs those who receive it more than those who send it."@en',
            '" "@en',
            1,
        ),
        ('"Filters get better every year."@en', '"\t"@en', 3),
        ('"Consumer office (example)"', '""', 4),
        ('"Operators, and consumer offices as guests."@en', '""@en', 5),
        ('"By consensus of the operators who are present."@en', '""@en', 5),
        ('"To stop unwanted mail where it is sent."@en', '""@en', 6),
    ],
)
def test_a_blank_text_counts_as_missing(old: str, new: str, section: int) -> None:
    report = check_document(read_example("ok-final", (old, new)))
    (paper,) = report.papers
    assert [item.rule.code.endswith("-BLANK") for item in paper.findings] == [True]
    assert paper.met == paper.parts - 1
    assert [item.number for item in paper.sections if item.state == "missing"] == [section]


@pytest.mark.parametrize("code", ["VERDICT", "RATIONALE", "CITATION"])
def test_section_7_with_all_assessments_is_faulty_if_one_is_incomplete(code: str) -> None:
    report = check_document(read_example(f"bad-WGIG-7-{code}-MISSING"))
    assert list_section_states(report)[7] == "faulty"
    assert report.papers[0].met == report.papers[0].parts - 1


def test_a_missing_section_names_the_missing_parts() -> None:
    (paper,) = check_document(read_example("bad-WGIG-0-DRAFTER-MISSING")).papers
    assert [section_state_text(section, "en") for section in paper.sections[:2]] == [
        "missing: drafter",
        "present",
    ]
    (paper,) = check_text("paper:my a wgig:IssuePaper ; wgig:issue issue:spam .").papers
    assert section_state_text(paper.sections[0], "en") == "missing: title, drafter"
    assert section_state_text(paper.sections[1], "ar").endswith("وصف القضية")


def test_a_text_beside_a_blank_one_counts() -> None:
    report = check_document(
        read_example("ok-final", ('"Filters get better every year."@en', '"Filters work."@en , ""@en'))
    )
    assert (rule_codes(report), report.papers[0].met) == (["WGIG-3-BLANK"], report.papers[0].parts)
    assert list_section_states(report)[3] == "faulty"


def test_a_blank_text_of_a_waived_rule_counts_as_waived() -> None:
    blank_text_change = ('"Filters get better every year."@en', '""@en')
    waiver = waiver_change("WGIG-3-STRENGTH-MISSING", '"There is none."@en')
    (paper,) = check_document(read_example("ok-final", blank_text_change, waiver)).papers
    assert paper.met + paper.waived == paper.parts


def test_a_waived_finding_is_listed_but_does_not_block() -> None:
    report = check_document(
        read_example(
            "ok-final", LATE_POSTING_CHANGE, waiver_change("WGIG-0-LATE", '"The secretariat was closed. "@en')
        ),
        "final",
    )
    assert [(finding.rule.code, finding.waiver) for finding in report.findings] == [
        ("WGIG-0-LATE", "The secretariat was closed.")
    ]
    assert report.conforms
    assert not check_document(read_example("ok-final", LATE_POSTING_CHANGE), "final").conforms


def test_a_waiver_without_a_reason_waives_nothing() -> None:
    report = check_document(
        read_example("ok-final", LATE_POSTING_CHANGE, waiver_change("WGIG-0-LATE", '" "@en')), "final"
    )
    assert not report.conforms
    assert [finding.waiver for finding in report.findings if finding.rule.code == "WGIG-0-LATE"] == [""]


def test_a_waiver_of_an_unknown_rule_is_a_finding() -> None:
    assert "WGIG-0-WAIVER-UNKNOWN" in rule_codes(
        check_document(read_example("ok-final", waiver_change("WGIG-9-NONE", '"So."@en')))
    )


@pytest.mark.parametrize(
    ("reason", "waiver_codes"),
    [
        ('" "', {"WGIG-0-WAIVER-BLANK"}),
        ('""@en', {"WGIG-0-WAIVER-BLANK"}),
        ("<http://x>", {"WGIG-0-WAIVER-TEXT"}),
        ("[]", {"WGIG-0-WAIVER-BLANK", "WGIG-0-WAIVER-TEXT"}),
    ],
)
def test_a_waiver_reason_without_text_is_a_finding(reason: str, waiver_codes: set[str]) -> None:
    report = check_document(
        read_example("ok-final", LATE_POSTING_CHANGE, waiver_change("WGIG-0-LATE", reason)), "final"
    )
    assert set(rule_codes(report)) == {"WGIG-0-LATE", *waiver_codes}
    assert not any(finding.waiver for finding in report.findings)


@pytest.mark.parametrize("reason", ['""', '" "'])
def test_a_blank_reason_in_markdown_is_a_finding(reason: str) -> None:
    text = f"---\npaper: x\nlanguage: en\ntitle: X\npages: 9\nwaivers:\n  WGIG-0-PAGES-MANY: {reason}\n---\n"
    report = check_document(read_paper_document("paper.md", text.encode(), MARKDOWN), "draft")
    assert rule_codes(report) == ["WGIG-0-WAIVER-BLANK"]


def test_a_rule_about_waivers_cannot_be_waived() -> None:
    # The waiver is of two rules, of which the second does not exist.
    waiver = waiver_change("WGIG-0-WAIVER-UNKNOWN WGIG-9-NONE", '"So."@en')
    report = check_document(read_example("ok-final", waiver))
    assert [(finding.rule.code, finding.waiver) for finding in report.findings] == [
        ("WGIG-0-WAIVER-UNKNOWN", ""),
        ("WGIG-0-WAIVER-REFUSED", ""),
    ]
    assert not report.conforms


def test_every_rule_about_waivers_refuses_a_waiver() -> None:
    waiver_codes = [code for code in rules_by_code() if code.startswith(UNWAIVABLE_CODE_PREFIX)]
    findings = check_document(
        read_example("ok-final", waiver_change(" ".join(waiver_codes), '"So."@en'))
    ).findings
    assert Counter(finding.rule.code for finding in findings) == {"WGIG-0-WAIVER-REFUSED": len(waiver_codes)}


def test_the_rules_about_a_waived_part_are_waived_too() -> None:
    waiver = waiver_change("WGIG-5-FORUM-MISSING", '"There is none."@en')
    report = check_document(read_example("bad-WGIG-5-FORUM-MISSING", waiver))
    assert (report.conforms, list_section_states(report)[5]) == (True, "waived")
    (paper,) = report.papers
    assert 0 < paper.waived == paper.parts - paper.met
