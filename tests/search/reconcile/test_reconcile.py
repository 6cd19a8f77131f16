"""The Reconciliation Service API 0.2: what OpenRefine sends is answered in the form of the specification."""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import httpx
import jsonschema
import pytest
from wgig.rdf.shipped import read_turtle_files
from wgig.search.entries import UNINDEXED_KINDS
from wgig.search.reconcile.request import MAX_BATCH_QUERIES
from wgig.seed import list_shipped_files
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.accept_headers import BROWSER, PROGRAMS, page
from tests.fixtures.service import service_of

BASE = Settings.base
FORM = "application/x-www-form-urlencoded; charset=UTF-8"  # as OpenRefine sends it

NAMED = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "name": {"type": "string"}},
    "required": ["id", "name"],
}
ENDPOINT = {
    "type": "object",
    "properties": {"service_url": {"type": "string", "format": "uri"}, "service_path": {"type": "string"}},
    "required": ["service_url", "service_path"],
}
TEMPLATE = {"type": "string", "pattern": r"\{\{id\}\}"}
# The forms of the answers, by the tables of the specification (sections 3 to 6).
MANIFEST = {
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
        "defaultTypes": {"type": "array", "items": NAMED, "uniqueItems": True},
        "view": {"type": "object", "properties": {"url": TEMPLATE}, "required": ["url"]},
        "preview": {
            "type": "object",
            "properties": {"url": TEMPLATE, "width": {"type": "integer"}, "height": {"type": "integer"}},
            "required": ["url", "width", "height"],
        },
        "suggest": {
            "type": "object",
            "additionalProperties": ENDPOINT,
            "propertyNames": {"enum": ["entity", "type", "property"]},
        },
        "extend": {
            "type": "object",
            "properties": {"propose_properties": ENDPOINT, "property_settings": {"type": "array"}},
        },
    },
}
CANDIDATE = {
    "type": "object",
    "required": ["id", "name", "score", "match", "type"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string"},
        "name": {"type": "string"},
        "description": {"type": "string"},
        "score": {"type": "number", "minimum": 0, "maximum": 100},
        "match": {"type": "boolean"},
        "type": {"type": "array", "items": NAMED},
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
BATCH = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "required": ["result"],
        "properties": {"result": {"type": "array", "items": CANDIDATE}},
    },
}


def exactly(**members: dict[str, Any]) -> dict[str, Any]:
    """An object with these members and no others."""
    return {"type": "object", "properties": members, "required": list(members), "additionalProperties": False}


TEXT = {"type": "string"}
CELL = {
    "oneOf": [
        exactly(),
        exactly(id=TEXT, name=TEXT),
        exactly(str=TEXT),
        exactly(float={"type": "number"}),
        exactly(int={"type": "integer"}),
        exactly(
            date={"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$"}
        ),
    ]
}
EXTENDED = exactly(
    meta={"type": "array", "items": NAMED},
    rows={
        "type": "object",
        "additionalProperties": {"type": "object", "additionalProperties": {"type": "array", "items": CELL}},
    },
)
SUGGESTED = exactly(
    result={
        "type": "array",
        "items": {
            "type": "object",
            "required": ["id", "name"],
            "properties": {
                "id": TEXT,
                "name": TEXT,
                "description": TEXT,
                "notable": {"type": "array", "items": NAMED},
            },
            "additionalProperties": False,
        },
    }
)
PROPOSED = exactly(type=TEXT, limit={"type": "integer"}, properties={"type": "array", "items": NAMED})


@pytest.fixture(scope="module")
def client() -> httpx.Client:
    """A service of the shipped facts."""
    store = Store.in_memory()
    store.replace({graph: read_turtle_files(paths) for graph, paths in list_shipped_files(BASE).items()})
    return service_of(Settings(), store)


Match = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def match(client: httpx.Client) -> Match:
    """The candidates of one query, which OpenRefine sends with others in a form."""

    def candidates(text: str = "", **members: Any) -> list[dict[str, Any]]:
        given = ({"query": text} if text else {}) | members
        body = urlencode({"queries": json.dumps({"q0": given})})
        answer = client.post("/reconcile", content=body, headers={"Content-Type": FORM})
        assert answer.status_code == 200, answer.text
        jsonschema.validate(answer.json(), BATCH)
        found: list[dict[str, Any]] = answer.json()["q0"]["result"]
        return found

    return candidates


