"""A paper in the form is saved with a token, and downloaded without a token."""

import re

import httpx2
import pytest
from rdflib import Graph
from rdflib.compare import isomorphic

from tests.fixtures.html_form import HTML_HEADERS, Form, open_form
from tests.fixtures.paper_form import (
    BASE,
    OTHER_TOKEN,
    PAPER_NAME,
    TOKEN,
    TURTLE_WRITE_HEADERS,
    put_paper,
    read_paper,
)

pytestmark = pytest.mark.slow


def test_incomplete_paper_is_saved_as_a_draft(client: httpx2.Client) -> None:
    form = open_form(client, "/write?issue=voip").fill(name="calls", token=TOKEN).press("do", "draft")
    assert form.values["creativeWorkStatus-1"] == "draft"
    assert form.values["name"] == "calls"
    assert form.values["token"] == ""


def test_incomplete_paper_is_not_saved_as_complete(client: httpx2.Client) -> None:
    form = open_form(client, "/write?issue=spam").fill(name="calls", title_1="Typed", token=TOKEN)
    response = form.send("do", "complete")
    assert response.status_code == 422
    refused_form = Form(client, response)
    assert refused_form.summary_messages
    assert refused_form.values["title-1"] == "Typed"
    assert client.get("/graph/paper/calls").status_code == 404


def test_edit_conflict_is_refused_and_shows_the_saved_values(client: httpx2.Client) -> None:
    put_paper(client)
    form, other_form = (open_form(client, f"/write?paper={PAPER_NAME}").fill(token=TOKEN) for _ in range(2))
    other_form.fill(forum_1_nature_1="Theirs").press("do", "draft")
    saved_graph = read_paper(client)
    response = form.fill(title_1="Mine").send("do", "draft")
    assert response.status_code == 412
    assert isomorphic(read_paper(client), saved_graph)
    refused_form = Form(client, response)
    refusal = refused_form.page.select_one("#refused").get_text()  # type: ignore[union-attr]
    assert "Your changes were not saved" in refusal
    assert "Theirs" in refused_form.field_messages("forum-1-nature-1")
    assert refused_form.values["title-1"] == "Mine"
    # The refused form has the current version of the graph, so that it can be saved.
    saved_form = refused_form.fill(token=TOKEN).press("do", "draft")
    assert saved_form.values["title-1"] == "Mine"
    assert saved_form.values["forum-1-nature-1"] != "Theirs"


def test_paper_that_was_deleted_meanwhile_can_be_saved_again(client: httpx2.Client) -> None:
    put_paper(client)
    form = open_form(client, f"/write?paper={PAPER_NAME}").fill(token=TOKEN)
    assert client.delete(f"/graph/paper/{PAPER_NAME}", headers=TURTLE_WRITE_HEADERS).status_code == 204
    response = form.send("do", "draft")
    assert response.status_code == 412
    assert Form(client, response).fill(token=TOKEN).press("do", "draft").page.select_one(".good")


def test_new_paper_with_a_taken_name_is_refused(client: httpx2.Client) -> None:
    put_paper(client)
    response = open_form(client, "/write?issue=spam").fill(name=PAPER_NAME, token=TOKEN).send("do", "draft")
    assert response.status_code == 412
    form = Form(client, response)
    assert "already has a paper with this name" in form.field_messages("name")
    assert form.press("do", "draft").summary_messages["token"]  # the form has no version of the other paper


def test_check_of_a_new_paper_warns_of_a_taken_name(client: httpx2.Client) -> None:
    put_paper(client)
    form = open_form(client, "/write?issue=spam").fill(name=PAPER_NAME).press("do", "check")
    assert "already has a paper with this name" in form.field_messages("name")
    assert "name" not in form.summary_messages
    assert not form.page.select("#name[aria-invalid]")
    refused_form = form.fill(token=TOKEN).press("do", "draft")
    assert len(refused_form.page.select("#name-said p")) == 1
    assert refused_form.page.select("#name[aria-invalid]")


def test_check_of_a_stored_paper_does_not_warn_of_its_name(client: httpx2.Client) -> None:
    put_paper(client)
    form = open_form(client, f"/write?paper={PAPER_NAME}")
    report = form.send("do", "check", accept="application/json").json()
    assert not [message for message in report["messages"] if message["field"] == "name"]


@pytest.mark.parametrize("file_format", ["turtle", "markdown"])
@pytest.mark.parametrize("name", ["My Paper", "../x", "", "a--b"])
def test_paper_with_an_invalid_name_is_not_downloaded(
    client: httpx2.Client, name: str, file_format: str
) -> None:
    form = open_form(client, "/write?issue=spam").fill(name=name, title_1="Typed")
    response = form.send("do", file_format)
    assert response.status_code == 422
    form = Form(client, response)
    assert list(form.summary_messages) == ["name"]
    assert "lowercase letters" in form.field_messages("name")
    assert (form.values["name"], form.values["title-1"]) == (name, "Typed")


