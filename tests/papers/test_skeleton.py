"""The beginning of a paper: what is known of the issue is there, and it can be read and filled in."""

import re
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.cli.main import main
from wgig.papers import markdown
from wgig.papers.readers import read_paper_document as read_document
from wgig.papers.skeleton import build_paper_skeleton
from wgig.problems import Problem
from wgig.rdf import shipped
from wgig.rdf.formats import MARKDOWN
from wgig.rdf.namespaces import expand_curie
from wgig.shacl.check import check_document

ISSUES = sorted(
    str(one.subject).rpartition("/")[2].rstrip(">")
    for one in shipped.shipped_facts()
    if one.predicate == expand_curie("wgig:inventoryStatus") and one.object == ox.Literal("yes")
)
WORDS = "Something is said here."


def filled(text: str) -> str:
    """A skeleton filled in as its hints say."""
    text = re.sub(r"<!-- For each (?:forum|mechanism).*?\n\n(###.*?)-->", r"\1", text, flags=re.DOTALL)
    text = re.sub(r"(###+ (?:[ab]\. |Decision).*\n)(?=\n+#)", rf"\1\n{WORDS}\n", text)
    text = text.replace("#### Makes decisions\n", "#### Makes decisions\n\nyes\n")
    text = re.sub(r"(### (?:Strengths|Weaknesses|Opportunities|Threats)\n)", rf"\1\n- {WORDS}\n", text)
    text = text.replace("### Main actor\n", "### Main actor\n\n- Ann (civil-society)\n")
    fields = f"Verdict: adequate  \nMechanism: Name of the mechanism  \nCites: declaration/48\n\n{WORDS}"
    text = text.replace("Verdict:  \nMechanism:  \nCites:", fields)
    head = {
        "drafters:": "drafters: [afonso, al-darrab]",
        "posted:": "posted: 2005-01-20",
        "pages:": "pages: 4",
    }
    for key, line in head.items():
        text = re.sub(f"^{key}", line, text, flags=re.MULTILINE)
    return text


@pytest.mark.parametrize("issue", ISSUES)
def test_every_issue_of_the_inventory_has_a_skeleton_that_is_a_draft(issue: str) -> None:
    document = read_document("mine.md", build_paper_skeleton(issue).encode(), MARKDOWN)
    (paper,) = check_document(document, "draft").papers
    assert paper.conforms
    assert not paper.findings


def test_a_skeleton_filled_in_as_its_hints_say_is_final() -> None:
    document = read_document("mine.md", filled(build_paper_skeleton("spam")).encode(), MARKDOWN)
    (paper,) = check_document(document, "final").papers
    assert not paper.findings
    assert paper.conforms


def test_the_skeleton_says_what_the_graph_knows_of_the_issue() -> None:
    said = {
        (one.predicate, one.object) for one in markdown.parse_paper_triples(build_paper_skeleton("spam"))[0]
    }
    for name, value in {
        "wgig:issue": "issue:spam",
        "wgig:category": "category:stable-and-secure",
        "cito:cites": "declaration:37",
    }.items():
        assert (expand_curie(name), expand_curie(value)) in said
    assert "Bulk unsolicited messages" in build_paper_skeleton("spam")


def test_the_skeleton_names_the_day_that_papers_were_due(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "papers were due on 2005-01-25" in build_paper_skeleton("spam")
    due = ox.Triple(
        expand_curie("milestone:ms-papers"),
        expand_curie("wgig:due"),
        ox.Literal("2005-03-01"),
    )
    facts = (due, *shipped.shipped_facts())
    monkeypatch.setattr(shipped, "shipped_facts", lambda: facts)
    assert "papers were due on 2005-03-01" in build_paper_skeleton("spam")


def test_an_unknown_issue_is_refused_with_the_near_ones() -> None:
    with pytest.raises(Problem, match="Did you mean spam") as caught:
        build_paper_skeleton("spamm")
    assert caught.value.status == 404
    with pytest.raises(Problem, match="The issues are: "):
        build_paper_skeleton("zzz")


def test_the_command_writes_a_file_and_never_over_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", "paper", "spam"]) == 0
    assert (tmp_path / "spam.md").read_text() == build_paper_skeleton("spam")
    assert main(["new", "paper", "spam"]) == 2
    assert "already exists" in capsys.readouterr().err
    assert main(["new", "paper", "spam", "--output", "other.md"]) == 0
    assert main(["new", "paper", "spam", "--output", "-"]) == 0
    assert capsys.readouterr().out == build_paper_skeleton("spam")
    assert main(["new", "paper", "spamm"]) == 2
    assert "Did you mean spam" in capsys.readouterr().err
    assert main(["new", "paper", "spam", "-o", "nowhere/spam.md"]) == 2
    assert "nowhere" in capsys.readouterr().err
