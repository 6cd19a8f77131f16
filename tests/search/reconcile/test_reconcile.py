"""The Reconciliation Service API 0.2, with requests as OpenRefine sends them.

Its types are the kinds of resources, such as "issue"; its conditions are the `properties` of a query.
"""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import httpx2
import jsonschema
import pytest
from wgig.rdf.shipped import read_turtle_files
from wgig.search.entries import UNINDEXED_KINDS
from wgig.search.reconcile.candidates import MIN_MATCH_SCORE
from wgig.search.reconcile.extend import MAX_EXTENDED_PROPERTIES, MAX_EXTENDED_THINGS
from wgig.search.reconcile.request import MAX_BATCH_QUERIES
from wgig.seed import list_shipped_files
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.accept_headers import BROWSER_ACCEPT, PROGRAM_ACCEPT_HEADERS, get_browser_page
from tests.fixtures.service import make_service_client

BASE = Settings.base
FORM_MEDIA_TYPE = "application/x-www-form-urlencoded; charset=UTF-8"  # as OpenRefine sends it

# JSON schemas of the responses, from the tables in sections 3 to 6 of the specification.
NAMED_ENTITY_SCHEMA = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "name": {"type": "string"}},
    "required": ["id", "name"],
}
ENDPOINT_SCHEMA = {
    "type": "object",
    "properties": {"service_url": {"type": "string", "format": "uri"}, "service_path": {"type": "string"}},
    "required": ["service_url", "service_path"],
}
URL_TEMPLATE_SCHEMA = {"type": "string", "pattern": r"\{\{id\}\}"}
MANIFEST_SCHEMA = {
    "type": "object",
    "required": ["versions", "name", "identifierSpace", "schemaSpace", "view"],
    "properties": {
        "versions": {"type": "array", "contains": {"const": "0.2"}},
        "name": {"type": "string"},
        "identifierSpace": {"type": "string", "format": "uri"},
        "schemaSpace": {"type": "string", "format": "uri"},
        "documentation": {"type": "string"},
        "serviceVersion": {"type": "string"},
        "logo": {"type": "string"},
        "defaultTypes": {"type": "array", "items": NAMED_ENTITY_SCHEMA, "uniqueItems": True},
        "view": {"type": "object", "properties": {"url": URL_TEMPLATE_SCHEMA}, "required": ["url"]},
        "preview": {
            "type": "object",
            "properties": {
                "url": URL_TEMPLATE_SCHEMA,
                "width": {"type": "integer"},
                "height": {"type": "integer"},
            },
            "required": ["url", "width", "height"],
        },
        "suggest": {
            "type": "object",
            "additionalProperties": ENDPOINT_SCHEMA,
            "propertyNames": {"enum": ["entity", "type", "property"]},
        },
        "extend": {
            "type": "object",
            "properties": {"propose_properties": ENDPOINT_SCHEMA, "property_settings": {"type": "array"}},
        },
    },
}
CANDIDATE_SCHEMA = {
    "type": "object",
    "required": ["id", "name", "score", "match", "type"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string"},
        "name": {"type": "string"},
        "description": {"type": "string"},
        "score": {"type": "number", "minimum": 0, "maximum": 100},
        "match": {"type": "boolean"},
        "type": {"type": "array", "items": NAMED_ENTITY_SCHEMA},
        "features": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "value"],
                "properties": {"id": {"type": "string"}, "value": {"type": ["number", "boolean"]}},
            },
        },
    },
}
BATCH_SCHEMA = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "required": ["result"],
        "properties": {"result": {"type": "array", "items": CANDIDATE_SCHEMA}},
    },
}


def build_object_schema(**members: dict[str, Any]) -> dict[str, Any]:
    """The schema of an object with exactly these members."""
    return {"type": "object", "properties": members, "required": list(members), "additionalProperties": False}


