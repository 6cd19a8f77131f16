"""Each rule that Markdown can break points to the line and the column that its author has to look at."""

import re

import pytest
from wgig.papers.readers import read_paper_document
from wgig.papers.skeleton import build_paper_skeleton
from wgig.rdf.formats import MARKDOWN
from wgig.settings import SHIPPED_FOLDER
from wgig.shacl.check import check_document
from wgig.shacl.rules import rules_by_code

GOOD = (SHIPPED_FOLDER / "data" / "examples" / "spam-filters.md").read_text(encoding="utf-8")
HERE = "‸"  # the place that a finding must point to
PAPER = ("paper: example-spam-filters", f"{HERE}paper: example-spam-filters")
AGREEMENT, CODE = "Agreement between offices for fair trade", "Code of practice of the providers"

Changes = list[tuple[str, str]]


def at(line: str) -> tuple[str, str]:
    """A line that stays and is pointed to."""
    return f"\n{line}\n", f"\n{HERE}{line}\n"


def without(begin: str, end: str, place: tuple[str, str] = PAPER) -> Changes:
    """Everything from one text up to another goes, and another place is pointed to."""
    return [(f"{begin}…{end}", end), place]


ISSUE, CATEGORIES = at("## 1. Issue (what?)"), at("## 2. Attribution to category / ies")
SWOT, ACTORS = at("## 3. SWOT analysis"), at("## 4. Actors (who, with whom?)")
FORUMS, MECHANISMS = at("## 5. Forums (where?)"), at("## 6. Governance mechanisms (how?)")
ADEQUACY = at("## 7. Adequacy measured against the criteria of the Declaration of Principles")
FORUM = at("### Round table on unwanted mail")
DEMOCRATIC, DEVELOPMENT = at("### c. Democratic"), at("### f. Other: development")