@pytest.mark.parametrize("accept", PROGRAMS)
def test_programs_get_the_manifest(client: httpx.Client, accept: str) -> None:
    answer = client.get("/reconcile", headers={"Accept": accept})
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == client.get("/reconcile").content
    assert "Accept" in answer.headers["vary"].split(", ")


def test_a_browser_gets_a_page_with_the_address_to_paste(client: httpx.Client) -> None:
    text = page(client, "/reconcile")
    assert "<code>http://localhost/reconcile</code>" in text
    kinds = re.findall(r'<li><a href="(/doc/[^"]*)">', text)
    assert "/doc/issue" in kinds
    assert [one for one in kinds if client.get(one).status_code != 200] == []
    assert "OpenRefine" in page(client, "/reconcile?_lang=ar")


def test_a_batch_is_answered_as_data_whatever_is_accepted(client: httpx.Client) -> None:
    asked = {"queries": json.dumps({"q0": {"query": "spam"}})}
    answer = client.get("/reconcile", params=asked, headers={"Accept": BROWSER})
    assert "result" in answer.json()["q0"]


def test_the_manifest_says_what_can_be_done_and_where(client: httpx.Client) -> None:
    answer = client.get("/reconcile")
    assert answer.headers["access-control-allow-origin"] == "*"
    manifest = answer.json()
    jsonschema.validate(manifest, MANIFEST)
    assert client.get(manifest["view"]["url"].replace("{{id}}", "issue%2Fspam")).status_code == 200
    assert client.get(manifest["preview"]["url"].replace("{{id}}", "issue%2Fspam")).status_code == 200
    assert client.get(manifest["logo"]).headers["content-type"] == "image/svg+xml"
    proposed = manifest["extend"]["propose_properties"]
    for endpoint, question in (
        *((one, "?prefix=s") for one in manifest["suggest"].values()),
        (proposed, "?type=issue"),
    ):
        assert client.get(endpoint["service_url"] + endpoint["service_path"] + question).status_code == 200
    assert not UNINDEXED_KINDS.intersection(one["id"] for one in manifest["defaultTypes"])


def test_a_batch_is_answered_by_its_keys_in_form_and_address(client: httpx.Client) -> None:
    queries = {
        "q0": {"query": "Spam", "type": "issue", "type_strict": "should", "limit": 3},
        "q1": {"query": "zzzz"},
    }
    body = urlencode({"queries": json.dumps(queries)})
    posted = client.post("/reconcile", content=body, headers={"Content-Type": FORM})
    assert posted.headers["access-control-allow-origin"] == "*"
    assert list(posted.json()) == ["q0", "q1"]
    assert posted.json()["q1"] == {"result": []}
    assert client.get(f"/reconcile?{body}").json() == posted.json()
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
def test_a_name_is_matched_in_any_case_and_order(match: Match, text: str, kind: str, id_: str) -> None:
    best = match(text, type=kind)[0]
    assert (best["id"], best["match"]) == (id_, True)
    assert best["type"][0]["id"] == kind


def test_a_misspelt_name_is_found_and_no_match(match: Match) -> None:
    best = match("Spamm", type=["issue"])[0]
    assert (best["id"], best["match"]) == ("issue/spam", False)
    assert 80 < best["score"] < 95


def test_a_name_of_several_things_is_no_match(match: Match) -> None:
    found = match("Spam")
    assert len([one for one in found if one["score"] == 100]) > 1
    assert not any(one["match"] for one in found)


def test_a_type_is_kept_to_or_only_preferred(match: Match) -> None:
    assert {one["type"][0]["id"] for one in match("Spam", type="issue")} == {"issue"}
    assert match("Spam", type="issue", type_strict="should")[0]["id"] == "issue/spam"
    assert len(match("Spam", type="issue", type_strict="should")) > 1
    assert match("Spam", type=["issue", "paper"], type_strict="all") == []
    assert {one["type"][0]["id"] for one in match("Spam", type=["issue", "paper"])} == {"issue", "paper"}
    assert match("Spam", type=f"{BASE}id/issue")[0]["id"] == "issue/spam"


