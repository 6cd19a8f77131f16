"""The form in which a paper is written, filled in and sent as a browser without scripts does."""

import re
from collections.abc import Iterable
from pathlib import Path

import httpx
import pyoxigraph as ox
import pytest
from bs4 import BeautifulSoup
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdflib import DCTERMS, RDFS, Graph, Literal
from rdflib.compare import graph_diff, isomorphic
from wgig.papers.form.fields import CHECKBOX_FIELD, FORM_PARTS, PAPER_PART
from wgig.papers.form.original import OriginalPaper
from wgig.papers.form.statements import FormToGraph
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.shacl.rules import MESSAGE_LANGUAGES
from wgig.store.store import Store

from tests.fixtures.html_form import PAGE, Form, opened
from tests.fixtures.service import service_of
from tests.fixtures.triples import load_triples, put_turtle

pytestmark = pytest.mark.slow

BASE = Settings.base
TOKEN = "wgig_" + "s" * 43
OTHER = "wgig_" + "o" * 43
TTL = {"Content-Type": "text/turtle", "Authorization": f"Bearer {TOKEN}"}
PAPERS = sorted(
    [*(SHIPPED_FOLDER / "data/papers").glob("wp-*.ttl"), *(SHIPPED_FOLDER / "data/examples").glob("*.ttl")]
)
EXAMPLE = (SHIPPED_FOLDER / "data/examples/spam-filters.ttl").read_text("utf-8")
NAME = "example-spam-filters"
PAPER = f"<{BASE}id/paper/{NAME}>"
# What the form has no field for: links, kinds, blank nodes, texts in other languages, data types.
STRANGE = f"""
{PAPER} <http://www.w3.org/2000/01/rdf-schema#seeAlso> <http://example.org/x>, [ <x:a> "b", [ <x:c> _:d ] ] ;
  <http://purl.org/dc/terms/title> "Filtres"@fr ; <x:weight> 1.50 , "1"^^<x:kind> ;
  <{BASE}ontology#issueDescription> "Zwei\\nZeilen"@de , "  spaces  "@en .
<{BASE}id/paper/{NAME}/forum/1> <x:in> [ <x:at> "Geneva" ] ; a <x:Club> .
<{BASE}id/paper/{NAME}/mechanism/2> <{BASE}ontology#objectives> "Un autre but"@fr .
<{BASE}graph/paper/{NAME}> <http://purl.org/dc/terms/license> <https://creativecommons.org/licenses/by/4.0/> .
"""


@pytest.fixture
def client() -> httpx.Client:
    """A client of an empty service that may be written with a token, which the client does not send."""
    return service_of(Settings(token=TOKEN), Store.in_memory())


def put_paper(client: httpx.Client, text: str = EXAMPLE, name: str = NAME) -> None:
    """Write a paper as a program does."""
    put_turtle(client, text, f"/graph/paper/{name}", **TTL)


def held(client: httpx.Client, name: str = NAME) -> Graph:
    """What the graph of a paper holds."""
    answer = client.get(f"/graph/paper/{name}", headers={"Accept": "application/n-triples"})
    assert answer.status_code == 200, answer.text
    return Graph().parse(data=answer.text, format="nt")


def written(triples: Iterable[ox.Triple]) -> Graph:
    return Graph().parse(data=ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES), format="nt")


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


def test_a_draft_is_saved_as_a_draft_with_what_is_missing(client: httpx.Client) -> None:
    form = opened(client, "/write?issue=voip").fill(name="calls", token=TOKEN).press("do", "draft")
    assert form.given["creativeWorkStatus-1"] == "draft"
    assert form.given["name"] == "calls"
    assert form.given["token"] == ""


def test_what_is_not_complete_is_not_saved_as_complete(client: httpx.Client) -> None:
    form = opened(client, "/write?issue=spam").fill(name="calls", title_1="Typed", token=TOKEN)
    answer = form.send("do", "complete")
    assert answer.status_code == 422
    again = Form(client, answer)
    assert again.problems
    assert again.given["title-1"] == "Typed"
    assert client.get("/graph/paper/calls").status_code == 404


