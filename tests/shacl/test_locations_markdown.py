"""The finding of each rule that a paper in Markdown can break points to the line and column of the fault."""

import re

import pytest
from wgig.papers.readers import read_paper_document
from wgig.papers.skeleton import build_paper_skeleton
from wgig.rdf.formats import MARKDOWN
from wgig.settings import SHIPPED_FOLDER
from wgig.shacl.check import check_document
from wgig.shacl.rules import rules_by_code

GOOD_PAPER = (SHIPPED_FOLDER / "data" / "examples" / "spam-filters.md").read_text(encoding="utf-8")
MARK = "‸"  # marks the position that a finding must point to
# A change of the good paper, which marks the line of the name of the paper.
MARKED_PAPER = ("paper: example-spam-filters", f"{MARK}paper: example-spam-filters")
OFFICE_AGREEMENT, CODE_OF_PRACTICE = (
    "Agreement between offices for fair trade",
    "Code of practice of the providers",
)

Changes = list[tuple[str, str]]


def mark_line(line: str) -> tuple[str, str]:
    """The change that marks a line and leaves it unchanged."""
    return f"\n{line}\n", f"\n{MARK}{line}\n"


def remove_text(first_text: str, next_text: str, marked: tuple[str, str] = MARKED_PAPER) -> Changes:
    """The changes that remove the text from `first_text` up to `next_text`, and mark another line."""
    return [(f"{first_text}…{next_text}", next_text), marked]


# Changes that mark headings.
ISSUE, CATEGORIES = mark_line("## 1. Issue (what?)"), mark_line("## 2. Attribution to category / ies")
SWOT, ACTORS = mark_line("## 3. SWOT analysis"), mark_line("## 4. Actors (who, with whom?)")
FORUMS, MECHANISMS = mark_line("## 5. Forums (where?)"), mark_line("## 6. Governance mechanisms (how?)")
ADEQUACY = mark_line("## 7. Adequacy measured against the criteria of the Declaration of Principles")
FORUM = mark_line("### Round table on unwanted mail")
DEMOCRATIC, DEVELOPMENT = mark_line("### c. Democratic"), mark_line("### f. Other: development")