def test_a_condition_tells_namesakes_apart(match: Match) -> None:
    fitting = {"pid": "wgig:issue", "v": {"id": "issue/spam", "name": "Spam"}}
    found = {one["id"]: one["score"] for one in match("Spam", properties=[fitting], limit=100)}
    assert found["paper/wp-spam"] > found["issue/spam"]
    named = match("Spam", type="paper", properties=[{"pid": "wgig:issue", "v": ["spam", "nothing"]}])[0]
    assert [one["id"] for one in named["features"]] == ["name", "wgig:issue"]
    assert named["score"] == 100
    number = match("Spam", type="paper", properties=[{"pid": f"{BASE}ontology#round", "v": 1}])[0]
    assert number["score"] == 100


def test_conditions_alone_find_what_fulfils_them(match: Match) -> None:
    found = match(properties=[{"pid": "wgig:issue", "v": {"id": "issue/spam"}}], type="paper")
    assert [one["id"] for one in found] == ["paper/wp-spam"]


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
def test_a_batch_that_is_not_right_is_refused(client: httpx.Client, queries: str) -> None:
    answer = client.post("/reconcile", data={"queries": queries})
    assert answer.status_code == 400
    assert len(answer.json()["detail"]) > 20


@pytest.mark.parametrize("count", [MAX_BATCH_QUERIES + 1, 10_000, 200_000])
def test_a_batch_that_is_too_large_is_refused(client: httpx.Client, count: int) -> None:
    queries = json.dumps({f"q{number}": {"query": "Spam"} for number in range(count)})
    answer = client.post("/reconcile", data={"queries": queries})
    assert answer.status_code == 413
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    "text",
    ['"' * 50, "*" * 50, "x" * 100_000, "spam OR names:*", "§kissue", "\u0000", "' OR 1=1 --", "ا" * 999],
)
def test_any_text_may_be_looked_for(match: Match, text: str) -> None:
    assert isinstance(match(text), list)


def test_scripts_other_forms_and_unknown_parameters_are_refused(client: httpx.Client) -> None:
    for path in ("/reconcile", "/reconcile/suggest/entity?prefix=a", "/reconcile/properties?type=issue"):
        answer = client.get(path + ("&" if "?" in path else "?") + "callback=f")
        assert answer.status_code == 400
        assert "JSONP" in answer.json()["detail"]
    assert client.get("/reconcile?query=spam").status_code == 400
    assert client.post("/reconcile", json={"queries": {}}).status_code == 415
    assert client.post("/reconcile", data={}).status_code in (400, 415)
    assert client.post("/reconcile", data={"queries": "{}", "extend": "{}"}).status_code == 400
    assert client.get("/reconcile/suggest/flyout?prefix=a").status_code == 404


# Suggestions, previews, and data extension.


def suggest(client: httpx.Client, what: str, **parameters: str) -> list[dict[str, Any]]:
    answer = client.get(f"/reconcile/suggest/{what}", params=parameters)
    jsonschema.validate(answer.json(), SUGGESTED)
    found: list[dict[str, Any]] = answer.json()["result"]
    return found


def test_what_begins_as_typed_is_suggested(client: httpx.Client) -> None:
    assert suggest(client, "entity", prefix="spa", type="issue")[0]["id"] == "issue/spam"
    assert "agent/kummer" in [one["id"] for one in suggest(client, "entity", prefix="markus kum")]
    assert suggest(client, "entity", prefix="?") == []
    assert suggest(client, "type", prefix="iss") == [{"id": "issue", "name": "Issues"}]
    assert "wgig:category" in [one["id"] for one in suggest(client, "property", prefix="categ")]


def test_suggestions_go_on_from_a_cursor(client: httpx.Client) -> None:
    first, second = (suggest(client, "entity", prefix="paragraph", cursor=start) for start in ("0", "20"))
    assert len(first) == len(second) == 20
    assert not {one["id"] for one in first} & {one["id"] for one in second}


