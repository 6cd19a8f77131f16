"""The skeleton of a paper has data on the issue, and can be parsed and filled in."""

import re
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.cli.main import main
from wgig.papers import markdown
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


def test_skeleton_has_the_date_when_papers_were_due(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "papers were due on 2005-01-25" in build_paper_skeleton("spam")
    due_triple = ox.Triple(
        expand_curie("milestone:ms-papers"),
        expand_curie("wgig:due"),
        ox.Literal("2005-03-01"),
    )
    facts = (due_triple, *shipped.shipped_facts())
    monkeypatch.setattr(shipped, "shipped_facts", lambda: facts)
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