# What of the good paper is changed into what; … stands for anything.
CHANGES: dict[str, Changes] = {
    "WGIG-0-TITLE-MISSING": without("title:", "language:"),
    "WGIG-0-TITLE-TWICE": [("title: Cooperation", f"title:\n  en:\n  - A title\n  - {HERE}Cooperation")],
    "WGIG-0-TITLE-BLANK": [("title: Cooperation on spam filters (an example)", f'title: {HERE}" "')],
    "WGIG-0-LANGUAGE-MISSING": without("language:", "issue:"),
    "WGIG-0-LANGUAGE-VALUE": [("language: en", f"language: {HERE}english")],
    "WGIG-0-NAME-TAKEN": [
        ("paper: example-spam-filters", "paper: wp-spam"),
        ("title: Cooperation", f"title: {HERE}Cooperation"),
    ],
    "WGIG-0-DRAFTER-MISSING": without("drafters:", "posted:"),
    "WGIG-0-DRAFTER-MEMBER": [
        ("name: Fifth Drafter", f"{HERE}name: Fifth Drafter"),
        ("civil-society\n    member: true\n", "civil-society\n"),
    ],
    "WGIG-0-DRAFTER-GROUPS": without("  - name: Fourth", "posted:", at("drafters:")),
    "WGIG-0-CITATION-UNKNOWN": [("  - declaration/48\nw", f"  - {HERE}declaration/480\nw")],
    "WGIG-0-PAGES-VALUE": [("pages: 5", f"pages: {HERE}4.5")],
    "WGIG-0-PAGES-TWICE": [("pages: 5", f"pages:\n  - 4\n  - {HERE}5")],
    "WGIG-0-PAGES-MISSING": without("pages:", "version:"),
    "WGIG-0-PAGES-FEW": [("pages: 5", f"pages: {HERE}2")],
    "WGIG-0-PAGES-MANY": [("pages: 5", f"pages: {HERE}9")],
    "WGIG-0-POSTED-TWICE": [("posted: 2005-02-08", f"posted: [2005-01-20, {HERE}2005-01-21]")],
    "WGIG-0-POSTED-VALUE": [("posted: 2005-02-08", f"posted: {HERE}soon")],
    "WGIG-0-POSTED-MISSING": without("posted:", "pages:"),
    "WGIG-0-LATE": [("posted: 2005-02-08", f"posted: {HERE}2005-02-08")],
    "WGIG-0-WAIVER-UNKNOWN": [("WGIG-0-LATE: The", f"{HERE}WGIG-0-LAST: The")],
    "WGIG-0-WAIVER-REASON": [("WGIG-0-LATE: The…\n", f"{HERE}WGIG-0-LATE:\n")],
    "WGIG-0-WAIVER-BLANK": [("WGIG-0-LATE: The…\n", f'WGIG-0-LATE: {HERE}" "\n')],
    "WGIG-0-WAIVER-REFUSED": [("WGIG-0-LATE: The", f"{HERE}WGIG-0-WAIVER-UNKNOWN: The")],
    "WGIG-1-ISSUE-MISSING": without("issue: spam", "drafters:"),
    "WGIG-1-ISSUE-TWICE": [("issue: spam", f"issue:\n  - spam\n  - {HERE}voip")],
    "WGIG-1-ISSUE-UNKNOWN": [("issue: spam", f"issue: {HERE}chain-letters")],
    "WGIG-1-DESCRIPTION-MISSING": without("Most messages", "## 2.", ISSUE),
    "WGIG-2-CATEGORY-MISSING": without("- stable-and-secure", "## 3.", CATEGORIES),
    "WGIG-2-CATEGORY-UNKNOWN": [("- access-for-all", f"- {HERE}cluster-2")],
    "WGIG-2-CATEGORY-INVENTORY": [("- access-for-all", f"- {HERE}equitable-distribution")],
    "WGIG-3-SWOT-MISSING": without("### Strengths", "## 4.", SWOT),
    "WGIG-3-STRENGTH-MISSING": without("### Strengths", "### Weaknesses", SWOT),
    "WGIG-3-WEAKNESS-MISSING": without("### Weaknesses", "### Opportunities", SWOT),
    "WGIG-3-OPPORTUNITY-MISSING": without("### Opportunities", "### Threats", SWOT),
    "WGIG-3-THREAT-MISSING": without("### Threats", "## 4.", SWOT),
    "WGIG-4-MAIN-MISSING": without("### Main actor", "### Other actors", ACTORS),
    "WGIG-4-MAIN-TWICE": [
        ("(private-sector)\n\n###", f"(private-sector)\n- {HERE}Union of readers (civil-society)\n\n###")
    ],
    "WGIG-4-GROUP-MISSING": [("Union of mail providers (private-sector)", f"{HERE}Union of mail providers")],
    "WGIG-4-GROUP-UNKNOWN": [("Office for fair trade (governments)", f"{HERE}Office for fair trade (shops)")],
    "WGIG-4-NAME-MISSING": [("- unesco", f"- {HERE}union-of-readers")],
    "WGIG-5-FORUM-MISSING": without("### Round table", "## 6.", FORUMS),
    "WGIG-5A-MISSING": without("#### a. Who", "#### b. Nature", FORUM),
    "WGIG-5B-MISSING": without("#### b. Nature", "#### Makes", FORUM),
    "WGIG-5B-DECIDES-MISSING": without("#### Makes", "#### Decision", FORUM),
    "WGIG-5B-DECIDES-VALUE": [("\nyes\n", f"\n{HERE}sometimes\n")],
    "WGIG-5B-DECIDES-TWICE": [("\nyes\n", f"\n- yes\n- {HERE}no\n")],
    "WGIG-5B-PROCEDURE-MISSING": without("#### Decision", "## 6.", at("#### Makes decisions")),
    "WGIG-6-MECHANISM-MISSING": without(f"### {CODE}", "## 7.", MECHANISMS),
    "WGIG-6A-MISSING": without("#### a. Objectives\n\nTo keep", "#### b. Content", at(f"### {CODE}")),
    "WGIG-6B-MISSING": without("#### b. Content\n\nOffices", "## 7.", at(f"### {AGREEMENT}")),
    "WGIG-7-CRITERION-MISSING": [("### f. Other: development", f"{HERE}### f. Other")],
    "WGIG-7-CRITERION-UNKNOWN": [("### f. Other: development", f"{HERE}### f. Other: beauty")],
    "WGIG-7-VERDICT-MISSING": [("Verdict: not-assessed  \n", ""), DEVELOPMENT],
    "WGIG-7-VERDICT-TWICE": [("Verdict: not-assessed", f"Verdict: not-assessed\nVerdict: {HERE}adequate")],
    "WGIG-7-VERDICT-UNKNOWN": [("Verdict: not-assessed", f"Verdict: {HERE}fine")],
    "WGIG-7-RATIONALE-MISSING": without("Those who are listed", "### d.", DEMOCRATIC),
    "WGIG-7-CITATION-MISSING": [("Cites: declaration/8\n", ""), DEVELOPMENT],
    "WGIG-7-CITATION-UNKNOWN": [("48, declaration/49", f"48, {HERE}declaration/490")],
    "WGIG-7-MECHANISM-MISSING": [(f"not-assessed  \nMechanism: {CODE}", "not-assessed"), DEVELOPMENT],
    "WGIG-7-MECHANISM-UNKNOWN": [
        (f"not-assessed  \nMechanism: {CODE}", f"not-assessed\nMechanism: {HERE}Code of honor")
    ],
}
# Of each criterion: its heading, a mechanism that is judged by it, and the last words.
CRITERIA = {
    "7A": ("### a. Multilateral", AGREEMENT, "have not been asked.\n"),
    "7B": ("### b. Transparent", CODE, "becomes of a complaint.\n"),
    "7C": ("### c. Democratic", CODE, "have no say in the rules.\n"),
    "7D": ("### d. Coordinated", AGREEMENT, "hear of it from the press.\n"),
    "7E": ("### e. Multi-stakeholder", CODE, "is decided about the code.\n"),
    "7F": ("### f. Other: development", CODE, "has not been measured.\n"),
}
for part, (heading, mechanism, last) in CRITERIA.items():
    once_more = f"{last}\n{HERE}#### {mechanism}\n\nVerdict: adequate  \nCites: declaration/48\n\nAgain.\n"
    CHANGES[f"WGIG-{part}-MISSING"] = [(f"{heading}…{last}", ""), ADEQUACY]
    CHANGES[f"WGIG-{part}-TWICE"] = [(last, once_more)]

