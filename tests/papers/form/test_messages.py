"""What is wrong is said at its field, also what Markdown cannot hold."""

import re

import httpx
import pytest
from rdflib import DCTERMS, Graph, Literal

from tests.fixtures.html_form import Form, opened
from tests.fixtures.paper_form import EXAMPLE, NAME, PAPER, STRANGE, put_paper

pytestmark = pytest.mark.slow


def test_a_source_that_was_not_shipped_may_be_in_the_graph(client: httpx.Client) -> None:
    form = opened(client, "/write?issue=spam").fill(source_1="document/declaratoin").press()
    assert "nor a document of the graph" in form.said("source-1")
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
        ({"source_1": "javascript:alert(1)"}, "source-1", "neither a web address"),
        ({"source_1": "http://e.org/a b"}, "source-1", "neither a web address"),
        ({"source_1": "data:text/html,x"}, "source-1", "neither a web address"),
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
