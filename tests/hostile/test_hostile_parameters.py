"""Parameters of addresses: the unknown and the doubled are refused, and the value of one stays a value."""

from urllib.parse import quote, urlencode

import jsonschema
import pytest
from fastapi import FastAPI

from tests.hostile.asking import Request, ask
from tests.hostile.attacks import ATTACKS, MARK, UNREADABLE
from tests.hostile.conftest import TOKEN
from tests.hostile.harmless import check, is_told
from tests.hostile.targets import READ, TARGETS, Target, called, parameters, status

ACCEPT = ("text/html", "*/*", "application/json", "application/xml, application/atom+xml;q=0.9, */*;q=0.1")
# What takes any text, so that it finds nothing; all else takes what it knows.
FREE = {"q", "prefix", "ac", "default-graph-uri", "named-graph-uri"}
# What a route needs beside some parameters, so that they are looked at.
BESIDE = {
    "/search": {"q": "spam"},
    "/search.{suffix}": {"q": "spam"},
    "/sparql": {"query": "ASK {}"},
    "/reconcile/properties": {"type": "issue"},
    "/reconcile/suggest/{what}": {"prefix": "s"},
    "/doc/{path}": {"inverse": "issue"},
    "/cite": {"iri": "https://w3id.org/wgig/id/issue/spam"},
    "/cited": {"iri": "https://w3id.org/wgig/id/issue/spam"},
    "/graphs": {"graph": "https://w3id.org/wgig/graph/issues"},
}
# What the methods with a body need to come so far.
BODIES = {
    "/sparql": ("ASK {}", "application/sparql-query"),
    "/update": ("CLEAR SILENT GRAPH <urn:x>", "application/sparql-update"),
    "/reconcile": ("queries={}", "application/x-www-form-urlencoded"),
}

# Of which each is described by itself.
EACH = ("/queries/{name}", "/feed/query/{name}")

# Where the parameters of other services change nothing, and the answer says so.
TELLING = {("POST", "/sparql"), ("QUERY", "/sparql")}


def same(target: Target) -> bool:
    """Whether a target is another with the format in its path."""
    return target.path.removesuffix(".{suffix}") in {one.path for one in READ if one.path != target.path}


@pytest.mark.parametrize("target", TARGETS, ids=called)
def test_an_unknown_parameter_is_refused_with_those_that_there_are(app: FastAPI, target: Target) -> None:
    body, kind = BODIES.get(target.path, ("", "text/turtle"))
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": kind}
    sent = {} if target.method in ("GET", "DELETE") else {"content": body}
    (answer,) = ask(app, [(target.method, f"{target.at()}?{MARK}=1", {"headers": headers, **sent})])
    if is_told(answer):
        assert (target.method, target.path) in TELLING
        return
    assert answer.status_code == 400, status(answer)
    refused = answer.json()
    assert refused["detail"].startswith(f"There is no parameter '{MARK}' here.")
    assert all(one in refused["detail"] for one in refused["parameters"])
    if target.method == "GET" and target.path not in EACH:
        assert sorted(refused["parameters"]) == sorted(target.parameters)


@pytest.mark.parametrize("target", [one for one in READ if one.parameters], ids=called)
def test_a_parameter_is_refused_that_is_there_more_often_than_is_meant(app: FastAPI, target: Target) -> None:
    most = {
        one["name"]: one["schema"].get("maxItems")
        if one.get("explode", True) and "items" in one["schema"]
        else 1
        for one in parameters("GET", target.path)
    }
    limits = [(name, number) for name, number in most.items() if number]
    requests: list[Request] = [
        ("GET", f"{target.at()}?{'&'.join([f'{quote(name)}='] * (number + 1))}", {})
        for name, number in limits
    ]
    for (name, number), answer in zip(limits, ask(app, requests), strict=True):
        assert answer.status_code == 400, (name, status(answer))
        said = answer.json()["detail"]
        assert f"{number + 1} times" in said or f"{number + 1} were sent" in said, said


@pytest.mark.parametrize("target", [one for one in READ if one.parameters and not same(one)], ids=called)
def test_no_value_of_a_parameter_is_more_than_a_value(app: FastAPI, target: Target) -> None:
    sent = [(name, what) for name in target.parameters for what in ATTACKS]
    requests = [
        (
            "GET",
            f"{target.at()}?{asked(target, name, what)}",
            {"headers": {"Accept": ACCEPT[place % len(ACCEPT)]}},
        )
        for place, (name, what) in enumerate(sent)
    ]
    for (name, what), answer in zip(sent, ask(app, requests), strict=True):
        check(answer, f"{name}: {what}")
        # Else it would have become text of a query of ours.
        assert name == "query" or "doc/problem/syntax" not in answer.text, (name, what, status(answer))
        if name not in FREE and ATTACKS[what].strip() and not fits(target, name, ATTACKS[what]):
            assert answer.status_code >= 300, (name, what, status(answer))


def fits(target: Target, name: str, text: str) -> bool:
    """Whether a text is a number such as the parameter takes."""
    (one,) = (one["schema"] for one in parameters("GET", target.path) if one["name"] == name)
    return jsonschema.Draft202012Validator(one.get("items", one)).is_valid(number(text))


def number(text: str) -> int | None:
    """The number that a text is, if it is a short one."""
    return int(text) if text.removeprefix("-").isdigit() and text.isascii() and len(text) < 20 else None


def asked(target: Target, name: str, what: str) -> str:
    """A query string with an attack as the value of a parameter, beside what the route needs."""
    beside = BESIDE.get(target.path, {})
    if target.path == "/cite" and name in ("iri", "query"):
        beside = {}
    return urlencode({**beside, name: ATTACKS[what]})


@pytest.mark.parametrize("target", READ, ids=called)
def test_no_name_of_a_parameter_is_more_than_a_name(app: FastAPI, target: Target) -> None:
    sent = [what for what, text in ATTACKS.items() if text]
    requests = [
        (
            "GET",
            f"{target.at()}?{quote(ATTACKS[what], safe='')}=1",
            {"headers": {"Accept": ACCEPT[place % 3]}},
        )
        for place, what in enumerate(sent)
    ]
    for what, answer in zip(sent, ask(app, requests), strict=True):
        check(answer, what)
        assert answer.status_code == 400, (what, status(answer))


@pytest.mark.parametrize("target", READ, ids=called)
def test_what_is_no_text_is_refused_in_names_and_values(app: FastAPI, target: Target) -> None:
    name = quote((*target.parameters, "x")[0])
    queries = [*(f"{name}={one}" for one in UNREADABLE), *(f"{one}=1" for one in UNREADABLE)]
    answers = ask(app, [("GET", f"{target.at()}?{one}", {}) for one in queries])
    for query, answer in zip(queries, answers, strict=True):
        check(answer, query)
        assert answer.status_code == 400, (query, status(answer))


def test_an_address_without_end_is_not_read(app: FastAPI) -> None:
    requests: list[Request] = [
        ("GET", f"{one.at()}?{quote((*one.parameters, 'x')[0])}={'x' * 40_000}", {}) for one in READ
    ]
    assert {answer.status_code for answer in ask(app, requests)} == {414}
