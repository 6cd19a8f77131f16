"""Forms, batches of reconciliation and papers: what stands in them is read as data, or refused."""

import json
from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from tests.hostile.asking import ask
from tests.hostile.attacks import ATTACKS, MARK
from tests.hostile.conftest import TOKEN
from tests.hostile.harmless import check, is_told
from tests.hostile.targets import status

Form = dict[str, str]


def forms(text: str) -> Iterator[tuple[str, Form]]:
    """The forms that hold a text, each with the path to which it is sent."""
    yield "/sparql", {"query": text}
    yield "/sparql", {"query": "ASK {}", "default-graph-uri": text}
    yield "/sparql", {"query": "ASK {}", "format": text}
    yield "/sparql", {"query": f"SELECT ({json.dumps(text)} AS ?x) {{}}"}
    yield "/update", {"update": text}
    yield "/validate", {"paper": text, "format": "md"}
    yield "/validate", {"paper": text, "format": text}
    yield "/validate", {"paper": "# x", "profile": text, "lang": text}
    yield "/reconcile", {"queries": text}
    yield "/reconcile", {"extend": text}
    for query in (
        {"query": text},
        {"query": "spam", "type": text},
        {"query": "spam", "type": [text, "issue"]},
        {"query": "spam", "limit": text},
        {"query": "spam", "type_strict": text},
        {"query": "spam", "properties": [{"pid": text, "v": "x"}]},
        {"query": "spam", "properties": [{"pid": "wgig:category", "v": [text, {"id": text}]}]},
        {"query": "spam", text: text},
    ):
        yield "/reconcile", {"queries": json.dumps({"q0": query, text: {"query": "spam"}})}
    yield "/reconcile", {"extend": json.dumps({"ids": [text], "properties": [{"id": "wgig:category"}]})}
    yield "/reconcile", {"extend": json.dumps({"ids": ["issue/spam"], "properties": [{"id": text}]})}


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
@pytest.mark.parametrize("what", ATTACKS)
def test_no_body_is_more_than_data(app: FastAPI, what: str, accept: str) -> None:
    sent = list(forms(ATTACKS[what]))
    requests = [("POST", path, {"data": form, "headers": {"Accept": accept}}) for path, form in sent]
    for (path, form), answer in zip(sent, ask(app, requests), strict=True):
        check(answer, f"{path} {form}"[:300])


@pytest.mark.parametrize("path", ["/sparql", "/update", "/reconcile", "/validate"])
@pytest.mark.parametrize("what", [what for what, text in ATTACKS.items() if text])
def test_no_name_of_a_field_is_more_than_a_name(app: FastAPI, path: str, what: str) -> None:
    forms = {"/sparql": {"query": "ASK {}"}, "/update": {"update": "CLEAR SILENT GRAPH <urn:x>"}}
    form = {**forms, "/validate": {"paper": "# x"}}.get(path, {})
    headers = {"Authorization": f"Bearer {TOKEN}"}
    (answer,) = ask(app, [("POST", path, {"data": {**form, ATTACKS[what]: "x"}, "headers": headers})])
    check(answer, what)
    assert answer.status_code == 400 or (path == "/sparql" and is_told(answer)), status(answer)


LONG = MARK * 10_000


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/sparql", {"query": LONG}),
        ("/sparql", {"query": "ASK {}", "format": LONG}),
        ("/reconcile", {"queries": LONG}),
        ("/reconcile", {"queries": json.dumps({"q0": {"query": "x", "type": LONG}})}),
        ("/reconcile", {"extend": json.dumps({"ids": [], "properties": [{"id": LONG}]})}),
        ("/validate", {"paper": "# x", "profile": LONG}),
    ],
)
def test_a_long_value_is_refused_and_not_sent_back(app: FastAPI, path: str, form: Form) -> None:
    (answer,) = ask(app, [("POST", path, {"data": form})])
    check(answer, path)
    assert 400 <= answer.status_code < 500, status(answer)
    assert len(answer.content) < 5_000


def test_a_long_name_is_told_of_in_short(app: FastAPI) -> None:
    (answer,) = ask(app, [("POST", "/sparql", {"data": {"query": "ASK {}", LONG: ""}})])
    assert is_told(answer)
    assert len(answer.headers["wgig-warning"]) < 1_000
