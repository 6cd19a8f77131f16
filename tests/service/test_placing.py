"""Each finding of each example points to the line that its author has to look at."""

import json
import re
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.check import check
from wgig.documents import MARKDOWN, read
from wgig.formats import JSON_LD, N_TRIPLES, TRIG, TURTLE
from wgig.report import Finding
from wgig.rules import Rule, rules
from wgig.settings import SHIPPED

EXAMPLES = SHIPPED / "shapes" / "examples" / "issue-paper"
BAD = sorted(EXAMPLES.glob("bad-*.ttl"))
ID = "https://w3id.org/wgig/id/"

Lines = dict[tuple[object, ...], int]


def rule_of(path: Path) -> Rule:
    return rules()[path.stem.removeprefix("bad-")]


def found(name: str, text: str, rule: Rule) -> Finding:
    """The one finding in a text, which is of the rule."""
    format_ = {"ttl": TURTLE, "trig": TRIG, "nt": N_TRIPLES, "jsonld": JSON_LD}[name]
    findings = check(read(name, text.encode(), format_), "final").findings
    assert [one.rule.code for one in findings] == [rule.code]
    return findings[0]


def line_of(finding: Finding) -> int:
    assert finding.place
    return finding.place.line


def expected(text: str, rule: Rule) -> int:
    """The line of the reason, as the example tells: it has a comment where it was changed.

    A statement that is wrong or too long stands below the comment, and its last value is the one. Where
    something is missing, the block around the comment begins with what lacks it.
    """
    lines = text.split("\n")
    comment = max(
        number for number, line in enumerate(lines) if line.lstrip().startswith("# ") and changed(line)
    )
    if lines[comment + 1] == "":  # the block below was added as a whole
        comment += 2
        if rule.code != "WGIG-0-FOREIGN":
            comment = next(n for n in range(comment, len(lines)) if "wgig:judges" in lines[n])
        return comment + 1
    begin = max(number for number in range(comment) if lines[number] == "") + 1
    if rule.component == "Class" and rule.code.endswith("-KIND"):  # the value is what lacks its type
        name = re.compile(rf"{re.escape(lines[begin])} [;,]$")
        return next(number for number, line in enumerate(lines, 1) if name.search(line))
    if rule.code == "WGIG-0-DRAFTER-GROUPS":  # it is the paper that has drafters of one group alone
        return lines.index("paper:example") + 1
    if rule.code.endswith(("-MISSING", "-REASON")):
        return begin + 1
    return (
        next(number for number in range(comment + 1, len(lines)) if lines[number].endswith((" ;", " ."))) + 1
    )


def changed(comment: str) -> bool:
    """Whether a comment is none of those that all examples have."""
    return comment.strip() not in COMMENTS


COMMENTS = {line.strip() for line in (EXAMPLES / "ok-final.ttl").read_text().split("\n")} | {
    "# A made-up issue paper. What is wrong is said where it is wrong."
}


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_finding_in_turtle_points_to_the_line(path: Path) -> None:
    text = path.read_text()
    finding = found("ttl", text, rule_of(path))
    assert line_of(finding) == expected(text, rule_of(path))
    assert finding.line == text.split("\n")[line_of(finding) - 1].strip()


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_finding_in_trig_points_to_the_line(path: Path) -> None:
    prefixes, graph, rest = path.read_text().partition("\ngraph:")
    text = f"{prefixes}\n<https://example.org/graph> {{\n{graph}{rest}\n}}\n"
    assert line_of(found("trig", text, rule_of(path))) == expected(text, rule_of(path))


def in_json(triples: list[ox.Triple]) -> tuple[str, Lines]:
    """The triples as JSON-LD, a line for each name of a node and for each value, and those lines."""
    lines, where = ["["], Lines()
    for subject in dict.fromkeys(one.subject for one in triples):
        lines.append(f'  {{ "@id": {json.dumps(named(subject))}')
        where[subject,] = len(lines)
        of = [one for one in triples if one.subject == subject]
        for predicate in dict.fromkeys(one.predicate for one in of):
            lines.append(f"    , {json.dumps(predicate.value)}: [")
            where[subject, predicate] = len(lines)
            for value in (one.object for one in of if one.predicate == predicate):
                lines.append(f"      {json.dumps(in_json_value(value))},")
                where[subject, predicate, value] = len(lines)
            lines[-1] = lines[-1].removesuffix(",") + "]"
        lines.append("  },")
    lines[-1] = "  } ]"
    return "\n".join(lines), where


def named(node: object) -> str:
    return str(node) if isinstance(node, ox.BlankNode) else str(getattr(node, "value", ""))


def in_json_value(term: object) -> dict[str, str]:
    if not isinstance(term, ox.Literal):
        return {"@id": named(term)}
    kind = {"@language": term.language} if term.language else {"@type": term.datatype.value}
    return {"@value": term.value} | kind


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_finding_in_json_ld_points_to_the_line(path: Path) -> None:
    rule, text = rule_of(path), path.read_text()
    written, where = in_json(list(read("", text.encode(), TURTLE).triples))
    term = term_at(text, expected(text, rule))
    if rule.code == "WGIG-0-TERM-UNKNOWN":
        term = term[:2]
    assert line_of(found("jsonld", written, rule)) == where[term]