def test_a_source_that_was_not_shipped_may_be_in_the_graph(client: httpx.Client) -> None:
    form = opened(client, "/write?issue=spam").fill(source_1="document/declaratoin").press()
    assert "no document of the graph" in form.said("source-1")
    assert "source-1" not in form.problems


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"posted_1": "yesterday"}, "posted-1", "is no date"),
        ({"numPages_1": "four"}, "numPages-1", "no whole number"),
        ({"inLanguage_1": "English language"}, "inLanguage-1", "no language tag"),
        ({"cites_1": "declaration/4711"}, "cites-1", "does not exist"),
        ({"issue_1": ""}, "issue-1", "does not name the issue"),
        ({"category": []}, "category-1", "no category"),
        ({"title_1": " "}, "title-1", "no title"),
        ({"name": "My Paper!"}, "name", "small letters"),
        ({"source_1": "javascript:alert(1)"}, "source-1", "no web address"),
        ({"source_1": "http://e.org/a b"}, "source-1", "no web address"),
        ({"source_1": "data:text/html,x"}, "source-1", "no web address"),
        ({"mainActor_1_who_1": "Somebody"}, "mainActor-1-stakeholderGroup-1", "group"),
        ({"forum_1_label_1": "Here"}, "forum-1-nature-1", "5b"),
        ({"drafter_1_stakeholderGroup": ["governments"]}, "drafter-1-who-1", ""),
    ],
    ids=lambda one: "-".join(one) if isinstance(one, dict) else None,
)
def test_what_is_wrong_is_said_at_its_field(
    client: httpx.Client, values: dict[str, str | list[str]], field: str, words: str
) -> None:
    form = opened(client, "/write?issue=spam").fill(**values).press()
    assert words in form.said(field)
    for name, typed in values.items():
        assert form.given[name.replace("_", "-")] == typed
    if words:
        assert field in form.problems
        found = form.form.select(f'[aria-invalid="true"] [id="{field}"], [id="{field}"][aria-invalid="true"]')
        assert found or field == "name"


@pytest.mark.parametrize("words", ["javascript:alert(1)", "http://e.org/a b", "data:text/html,x"])
def test_a_source_that_is_no_address_is_no_address_in_the_file_either(
    client: httpx.Client, words: str
) -> None:
    turtle = opened(client, "/write?issue=spam").fill(source_1=words).send("do", "turtle").text
    found = Graph().parse(data=turtle, format="turtle").objects(None, DCTERMS.source)
    assert Literal(words) in found


@pytest.mark.parametrize(
    "words",
    ["https://example.org/p", "document/declaration", "document/form/issue-paper", f"paper/{NAME}", ""],
)
def test_nothing_is_said_of_a_source_that_is_there(client: httpx.Client, words: str) -> None:
    form = opened(client, "/write?issue=spam").fill(source_1=words).press()
    assert "source-1" not in form.problems
    assert form.given["source-1"] == words


def test_parts_are_added_and_removed_with_the_focus_on_what_is_new(client: httpx.Client) -> None:
    put_paper(client)
    form = opened(client, f"/write?paper={NAME}").fill(forum_1_nature_1="Typed before")
    form = form.press("add", "forum").fill(forum_2_label_1="Second").press("add", "swot-1-threat")
    assert form.given["forum-1-nature-1"] == "Typed before"
    focused = form.page.select("[autofocus]")
    assert [one["id"] for one in focused] == ["swot-1-threat-3"]
    form = form.press("remove", "swot-1-threat-1").press("remove", "forum-1").press("remove", "mechanism-1")
    form = form.press("add", "forum").fill(forum_3_label_1="Third", token=TOKEN).press("do", "draft")
    assert form.page.select_one(".good"), form.problems
    graph = held(client)
    of_forums = {str(one).rpartition("/")[2] for one in graph.subjects(None, None) if "/forum/" in str(one)}
    assert of_forums == {"2", "3"}  # the address of one that is gone is not given to another
    assert not [one for one in graph.objects(None, None) if str(one).endswith("/mechanism/1")]
    threats = [str(end) for _, property_, end in graph if str(property_).endswith("threat")]
    assert len(threats) == 1


def folded(form: Form) -> list[str]:
    """The parts of a form whose fields come only when they are opened."""
    return [str(one["id"]).removesuffix("-fold") for one in form.page.select(".part details > summary")]


def test_assessments_that_are_not_begun_are_folded(client: httpx.Client) -> None:
    every = [f"assessment-{one}" for one in range(1, 7)]
    form = opened(client, "/write?issue=spam")
    assert folded(form) == every
    form.fill(assessment_2_rationale_1="Not all were asked.")
    added = form.press("add", "assessment")
    assert folded(added) == [one for one in every if one != "assessment-2"]
    told = form.press()
    assert {one.partition("-verdict")[0] for one in told.problems if "-verdict" in one}.isdisjoint(
        folded(told)
    )


