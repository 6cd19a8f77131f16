"""The skeleton of a paper has data on the issue, and can be parsed and filled in."""

import re
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.cli.main import main
from wgig.papers import background, markdown
from wgig.papers.readers import read_paper_document
from wgig.papers.skeleton import build_paper_skeleton
from wgig.problems import Problem
from wgig.rdf import shipped
from wgig.rdf.formats import MARKDOWN
from wgig.rdf.namespaces import expand_curie
from wgig.shacl.check import check_document

INVENTORY_ISSUES = sorted(
    str(triple.subject).rpartition("/")[2].rstrip(">")
    for triple in shipped.shipped_facts()
    if triple.predicate == expand_curie("wgig:inventoryStatus") and triple.object == ox.Literal("yes")
)
SAMPLE_TEXT = "Something is said here."


def fill_in_skeleton(text: str) -> str:
    """Fill in a skeleton as its hints explain."""
    # Remove the comment marks around the headings of a forum and a mechanism, then write below each heading.
    text = re.sub(r"<!-- For each (?:forum|mechanism).*?\n\n(###.*?)-->", r"\1", text, flags=re.DOTALL)
    text = re.sub(r"(###+ (?:[ab]\. |Decision).*\n)(?=\n+#)", rf"\1\n{SAMPLE_TEXT}\n", text)
    text = text.replace("#### Makes decisions\n", "#### Makes decisions\n\nyes\n")
    text = re.sub(r"(### (?:Strengths|Weaknesses|Opportunities|Threats)\n)", rf"\1\n- {SAMPLE_TEXT}\n", text)
    text = text.replace("### Main actor\n", "### Main actor\n\n- Ann (civil-society)\n")
    fields = (
        f"Verdict: adequate  \nMechanism: Name of the mechanism  \nCites: declaration/48\n\n{SAMPLE_TEXT}"
    )
    text = text.replace("Verdict:  \nMechanism:  \nCites:", fields)
    front_matter_lines = {
        "drafters:": "drafters: [afonso, al-darrab]",
        "posted:": "posted: 2005-01-20",
        "pages:": "pages: 4",
    }
    for key, line in front_matter_lines.items():
        text = re.sub(f"^{key}", line, text, flags=re.MULTILINE)
    return text


@pytest.mark.parametrize("issue", INVENTORY_ISSUES)
def test_skeleton_of_every_issue_conforms_to_the_draft_profile(issue: str) -> None:
    document = read_paper_document("mine.md", build_paper_skeleton(issue).encode(), MARKDOWN)
    (paper,) = check_document(document, "draft").papers
    assert paper.conforms
    assert not paper.findings


def test_skeleton_filled_in_as_its_hints_explain_conforms_to_the_final_profile() -> None:
    document = read_paper_document(
        "mine.md", fill_in_skeleton(build_paper_skeleton("spam")).encode(), MARKDOWN
    )
    (paper,) = check_document(document, "final").papers
    assert not paper.findings
    assert paper.conforms


def test_skeleton_has_data_on_the_issue() -> None:
    triples = markdown.parse_paper_triples(build_paper_skeleton("spam"))[0]
    property_values = {(triple.predicate, triple.object) for triple in triples}
    for curie, value in {
        "wgig:issue": "issue:spam",
        "wgig:category": "category:stable-and-secure",
        "cito:cites": "declaration:37",
    }.items():
        assert (expand_curie(curie), expand_curie(value)) in property_values
    assert "Bulk unsolicited messages" in build_paper_skeleton("spam")


def read_comments(text: str, heading: str) -> str:
    """The comments between a heading and the next one of the template, on one line."""
    section = text.partition(f"\n{heading}")[2].partition("\n## ")[0].partition("\n### ")[0]
    return " ".join(" ".join(re.findall(r"<!--(.*?)-->", section, re.DOTALL)).split())