# The changes of the good paper that break a rule: old and new text. An ellipsis stands for any text.
CHANGES: dict[str, Changes] = {
    "WGIG-0-TITLE-MISSING": remove_text("title:", "language:"),
    "WGIG-0-TITLE-TWICE": [("title: Cooperation", f"title:\n  en:\n  - A title\n  - {MARK}Cooperation")],
    "WGIG-0-TITLE-BLANK": [("title: Cooperation on spam filters (an example)", f'title: {MARK}" "')],
    "WGIG-0-LANGUAGE-MISSING": remove_text("language:", "issue:"),
    "WGIG-0-LANGUAGE-VALUE": [("language: en", f"language: {MARK}english")],
    "WGIG-0-NAME-TAKEN": [
        ("paper: example-spam-filters", "paper: wp-spam"),
        ("title: Cooperation", f"title: {MARK}Cooperation"),
    ],
    "WGIG-0-DRAFTER-MISSING": remove_text("drafters:", "posted:"),
    "WGIG-0-DRAFTER-MEMBER": [
        ("name: Fifth Drafter", f"{MARK}name: Fifth Drafter"),
        ("civil-society\n    member: true\n", "civil-society\n"),
    ],
    "WGIG-0-DRAFTER-GROUPS": remove_text("  - name: Fourth", "posted:", mark_line("drafters:")),
    "WGIG-0-CITATION-UNKNOWN": [("  - declaration/48\nw", f"  - {MARK}declaration/480\nw")],
    "WGIG-0-PAGES-VALUE": [("pages: 5", f"pages: {MARK}4.5")],
    "WGIG-0-PAGES-TWICE": [("pages: 5", f"pages:\n  - 4\n  - {MARK}5")],
    "WGIG-0-PAGES-MISSING": remove_text("pages:", "version:"),
    "WGIG-0-PAGES-FEW": [("pages: 5", f"pages: {MARK}2")],
    "WGIG-0-PAGES-MANY": [("pages: 5", f"pages: {MARK}9")],
    "WGIG-0-POSTED-TWICE": [("posted: 2005-02-08", f"posted: [2005-01-20, {MARK}2005-01-21]")],
    "WGIG-0-POSTED-VALUE": [("posted: 2005-02-08", f"posted: {MARK}soon")],
    "WGIG-0-POSTED-MISSING": remove_text("posted:", "pages:"),
    "WGIG-0-LATE": [("posted: 2005-02-08", f"posted: {MARK}2005-02-08")],
    "WGIG-0-WAIVER-UNKNOWN": [("WGIG-0-LATE: The", f"{MARK}WGIG-0-LAST: The")],
    "WGIG-0-WAIVER-REASON": [("WGIG-0-LATE: The…\n", f"{MARK}WGIG-0-LATE:\n")],
    "WGIG-0-WAIVER-BLANK": [("WGIG-0-LATE: The…\n", f'WGIG-0-LATE: {MARK}" "\n')],
    "WGIG-0-WAIVER-REFUSED": [("WGIG-0-LATE: The", f"{MARK}WGIG-0-WAIVER-UNKNOWN: The")],
    "WGIG-1-ISSUE-MISSING": remove_text("issue: spam", "drafters:"),
    "WGIG-1-ISSUE-TWICE": [("issue: spam", f"issue:\n  - spam\n  - {MARK}voip")],
    "WGIG-1-ISSUE-UNKNOWN": [("issue: spam", f"issue: {MARK}chain-letters")],
    "WGIG-1-DESCRIPTION-MISSING": remove_text("Most messages", "## 2.", ISSUE),
    "WGIG-2-CATEGORY-MISSING": remove_text("- stable-and-secure", "## 3.", CATEGORIES),
    "WGIG-2-CATEGORY-UNKNOWN": [("- access-for-all", f"- {MARK}cluster-2")],
    "WGIG-2-CATEGORY-INVENTORY": [("- access-for-all", f"- {MARK}equitable-distribution")],
    "WGIG-3-SWOT-MISSING": remove_text("### Strengths", "## 4.", SWOT),
    "WGIG-3-STRENGTH-MISSING": remove_text("### Strengths", "### Weaknesses", SWOT),
    "WGIG-3-WEAKNESS-MISSING": remove_text("### Weaknesses", "### Opportunities", SWOT),
    "WGIG-3-OPPORTUNITY-MISSING": remove_text("### Opportunities", "### Threats", SWOT),
    "WGIG-3-THREAT-MISSING": remove_text("### Threats", "## 4.", SWOT),
    "WGIG-4-MAIN-MISSING": remove_text("### Main actor", "### Other actors", ACTORS),
    "WGIG-4-MAIN-TWICE": [
        ("(private-sector)\n\n###", f"(private-sector)\n- {MARK}Union of readers (civil-society)\n\n###")
    ],
    "WGIG-4-GROUP-MISSING": [("Union of mail providers (private-sector)", f"{MARK}Union of mail providers")],
    "WGIG-4-GROUP-UNKNOWN": [("Office for fair trade (governments)", f"{MARK}Office for fair trade (shops)")],
    "WGIG-4-NAME-MISSING": [("- unesco", f"- {MARK}union-of-readers")],
    "WGIG-5-FORUM-MISSING": remove_text("### Round table", "## 6.", FORUMS),
    "WGIG-5A-MISSING": remove_text("#### a. Who", "#### b. Nature", FORUM),
    "WGIG-5B-MISSING": remove_text("#### b. Nature", "#### Makes", FORUM),
    "WGIG-5B-DECIDES-MISSING": remove_text("#### Makes", "#### Decision", FORUM),
    "WGIG-5B-DECIDES-VALUE": [("\nyes\n", f"\n{MARK}sometimes\n")],
    "WGIG-5B-DECIDES-TWICE": [("\nyes\n", f"\n- yes\n- {MARK}no\n")],
    "WGIG-5B-PROCEDURE-MISSING": remove_text("#### Decision", "## 6.", mark_line("#### Makes decisions")),
    "WGIG-6-MECHANISM-MISSING": remove_text(f"### {CODE_OF_PRACTICE}", "## 7.", MECHANISMS),
    "WGIG-6A-MISSING": remove_text(
        "#### a. Objectives\n\nTo keep", "#### b. Content", mark_line(f"### {CODE_OF_PRACTICE}")
    ),
    "WGIG-6B-MISSING": remove_text(
        "#### b. Content\n\nOffices", "## 7.", mark_line(f"### {OFFICE_AGREEMENT}")
    ),
    "WGIG-6-ABOUT-UNKNOWN": [
        (f"\n### {CODE_OF_PRACTICE}\n", f"\n### {CODE_OF_PRACTICE}\n\nAbout: {MARK}mechanism/icann\n")
    ],
    "WGIG-7-CRITERION-MISSING": [("### f. Other: development", f"{MARK}### f. Other")],
    "WGIG-7-CRITERION-UNKNOWN": [("### f. Other: development", f"{MARK}### f. Other: beauty")],
    "WGIG-7-VERDICT-MISSING": [("Verdict: not-assessed  \n", ""), DEVELOPMENT],
    "WGIG-7-VERDICT-TWICE": [("Verdict: not-assessed", f"Verdict: not-assessed\nVerdict: {MARK}adequate")],
    "WGIG-7-VERDICT-UNKNOWN": [("Verdict: not-assessed", f"Verdict: {MARK}fine")],
    "WGIG-7-RATIONALE-MISSING": remove_text("Those who are listed", "### d.", DEMOCRATIC),
    "WGIG-7-CITATION-MISSING": [("Cites: declaration/8\n", ""), DEVELOPMENT],
    "WGIG-7-CITATION-UNKNOWN": [("48, declaration/49", f"48, {MARK}declaration/490")],
    "WGIG-7-MECHANISM-MISSING": [
        (f"not-assessed  \nMechanism: {CODE_OF_PRACTICE}", "not-assessed"),
        DEVELOPMENT,
    ],
    "WGIG-7-JUDGED-TWICE": [
        (f"not-assessed  \nMechanism: {CODE_OF_PRACTICE}", "not-assessed\nMechanism: agent/icann"),
        (
            "has not been measured.\n",
            f"been.\n\n{MARK}#### ICANN\n\nVerdict: adequate  \nCites: declaration/8\n\nAgain.\n",
        ),
    ],
    "WGIG-7-MECHANISM-UNKNOWN": [
        (f"not-assessed  \nMechanism: {CODE_OF_PRACTICE}", f"not-assessed\nMechanism: {MARK}Code of honor")
    ],
}
# By part of section 7: the heading of the criterion, a mechanism assessed below it, and the last words there.
CRITERIA = {
    "7A": ("### a. Multilateral", OFFICE_AGREEMENT, "have not been asked.\n"),
    "7B": ("### b. Transparent", CODE_OF_PRACTICE, "becomes of a complaint.\n"),
    "7C": ("### c. Democratic", CODE_OF_PRACTICE, "have no say in the rules.\n"),
    "7D": ("### d. Coordinated", OFFICE_AGREEMENT, "hear of it from the press.\n"),
    "7E": ("### e. Multi-stakeholder", CODE_OF_PRACTICE, "is decided about the code.\n"),
    "7F": ("### f. Other: development", CODE_OF_PRACTICE, "has not been measured.\n"),
}
for part, (heading, mechanism, last_words) in CRITERIA.items():
    second_assessment = (
        f"{last_words}\n{MARK}#### {mechanism}\n\nVerdict: adequate  \nCites: declaration/48\n\nAgain.\n"
    )
    CHANGES[f"WGIG-{part}-MISSING"] = [(f"{heading}…{last_words}", ""), ADEQUACY]
    CHANGES[f"WGIG-{part}-TWICE"] = [(last_words, second_assessment)]

