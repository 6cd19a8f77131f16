"""What is sent in the fields of the form, and the parts that its buttons add and remove."""

import re

import httpx
import pytest
from bs4 import BeautifulSoup
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdflib import Graph
from wgig.papers.form.fields import CHECKBOX_FIELD, FORM_PARTS, PAPER_PART

from tests.fixtures.html_form import PAGE, Form, opened
from tests.fixtures.paper_form import BASE, EXAMPLE, NAME, PAPER, TOKEN, held, put_paper

pytestmark = pytest.mark.slow


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