def test_somebody_who_is_removed_goes_with_the_seat_and_others_stay(client: httpx.Client) -> None:
    put_paper(client)
    form = opened(client, f"/write?paper={NAME}")
    rows = {str(words): name.removesuffix("-who-1") for name, words in form.given.items() if "-who-" in name}
    form = form.press("remove", rows["Third Drafter (example)"])
    form.given[f"{rows['Office for fair trade']}-who-1"] = "Office of fair trade"
    form = form.fill(token=TOKEN).press("do", "draft")
    text = held(client).serialize(format="nt")
    assert "third-drafter" not in text
    assert "membership/example-spam-filters-fourth-drafter-example" in text
    assert '"Office of fair trade"' in text
    assert "office-for-fair-trade" in text  # the address stays
    assert '"Office for fair trade"' not in text


def test_known_people_are_named_and_not_described(client: httpx.Client) -> None:
    form = opened(client, "/write?issue=spam").fill(name="mine", drafter_1_who_1="Avri Doria", token=TOKEN)
    form.fill(mainActor_1_who_1="unesco", mainActor_1_stakeholderGroup=["international-organizations"])
    form = form.press("do", "draft")
    assert form.given["mainActor-1-who-1"] == "UNESCO"
    text = held(client, "mine").serialize(format="nt")
    assert "agent/doria> ." in text
    assert "<http://xmlns.com/foaf/0.1/name>" not in text


def test_a_new_member_is_described_with_a_seat(client: httpx.Client) -> None:
    form = opened(client, "/write?issue=spam").fill(name="mine", drafter_1_who_1="Ann Example", token=TOKEN)
    form.fill(drafter_1_stakeholderGroup=["governments"], drafter_1_member_1="yes").press("do", "draft")
    graph = held(client, "mine")
    seat = f"{BASE}id/membership/mine-ann-example"
    assert len([one for one in graph if str(one[0]) == seat]) == 7
    form = opened(client, "/write?paper=mine")
    assert form.given["drafter-1-stakeholderGroup"] == ["governments"]
    form.fill(drafter_1_member_1="", token=TOKEN).press("do", "draft")
    text = held(client, "mine").serialize(format="nt")
    assert seat not in text
    assert "mine-ann-example> <https://w3id.org/wgig/ontology#stakeholderGroup>" in text


def test_two_people_who_save_are_told_of_each_other(client: httpx.Client) -> None:
    put_paper(client)
    mine, theirs = (opened(client, f"/write?paper={NAME}").fill(token=TOKEN) for _ in range(2))
    theirs.fill(forum_1_nature_1="Theirs").press("do", "draft")
    before = held(client)
    answer = mine.fill(title_1="Mine").send("do", "draft")
    assert answer.status_code == 412
    assert isomorphic(held(client), before)
    again = Form(client, answer)
    assert "nothing of yours was written" in again.page.select_one("#refused").get_text()  # type: ignore[union-attr]
    assert "Theirs" in again.said("forum-1-nature-1")
    assert again.given["title-1"] == "Mine"
    saved = again.fill(token=TOKEN).press("do", "draft")
    assert saved.given["title-1"] == "Mine"
    assert saved.given["forum-1-nature-1"] != "Theirs"


def test_a_paper_that_was_deleted_meanwhile_can_be_saved_anew(client: httpx.Client) -> None:
    put_paper(client)
    form = opened(client, f"/write?paper={NAME}").fill(token=TOKEN)
    assert client.delete(f"/graph/paper/{NAME}", headers=TTL).status_code == 204
    answer = form.send("do", "draft")
    assert answer.status_code == 412
    assert Form(client, answer).fill(token=TOKEN).press("do", "draft").page.select_one(".good")


def test_a_new_paper_does_not_take_the_name_of_another(client: httpx.Client) -> None:
    put_paper(client)
    answer = opened(client, "/write?issue=spam").fill(name=NAME, token=TOKEN).send("do", "draft")
    assert answer.status_code == 412
    assert "of this name" in Form(client, answer).said("name")
    assert Form(client, answer).press("do", "draft").problems["token"]  # and again no version is taken for it


def test_a_new_paper_of_a_taken_name_is_warned_before_it_is_saved(client: httpx.Client) -> None:
    put_paper(client)
    form = opened(client, "/write?issue=spam").fill(name=NAME).press()
    assert "of this name" in form.said("name")
    assert "name" not in form.problems
    assert not form.page.select("#name[aria-invalid]")
    saved = form.fill(token=TOKEN).press("do", "draft")
    assert len(saved.page.select("#name-said p")) == 1
    assert saved.page.select("#name[aria-invalid]")