TEXT_SCHEMA = {"type": "string"}
CELL_SCHEMA = {
    "oneOf": [
        build_object_schema(),
        build_object_schema(id=TEXT_SCHEMA, name=TEXT_SCHEMA),
        build_object_schema(str=TEXT_SCHEMA),
        build_object_schema(float={"type": "number"}),
        build_object_schema(int={"type": "integer"}),
        build_object_schema(
            date={"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$"}
        ),
    ]
}
EXTENSION_SCHEMA = build_object_schema(
    meta={"type": "array", "items": NAMED_ENTITY_SCHEMA},
    rows={
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": CELL_SCHEMA},
        },
    },
)
SUGGESTIONS_SCHEMA = build_object_schema(
    result={
        "type": "array",
        "items": {
            "type": "object",
            "required": ["id", "name"],
            "properties": {
                "id": TEXT_SCHEMA,
                "name": TEXT_SCHEMA,
                "description": TEXT_SCHEMA,
                "notable": {"type": "array", "items": NAMED_ENTITY_SCHEMA},
            },
            "additionalProperties": False,
        },
    }
)
PROPOSALS_SCHEMA = build_object_schema(
    type=TEXT_SCHEMA, limit={"type": "integer"}, properties={"type": "array", "items": NAMED_ENTITY_SCHEMA}
)


@pytest.fixture(scope="module")
def client() -> httpx2.Client:
    """A client of a service with the bundled facts."""
    store = Store.in_memory()
    store.replace({graph: read_turtle_files(paths) for graph, paths in list_shipped_files(BASE).items()})
    return make_service_client(Settings(), store)


FindCandidates = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def find_candidates(client: httpx2.Client) -> FindCandidates:
    """A function that returns the candidates for a query, which it sends as a batch in a form."""

    def send_query(text: str = "", **members: Any) -> list[dict[str, Any]]:
        query = ({"query": text} if text else {}) | members
        body = urlencode({"queries": json.dumps({"q0": query})})
        response = client.post("/reconcile", content=body, headers={"Content-Type": FORM_MEDIA_TYPE})
        assert response.status_code == 200, response.text
        jsonschema.validate(response.json(), BATCH_SCHEMA)
        candidates: list[dict[str, Any]] = response.json()["q0"]["result"]
        return candidates

    return send_query


@pytest.mark.parametrize("accept", PROGRAM_ACCEPT_HEADERS)
def test_program_gets_the_manifest(client: httpx2.Client, accept: str) -> None:
    response = client.get("/reconcile", headers={"Accept": accept})
    assert response.headers["content-type"] == "application/json"
    assert response.content == client.get("/reconcile").content
    assert "Accept" in response.headers["vary"].split(", ")


def test_browser_gets_a_page_with_the_service_url(client: httpx2.Client) -> None:
    text = get_browser_page(client, "/reconcile")
    assert "<code>http://localhost/reconcile</code>" in text
    kind_paths = re.findall(r'<li><a href="(/doc/[^"]*)">', text)
    assert "/doc/issue" in kind_paths
    assert [path for path in kind_paths if client.get(path).status_code != 200] == []
    assert "OpenRefine" in get_browser_page(client, "/reconcile?_lang=ar")


def test_response_to_a_batch_is_json_also_for_browsers(client: httpx2.Client) -> None:
    parameters = {"queries": json.dumps({"q0": {"query": "spam"}})}
    response = client.get("/reconcile", params=parameters, headers={"Accept": BROWSER_ACCEPT})
    assert "result" in response.json()["q0"]


def test_urls_in_the_manifest_are_valid(client: httpx2.Client) -> None:
    response = client.get("/reconcile")
    assert response.headers["access-control-allow-origin"] == "*"
    manifest = response.json()
    jsonschema.validate(manifest, MANIFEST_SCHEMA)
    assert client.get(manifest["view"]["url"].replace("{{id}}", "issue%2Fspam")).status_code == 200
    assert client.get(manifest["preview"]["url"].replace("{{id}}", "issue%2Fspam")).status_code == 200
    assert client.get(manifest["logo"]).headers["content-type"] == "image/svg+xml"
    for endpoint, query_string in (
        *((endpoint, "?prefix=s") for endpoint in manifest["suggest"].values()),
        (manifest["extend"]["propose_properties"], "?type=issue"),
    ):
        url = endpoint["service_url"] + endpoint["service_path"] + query_string
        assert client.get(url).status_code == 200
    assert not UNINDEXED_KINDS.intersection(type_["id"] for type_ in manifest["defaultTypes"])


