"""What a form states: what was opened with it, and what its fields say instead."""

from pathlib import Path

import httpx
import pyoxigraph as ox
import pytest
from rdflib import RDFS, Graph
from rdflib.compare import graph_diff, isomorphic
from wgig.papers.form.original import OriginalPaper
from wgig.papers.form.statements import FormToGraph
from wgig.settings import SHIPPED_FOLDER

from tests.fixtures.html_form import PAGE, Form, opened
from tests.fixtures.paper_form import BASE, EXAMPLE, NAME, PAPER, STRANGE, TOKEN, held, put_paper
from tests.fixtures.triples import load_triples

pytestmark = pytest.mark.slow

PAPERS = sorted(
    [*(SHIPPED_FOLDER / "data/papers").glob("wp-*.ttl"), *(SHIPPED_FOLDER / "data/examples").glob("*.ttl")]
)


@pytest.mark.parametrize("path", PAPERS, ids=lambda path: path.stem)
def test_a_form_that_nobody_changed_states_what_it_was_opened_with(path: Path) -> None:
    source = OriginalPaper(load_triples(path))
    assert set(FormToGraph(source, source.form_state).triples) == set(source.triples)


def test_opened_and_saved_without_a_change_the_graph_is_the_same(client: httpx.Client) -> None:
    put_paper(client, EXAMPLE + STRANGE)
    before = held(client)
    form = opened(client, f"/write?paper={NAME}").fill(token=TOKEN, creativeWorkStatus_1="")
    form.fill(creativeWorkStatus_1="final")
    after = form.press("do", "save")
    assert after.page.select_one(".good h2"), after.answer.text
    assert isomorphic(held(client), before)


def test_one_field_changed_changes_one_statement(client: httpx.Client) -> None:
    put_paper(client, EXAMPLE + STRANGE)
    before = held(client)
    opened(client, f"/write?paper={NAME}").fill(token=TOKEN, numPages_1="4").press("do", "save")
    both, gone, new = graph_diff(before, held(client))
    assert len(both) == len(before) - 1
    assert [[str(end) for _, _, end in one] for one in (gone, new)] == [["5"], ["4"]]


def test_what_the_form_has_no_field_for_is_shown_as_kept(client: httpx.Client) -> None:
    put_paper(client, EXAMPLE + STRANGE)
    page = opened(client, f"/write?paper={NAME}").page
    assert "<x:weight>" in page.select_one("#rest pre").get_text()  # type: ignore[union-attr]


def write_whole(form: Form, press: str = "complete") -> Form:
    """Fill in a paper from nothing, part after part, until it is complete, and save it."""
    form = form.press()
    assert len(form.problems) == 10
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
    form = form.press("add", "drafter").fill(drafter_2_who_1="Avri Doria").press()
    assert set(form.problems) == {
        "forum-1-decisionProcedure-1",
        "mechanism-1-objectives-1",
        "mechanism-1-content-1",
        *(f"assessment-{one}-verdict-1" for one in range(1, 6)),
    }
    form.fill(
        forum_1_decisionProcedure_1="By consensus.",
        mechanism_1_objectives_1="Less spam.",
        mechanism_1_content_1="Close open relays.",
    )
    for one in range(1, 7):
        said: dict[str, str | list[str]] = {
            f"assessment_{one}_verdict_1": "partly-adequate",
            f"assessment_{one}_judges": ["mechanism-1"],
            f"assessment_{one}_cites_1": "declaration/48",
            f"assessment_{one}_rationale_1": "Not all were asked.",
        }
        form.fill(**said)
    form = form.press()
    assert not form.problems
    assert "conforms to the profile complete" in form.page.get_text()
    return form.fill(token=TOKEN).press("do", press)


def test_a_paper_is_written_from_nothing_to_complete(client: httpx.Client) -> None:
    form = write_whole(opened(client, "/write?issue=spam"))
    assert form.page.select_one(".good h2").get_text() == "Saved"  # type: ignore[union-attr]
    graph = held(client, "on-spam")
    said = {str(property_).rpartition("#")[2].rpartition("/")[2]: str(end) for _, property_, end in graph}
    assert said["creativeWorkStatus"] == "complete"
    checked = client.post(
        "/validate", content=graph.serialize(format="nt"), headers={"Content-Type": "application/n-triples"}
    ).json()
    assert checked["conforms"]
    labels = {str(one) for one in graph.objects(None, None) if str(one).startswith("Issue paper: ")}
    assert labels == {"Issue paper: Spam, and what is done about it"}


def test_a_title_does_not_turn_the_words_behind_it_in_labels(client: httpx.Client) -> None:
    form = opened(client, "/write?issue=spam").fill(title_1="Spam \u202eabc", swot_1_threat_1="War.")
    labels = {
        one: [
            str(label)
            for label in Graph().parse(data=file.text, format="turtle").objects(None, RDFS.label)
            if str(label).endswith("SWOT analysis")
        ]
        for one, file in (("new", form.send("do", "turtle")), ("renamed", renamed(form)))
    }
    assert labels == {
        "new": ["Spam \u202eabc\u202c: SWOT analysis"],
        "renamed": ["Calls \u202ed\u202c: SWOT analysis"],
    }
    assert form.send("do", "markdown").status_code == 200  # which makes the same labels


def renamed(form: Form) -> httpx.Response:
    """The paper of a form, opened as a file and given another title, as Turtle."""
    files = {"file": ("p.ttl", form.send("do", "turtle").content)}
    again = Form(form.client, form.client.post("/write", files=files, headers=PAGE))
    return again.fill(title_1="Calls \u202ed").send("do", "turtle")


def test_parts_without_an_address_and_texts_in_place_of_parts_are_kept() -> None:
    odd = f'{PAPER} <{BASE}ontology#forum> [ a <{BASE}ontology#Forum> ; <x:p> "kept" ] , "no forum at all" .'
    source = OriginalPaper([one.triple for one in ox.parse(EXAMPLE + odd, ox.RdfFormat.TURTLE)])
    assert set(FormToGraph(source, source.form_state).triples) == set(source.triples)
    numbers = [one.number for one in source.form_state.rows["forum"]]
    assert numbers == [1, 2, 3]