def test_a_paper_is_not_warned_of_its_own_name(client: httpx.Client) -> None:
    put_paper(client)
    form = opened(client, f"/write?paper={NAME}")
    found = form.send("do", "check", accept="application/json").json()
    assert not [one for one in found["messages"] if one["field"] == "name"]


@pytest.mark.parametrize("what", ["turtle", "markdown"])
@pytest.mark.parametrize("name", ["My Paper", "../x", "", "a--b"])
def test_nothing_is_downloaded_under_a_name_that_is_none(client: httpx.Client, name: str, what: str) -> None:
    answer = opened(client, "/write?issue=spam").fill(name=name, title_1="Typed").send("do", what)
    assert answer.status_code == 422
    form = Form(client, answer)
    assert list(form.problems) == ["name"]
    assert "small letters" in form.said("name")
    assert (form.given["name"], form.given["title-1"]) == (name, "Typed")


@pytest.mark.parametrize(
    ("token", "status", "words"),
    [("", 401, "Saving needs a token"), ("wrong", 401, "knows no such token"), (f"{TOKEN}x", 401, "no such")],
)
def test_a_token_that_opens_nothing_is_said_at_its_field(
    client: httpx.Client, token: str, status: int, words: str
) -> None:
    answer = opened(client, "/write?issue=spam").fill(token=token, title_1="Typed").send("do", "draft")
    form = Form(client, answer)
    assert answer.status_code == status
    assert words in form.said("token")
    assert (form.given["token"], form.given["title-1"]) == ("", "Typed")
    assert not token or token not in answer.text


@pytest.fixture
def closed_form(closed: httpx.Client) -> Form:
    """The form in French, of a service without a token."""
    return opened(closed, "/write?issue=spam&lang=fr")


def test_a_service_without_a_token_says_before_that_it_takes_no_papers(
    closed: httpx.Client, closed_form: Form
) -> None:
    assert "token" not in closed_form.given
    offered = {str(one["value"]) for one in closed_form.form.select('button[name="do"]')}
    assert offered == {"check", "markdown", "turtle"}
    for path in ("/write", "/write?issue=spam"):
        page = closed.get(path, headers={**PAGE, "Accept-Language": "fr"}).text
        assert "Ce service ne reçoit pas de documents" in page
    assert closed_form.send("do", "turtle").status_code == 200


def test_who_saves_all_the_same_is_told_what_an_author_can_do(
    closed: httpx.Client, closed_form: Form
) -> None:
    data = {**closed_form.given, "title-1": "Typed", "do": "draft", "token": "any"}
    answer = closed.post("/write", data=data, headers=PAGE)
    assert answer.status_code == 403
    form = Form(closed, answer)
    told = form.page.select_one("#refused p")
    assert told
    assert told.get_text().startswith("Ce service ne reçoit pas de documents. Téléchargez le vôtre")
    assert not told.select('[lang="en"]')
    assert form.given["title-1"] == "Typed"


def test_a_token_in_the_wrong_place_is_taken_out_and_never_shown(client: httpx.Client) -> None:
    form = opened(client, "/write?issue=spam").fill(title_1=f"x {OTHER}", token=TOKEN)
    answer = form.send("do", "draft")
    assert answer.status_code == 422
    assert "have it revoked" in Form(client, answer).said("title-1")
    assert OTHER not in answer.text
    assert TOKEN not in answer.text
    assert client.post("/write", data={"access_token": TOKEN}).status_code == 400


def test_the_token_is_taken_from_pages_of_this_service_alone(client: httpx.Client) -> None:
    form = opened(client, "/write?issue=spam").fill(name="mine", token=TOKEN)
    data = {**form.given, "do": "draft"}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}):
        assert client.post("/write", data=data, headers=PAGE | headers).status_code == 403
    own = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
    assert client.post("/write", data=data, headers=PAGE | own).status_code == 303