@pytest.mark.parametrize(
    "question",
    [
        "",
        "?prefix=a&cursor=-1",
        "?prefix=a&cursor=x",
        "?prefix=a&cursor=99999",
        "?prefix=a&type=unicorn",
        "?prefix=a&x=1",
    ],
)
def test_a_wrong_question_for_suggestions_is_refused(client: httpx.Client, question: str) -> None:
    assert client.get(f"/reconcile/suggest/entity{question}").status_code == 400


def test_a_preview_may_stand_in_the_page_of_a_client_and_runs_nothing(client: httpx.Client) -> None:
    answer = client.get("/reconcile/preview", params={"id": "issue/spam"})
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors *" in policy
    assert "default-src 'none'" in policy
    assert "script" not in policy + answer.text
    assert "Bulk unsolicited" in answer.text
    for address in ("/reconcile/preview", "/reconcile/preview?id="):
        assert client.get(address).status_code == 400
    for id_ in ("issue/nothing", "<script>", "../ontology", "issue/spam\u0000"):
        assert client.get("/reconcile/preview", params={"id": id_}).status_code in (400, 404)


def extend(client: httpx.Client, given: Any) -> httpx.Response:
    return client.post(
        "/reconcile", content=urlencode({"extend": json.dumps(given)}), headers={"Content-Type": FORM}
    )


def test_columns_are_extended_by_values_of_properties(client: httpx.Client) -> None:
    wanted = ["wgig:issue", "wgig:posted", "wgig:round", "dcterms:title", "dcterms:source"]
    answer = extend(
        client, {"ids": ["paper/wp-spam", "no/such"], "properties": [{"id": one} for one in wanted]}
    )
    found = answer.json()
    jsonschema.validate(found, EXTENDED)
    assert [one["id"] for one in found["meta"]] == wanted
    row = found["rows"]["paper/wp-spam"]
    assert row["wgig:issue"] == [{"id": "issue/spam", "name": "Spam"}]
    assert row["wgig:posted"] == [{"date": "2005-02-01T00:00:00Z"}]
    assert row["wgig:round"] == [{"int": 1}]
    assert row["dcterms:title"] == [{"str": "Spam"}]
    assert {"str": "http://www.wgig.org/working-papers.html"} in row["dcterms:source"]
    assert found["rows"]["no/such"] == {one: [] for one in wanted}


def test_properties_are_proposed_that_things_of_the_type_have(client: httpx.Client) -> None:
    answer = client.get("/reconcile/properties", params={"type": "paper", "limit": "5"}).json()
    jsonschema.validate(answer, PROPOSED)
    assert len(answer["properties"]) == 5
    for one in answer["properties"]:
        assert extend(client, {"ids": ["paper/wp-spam"], "properties": [one]}).status_code == 200


@pytest.mark.parametrize(
    ("status", "given"),
    [
        (400, []),
        (400, {"ids": ["issue/spam"]}),
        (400, {"ids": "issue/spam", "properties": []}),
        (400, {"ids": [1], "properties": []}),
        (400, {"ids": [], "properties": ["wgig:issue"]}),
        (400, {"ids": [], "properties": [{"id": "no property"}]}),
        (400, {"ids": [], "properties": [{"id": "wgig:nope"}]}),
        (400, {"ids": [], "properties": [{"id": "zzz:q"}]}),
        (200, {"ids": [], "properties": [{"id": "wgig:verdict"}]}),
        (400, {"ids": [], "properties": [{"id": "wgig:issue", "settings": {"limit": 1}}]}),
        (413, {"ids": ["issue/spam"] * 501, "properties": []}),
        (413, {"ids": [], "properties": [{"id": "wgig:issue"}] * 21}),
        (200, {"ids": ["<x> ?y", "issue/spam\n"], "properties": [{"id": "wgig:category", "settings": {}}]}),
    ],
)
def test_an_extension_that_is_not_right_is_refused(client: httpx.Client, status: int, given: Any) -> None:
    assert extend(client, given).status_code == status