def test_a_finding_in_n_triples_points_to_the_line_of_its_triple() -> None:
    triples = read("", (EXAMPLES / "bad-WGIG-1-ISSUE-TWICE.ttl").read_bytes(), TURTLE).triples
    text = "".join(f"{one} .\n" for one in triples)
    finding = found("nt", text, rules()["WGIG-1-ISSUE-TWICE"])
    assert finding.line.endswith(f"<{ID}issue/cybersecurity-cybercrime> .")


def term_at(text: str, line: int) -> tuple[object, ...]:
    """What stands at a line of Turtle: a subject alone, or subject, predicate and object."""
    lines = text.split("\n")
    prefixes = [one for one in lines if one.startswith("@prefix")]
    subject = max(number for number in range(line) if lines[number] and lines[number][0] not in " #")
    predicate = max(number for number in range(line) if not lines[number - 1].endswith(","))
    words = [lines[subject], lines[predicate].split()[0], lines[line - 1].split(None, 1)[-1]]
    if subject == line - 1:
        words = [lines[subject], "a", "<x:>"]
    elif predicate < line - 1:
        words[2] = lines[line - 1]
    one = next(iter(ox.parse("\n".join([*prefixes, *words]).rstrip(" ;,.") + " .", ox.RdfFormat.TURTLE)))
    return (one.subject,) if subject == line - 1 else (one.subject, one.predicate, one.object)


WAIVER = "WGIG-0-LAST: The first version was posted in time; this one takes in comments."
PAPER_LINE = "paper: example-spam-filters"
SWOT, FORUM, TRADE = (
    "## 3. SWOT analysis",
    "### Round table on unwanted mail",
    "### Agreement between offices for fair trade",
)
# Of the Markdown example: what is changed into what, the rule that this breaks, and the line of the reason.
IN_MARKDOWN = [
    ("title: Cooperation on spam filters (an example)\n", "", "WGIG-0-TITLE-MISSING", PAPER_LINE),
    ("pages: 5", "pages: 4.5", "WGIG-0-PAGES-VALUE", "pages: 4.5"),
    ("pages: 5", "pages: 9", "WGIG-0-PAGES-MANY", "pages: 9"),
    ("pages: 5", "pages:\n  - 4\n  - 5", "WGIG-0-PAGES-TWICE", "- 5"),
    ("posted: 2005-02-08", "posted: soon", "WGIG-0-POSTED-VALUE", "posted: soon"),
    ("issue: spam", "issue: chain-letters", "WGIG-1-ISSUE-UNKNOWN", "issue: chain-letters"),
    ("issue: spam", "issue:\n  - spam\n  - voip", "WGIG-1-ISSUE-TWICE", "- voip"),
    ("  - declaration/48\nw", "  - declaration/480\nw", "WGIG-0-CITATION-UNKNOWN", "- declaration/480"),
    ("  WGIG-0-LATE:", "  WGIG-0-LAST:", "WGIG-0-WAIVER-UNKNOWN", WAIVER),
    ("- stable-and-secure\n- access-for-all\n", "", "WGIG-2-CATEGORY-MISSING", PAPER_LINE),
    ("- access-for-all", "- cluster-2", "WGIG-2-CATEGORY-UNKNOWN", "- cluster-2"),
    (
        "### Opportunities\n\n- Several countries are drafting laws on unwanted mail.\n",
        "",
        "WGIG-3-OPPORTUNITY-MISSING",
        SWOT,
    ),
    ("(private-sector)", "(consumers)", "WGIG-4-GROUP-UNKNOWN", "- Union of mail providers (consumers)"),
    ("### Main actor\n\n- Union of mail providers (private-sector)\n", "", "WGIG-4-MAIN-MISSING", PAPER_LINE),
    ("\nyes\n", "\nsometimes\n", "WGIG-5B-DECIDES-VALUE", "sometimes"),
    ("#### Decision procedure\n\nBy consensus", "By consensus", "WGIG-5B-PROCEDURE-MISSING", FORUM),
    ("#### a. Objectives\n\nTo follow senders across borders.\n", "", "WGIG-6A-MISSING", TRADE),
    (
        "Cites: declaration/37, ",
        "Cites: declaration/480, ",
        "WGIG-7-CITATION-UNKNOWN",
        "Cites: declaration/480, declaration/48",
    ),
    (
        "### a. Multilateral\n\nVerdict: partly-adequate  \n",
        "### a. Multilateral\n\n",
        "WGIG-7-VERDICT-MISSING",
        "### a. Multilateral",
    ),
    (
        "### a. Multilateral\n\nVerdict: partly-adequate",
        "### a. Multilateral\n\nVerdict: fine",
        "WGIG-7-VERDICT-UNKNOWN",
        "Verdict: fine",
    ),
]


@pytest.mark.parametrize(("old", "new", "code", "reason"), IN_MARKDOWN, ids=[one[2] for one in IN_MARKDOWN])
def test_a_finding_in_markdown_points_to_the_line(old: str, new: str, code: str, reason: str) -> None:
    text = (SHIPPED / "data" / "examples" / "spam-filters.md").read_text()
    assert text.count(old) == 1
    lines = text.replace(old, new).split("\n")
    report = check(read("paper.md", "\n".join(lines).encode(), MARKDOWN), "final")
    found = [one for one in report.findings if one.rule.code == code]
    assert len(found) == 1
    assert lines[line_of(found[0]) - 1].strip() == reason
