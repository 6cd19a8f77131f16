"""What the findings come to for one paper: its sections, how complete it is, and what is waived."""

from collections import Counter

import pytest
from wgig.papers.readers import read_paper_document
from wgig.rdf.formats import MARKDOWN
from wgig.shacl.check import check_document
from wgig.shacl.findings import Report
from wgig.shacl.rules import rules_by_code
from wgig.shacl.summary import UNWAIVABLE_CODE_PREFIX

from tests.fixtures.checked_papers import checked, codes, example, waiving

pytestmark = pytest.mark.slow

LATE = ("2005-01-20", "2005-02-20")


def states(report: Report) -> list[str]:
    """The states of the sections of the first paper."""
    return [section.state for section in report.papers[0].sections]


def test_a_paper_of_a_title_alone_is_a_draft_and_no_section_is_checked() -> None:
    report = checked('paper:x a wgig:IssuePaper ; dcterms:title "Spam"@en .', "draft")
    assert report.conforms
    assert states(report) == ["not checked"] * 9
    assert (report.papers[0].met, report.papers[0].title) == (1, "Spam")


def test_a_section_is_done_missing_faulty_or_not_checked() -> None:
    report = checked(
        """paper:x a wgig:IssuePaper ; dcterms:title "Spam"@en ; wgig:drafter agent:afonso ;
             wgig:issue issue:spam ; wgig:issueDescription "Much mail."@en ;
             wgig:category <http://example.org/none> ; wgig:swot paper:x\\/swot .
           paper:x\\/swot a wgig:Swot ; wgig:strength "Strong."@en ."""
    )
    assert states(report) == ["done", "done", "faulty", *["missing"] * 5, "not checked"]


def test_comments_are_done_when_there_are_some_and_faulty_when_they_are_blank() -> None:
    commented = "paper:x a wgig:IssuePaper ; wgig:additionalComments {} ."
    assert states(checked(commented.format('"Yes."@en'), "draft"))[8] == "done"
    assert states(checked(commented.format('"\\t"@en'), "draft"))[8] == "faulty"


def test_completeness_counts_what_the_template_asks_for_within_parts_too() -> None:
    required = [rule for rule in rules_by_code().values() if rule.required]
    nothing, whole = (
        checked("paper:x a wgig:IssuePaper .").papers[0],
        check_document(example("ok-final")).papers[0],
    )
    assert (nothing.met, nothing.parts) == (0, len(required))
    assert (whole.met, whole.parts) == (len(required), len(required))
    without = check_document(example("bad-WGIG-6A-MISSING")).papers[0]
    assert without.met == len(required) - 1


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
        ('"Those who are cut off have no say."@en', '""@en', 7),
    ],
)
def test_a_text_that_says_nothing_is_not_there(old: str, new: str, section: int) -> None:
    report = check_document(example("ok-final", (old, new)))
    (paper,) = report.papers
    assert [one.rule.code.endswith("-BLANK") for one in paper.findings] == [True]
    assert paper.met == paper.parts - 1
    assert [one.number for one in paper.sections if one.state == "missing"] == [section]


def test_a_text_beside_a_blank_one_is_there() -> None:
    report = check_document(
        example("ok-final", ('"Filters get better every year."@en', '"Filters work."@en , ""@en'))
    )
    assert (codes(report), report.papers[0].met) == (["WGIG-3-BLANK"], report.papers[0].parts)
    assert states(report)[3] == "faulty"


def test_a_blank_text_that_may_be_missing_with_a_reason_is_no_gap() -> None:
    blank = ('"Filters get better every year."@en', '""@en')
    waived = waiving("WGIG-3-STRENGTH-MISSING", '"There is none."@en')
    (paper,) = check_document(example("ok-final", blank, waived)).papers
    assert paper.met + paper.waived == paper.parts


def test_what_is_waived_with_a_reason_is_shown_and_does_not_count() -> None:
    report = check_document(
        example("ok-final", LATE, waiving("WGIG-0-LATE", '"The secretariat was closed. "@en')), "final"
    )
    assert [(one.rule.code, one.waiver) for one in report.findings] == [
        ("WGIG-0-LATE", "The secretariat was closed.")
    ]
    assert report.conforms
    assert not check_document(example("ok-final", LATE), "final").conforms


def test_a_waiver_without_a_reason_waives_nothing() -> None:
    report = check_document(example("ok-final", LATE, waiving("WGIG-0-LATE", '" "@en')), "final")
    assert not report.conforms
    assert [one.waiver for one in report.findings if one.rule.code == "WGIG-0-LATE"] == [""]


def test_a_waiver_of_an_unknown_rule_is_a_finding() -> None:
    assert "WGIG-0-WAIVER-UNKNOWN" in codes(
        check_document(example("ok-final", waiving("WGIG-9-NONE", '"So."@en')))
    )


@pytest.mark.parametrize(
    ("reason", "found"),
    [
        ('" "', {"WGIG-0-WAIVER-BLANK"}),
        ('""@en', {"WGIG-0-WAIVER-BLANK"}),
        ("<http://x>", {"WGIG-0-WAIVER-TEXT"}),
        ("[]", {"WGIG-0-WAIVER-BLANK", "WGIG-0-WAIVER-TEXT"}),
    ],
)
def test_a_reason_that_says_nothing_is_a_finding(reason: str, found: set[str]) -> None:
    report = check_document(example("ok-final", LATE, waiving("WGIG-0-LATE", reason)), "final")
    assert set(codes(report)) == {"WGIG-0-LATE", *found}
    assert not any(one.waiver for one in report.findings)


@pytest.mark.parametrize("reason", ['""', '" "'])
def test_a_blank_reason_in_markdown_is_a_finding(reason: str) -> None:
    text = f"---\npaper: x\nlanguage: en\ntitle: X\npages: 9\nwaivers:\n  WGIG-0-PAGES-MANY: {reason}\n---\n"
    report = check_document(read_paper_document("paper.md", text.encode(), MARKDOWN), "draft")
    assert codes(report) == ["WGIG-0-WAIVER-BLANK"]


def test_a_rule_about_waivers_cannot_be_waived() -> None:
    waived = waiving("WGIG-0-WAIVER-UNKNOWN WGIG-9-NONE", '"So."@en')
    report = check_document(example("ok-final", waived))
    assert [(one.rule.code, one.waiver) for one in report.findings] == [
        ("WGIG-0-WAIVER-UNKNOWN", ""),
        ("WGIG-0-WAIVER-REFUSED", ""),
    ]
    assert not report.conforms


def test_each_rule_about_waivers_is_told_to_be_one_that_cannot_be_waived() -> None:
    about = [code for code in rules_by_code() if code.startswith(UNWAIVABLE_CODE_PREFIX)]
    found = check_document(example("ok-final", waiving(" ".join(about), '"So."@en'))).findings
    assert Counter(one.rule.code for one in found) == {"WGIG-0-WAIVER-REFUSED": len(about)}


def test_who_may_leave_out_a_part_need_not_describe_it() -> None:
    changes = waiving("WGIG-5-FORUM-MISSING", '"There is none."@en')
    report = check_document(example("bad-WGIG-5-FORUM-MISSING", changes))
    assert (report.conforms, states(report)[5]) == (True, "waived")
    (paper,) = report.papers
    assert 0 < paper.waived == paper.parts - paper.met
