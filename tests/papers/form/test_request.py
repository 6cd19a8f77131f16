"""Submitted forms: rows that buttons add and remove, hostile values, and invalid fields."""

import re

import httpx2
import pytest
from bs4 import BeautifulSoup
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdflib import Graph
from wgig.papers.form.fields import CHECKBOX_FIELD, FORM_PARTS, PAPER_PART

from tests.fixtures.html_form import HTML_HEADERS, Form, open_form
from tests.fixtures.paper_form import (
    BASE,
    EXAMPLE_TURTLE,
    PAPER_NAME,
    PAPER_NODE,
    TOKEN,
    put_paper,
    read_paper,
)

pytestmark = pytest.mark.slow


def test_rows_and_values_are_added_with_focus_and_removed(client: httpx2.Client) -> None:
    put_paper(client)
    form = open_form(client, f"/write?paper={PAPER_NAME}").fill(forum_1_nature_1="Typed before")
    form = form.press("add", "forum").fill(forum_2_label_1="Second").press("add", "swot-1-threat")
    assert form.values["forum-1-nature-1"] == "Typed before"
    assert [element["id"] for element in form.page.select("[autofocus]")] == ["swot-1-threat-3"]
    form = form.press("remove", "swot-1-threat-1").press("remove", "forum-1").press("remove", "mechanism-1")
    form = form.press("add", "forum").fill(forum_3_label_1="Third", token=TOKEN).press("do", "draft")
    assert form.page.select_one(".good"), form.summary_messages
    graph = read_paper(client)
    forum_numbers = {
        str(subject).rpartition("/")[2] for subject in graph.subjects() if "/forum/" in str(subject)
    }
    assert forum_numbers == {"2", "3"}  # the IRI of the removed forum is not used again
    assert not [node for node in graph.objects() if str(node).endswith("/mechanism/1")]
    threats = [str(value) for _, property_, value in graph if str(property_).endswith("threat")]
    assert len(threats) == 1  # of two; the added one was left empty


def list_folded_rows(form: Form) -> list[str]:
    """The names of the rows that are folded: only their headings are visible."""
    summaries = form.page.select(".part details:not(.background) > summary")
    return [str(summary["id"]).removesuffix("-fold") for summary in summaries]


def test_blank_assessments_are_folded(client: httpx2.Client) -> None:
    assessments = [f"assessment-{number}" for number in range(1, 7)]
    form = open_form(client, "/write?issue=spam")
    assert list_folded_rows(form) == assessments
    form.fill(assessment_2_rationale_1="Not all were asked.")
    extended_form = form.press("add", "assessment")
    assert list_folded_rows(extended_form) == [name for name in assessments if name != "assessment-2"]
    checked_form = form.press("do", "check")
    faulty_rows = {
        name.partition("-verdict")[0] for name in checked_form.summary_messages if "-verdict" in name
    }
    assert faulty_rows.isdisjoint(list_folded_rows(checked_form))