# The changes that leave a heading or key without a text.
EMPTYING_CHANGES: dict[str, Changes] = {
    "WGIG-0-TITLE-MISSING": [("title: Cooperation on spam filters (an example)", f"{MARK}title:")],
    "WGIG-0-LANGUAGE-MISSING": [("language: en", f"{MARK}language:")],
    "WGIG-0-DRAFTER-MISSING": [("drafters:…posted:", f"{MARK}drafters:\nposted:")],
    "WGIG-0-PAGES-MISSING": [("pages: 5", f"{MARK}pages:")],
    "WGIG-0-POSTED-MISSING": [("posted: 2005-02-08", f"{MARK}posted:")],
    "WGIG-1-ISSUE-MISSING": [("issue: spam", f"{MARK}issue:")],
    "WGIG-3-STRENGTH-MISSING": [("### Strengths…###", f"{MARK}### Strengths\n\n###")],
    "WGIG-3-WEAKNESS-MISSING": [("### Weaknesses…###", f"{MARK}### Weaknesses\n\n###")],
    "WGIG-3-OPPORTUNITY-MISSING": [("### Opportunities…###", f"{MARK}### Opportunities\n\n###")],
    "WGIG-3-THREAT-MISSING": [("### Threats…##", f"{MARK}### Threats\n\n##")],
    "WGIG-4-MAIN-MISSING": [("### Main actor…###", f"{MARK}### Main actor\n\n###")],
    "WGIG-5A-MISSING": [("#### a. Who participates…###", f"{MARK}#### a. Who participates\n\n###")],
    "WGIG-5B-MISSING": [("#### b. Nature of the forum…###", f"{MARK}#### b. Nature of the forum\n\n###")],
    "WGIG-5B-DECIDES-MISSING": [("#### Makes decisions…###", f"{MARK}#### Makes decisions\n\n###")],
    "WGIG-5B-PROCEDURE-MISSING": [("#### Decision procedure…##", f"{MARK}#### Decision procedure\n\n##")],
    "WGIG-6A-MISSING": [("#### a. Objectives\n\nTo keep…###", f"{MARK}#### a. Objectives\n\n###")],
    "WGIG-6B-MISSING": [("#### b. Content\n\nOffices…## 7", f"{MARK}#### b. Content\n\n## 7")],
    "WGIG-7-VERDICT-MISSING": [("Verdict: not-assessed", f"{MARK}Verdict:")],
    "WGIG-7-MECHANISM-MISSING": [
        (
            f"Verdict: not-assessed  \nMechanism: {CODE_OF_PRACTICE}",
            f"Verdict: not-assessed\n{MARK}Mechanism:",
        )
    ],
    "WGIG-7-CITATION-MISSING": [("Cites: declaration/8\n", f"{MARK}Cites:\n")],
} | {
    f"WGIG-{part}-MISSING": [(f"{heading}…{last_words}", f"{MARK}{heading}\n\nVerdict:\n")]
    for part, (heading, _, last_words) in CRITERIA.items()
}
# The line of a skeleton where each part is to be filled in.
OPEN_LINES = {
    "WGIG-0-DRAFTER-MISSING": "drafters:",
    "WGIG-0-PAGES-MISSING": "pages:",
    "WGIG-0-POSTED-MISSING": "posted:",
    "WGIG-3-SWOT-MISSING": "## 3. SWOT analysis",
    "WGIG-4-MAIN-MISSING": "### Main actor",
    "WGIG-5-FORUM-MISSING": "## 5. Forums (where?)",
    "WGIG-6-MECHANISM-MISSING": "## 6. Governance mechanisms (how?)",
} | {f"WGIG-{part}-MISSING": heading for part, (heading, _, _) in CRITERIA.items()}