@pytest.mark.parametrize(
    ("token", "status", "message"),
    [
        ("", 401, "You need a token to save"),
        ("wrong", 401, "This token is unknown"),
        (f"{TOKEN}x", 401, "is unknown"),
    ],
)
def test_invalid_token_is_refused_with_a_message_at_its_field(
    client: httpx2.Client, token: str, status: int, message: str
) -> None:
    response = open_form(client, "/write?issue=spam").fill(token=token, title_1="Typed").send("do", "draft")
    form = Form(client, response)
    assert response.status_code == status
    assert message in form.field_messages("token")
    assert (form.values["token"], form.values["title-1"]) == ("", "Typed")
    assert not token or token not in response.text


@pytest.fixture
def closed_form(read_only_client: httpx2.Client) -> Form:
    """The form in French, of a service without a token."""
    return open_form(read_only_client, "/write?issue=spam&lang=fr")


def test_service_without_tokens_shows_that_it_accepts_no_papers(
    read_only_client: httpx2.Client, closed_form: Form
) -> None:
    assert "token" not in closed_form.values
    actions = {str(button["value"]) for button in closed_form.form.select('button[name="do"]')}
    assert actions == {"check", "markdown", "turtle"}
    for path in ("/write", "/write?issue=spam"):
        page = read_only_client.get(path, headers={**HTML_HEADERS, "Accept-Language": "fr"}).text
        assert "Ce service ne reçoit pas de documents" in page
    assert closed_form.send("do", "turtle").status_code == 200


def test_save_to_a_service_without_tokens_is_refused(
    read_only_client: httpx2.Client, closed_form: Form
) -> None:
    data = {**closed_form.values, "title-1": "Typed", "do": "draft", "token": "any"}
    response = read_only_client.post("/write", data=data, headers=HTML_HEADERS)
    assert response.status_code == 403
    form = Form(read_only_client, response)
    refusal = form.page.select_one("#refused p")
    assert refusal
    assert refusal.get_text().startswith("Ce service ne reçoit pas de documents. Téléchargez le vôtre")
    assert not refusal.select('[lang="en"]')
    assert form.values["title-1"] == "Typed"


def test_token_in_a_wrong_field_is_removed_and_not_shown(client: httpx2.Client) -> None:
    form = open_form(client, "/write?issue=spam").fill(title_1=f"x {OTHER_TOKEN}", token=TOKEN)
    response = form.send("do", "draft")
    assert response.status_code == 422
    assert "have it revoked" in Form(client, response).field_messages("title-1")
    assert OTHER_TOKEN not in response.text
    assert TOKEN not in response.text
    assert client.post("/write", data={"access_token": TOKEN}).status_code == 400


def test_token_from_another_origin_is_refused(client: httpx2.Client) -> None:
    form = open_form(client, "/write?issue=spam").fill(name="mine", token=TOKEN)
    data = {**form.values, "do": "draft"}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}):
        assert client.post("/write", data=data, headers=HTML_HEADERS | headers).status_code == 403
    same_origin = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
    assert client.post("/write", data=data, headers=HTML_HEADERS | same_origin).status_code == 303


@pytest.mark.parametrize(
    ("file_format", "media_type"), [("turtle", "text/turtle"), ("markdown", "text/markdown")]
)
def test_paper_is_downloaded_without_a_token(
    client: httpx2.Client, file_format: str, media_type: str
) -> None:
    put_paper(client)
    response = open_form(client, f"/write?paper={PAPER_NAME}").send("do", file_format)
    assert response.headers["content-type"].startswith(media_type)
    match = re.fullmatch(
        rf'attachment; filename="({PAPER_NAME}\.(?:ttl|md))"', response.headers["content-disposition"]
    )
    assert match
    files = {"file": (match[1], response.content, media_type)}
    form = Form(client, client.post("/write", files=files, headers=HTML_HEADERS))
    turtle = form.send("do", "turtle").text
    assert isomorphic(Graph().parse(data=turtle, format="turtle"), read_paper(client))


def test_statements_about_other_resources_are_refused(client: httpx2.Client) -> None:
    form = open_form(client, "/write?issue=spam").fill(name="mine", token=TOKEN)
    form.values["source"] = f'{form.values["source"]}<{BASE}id/issue/spam> <x:p> "mine" .\n'
    response = form.send("do", "draft")
    assert response.status_code == 422
    assert client.get("/graph/paper/mine").status_code == 404