# Values are made of these parts: syntax of URLs, RDF and Markdown, and values of choices.
VALUE_CHUNK_STRATEGY = st.sampled_from(
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
FIELD_NAME_STRATEGY = st.sampled_from(
    [
        *(f"{field.key}-1" for field in PAPER_PART.fields if field.kind != CHECKBOX_FIELD),
        *(
            f"{part.key}-{row}-{field.key}{'' if field.kind == CHECKBOX_FIELD else '-1'}"
            for row in (1, 2)
            for part in FORM_PARTS.values()
            if part.key
            for field in part.fields
        ),
        "title-1-language",
        "name",
    ]
)


@given(
    st.dictionaries(FIELD_NAME_STRATEGY, st.lists(VALUE_CHUNK_STRATEGY, max_size=3).map("".join), max_size=12)
)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_values_are_checked_and_downloaded(
    client: httpx2.Client, typed_fields: dict[str, str]
) -> None:
    initial_fields = open_form(client, "/write?issue=spam").values
    response = client.post(
        "/write", data={**initial_fields, **typed_fields, "do": "check"}, headers=HTML_HEADERS
    )
    assert response.status_code == 200, response.text
    # A paper with an invalid name cannot be downloaded.
    fields = {**initial_fields, **typed_fields, "name": initial_fields["name"], "do": "turtle"}
    download = client.post("/write", data=fields, headers=HTML_HEADERS)
    Graph().parse(data=download.text, format="turtle")


HOSTILE_TEXTS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</textarea><script>alert(1)</script>",
    "javascript:alert(1)",
    "\u202eevil\u2066",
    "w" * 10_000,
    '<http://evil.example/> <x:p> "x" .',
    "\\u0000 \r\n\r\n {{ 7*7 }}",
)


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_hostile_text_in_every_field_is_shown_as_text(client: httpx2.Client, text: str) -> None:
    form = open_form(client, "/write?issue=spam").press("add", "waiver").press("add", "otherActor")
    # Text inputs: without rows such as `forum-1` and choices, but with some fields of the whole paper.
    typed_fields = {
        name: text
        for name, value in form.values.items()
        if isinstance(value, str) and re.search(r"-\d+$", name) and not re.fullmatch(r"[a-zA-Z]+-\d+", name)
    } | dict.fromkeys(("title-1", "posted-1", "cites-1", "source-1", "inLanguage-1"), text)
    typed_fields |= {name: text for name in form.values if name.endswith("-language")}
    form.values |= typed_fields
    checked_form = form.press("do", "check")
    assert checked_form.response.status_code == 200
    one_line = re.sub(r"\r?\n", "", text)
    for name in typed_fields:
        value = checked_form.values[name]
        assert isinstance(value, str)
        assert re.sub(r"\r?\n", "", value).strip() == one_line.strip(), name
    page = BeautifulSoup(checked_form.response.text, "html.parser")
    assert not page.select('script:not([src^="/static/"]), img, [onerror]')
    assert not [link for link in page.select("[href]") if str(link["href"]).startswith("javascript:")]
    response = checked_form.fill(token=TOKEN).send("do", "draft")
    assert response.status_code == 422


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
        # `source` holds the statements of the opened paper in Turtle.
        ({"source": "no triples"}, 400),
        ({"source": ""}, 422),
        ({"source": "<x:a> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <x:b> ."}, 422),
        ({"title-1": "x" * 100_001}, 413),
        ({f"title-{number}": "x" for number in range(1, 60)}, 413),
        ({f"forum-{number}": "" for number in range(1, 60)}, 413),
    ],
    ids=lambda data: next(iter(data)) if isinstance(data, dict) else None,
)
def test_invalid_field_is_refused(client: httpx2.Client, data: dict[str, str], status: int) -> None:
    fields = open_form(client, "/write?issue=spam").values
    response = client.post("/write", data={"do": "check", **fields, **data})
    assert response.status_code == status, response.text


def test_repeated_field_is_refused(client: httpx2.Client) -> None:
    for name in ("title-1", "name", "do"):
        body = f"{name}=a&{name}=b"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert client.post("/write", content=body, headers=headers).status_code == 400


@pytest.mark.parametrize(
    "turtle",
    [
        " , ".join(f"[ <x:p> {number} ]" for number in range(60)).join(
            (f"{PAPER_NODE} <{BASE}ontology#forum> ", " .")
        ),
        " , ".join(f'"{number}"@en' for number in range(60)).join(
            (f"{PAPER_NODE} <{BASE}ontology#additionalComments> ", " .")
        ),
        " , ".join(str(number) for number in range(5001)).join((f"{PAPER_NODE} <x:p> ", " .")),
    ],
    ids=["parts", "values", "statements"],
)
def test_paper_that_is_too_large_for_the_form_is_refused(client: httpx2.Client, turtle: str) -> None:
    response = client.post(
        "/write", files={"file": ("p.ttl", f"{EXAMPLE_TURTLE}\n{turtle}")}, headers=HTML_HEADERS
    )
    assert response.status_code == 413
    assert "Edit the file instead" in response.text


def test_file_above_the_limit_is_refused_with_the_limit_in_megabytes(client: httpx2.Client) -> None:
    response = client.post("/write", files={"file": ("p.md", b"x" * 4_200_000)}, headers=HTML_HEADERS)
    assert response.status_code == 413
    assert "The file is larger than <bdi>4 MB</bdi>. Choose a smaller file." in response.text


def test_long_chain_of_blank_nodes_is_removed_with_its_row(client: httpx2.Client) -> None:
    chain = "\n".join(f"_:n{number} <x:next> _:n{number + 1} ." for number in range(3000))
    part = f'<{BASE}id/paper/{PAPER_NAME}/forum/1> <x:next> _:n0 . _:other <x:p> "stays" .'
    response = client.post(
        "/write", files={"file": ("p.ttl", f"{EXAMPLE_TURTLE}\n{part}\n{chain}")}, headers=HTML_HEADERS
    )
    turtle = Form(client, response).press("remove", "forum-1").send("do", "turtle").text
    assert "x:next" not in turtle
    assert "stays" in turtle


def test_row_beyond_the_limit_is_refused_and_typed_values_are_kept(
    client: httpx2.Client,
) -> None:
    waiver_rows = {f"waiver-{number}": "" for number in range(1, 51)}
    fields = open_form(client, "/write?issue=spam").values | waiver_rows
    response = client.post(
        "/write", data={**fields, "title-1": "Typed", "add": "waiver"}, headers=HTML_HEADERS
    )
    assert response.status_code == 413
    assert Form(client, response).values["title-1"] == "Typed"
