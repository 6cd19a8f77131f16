"""The form saves into the graph of its paper with a token, and is downloaded without one."""

import re
from collections.abc import Iterable

import httpx
import pyoxigraph as ox
import pytest
from rdflib import Graph
from rdflib.compare import isomorphic

from tests.fixtures.html_form import PAGE, Form, opened
from tests.fixtures.paper_form import BASE, NAME, OTHER, TOKEN, TTL, held, put_paper

pytestmark = pytest.mark.slow


def written(triples: Iterable[ox.Triple]) -> Graph:
    return Graph().parse(data=ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES), format="nt")


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


def test_statements_about_what_is_not_the_papers_are_not_saved(client: httpx.Client) -> None:
    form = opened(client, "/write?issue=spam").fill(name="mine", token=TOKEN)
    form.given["source"] = f'{form.given["source"]}<{BASE}id/issue/spam> <x:p> "mine" .\n'
    answer = form.send("do", "draft")
    assert answer.status_code == 422
    assert client.get("/graph/paper/mine").status_code == 404