# Where the heading, key or line is there, and nothing is said below it or behind it.
EMPTIED: dict[str, Changes] = {
    "WGIG-0-TITLE-MISSING": [("title: Cooperation on spam filters (an example)", f"{HERE}title:")],
    "WGIG-0-LANGUAGE-MISSING": [("language: en", f"{HERE}language:")],
    "WGIG-0-DRAFTER-MISSING": [("drafters:…posted:", f"{HERE}drafters:\nposted:")],
    "WGIG-0-PAGES-MISSING": [("pages: 5", f"{HERE}pages:")],
    "WGIG-0-POSTED-MISSING": [("posted: 2005-02-08", f"{HERE}posted:")],
    "WGIG-1-ISSUE-MISSING": [("issue: spam", f"{HERE}issue:")],
    "WGIG-3-STRENGTH-MISSING": [("### Strengths…###", f"{HERE}### Strengths\n\n###")],
    "WGIG-3-WEAKNESS-MISSING": [("### Weaknesses…###", f"{HERE}### Weaknesses\n\n###")],
    "WGIG-3-OPPORTUNITY-MISSING": [("### Opportunities…###", f"{HERE}### Opportunities\n\n###")],
    "WGIG-3-THREAT-MISSING": [("### Threats…##", f"{HERE}### Threats\n\n##")],
    "WGIG-4-MAIN-MISSING": [("### Main actor…###", f"{HERE}### Main actor\n\n###")],
    "WGIG-5A-MISSING": [("#### a. Who participates…###", f"{HERE}#### a. Who participates\n\n###")],
    "WGIG-5B-MISSING": [("#### b. Nature of the forum…###", f"{HERE}#### b. Nature of the forum\n\n###")],
    "WGIG-5B-DECIDES-MISSING": [("#### Makes decisions…###", f"{HERE}#### Makes decisions\n\n###")],
    "WGIG-5B-PROCEDURE-MISSING": [("#### Decision procedure…##", f"{HERE}#### Decision procedure\n\n##")],
    "WGIG-6A-MISSING": [("#### a. Objectives\n\nTo keep…###", f"{HERE}#### a. Objectives\n\n###")],
    "WGIG-6B-MISSING": [("#### b. Content\n\nOffices…## 7", f"{HERE}#### b. Content\n\n## 7")],
    "WGIG-7-VERDICT-MISSING": [("Verdict: not-assessed", f"{HERE}Verdict:")],
    "WGIG-7-MECHANISM-MISSING": [
        (f"Verdict: not-assessed  \nMechanism: {CODE}", f"Verdict: not-assessed\n{HERE}Mechanism:")
    ],
    "WGIG-7-CITATION-MISSING": [("Cites: declaration/8\n", f"{HERE}Cites:\n")],
} | {
    f"WGIG-{part}-MISSING": [(f"{heading}…{last}", f"{HERE}{heading}\n\nVerdict:\n")]
    for part, (heading, _, last) in CRITERIA.items()
}
# Where each part that a skeleton leaves open stands in it.
OPEN = {
    "WGIG-0-DRAFTER-MISSING": "drafters:",
    "WGIG-0-PAGES-MISSING": "pages:",
    "WGIG-0-POSTED-MISSING": "posted:",
    "WGIG-3-SWOT-MISSING": "## 3. SWOT analysis",
    "WGIG-4-MAIN-MISSING": "### Main actor",
    "WGIG-5-FORUM-MISSING": "## 5. Forums (where?)",
    "WGIG-6-MECHANISM-MISSING": "## 6. Governance mechanisms (how?)",
} | {f"WGIG-{part}-MISSING": heading for part, (heading, _, _) in CRITERIA.items()}

