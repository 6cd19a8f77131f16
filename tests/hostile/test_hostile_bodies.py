"""Attacks in request bodies: forms, reconciliation batches and papers are read as data or refused."""

import json
from collections.abc import Iterator

import pytest
from starlette.types import ASGIApp

from tests.hostile.attacks import ATTACK_MARK, ATTACKS
from tests.hostile.client import send_requests
from tests.hostile.conftest import TOKEN
from tests.hostile.response_checks import check_response, ignores_parameter
from tests.hostile.targets import summarize_response

Form = dict[str, str]


def iter_forms_with_text(text: str) -> Iterator[tuple[str, Form]]:
    """Forms that contain a text, each with the path to which it is sent."""
    yield "/sparql", {"query": text}
    yield "/sparql", {"query": "ASK {}", "default-graph-uri": text}
    yield "/sparql", {"query": "ASK {}", "format": text}
    yield "/sparql", {"query": f"SELECT ({json.dumps(text)} AS ?x) {{}}"}
    yield "/update", {"update": text}
    yield "/validate", {"paper": text, "format": "md"}
    yield "/validate", {"paper": text, "format": text}
    yield "/validate", {"paper": "# x", "profile": text, "lang": text}
    yield "/validate", {"address": text}
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
@pytest.mark.parametrize("attack", ATTACKS)
def test_attack_in_a_form_value_is_harmless(app: ASGIApp, attack: str, accept: str) -> None:
    forms = list(iter_forms_with_text(ATTACKS[attack]))
    requests = [("POST", path, {"data": form, "headers": {"Accept": accept}}) for path, form in forms]
    for (path, form), response in zip(forms, send_requests(app, requests), strict=True):
        check_response(response, f"{path} {form}"[:300])


@pytest.mark.parametrize("path", ["/sparql", "/update", "/reconcile", "/validate"])
@pytest.mark.parametrize("attack", [name for name, text in ATTACKS.items() if text])
def test_attack_in_a_field_name_is_refused(app: ASGIApp, path: str, attack: str) -> None:
    valid_forms = {
        "/sparql": {"query": "ASK {}"},
        "/update": {"update": "CLEAR SILENT GRAPH <urn:x>"},
        "/reconcile": {},
        "/validate": {"paper": "# x"},
    }
    headers = {"Authorization": f"Bearer {TOKEN}"}
    (response,) = send_requests(
        app, [("POST", path, {"data": {**valid_forms[path], ATTACKS[attack]: "x"}, "headers": headers})]
    )
    check_response(response, attack)
    assert response.status_code == 400 or (path == "/sparql" and ignores_parameter(response)), (
        summarize_response(response)
    )


LONG_TEXT = ATTACK_MARK * 10_000


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/sparql", {"query": LONG_TEXT}),
        ("/sparql", {"query": "ASK {}", "format": LONG_TEXT}),
        ("/reconcile", {"queries": LONG_TEXT}),
        ("/reconcile", {"queries": json.dumps({"q0": {"query": "x", "type": LONG_TEXT}})}),
        ("/reconcile", {"extend": json.dumps({"ids": [], "properties": [{"id": LONG_TEXT}]})}),
        ("/validate", {"paper": "# x", "profile": LONG_TEXT}),
    ],
)
def test_long_value_is_refused_without_repeating_it(app: ASGIApp, path: str, form: Form) -> None:
    (response,) = send_requests(app, [("POST", path, {"data": form})])
    check_response(response, path)
    assert 400 <= response.status_code < 500, summarize_response(response)
    assert len(response.content) < 5_000


def test_long_parameter_name_is_cut_in_the_warning(app: ASGIApp) -> None:
    (response,) = send_requests(app, [("POST", "/sparql", {"data": {"query": "ASK {}", LONG_TEXT: ""}})])
    assert ignores_parameter(response)
    assert len(response.headers["wgig-warning"]) < 1_000
