"""The statements of a form: those of the opened paper, with the changes in the fields."""

from pathlib import Path

import httpx2
import pyoxigraph as ox
import pytest
from rdflib import RDFS, Graph
from rdflib.compare import graph_diff, isomorphic
from wgig.papers.form.original import OriginalPaper
from wgig.papers.form.statements import FormToGraph
from wgig.papers.markdown import parse_paper_triples
from wgig.settings import SHIPPED_FOLDER

from tests.fixtures.html_form import HTML_HEADERS, Form, open_form
from tests.fixtures.paper_form import (
    BASE,
    EXAMPLE_TURTLE,
    PAPER_NAME,
    PAPER_NODE,
    STATEMENTS_WITHOUT_FIELD,
    TOKEN,
    put_paper,
    read_paper,
)
from tests.fixtures.triples import load_triples

pytestmark = pytest.mark.slow

PAPER_PATHS = sorted(
    [*(SHIPPED_FOLDER / "data/papers").glob("wp-*.ttl"), *(SHIPPED_FOLDER / "data/examples").glob("*.ttl")]
)


@pytest.mark.parametrize("path", PAPER_PATHS, ids=lambda path: path.stem)
def test_unchanged_form_has_the_original_statements(path: Path) -> None:
    original = OriginalPaper(load_triples(path))
    assert set(FormToGraph(original, original.form_state).triples) == set(original.triples)


def test_save_without_a_change_leaves_the_graph_unchanged(client: httpx2.Client) -> None:
    put_paper(client, EXAMPLE_TURTLE + STATEMENTS_WITHOUT_FIELD)
    original_graph = read_paper(client)
    form = open_form(client, f"/write?paper={PAPER_NAME}").fill(token=TOKEN, creativeWorkStatus_1="")
    form.fill(creativeWorkStatus_1="final")  # as it was: typed text that equals the original is no change
    saved_form = form.press("do", "save")
    assert saved_form.page.select_one(".good h2"), saved_form.response.text
    assert isomorphic(read_paper(client), original_graph)


def test_changed_field_changes_one_statement(client: httpx2.Client) -> None:
    put_paper(client, EXAMPLE_TURTLE + STATEMENTS_WITHOUT_FIELD)
    original_graph = read_paper(client)
    open_form(client, f"/write?paper={PAPER_NAME}").fill(token=TOKEN, numPages_1="4").press("do", "save")
    common, removed, added = graph_diff(original_graph, read_paper(client))
    assert len(common) == len(original_graph) - 1
    assert [str(value) for value in removed.objects()] == ["5"]  # the number of pages
    assert [str(value) for value in added.objects()] == ["4"]


def test_statements_without_a_field_are_shown(client: httpx2.Client) -> None:
    put_paper(client, EXAMPLE_TURTLE + STATEMENTS_WITHOUT_FIELD)
    page = open_form(client, f"/write?paper={PAPER_NAME}").page
    assert "<x:weight>" in page.select_one("#rest pre").get_text()  # type: ignore[union-attr]


def fill_in_and_save(form: Form) -> Form:
    """Fill in a new paper until it is complete, and save it."""
    form = form.press("do", "check")
    # The required fields that the form has not filled in, also those of a part that is blank as a whole.
    assert len(form.summary_messages) == 26
    form.fill(
        name="on-spam",
        title_1="Spam, and what is done about it",
        drafter_1_who_1="Carlos A. Afonso",
        swot_1_strength_1="Filters get better.",
        swot_1_weakness_1="No law holds beyond its borders.",
        swot_1_opportunity_1="Providers have begun to talk.",
        swot_1_threat_1="People may turn away.",
        mainActor_1_who_1="Union of mail providers",
        mainActor_1_stakeholderGroup=["private-sector"],
        forum_1_label_1="Round table",
        forum_1_participants_1="Whoever comes.",
        forum_1_nature_1="A talk.",
        forum_1_makesDecisions_1="yes",
        mechanism_1_label_1="Code of practice",
    )
    form = form.press("add", "drafter").fill(drafter_2_who_1="Avri Doria").press("do", "check")
    assert set(form.summary_messages) == {
        "forum-1-decisionProcedure-1",
        "mechanism-1-objectives-1",
        "mechanism-1-content-1",
        *(
            f"assessment-{number}-{key}-1"
            for number in range(1, 6)
            for key in ("verdict", "cites", "rationale")
        ),
    }
    form.fill(
        forum_1_decisionProcedure_1="By consensus.",
        mechanism_1_objectives_1="Less spam.",
        mechanism_1_content_1="Close open relays.",
    )
    for number in range(1, 7):  # five criteria, and an optional one
        values: dict[str, str | list[str]] = {
            f"assessment_{number}_verdict_1": "partly-adequate",
            f"assessment_{number}_judges": ["mechanism-1"],
            f"assessment_{number}_cites_1": "declaration/48",
            f"assessment_{number}_rationale_1": "Not all were asked.",
        }
        form.fill(**values)
    form = form.press("do", "check")
    assert not form.summary_messages
    assert "conforms to the profile complete" in form.page.get_text()
    check_markdown_download(form)
    return form.fill(token=TOKEN).press("do", "complete")


def check_markdown_download(form: Form) -> None:
    """The downloaded Markdown has the verdicts and reasons, and the statements of the downloaded Turtle."""
    response = form.send("do", "markdown")
    assert (response.status_code, response.headers["content-type"].partition(";")[0]) == (
        200,
        "text/markdown",
    )
    assert response.text.count("Verdict: partly-adequate") == response.text.count("Not all were asked.") == 6
    triples, _ = parse_paper_triples(response.text)
    turtle = ox.parse(form.send("do", "turtle").content, ox.RdfFormat.TURTLE)
    assert set(triples) == {quad.triple for quad in turtle}