# What no Markdown can break, by the codes of the rules.
IMPOSSIBLE = {
    r"WGIG-\d-KIND": "the heading gives a part its kind",
    r"WGIG-\d-(WAIVER-)?TEXT": "what stands below a heading or behind a key is text",
    r"WGIG-[1-8]-BLANK": "a heading with nothing below it states nothing",
    "WGIG-0-TITLE-LANGUAGE": "a title without a language is in that of the paper",
    "WGIG-0-ROUND-VALUE": "all papers of this form are of the first round",
    "WGIG-0-WAIVER-MISSING": "a waiver begins with the code of the rule",
    "WGIG-0-TERM-UNKNOWN": "a key or heading that the form does not have is refused",
    "WGIG-0-FOREIGN": "all that the form holds is part of the paper",
    "WGIG-3-SWOT-TWICE": "a heading that stands twice is refused",
    "WGIG-7-CRITERION-TWICE": "an assessment stands below one criterion",
}


def changed(changes: Changes) -> tuple[str, tuple[int, int]]:
    """The good paper with changes, and line and column of the place that is marked."""
    text = GOOD
    for old, new in changes:
        pattern = re.compile(re.escape(old).replace("…", ".*?"), re.DOTALL)
        text, times = pattern.subn(new, text)
        assert times == 1, old
    before, _, after = text.partition(HERE)
    return before + after, (before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1)


@pytest.mark.parametrize("code", CHANGES)
def test_a_finding_in_markdown_points_to_the_place(code: str) -> None:
    text, place = changed(CHANGES[code])
    report = check_document(read_paper_document("paper.md", text.encode(), MARKDOWN), "final")
    assert [one.place for one in report.findings if one.rule.code == code] == [place]


@pytest.mark.parametrize("code", EMPTIED)
def test_a_finding_points_to_the_heading_or_key_that_nothing_follows(code: str) -> None:
    text, place = changed(EMPTIED[code])
    report = check_document(read_paper_document("paper.md", text.encode(), MARKDOWN), "final")
    assert [one.place for one in report.findings if one.rule.code == code] == [place]


def test_a_finding_points_to_the_line_that_should_stand_above_the_reason() -> None:
    verdict, reason = "Verdict: not-assessed  \n", "has not been measured.\n"
    text, place = changed([(verdict, ""), (reason, f"{reason}\n{HERE}**Verdict:** adequate\n")])
    report = check_document(read_paper_document("paper.md", text.encode(), MARKDOWN), "final")
    assert [one.place for one in report.findings if one.rule.code == "WGIG-7-VERDICT-MISSING"] == [place]


def test_the_findings_of_a_skeleton_point_to_what_is_to_be_filled_in() -> None:
    findings = check_document(
        read_paper_document("spam.md", build_paper_skeleton("spam").encode(), MARKDOWN), "final"
    ).findings
    assert {one.rule.code: one.line.partition("  #")[0] for one in findings} == OPEN


def test_the_good_paper_breaks_no_rule_but_one_that_it_waives() -> None:
    findings = check_document(read_paper_document("paper.md", GOOD.encode(), MARKDOWN), "final").findings
    assert [one.rule.code for one in findings] == ["WGIG-0-LATE"]
    assert findings[0].waiver


@pytest.mark.parametrize("code", rules_by_code())
def test_a_rule_is_broken_here_or_cannot_be(code: str) -> None:
    reasons = [why for pattern, why in IMPOSSIBLE.items() if re.fullmatch(pattern, code)]
    assert len(reasons) + (code in CHANGES) == 1, f"{code}: change the paper so that it breaks this rule"