def test_batch_may_be_sent_in_a_form_or_the_url(client: httpx2.Client) -> None:
    queries = {
        "q0": {"query": "Spam", "type": "issue", "type_strict": "should", "limit": 3},
        "q1": {"query": "zzzz"},
    }
    body = urlencode({"queries": json.dumps(queries)})
    post_response = client.post("/reconcile", content=body, headers={"Content-Type": FORM_MEDIA_TYPE})
    assert post_response.headers["access-control-allow-origin"] == "*"
    assert list(post_response.json()) == ["q0", "q1"]
    assert post_response.json()["q1"] == {"result": []}
    assert client.get(f"/reconcile?{body}").json() == post_response.json()
    assert client.post("/reconcile", data={"queries": "{}"}).json() == {}


@pytest.mark.parametrize(
    ("text", "kind", "id_"),
    [
        ("Spam", "issue", "issue/spam"),
        ("spam", "issue", "issue/spam"),
        ("Kummer, Markus", "agent", "agent/kummer"),
        ("Intellectual Property Rights", "issue", "issue/intellectual-property-rights"),
    ],
)
def test_name_matches_in_any_case_and_word_order(
    find_candidates: FindCandidates, text: str, kind: str, id_: str
) -> None:
    best = find_candidates(text, type=kind)[0]
    assert (best["id"], best["match"]) == (id_, True)
    assert best["type"][0]["id"] == kind


def test_misspelled_name_is_a_candidate_but_not_a_match(find_candidates: FindCandidates) -> None:
    best = find_candidates("Spamm", type=["issue"])[0]
    assert (best["id"], best["match"]) == ("issue/spam", False)
    assert 80 < best["score"] < MIN_MATCH_SCORE  # similar, but not similar enough


def test_name_of_several_resources_is_not_a_match(find_candidates: FindCandidates) -> None:
    candidates = find_candidates("Spam")
    assert len([candidate for candidate in candidates if candidate["score"] == 100]) > 1
    assert not any(candidate["match"] for candidate in candidates)


def list_types(candidates: list[dict[str, Any]]) -> set[str]:
    return {candidate["type"][0]["id"] for candidate in candidates}


def test_type_is_required_or_preferred(find_candidates: FindCandidates) -> None:
    assert list_types(find_candidates("Spam", type="issue")) == {"issue"}
    assert find_candidates("Spam", type="issue", type_strict="should")[0]["id"] == "issue/spam"
    assert len(find_candidates("Spam", type="issue", type_strict="should")) > 1
    assert find_candidates("Spam", type=["issue", "paper"], type_strict="all") == []
    assert list_types(find_candidates("Spam", type=["issue", "paper"])) == {"issue", "paper"}
    assert find_candidates("Spam", type=f"{BASE}id/issue")[0]["id"] == "issue/spam"


def test_condition_affects_the_score(find_candidates: FindCandidates) -> None:
    condition = {"pid": "wgig:issue", "v": {"id": "issue/spam", "name": "Spam"}}
    candidates = find_candidates("Spam", properties=[condition], limit=100)
    scores = {candidate["id"]: candidate["score"] for candidate in candidates}
    assert scores["paper/wp-spam"] > scores["issue/spam"]
    name_condition = {"pid": "wgig:issue", "v": ["spam", "nothing"]}
    candidate = find_candidates("Spam", type="paper", properties=[name_condition])[0]
    assert [feature["id"] for feature in candidate["features"]] == ["name", "wgig:issue"]
    assert candidate["score"] == 100
    number_condition = {"pid": f"{BASE}ontology#round", "v": 1}
    assert find_candidates("Spam", type="paper", properties=[number_condition])[0]["score"] == 100


def test_query_may_have_conditions_without_a_name(find_candidates: FindCandidates) -> None:
    condition = {"pid": "wgig:issue", "v": {"id": "issue/spam"}}
    candidates = find_candidates(properties=[condition], type="paper")
    assert [candidate["id"] for candidate in candidates] == ["paper/wp-spam"]