@pytest.mark.parametrize(("what", "media_type"), [("turtle", "text/turtle"), ("markdown", "text/markdown")])
def test_a_paper_is_downloaded_without_a_token(client: httpx.Client, what: str, media_type: str) -> None:
    put_paper(client)
    answer = opened(client, f"/write?paper={NAME}").send("do", what)
    assert answer.headers["content-type"].startswith(media_type)
    assert re.fullmatch(rf'attachment; filename="{NAME}\.(ttl|md)"', answer.headers["content-disposition"])
    again = client.post(
        "/write",
        files={
            "file": (
                f"p.{answer.headers['content-disposition'][-3:-1].strip('.')}",
                answer.content,
                media_type,
            )
        },
        headers=PAGE,
    )
    form = Form(client, again)
    turtle = form.send("do", "turtle").text
    assert isomorphic(Graph().parse(data=turtle, format="turtle"), held(client))


def test_what_markdown_cannot_hold_is_said_and_nothing_is_lost(client: httpx.Client) -> None:
    put_paper(client, EXAMPLE + STRANGE)
    answer = opened(client, f"/write?paper={NAME}").fill(title_1="Typed").send("do", "markdown")
    assert answer.status_code == 422
    form = Form(client, answer)
    assert "Markdown cannot hold" in form.page.select_one("#refused").get_text()  # type: ignore[union-attr]
    assert form.given["title-1"] == "Typed"


def unwritten(form: Form) -> Form:
    """The form that comes back in place of the Markdown file, in words for people."""
    answer = form.send("do", "markdown")
    assert answer.status_code == 422
    again = Form(form.client, answer)
    told = " ".join(one.get_text() for one in again.page.select(".summary, .said"))
    assert not re.search(r"<https?:|section \d|line \d", told)
    return again


@pytest.mark.parametrize(
    ("values", "label"),
    [
        ({"issueDescription_1": "# A heading"}, "Description of the issue"),
        ({"issueDescription_1": "Words.\n\n# A heading\n\nMore words."}, "Description of the issue"),
        (
            {"issueDescription_1": "Words.\n\n## 2. Categories"},
            "Description of the issue",
        ),
        ({"issueDescription_1": "Words.\n\n## 8. Additional comments\n\nMore."}, "Description of the issue"),
        ({"issueDescription_1": "a <!-- b -->"}, "Description of the issue"),
        ({"issueDescription_1": "a <!-- b"}, "Description of the issue"),
        ({"swot_1_strength_1": "  Two spaces"}, "Strengths"),
        ({"mainActor_1_who_1": "Actor (governments)"}, "Name"),
        ({"forum_1_label_1": "One\nTwo"}, "Name"),
        ({"assessment_2_rationale_1": "Verdit: adequate"}, "Rationale"),
    ],
)
def test_what_markdown_cannot_hold_is_said_at_the_field_by_its_label(
    client: httpx.Client, values: dict[str, str], label: str
) -> None:
    again = unwritten(opened(client, "/write?issue=spam").fill(**values))
    said = f"{label}: this text cannot stand in Markdown"
    field = next(iter(values)).replace("_", "-")
    assert list(again.problems) == [field]
    assert said in again.problems[field]
    assert said in again.said(field)
    assert "download Turtle" in again.said(field)


def test_a_text_in_another_language_than_the_paper_is_said_at_its_field(client: httpx.Client) -> None:
    form = unwritten(opened(client, "/write?issue=spam").fill(inLanguage_1="fr"))
    assert "another language (English) than the paper (French)" in form.said("issueDescription-1")
    again = form.fill(issueDescription_1="Courrier en masse").send("do", "markdown")
    assert again.status_code == 200
    assert "language: fr" in again.text


def test_what_markdown_and_form_have_no_place_for_is_said_without_a_field(client: httpx.Client) -> None:
    put_paper(client, f'{EXAMPLE}{PAPER} <x:weight> "1" .')
    form = unwritten(opened(client, f"/write?paper={NAME}"))
    assert not form.problems
    assert "the form has no field" in form.page.select_one("#refused").get_text()  # type: ignore[union-attr]


def test_files_are_opened_and_what_cannot_be_read_is_said(client: httpx.Client) -> None:
    for name, content, status, words in (
        ("p.md", b"---\npaper: mine\ntitle: Words\n---\n", 200, "Words"),
        ("p.md", b"no head", 400, "no head"),
        ("p.ttl", b"<x:a> <x:b>", 400, "no Turtle"),
        ("p.xyz", b"what", 415, "format"),
        ("p.ttl", b"<x:a> <x:b> <x:c> .", 422, "No issue paper"),
        ("", b"", 400, "No file"),
    ):
        answer = client.post("/write", files={"file": (name, content)}, headers=PAGE)
        assert (answer.status_code, words in answer.text) == (status, True), (name, answer.text)


