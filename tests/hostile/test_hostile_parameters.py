"""Attacks in URL parameters: unknown and repeated parameters are refused, values are harmless."""

from collections.abc import Iterator
from urllib.parse import quote, urlencode

import jsonschema
import pytest
from starlette.types import ASGIApp
from wgig.lists.definitions import LIST_DEFINITIONS
from wgig.lists.fields import ListDefinition
from wgig.lists.filters import FILTER_VALUE_TYPES

from tests.hostile.attacks import ATTACK_MARK, ATTACKS, INVALID_ENCODINGS
from tests.hostile.client import Request, send_requests
from tests.hostile.conftest import TOKEN
from tests.hostile.response_checks import check_response, ignores_parameter, is_protocol_error
from tests.hostile.targets import (
    GET_TARGETS,
    TARGETS,
    Target,
    list_query_parameters,
    summarize_response,
    target_id,
)

ACCEPT_VALUES = (
    "text/html",
    "*/*",
    "application/json",
    "application/xml, application/atom+xml;q=0.9, */*;q=0.1",
)
# Parameters that accept any text, besides filters by texts; the others accept only known values.
FREE_TEXT_PARAMETERS = {"q", "about", "prefix", "ac", "default-graph-uri", "named-graph-uri"}
# Parameters that a route requires before it checks the others.
REQUIRED_PARAMETERS = {
    "/search": {"q": "spam"},
    "/search.{suffix}": {"q": "spam"},
    "/search/suggestions": {"q": "spam"},
    "/sparql": {"query": "ASK {}"},
    "/reconcile/properties": {"type": "issue"},
    "/reconcile/suggest/{what}": {"prefix": "s"},
    "/doc/{path}": {"inverse": "issue"},
    "/cite": {"iri": "https://w3id.org/wgig/id/issue/spam"},
    "/cited": {"iri": "https://w3id.org/wgig/id/issue/spam"},
    "/graphs": {"graph": "https://w3id.org/wgig/graph/issues"},
    "/oai": {"verb": "ListRecords", "metadataPrefix": "oai_dc"},
}
# Parameters that replace the required ones of their path.
REPLACING_PARAMETERS = {
    *(("/cite", name) for name in ("iri", "query")),
    *(("/graphs", name) for name in ("q", "group", "sort")),
}
# Valid bodies, with their media types, so that the parameters are checked.
VALID_BODIES = {
    "/sparql": ("ASK {}", "application/sparql-query"),
    "/update": ("CLEAR SILENT GRAPH <urn:x>", "application/sparql-update"),
    "/reconcile": ("queries={}", "application/x-www-form-urlencoded"),
    "/oai": ("verb=Identify", "application/x-www-form-urlencoded"),
}

# OpenAPI describes each example query separately.
EXAMPLE_QUERY_PATHS = ("/queries/{name}", "/feed/query/{name}")

# These operations ignore unknown parameters and send a warning.
IGNORING_OPERATIONS = {("POST", "/sparql"), ("QUERY", "/sparql")}


def is_suffix_variant(target: Target) -> bool:
    """Whether a target is another target with the format in its path."""
    other_paths = {other.path for other in GET_TARGETS if other.path != target.path}
    return target.path.removesuffix(".{suffix}") in other_paths


@pytest.mark.parametrize("target", TARGETS, ids=target_id)
def test_unknown_parameter_is_refused_with_a_list_of_the_known_ones(app: ASGIApp, target: Target) -> None:
    body, media_type = VALID_BODIES.get(target.path, ("", "text/turtle"))
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": media_type}
    content = {} if target.method in ("GET", "DELETE") else {"content": body}
    url = f"{target.fill_path()}?{ATTACK_MARK}=1"
    (response,) = send_requests(app, [(target.method, url, {"headers": headers, **content})])
    if ignores_parameter(response):
        assert (target.method, target.path) in IGNORING_OPERATIONS
        return
    if is_protocol_error(response):
        return
    assert response.status_code == 400, summarize_response(response)
    problem = response.json()
    assert problem["detail"].startswith(f"There is no parameter '{ATTACK_MARK}'.")
    assert all(name in problem["detail"] for name in problem["parameters"])
    if target.method == "GET" and target.path not in EXAMPLE_QUERY_PATHS:
        assert sorted(problem["parameters"]) == sorted(target.parameters)


@pytest.mark.parametrize("target", [target for target in GET_TARGETS if target.parameters], ids=target_id)
def test_parameter_is_refused_if_repeated_too_often(app: ASGIApp, target: Target) -> None:
    max_counts = {
        parameter["name"]: parameter["schema"].get("maxItems")
        if parameter.get("explode", True) and "items" in parameter["schema"]
        else 1
        for parameter in list_query_parameters("GET", target.path)
    }
    limits = [(name, limit) for name, limit in max_counts.items() if limit]
    requests: list[Request] = [
        ("GET", f"{target.fill_path()}?{'&'.join([f'{quote(name)}='] * (limit + 1))}", {})
        for name, limit in limits
    ]
    for (name, limit), response in zip(limits, send_requests(app, requests), strict=True):
        if is_protocol_error(response):
            continue
        assert response.status_code == 400, (name, summarize_response(response))
        detail = response.json()["detail"]
        assert f"{limit + 1} times" in detail or f"{limit + 1} were sent" in detail, detail