# The rules that no paper in Markdown can break, as patterns of their codes, with the reason.
UNBREAKABLE_RULES = {
    r"WGIG-\d-KIND": "the heading sets the type of a part",
    r"WGIG-\d-(WAIVER-)?TEXT": "the values below a heading or after a key are texts",
    r"WGIG-[1-8]-BLANK": "a heading with nothing below it states nothing",
    "WGIG-0-TITLE-LANGUAGE": "a title without a language has the language of the paper",
    "WGIG-0-ROUND-VALUE": "all papers of this template are of the first round",
    "WGIG-0-WAIVER-MISSING": "a waiver begins with the code of the rule",
    "WGIG-0-TERM-UNKNOWN": "a key or heading that the template does not have is refused",
    "WGIG-0-FOREIGN": "all values of the template are part of the paper",
    "WGIG-3-SWOT-TWICE": "a repeated heading is refused",
    "WGIG-7-CRITERION-TWICE": "an assessment is below one criterion",
}


def apply_changes(changes: Changes) -> tuple[str, tuple[int, int]]:
    """The good paper with changes, and the line and column of the mark."""
    text = GOOD_PAPER
    for old, new in changes:
        pattern = re.compile(re.escape(old).replace("…", ".*?"), re.DOTALL)
        text, count = pattern.subn(new, text)
        assert count == 1, old
    before, _, after = text.partition(MARK)
    return before + after, (before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1)