@pytest.mark.parametrize(
    "queries",
    [
        "",
        "[]",
        "nothing",
        "[" * 100_000,
        '{"q0": []}',
        '{"q0": {}}',
        '{"q0": {"query": ""}}',
        '{"q0": {"query": 1}}',
        '{"q0": {"query": "a", "limit": 0}}',
        '{"q0": {"query": "a", "limit": 1e99}}',
        '{"q0": {"query": "a", "limit": NaN}}',
        '{"q0": {"query": "a", "limit": true}}',
        '{"q0": {"query": "a", "type": "unicorn"}}',
        '{"q0": {"query": "a", "type": [1]}}',
        '{"q0": {"query": "a", "type_strict": "never"}}',
        '{"q0": {"query": "a", "other": 1}}',
        '{"q0": {"query": "a", "properties": {}}}',
        '{"q0": {"query": "a", "properties": [{"pid": "wgig:issue"}]}}',
        '{"q0": {"query": "a", "properties": [{"pid": "no property", "v": 1}]}}',
        '{"q0": {"query": "a", "properties": [{"pid": "nope", "v": 1}]}}',
        '{"q0": {"query": "a", "properties": [{"pid": "wgig:nope", "v": 1}]}}',
        '{"q0": {"query": "a", "properties": [{"pid": "zzz:q", "v": 1}]}}',
        '{"q0": {"query": "a", "properties": [{"pid": "wgig:issue", "v": {"name": 1}}]}}',
        '{"q0": {"query": "a", "properties": [{"pid": "wgig:issue> . ?s ?p <x:y", "v": 1}]}}',
    ],
)
def test_invalid_batch_is_refused(client: httpx2.Client, queries: str) -> None:
    response = client.post("/reconcile", data={"queries": queries})
    assert response.status_code == 400
    assert len(response.json()["detail"]) > 20


@pytest.mark.parametrize("count", [MAX_BATCH_QUERIES + 1, 10_000, 200_000])
def test_too_large_batch_is_refused(client: httpx2.Client, count: int) -> None:
    queries = json.dumps({f"q{number}": {"query": "Spam"} for number in range(count)})
    response = client.post("/reconcile", data={"queries": queries})
    assert response.status_code == 413
    assert response.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    "text",
    ['"' * 50, "*" * 50, "x" * 100_000, "spam OR names:*", "§kissue", "\u0000", "' OR 1=1 --", "ا" * 999],
)
def test_name_may_be_any_text(find_candidates: FindCandidates, text: str) -> None:
    assert isinstance(find_candidates(text), list)


def test_jsonp_other_media_types_and_unknown_parameters_are_refused(client: httpx2.Client) -> None:
    for path in ("/reconcile", "/reconcile/suggest/entity?prefix=a", "/reconcile/properties?type=issue"):
        response = client.get(path + ("&" if "?" in path else "?") + "callback=f")
        assert response.status_code == 400
        assert "JSONP" in response.json()["detail"]
    assert client.get("/reconcile?query=spam").status_code == 400
    assert client.post("/reconcile", json={"queries": {}}).status_code == 415
    assert client.post("/reconcile", data={}).status_code == 415  # httpx2 sends no Content-Type
    assert client.post("/reconcile", data={"queries": "{}", "extend": "{}"}).status_code == 400
    assert client.get("/reconcile/suggest/flyout?prefix=a").status_code == 404  # of older versions


def get_suggestions(client: httpx2.Client, endpoint: str, **parameters: str) -> list[dict[str, Any]]:
    response = client.get(f"/reconcile/suggest/{endpoint}", params=parameters)
    jsonschema.validate(response.json(), SUGGESTIONS_SCHEMA)
    suggestions: list[dict[str, Any]] = response.json()["result"]
    return suggestions


def test_suggestions_match_the_prefix(client: httpx2.Client) -> None:
    assert get_suggestions(client, "entity", prefix="spa", type="issue")[0]["id"] == "issue/spam"
    entities = get_suggestions(client, "entity", prefix="markus kum")
    assert "agent/kummer" in [entity["id"] for entity in entities]
    assert get_suggestions(client, "entity", prefix="?") == []
    assert get_suggestions(client, "type", prefix="iss") == [{"id": "issue", "name": "Issues"}]
    properties = get_suggestions(client, "property", prefix="categ")
    assert "wgig:category" in [property_["id"] for property_ in properties]


def test_cursor_skips_suggestions(client: httpx2.Client) -> None:
    first_ids, next_ids = (
        {entity["id"] for entity in get_suggestions(client, "entity", prefix="paragraph", cursor=cursor)}
        for cursor in ("0", "20")
    )
    assert len(first_ids) == len(next_ids) == 20
    assert not first_ids & next_ids