def iter_attacks(target: Target) -> Iterator[tuple[str, str]]:
    """Each parameter with the name of each attack, but parameters of lists with every second attack.

    The filters of lists have the same code. Neighboring ones take turns, so that each list gets all attacks.
    """
    turns = 2 if find_list(target) else 1
    for number, name in enumerate(target.parameters):
        for attack in [*ATTACKS][number % turns :: turns]:
            yield name, attack


def find_list(target: Target) -> ListDefinition | None:
    """The list at the path of a target."""
    return LIST_DEFINITIONS.get(target.path.removeprefix("/").removesuffix(".{suffix}"))


@pytest.mark.parametrize(
    "target",
    [target for target in GET_TARGETS if target.parameters and not is_suffix_variant(target)],
    ids=target_id,
)
def test_attack_in_a_parameter_value_is_harmless(app: ASGIApp, target: Target) -> None:
    attacks = [*iter_attacks(target)]
    requests = [
        (
            "GET",
            f"{target.fill_path()}?{build_query_string(target, name, attack)}",
            {"headers": {"Accept": ACCEPT_VALUES[number % len(ACCEPT_VALUES)]}},
        )
        for number, (name, attack) in enumerate(attacks)
    ]
    for (name, attack), response in zip(attacks, send_requests(app, requests), strict=True):
        check_response(response, f"{name}: {attack}")
        # A syntax error would mean that the value became part of the text of an internal query.
        assert name == "query" or "doc/problem/syntax" not in response.text, (
            name,
            attack,
            summarize_response(response),
        )
        if (
            not accepts_any_text(target, name)
            and ATTACKS[attack].strip()
            and not is_valid_number(target, name, ATTACKS[attack])
            and not is_protocol_error(response)
        ):
            assert response.status_code >= 300, (name, attack, summarize_response(response))


def accepts_any_text(target: Target, name: str) -> bool:
    """Whether a parameter accepts any text, as do filters of lists by a field that holds a text."""
    definition = find_list(target)
    field = definition.by_name.get(name) if definition else None
    return name in FREE_TEXT_PARAMETERS or (
        field is not None and FILTER_VALUE_TYPES.get(field.type, field.type) == "text"
    )


def is_valid_number(target: Target, name: str, text: str) -> bool:
    """Whether a text is a number that the schema of the parameter accepts."""
    (schema,) = (
        parameter["schema"]
        for parameter in list_query_parameters("GET", target.path)
        if parameter["name"] == name
    )
    return jsonschema.Draft202012Validator(schema.get("items", schema)).is_valid(parse_short_number(text))


def parse_short_number(text: str) -> int | None:
    """The integer that a text spells; None for other texts and for 20 digits or more."""
    return int(text) if text.removeprefix("-").isdigit() and text.isascii() and len(text) < 20 else None


def build_query_string(target: Target, name: str, attack: str) -> str:
    """A query string with an attack as the value of a parameter, and the required parameters."""
    required = REQUIRED_PARAMETERS.get(target.path, {})
    if (target.path, name) in REPLACING_PARAMETERS:
        required = {}
    return urlencode({**required, name: ATTACKS[attack]})


@pytest.mark.parametrize("target", GET_TARGETS, ids=target_id)
def test_attack_in_a_parameter_name_is_refused(app: ASGIApp, target: Target) -> None:
    attacks = [attack for attack, text in ATTACKS.items() if text]
    requests = [
        (
            "GET",
            f"{target.fill_path()}?{quote(ATTACKS[attack], safe='')}=1",
            {"headers": {"Accept": ACCEPT_VALUES[number % len(ACCEPT_VALUES)]}},
        )
        for number, attack in enumerate(attacks)
    ]
    for attack, response in zip(attacks, send_requests(app, requests), strict=True):
        check_response(response, attack)
        assert response.status_code == 400 or is_protocol_error(response), (
            attack,
            summarize_response(response),
        )


@pytest.mark.parametrize("target", GET_TARGETS, ids=target_id)
def test_invalid_encoding_is_refused_in_names_and_values(app: ASGIApp, target: Target) -> None:
    name = quote((*target.parameters, "x")[0])
    queries = [
        *(f"{name}={value}" for value in INVALID_ENCODINGS),
        *(f"{value}=1" for value in INVALID_ENCODINGS),
    ]
    responses = send_requests(app, [("GET", f"{target.fill_path()}?{query}", {}) for query in queries])
    for query, response in zip(queries, responses, strict=True):
        check_response(response, query)
        assert response.status_code == 400, (query, summarize_response(response))


def test_long_url_is_refused(app: ASGIApp) -> None:
    requests: list[Request] = [
        ("GET", f"{target.fill_path()}?{quote((*target.parameters, 'x')[0])}={'x' * 40_000}", {})
        for target in GET_TARGETS
    ]
    assert {response.status_code for response in send_requests(app, requests)} == {414}