def test_skeleton_has_what_the_background_report_says_at_the_sections_to_which_it_belongs() -> None:
    text = build_paper_skeleton("spam")
    mechanisms = read_comments(text, "## 6.")
    assert "The Background Report of June 2005 names these" in mechanisms
    assert "agent/oecd: OECD, organization; policy frameworks, guidelines and studies" in mechanisms
    judgments = read_comments(text, "### d. Coordinated")
    assert "Judgments of the Background Report of June 2005, not of this paper" in judgments
    assert "- partly adequate, in the view of the group: Joint work has only begun. Judged: " in judgments
    assert "“has begun, but is in its nascent stages” (background-report/136)" in judgments
    assert "inadequate, in the view of some members: More coordination would serve" in judgments
    assert "About the whole cluster “use of the Internet”. (background-report/132)" in judgments
    assert "Judged: OECD and LAP (agent/oecd, mechanism/lap). “It is not" in judgments
    assert "Judged: processes that are handling the issues. “would be" in judgments
    assert "adequacy in general: not assessed, in the view of the group" in read_comments(text, "## 7.")
    assert "need, in the view of the group: Cooperation of states" in read_comments(text, "## 8.")
    assert "The Background Report" not in read_comments(text, "## 5.")  # no forum handles spam
    assert "these forums" in read_comments(build_paper_skeleton("competition-policy"), "## 5.")
    disputed = read_comments(build_paper_skeleton("leased-line-costs"), "## 7.")
    assert "One side of the dispute: Whether open markets alone lower the costs" in disputed


def test_a_kind_of_involvement_is_at_the_criterion_involvement() -> None:
    hints = background.list_background_hints(expand_curie("issue:names-and-ip-addresses"))
    criteria = {hint.criterion for hint in hints["involvement"]}
    assert expand_curie("principle:involvement-governments") in criteria
    judgments = read_comments(build_paper_skeleton("names-and-ip-addresses"), "### e. Multi-stakeholder")
    assert "full involvement of governments: " in judgments


def test_an_issue_has_what_the_background_report_says_of_its_parts() -> None:
    whole, names, addresses = (
        {hint.node for hint in background.list_background_hints(expand_curie(f"issue:{name}"))["involvement"]}
        for name in ("names-and-ip-addresses", "internet-names", "ip-addresses")
    )
    assert whole == names | addresses
    assert addresses - names


@pytest.mark.parametrize("issue", INVENTORY_ISSUES)
def test_every_judgment_on_an_issue_is_in_a_comment_and_not_in_the_paper(issue: str) -> None:
    text = build_paper_skeleton(issue)
    triples = markdown.parse_paper_triples(text)[0]
    node = expand_curie(f"issue:{issue}")
    judgments = [
        values
        for values in background.facts_by_subject().values()
        if node in values.get(expand_curie("wgig:issue").value, ())
        and expand_curie("wgig:Judgment") in values.get(expand_curie("rdf:type").value, ())
    ]
    for values in judgments:
        quotation = values[expand_curie("wgig:quotation").value][0].value
        assert " ".join(quotation.split()) in " ".join(text.split())
        assert quotation not in "".join(map(str, triples))
    assert expand_curie("wgig:Assessment") not in {triple.object for triple in triples}


def test_skeleton_has_the_date_when_papers_were_due(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "papers were due on 2005-01-25" in build_paper_skeleton("spam")
    due_dates = {expand_curie("wgig:due").value: [ox.Literal("2005-03-01")]}
    facts = background.facts_by_subject() | {expand_curie("milestone:ms-papers"): due_dates}
    monkeypatch.setattr(background, "facts_by_subject", lambda: facts)
    assert "papers were due on 2005-03-01" in build_paper_skeleton("spam")


def test_unknown_issue_is_refused_with_similar_names() -> None:
    with pytest.raises(Problem, match="Did you mean spam") as error:
        build_paper_skeleton("spamm")
    assert error.value.status == 404
    with pytest.raises(Problem, match="The issues are: "):
        build_paper_skeleton("zzz")


def test_command_writes_a_new_file_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", "paper", "spam"]) == 0
    assert (tmp_path / "spam.md").read_text() == build_paper_skeleton("spam")
    assert main(["new", "paper", "spam"]) == 2  # 2: invalid arguments
    assert "already exists" in capsys.readouterr().err
    assert main(["new", "paper", "spam", "--output", "other.md"]) == 0
    assert main(["new", "paper", "spam", "--output", "-"]) == 0
    assert capsys.readouterr().out == build_paper_skeleton("spam")
    assert main(["new", "paper", "spamm"]) == 2
    assert "Did you mean spam" in capsys.readouterr().err
    assert main(["new", "paper", "spam", "-o", "nowhere/spam.md"]) == 2
    assert "nowhere" in capsys.readouterr().err