def test_new_paper_is_filled_in_and_saved_as_complete(client: httpx2.Client) -> None:
    form = fill_in_and_save(open_form(client, "/write?issue=spam"))
    assert form.page.select_one(".good h2").get_text() == "Saved"  # type: ignore[union-attr]
    graph = read_paper(client, "on-spam")
    values_by_name = {
        str(property_).rpartition("#")[2].rpartition("/")[2]: str(value) for _, property_, value in graph
    }
    assert values_by_name["creativeWorkStatus"] == "complete"
    report = client.post(
        "/validate", content=graph.serialize(format="nt"), headers={"Content-Type": "application/n-triples"}
    ).json()
    assert report["conforms"]
    labels = {str(node) for node in graph.objects() if str(node).startswith("Issue paper: ")}
    assert labels == {"Issue paper: Spam, and what is done about it"}


def test_mechanism_refers_to_a_body_of_the_graph_by_its_name_or_path(client: httpx2.Client) -> None:
    form = open_form(client, "/write?issue=spam").press("add", "mechanism-1-about")
    form.fill(
        mechanism_1_label_1="Contracts", mechanism_1_about_1="GAC", mechanism_1_about_2="mechanism/icann"
    )
    form = form.press("do", "check")
    assert form.values["mechanism-1-about-1"] == "GAC"
    assert "mechanism-1-about-2" in form.summary_messages
    assert "Did you mean agent/icann (ICANN)" in form.field_messages("mechanism-1-about-2")
    form.fill(mechanism_1_about_2="agent:icann")
    assert "About: mechanism/gac  \nAbout: agent/icann\n" in form.send("do", "markdown").text
    files = {"file": ("p.ttl", form.send("do", "turtle").content)}
    opened_form = Form(client, client.post("/write", files=files, headers=HTML_HEADERS))
    values = {opened_form.values[f"mechanism-1-about-{number}"] for number in (1, 2)}
    assert values == {"mechanism/gac", "agent/icann"}


def test_assessment_of_a_body_of_the_graph_is_kept_and_may_be_added(client: httpx2.Client) -> None:
    paper = f"{PAPER_NODE[:-1]}/assessment/transparency>"
    statement = f"{paper} <{BASE}ontology#judges> <{BASE}id/agent/icann> ."
    put_paper(client, f"{EXAMPLE_TURTLE}\n{statement}\n")
    before = read_paper(client)
    form = open_form(client, f"/write?paper={PAPER_NAME}")
    (name,) = (name for name, value in form.values.items() if "agent/icann" in value and "judges" in name)
    box = form.form.select_one(f'input[name="{name}"][value="agent/icann"]')
    assert box
    assert box.has_attr("checked")
    assert form.form.select_one(f'label[for="{box["id"]}"]').get_text() == "ICANN"  # type: ignore[union-attr]
    # The same body may then be judged by another criterion.
    other_name = next(other for other in form.values if other.endswith("-judges") and other != name)
    form.fill(**{other_name.replace("-", "_"): ["agent/icann"]}).fill(token=TOKEN).press("do", "save")
    added = {str(value).rpartition("/")[2] for _, _, value in read_paper(client) - before}
    assert added == {"icann"}
    form = open_form(client, f"/write?paper={PAPER_NAME}")
    form.fill(**{name.replace("-", "_"): []}).fill(token=TOKEN).press("do", "save")
    assert before - read_paper(client)


def test_text_direction_of_a_title_does_not_change_the_rest_of_a_label(client: httpx2.Client) -> None:
    form = open_form(client, "/write?issue=spam").fill(title_1="Spam \u202eabc", swot_1_threat_1="War.")
    # U+202E reverses the direction of the text after it, U+202C ends this.
    labels = {
        key: [
            str(label)
            for label in Graph().parse(data=download.text, format="turtle").objects(None, RDFS.label)
            if str(label).endswith("SWOT analysis")
        ]
        for key, download in (("new", form.send("do", "turtle")), ("renamed", download_renamed_paper(form)))
    }
    assert labels == {
        "new": ["Spam \u202eabc\u202c: SWOT analysis"],
        "renamed": ["Calls \u202ed\u202c: SWOT analysis"],
    }
    assert form.send("do", "markdown").status_code == 200  # the Markdown reader generates the same labels


def download_renamed_paper(form: Form) -> httpx2.Response:
    """Download the paper of a form, open the file in the form, change the title, and download it again."""
    files = {"file": ("p.ttl", form.send("do", "turtle").content)}
    opened_form = Form(form.client, form.client.post("/write", files=files, headers=HTML_HEADERS))
    return opened_form.fill(title_1="Calls \u202ed").send("do", "turtle")


def test_blank_node_and_literal_as_parts_are_kept() -> None:
    unusual_parts = (
        f'{PAPER_NODE} <{BASE}ontology#forum> [ a <{BASE}ontology#Forum> ; <x:p> "kept" ] , '
        '"no forum at all" .'
    )
    quads = ox.parse(EXAMPLE_TURTLE + unusual_parts, ox.RdfFormat.TURTLE)
    original = OriginalPaper([quad.triple for quad in quads])
    assert set(FormToGraph(original, original.form_state).triples) == set(original.triples)
    # The forum of the example, the blank node and the literal.
    assert [row.number for row in original.form_state.rows["forum"]] == [1, 2, 3]