@pytest.mark.parametrize("code", CHANGES)
def test_a_finding_in_markdown_points_to_the_fault(code: str) -> None:
    text, position = apply_changes(CHANGES[code])
    report = check_document(read_paper_document("paper.md", text.encode(), MARKDOWN), "final")
    assert [finding.position for finding in report.findings if finding.rule.code == code] == [position]


@pytest.mark.parametrize("code", EMPTYING_CHANGES)
def test_a_finding_points_to_the_heading_or_key_without_text(code: str) -> None:
    text, position = apply_changes(EMPTYING_CHANGES[code])
    report = check_document(read_paper_document("paper.md", text.encode(), MARKDOWN), "final")
    assert [finding.position for finding in report.findings if finding.rule.code == code] == [position]


def test_a_finding_points_to_a_misplaced_verdict_line() -> None:
    verdict, reason = "Verdict: not-assessed  \n", "has not been measured.\n"
    text, position = apply_changes([(verdict, ""), (reason, f"{reason}\n{MARK}**Verdict:** adequate\n")])
    report = check_document(read_paper_document("paper.md", text.encode(), MARKDOWN), "final")
    assert [
        finding.position for finding in report.findings if finding.rule.code == "WGIG-7-VERDICT-MISSING"
    ] == [position]


def test_findings_in_a_skeleton_point_to_the_lines_to_fill_in() -> None:
    findings = check_document(
        read_paper_document("spam.md", build_paper_skeleton("spam").encode(), MARKDOWN), "final"
    ).findings
    assert {finding.rule.code: finding.line.partition("  #")[0] for finding in findings} == OPEN_LINES


def test_the_good_paper_breaks_only_a_waived_rule() -> None:
    findings = check_document(
        read_paper_document("paper.md", GOOD_PAPER.encode(), MARKDOWN), "final"
    ).findings
    assert [finding.rule.code for finding in findings] == ["WGIG-0-LATE"]
    assert findings[0].waiver


@pytest.mark.parametrize("code", rules_by_code())
def test_every_rule_is_broken_here_or_listed_as_unbreakable(code: str) -> None:
    reasons = [reason for pattern, reason in UNBREAKABLE_RULES.items() if re.fullmatch(pattern, code)]
    assert len(reasons) + (code in CHANGES) == 1, f"{code}: change the paper so that it breaks this rule"