def test_a_program_gets_what_was_found_by_the_names_of_the_fields(client: httpx.Client) -> None:
    form = opened(client, "/write?issue=spam").fill(posted_1="soon")
    found = form.send("do", "check", accept="application/json").json()
    assert (found["conforms"], found["profile"]) == (False, "complete")
    by_field = {one["field"]: one for one in found["messages"]}
    assert by_field["posted-1"]["code"] == "WGIG-0-POSTED-VALUE"
    assert {one["number"] for one in found["sections"]} == set(range(9))
    in_french = {**form.given, "lang": "fr", "do": "check"}
    answer = client.post("/write", data=in_french, headers={"Accept": "application/json"})
    assert "date" in next(one["text"] for one in answer.json()["messages"] if one["field"] == "posted-1")


def test_labels_come_in_each_language(client: httpx.Client) -> None:
    page = client.get("/write?issue=spam&lang=ru", headers=PAGE).text
    assert "Название" in page
    assert client.get("/write?lang=xx", headers=PAGE).status_code == 400


def test_the_form_is_in_the_language_of_its_reader(client: httpx.Client) -> None:
    page = client.get("/write?issue=spam", headers={**PAGE, "Accept-Language": "fr, en"})
    assert '<html lang="fr"' in page.text
    assert "Titre" in page.text
    assert page.headers["content-language"] == "fr"


def test_a_form_stays_in_its_language_when_it_is_sent(client: httpx.Client) -> None:
    form = opened(client, "/write?issue=spam&lang=ru").fill(posted_1="soon").press()
    assert form.page.html["lang"] == "ru"  # type: ignore[index]
    assert form.page.select_one('#posted-1-said span[lang="ru"]')


@pytest.fixture
def typed(client: httpx.Client) -> Form:
    """A form that was opened in one language, in which something is typed."""
    form = opened(client, "/write?issue=spam&lang=ru").press("add", "drafter")
    return form.fill(name="on-spam", title_1="Two\r\nlines", posted_1="soon", profile="final")


def test_a_form_is_shown_in_another_language_with_all_that_is_typed(typed: Form) -> None:
    there = typed.switch("fr")
    assert there.given == {**typed.given, "lang": "fr"}
    assert there.page.html["lang"] == there.answer.headers["content-language"] == "fr"  # type: ignore[index]
    assert not there.page.select("#summary, .said")
    assert there.answer.headers["cache-control"] == "no-store"


def test_what_a_check_found_is_said_again_in_another_language(typed: Form) -> None:
    russian = typed.press()
    french = russian.switch("fr")
    assert french.problems.keys() == russian.problems.keys()
    assert french.page.select_one('#posted-1-said span[lang="fr"]')
    assert french.given == {**russian.given, "lang": "fr"}


def test_the_language_that_was_switched_to_stays(typed: Form) -> None:
    after = typed.switch("fr").press()
    assert after.page.html["lang"] == "fr"  # type: ignore[index]
    current = after.page.select("footer button[aria-current]")
    assert [one["lang"] for one in current] == ["fr"]


def test_a_paper_of_the_graph_is_still_that_in_another_language(client: httpx.Client) -> None:
    put_paper(client, EXAMPLE + STRANGE)
    form = opened(client, f"/write?paper={NAME}").fill(numPages_1="4").switch("ar")
    assert "<x:weight>" in form.page.select_one("#rest pre").get_text()  # type: ignore[union-attr]
    saved = form.fill(token=TOKEN).press("do", "save")
    assert saved.page.select_one(".good h2"), saved.answer.text


def test_a_token_that_was_typed_in_a_text_is_told_in_another_language(typed: Form) -> None:
    there = typed.fill(swot_1_strength_1=OTHER).switch("fr")
    assert OTHER not in there.answer.text
    assert there.problems.keys() == {"swot-1-strength-1"}


def test_where_a_paper_is_begun_the_switch_is_a_link(client: httpx.Client) -> None:
    page = BeautifulSoup(client.get("/write", headers=PAGE).text, "html.parser")
    assert [one["href"] for one in page.select('footer a[hreflang="fr"]')] == ["/write?_lang=fr"]


def test_what_is_said_in_english_alone_is_marked_where_the_form_is_in_another_language(
    client: httpx.Client,
) -> None:
    form = opened(client, "/write?issue=spam&lang=ru").fill(name="on-spam", token="wrong")
    page = form.press("do", "draft").page
    assert [one["lang"] for one in page.select('#token-said span[lang], #summary [href="#token"]')] == [
        "en"
    ] * 2