@pytest.mark.parametrize(
    "query_string",
    [
        "",
        "?prefix=a&cursor=-1",
        "?prefix=a&cursor=x",
        "?prefix=a&cursor=99999",
        "?prefix=a&type=unicorn",
        "?prefix=a&x=1",
    ],
)
def test_invalid_parameters_for_suggestions_are_refused(client: httpx2.Client, query_string: str) -> None:
    assert client.get(f"/reconcile/suggest/entity{query_string}").status_code == 400


def test_preview_may_be_framed_and_runs_no_scripts(client: httpx2.Client) -> None:
    response = client.get("/reconcile/preview", params={"id": "issue/spam"})
    policy = response.headers["content-security-policy"]
    assert "frame-ancestors *" in policy
    assert "default-src 'none'" in policy
    assert "script" not in policy + response.text
    assert "Bulk unsolicited" in response.text
    for path in ("/reconcile/preview", "/reconcile/preview?id="):
        assert client.get(path).status_code == 400
    for id_ in ("issue/nothing", "<script>", "../ontology", "issue/spam\u0000"):
        assert client.get("/reconcile/preview", params={"id": id_}).status_code in (400, 404)


def post_extension(client: httpx2.Client, query: Any) -> httpx2.Response:
    return client.post(
        "/reconcile",
        content=urlencode({"extend": json.dumps(query)}),
        headers={"Content-Type": FORM_MEDIA_TYPE},
    )


def test_data_extension_has_property_values(client: httpx2.Client) -> None:
    properties = ["wgig:issue", "wgig:posted", "wgig:round", "dcterms:title", "dcterms:source"]
    response = post_extension(
        client, {"ids": ["paper/wp-spam", "no/such"], "properties": [{"id": id_} for id_ in properties]}
    )
    extension = response.json()
    jsonschema.validate(extension, EXTENSION_SCHEMA)
    assert [property_["id"] for property_ in extension["meta"]] == properties
    row = extension["rows"]["paper/wp-spam"]
    assert row["wgig:issue"] == [{"id": "issue/spam", "name": "Spam"}]
    assert row["wgig:posted"] == [{"date": "2005-02-01T00:00:00Z"}]
    assert row["wgig:round"] == [{"int": 1}]
    assert row["dcterms:title"] == [{"str": "Spam"}]
    assert {"str": "http://www.wgig.org/working-papers.html"} in row["dcterms:source"]
    assert extension["rows"]["no/such"] == {id_: [] for id_ in properties}


def test_proposed_properties_may_be_requested(client: httpx2.Client) -> None:
    proposals = client.get("/reconcile/properties", params={"type": "paper", "limit": "5"}).json()
    jsonschema.validate(proposals, PROPOSALS_SCHEMA)
    assert len(proposals["properties"]) == 5
    for property_ in proposals["properties"]:
        query = {"ids": ["paper/wp-spam"], "properties": [property_]}
        assert post_extension(client, query).status_code == 200


@pytest.mark.parametrize(
    ("status", "query"),
    [
        (400, []),
        (400, {"ids": ["issue/spam"]}),
        (400, {"ids": "issue/spam", "properties": []}),
        (400, {"ids": [1], "properties": []}),
        (400, {"ids": [], "properties": ["wgig:issue"]}),
        (400, {"ids": [], "properties": [{"id": "no property"}]}),
        (400, {"ids": [], "properties": [{"id": "wgig:nope"}]}),
        (400, {"ids": [], "properties": [{"id": "zzz:q"}]}),
        (400, {"ids": [], "properties": [{"id": "wgig:issue", "settings": {"limit": 1}}]}),
        (413, {"ids": ["issue/spam"] * (MAX_EXTENDED_THINGS + 1), "properties": []}),
        (413, {"ids": [], "properties": [{"id": "wgig:issue"}] * (MAX_EXTENDED_PROPERTIES + 1)}),
    ],
)
def test_data_extension_is_refused_if_invalid_or_too_large(
    client: httpx2.Client, status: int, query: Any
) -> None:
    assert post_extension(client, query).status_code == status


@pytest.mark.parametrize(
    "query",
    [
        {"ids": [], "properties": [{"id": "wgig:verdict"}]},
        {"ids": ["<x> ?y", "issue/spam\n"], "properties": [{"id": "wgig:category", "settings": {}}]},
    ],
    ids=["unused property", "invalid IDs"],
)
def test_data_extension_accepts_unused_properties_and_any_ids(client: httpx2.Client, query: Any) -> None:
    assert post_extension(client, query).status_code == 200