@pytest.mark.parametrize("tongue", [one for one in MESSAGE_LANGUAGES if one != "en"])
def test_the_guidance_of_the_form_is_in_its_language(client: httpx.Client, tongue: str) -> None:
    page = opened(client, f"/write?issue=spam&lang={tongue}").page
    hints = page.select("form .hint")
    assert len(hints) > 40
    assert not [one.get_text() for one in hints if one.get("lang") or one.select("[lang]")]
    title = page.select_one("#title-hint")
    assert title
    assert "listed, cited and found" not in title.get_text()


PIECES = st.sampled_from(
    [
        "%zz",
        "%",
        "\u202e",
        "]",
        "<x:a>",
        '"',
        "_:b",
        "\\",
        "é",
        " ",
        "\n",
        "yes",
        "mechanism-1",
        "declaration/48",
        "a",
    ]
)
FIELDS = st.sampled_from(
    [
        *(f"{one.key}-1" for one in PAPER_PART.fields if one.kind != CHECKBOX_FIELD),
        *(
            f"{part.key}-{at}-{one.key}{'' if one.kind == CHECKBOX_FIELD else '-1'}"
            for at in (1, 2)
            for part in FORM_PARTS.values()
            if part.key
            for one in part.fields
        ),
        "title-1-language",
        "name",
    ]
)


@given(st.dictionaries(FIELDS, st.lists(PIECES, max_size=3).map("".join), max_size=12))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_sent_is_answered_and_comes_back(client: httpx.Client, data: dict[str, str]) -> None:
    begun = opened(client, "/write?issue=spam").given
    answer = client.post("/write", data={**begun, **data, "do": "check"}, headers=PAGE)
    assert answer.status_code == 200, answer.text
    named = {**begun, **data, "name": begun["name"], "do": "turtle"}
    turtle = client.post("/write", data=named, headers=PAGE)
    Graph().parse(data=turtle.text, format="turtle")


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</textarea><script>alert(1)</script>",
    "javascript:alert(1)",
    "\u202eevil\u2066",
    "w" * 10_000,
    '<http://evil.example/> <x:p> "x" .',
    "\\u0000 \r\n\r\n {{ 7*7 }}",
)


@pytest.mark.parametrize("words", HOSTILE)
def test_whatever_is_typed_in_every_field_comes_back_as_it_was_and_runs_nothing(
    client: httpx.Client, words: str
) -> None:
    form = opened(client, "/write?issue=spam").press("add", "waiver").press("add", "otherActor")
    typed = {
        name: words
        for name, value in form.given.items()
        if isinstance(value, str) and re.search(r"-\d+$", name) and not re.fullmatch(r"[a-zA-Z]+-\d+", name)
    } | {"title-1": words, "posted-1": words, "cites-1": words, "source-1": words, "inLanguage-1": words}
    typed |= {name: words for name in form.given if name.endswith("-language")}
    form.given |= typed
    again = form.press()
    assert again.answer.status_code == 200
    plain = re.sub(r"\r?\n", "", words)
    for name in typed:
        given = again.given[name]
        assert isinstance(given, str)
        assert re.sub(r"\r?\n", "", given).strip() == plain.strip(), name
    page = BeautifulSoup(again.answer.text, "html.parser")
    assert not page.select('script:not([src^="/static/"]), img, [onerror]')
    assert not [one for one in page.select("[href]") if str(one["href"]).startswith("javascript:")]
    answer = again.fill(token=TOKEN).send("do", "draft")
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"nonsense": "x"}, 400),
        ({"title": "x"}, 400),
        ({"title-1-language-1": "x"}, 400),
        ({"forum-99999-label-1": "x"}, 400),
        ({"posted-1-language": "en"}, 400),
        ({"add": "castle"}, 400),
        ({"add": "mainActor"}, 400),
        ({"remove": "castle-1"}, 400),
        ({"remove": "forum-9-label-1"}, 400),
        ({"do": "explode"}, 400),
        ({"profile": "perfect"}, 400),
        ({"lang": "xx"}, 400),
        ({"source": "no triples"}, 400),
        ({"source": ""}, 422),
        ({"source": "<x:a> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <x:b> ."}, 422),
        ({"title-1": "x" * 100_001}, 413),
        ({f"title-{one}": "x" for one in range(1, 60)}, 413),
        ({f"forum-{one}": "" for one in range(1, 60)}, 413),
    ],
    ids=lambda one: next(iter(one)) if isinstance(one, dict) else None,
)
def test_what_is_no_form_is_refused_whole(client: httpx.Client, data: dict[str, str], status: int) -> None:
    given = opened(client, "/write?issue=spam").given
    answer = client.post("/write", data={"do": "check", **given, **data})
    assert answer.status_code == status, answer.text


def test_a_field_that_is_sent_twice_is_refused(client: httpx.Client) -> None:
    for name in ("title-1", "name", "do"):
        body = f"{name}=a&{name}=b"
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert client.post("/write", content=body, headers=form).status_code == 400


@pytest.mark.parametrize("name", ["issues", "../issues", "nope", "https://evil.example/x", "a b", "a/b"])
def test_no_paper_of_another_name_is_opened(client: httpx.Client, name: str) -> None:
    answer = client.get("/write", params={"paper": name}, headers=PAGE)
    assert answer.status_code == 404


def test_the_iri_of_a_paper_opens_it(client: httpx.Client) -> None:
    put_paper(client)
    assert opened(client, f"/write?paper={BASE}id/paper/{NAME}").given["name"] == NAME


def test_statements_about_what_is_not_the_papers_are_not_saved(client: httpx.Client) -> None:
    form = opened(client, "/write?issue=spam").fill(name="mine", token=TOKEN)
    form.given["source"] = f'{form.given["source"]}<{BASE}id/issue/spam> <x:p> "mine" .\n'
    answer = form.send("do", "draft")
    assert answer.status_code == 422
    assert client.get("/graph/paper/mine").status_code == 404


def test_parts_without_an_address_and_texts_in_place_of_parts_are_kept() -> None:
    odd = f'{PAPER} <{BASE}ontology#forum> [ a <{BASE}ontology#Forum> ; <x:p> "kept" ] , "no forum at all" .'
    source = OriginalPaper([one.triple for one in ox.parse(EXAMPLE + odd, ox.RdfFormat.TURTLE)])
    assert set(FormToGraph(source, source.form_state).triples) == set(source.triples)
    numbers = [one.number for one in source.form_state.rows["forum"]]
    assert numbers == [1, 2, 3]


@pytest.mark.parametrize(
    "many",
    [
        " , ".join(f"[ <x:p> {one} ]" for one in range(60)).join((f"{PAPER} <{BASE}ontology#forum> ", " .")),
        " , ".join(f'"{one}"@en' for one in range(60)).join(
            (f"{PAPER} <{BASE}ontology#additionalComments> ", " .")
        ),
        " , ".join(str(one) for one in range(5001)).join((f"{PAPER} <x:p> ", " .")),
    ],
    ids=["parts", "values", "statements"],
)
def test_a_paper_that_is_too_large_for_the_form_is_refused_whole(client: httpx.Client, many: str) -> None:
    answer = client.post("/write", files={"file": ("p.ttl", f"{EXAMPLE}\n{many}")}, headers=PAGE)
    assert answer.status_code == 413
    assert "Edit its file" in answer.text


def test_a_long_chain_of_blank_nodes_is_forgotten_with_its_part(client: httpx.Client) -> None:
    chain = "\n".join(f"_:n{one} <x:next> _:n{one + 1} ." for one in range(3000))
    part = f'<{BASE}id/paper/{NAME}/forum/1> <x:next> _:n0 . _:other <x:p> "stays" .'
    answer = client.post("/write", files={"file": ("p.ttl", f"{EXAMPLE}\n{part}\n{chain}")}, headers=PAGE)
    turtle = Form(client, answer).press("remove", "forum-1").send("do", "turtle").text
    assert "x:next" not in turtle
    assert "stays" in turtle


def test_no_more_parts_are_added_than_the_form_holds_and_what_was_typed_comes_back(
    client: httpx.Client,
) -> None:
    given = opened(client, "/write?issue=spam").given | {f"waiver-{one}": "" for one in range(1, 51)}
    answer = client.post("/write", data={**given, "title-1": "Typed", "add": "waiver"}, headers=PAGE)
    assert answer.status_code == 413
    assert Form(client, answer).given["title-1"] == "Typed"


def test_where_a_paper_is_begun_the_known_papers_can_be_chosen(client: httpx.Client) -> None:
    empty = BeautifulSoup(client.get("/write", headers=PAGE).text, "html.parser")
    assert empty.select_one("input#paper")
    put_paper(client)
    page = BeautifulSoup(client.get("/write", headers=PAGE).text, "html.parser")
    assert [one["value"] for one in page.select("#paper option")] == [NAME]
    assert len(page.select("#issue option")) == 31
