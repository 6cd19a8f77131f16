"""The service keeps what its OpenAPI description promises, whatever a client sends that fits it or not."""

from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema
import pyoxigraph as ox
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance
from wgig.app import create_app, make_service
from wgig.resources.shapes import example_papers_by_name
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.service import service_of

pytestmark = pytest.mark.slow

EXAMPLES = 6  # requests to each operation
# What fits the description is refused all the same where it names nothing, or does not parse.
LEFT_OUT = [positive_data_acceptance]

api = schemathesis.openapi.from_asgi("/openapi.json", create_app(make_service(Settings(), Store.in_memory())))
OPERATIONS = [found.ok() for found in api.get_all_operations() if isinstance(found, Ok)]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method.upper()} {one.path}")
def test_an_operation_answers_as_described(operation: Any, shipped: ox.Store) -> None:
    app = create_app(make_service(Settings(), Store(shipped)))

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(case=operation.as_strategy())
    def answers(case: Any) -> None:
        case.validate_response(case.call(app=app), excluded_checks=LEFT_OUT)

    answers()


@pytest.fixture(scope="module")
def described_reader(filled_store: Store) -> httpx.Client:
    """A client of a service with all that it has at its first start."""
    return service_of(Settings(), filled_store)


@pytest.fixture(scope="module")
def description(described_reader: httpx.Client) -> dict[str, Any]:
    """The description of this service."""
    found: dict[str, Any] = described_reader.get("/openapi.json").json()
    return found


def described(operation: dict[str, Any], place: str) -> dict[str, list[Any]]:
    """The examples of the parameters of an operation by name: of its path, its query string or its fields."""
    return {
        one["name"]: [*one["schema"].get("examples", []), *one["schema"].get("items", {}).get("examples", [])]
        for one in operation.get("parameters", [])
        if one["in"] == place
    }


def place_of(path: str, operation: dict[str, Any]) -> str:
    """The path with the examples of its parts."""
    for name, values in described(operation, "path").items():
        path = path.replace(f"{{{name}}}", str(values[0]))
    return path


def asked_with(path: str, name: str, value: Any) -> dict[str, Any]:
    """What is asked to try an example: its parameter, and the one that has to stand beside it."""
    beside = BESIDE.get((path, name), BESIDE.get((path, ""), {}))
    others = {key: one for key, one in beside.items() if name not in (key, *INSTEAD.get(key, ()))}
    if path.startswith("/queries/") and name == "page":
        others = {"_mediatype": "application/atom+xml"}
    return others | {name: ",".join(value) if isinstance(value, list) else value}


def operations(description: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The paths that can be read as they are described, but those of what each store has of its own."""
    for path, item in description["paths"].items():
        if "get" in item and path not in OF_A_STORE:
            yield path, item["get"]


SELECT, CONSTRUCT = "SELECT * { ?s ?p ?o } LIMIT 3", "CONSTRUCT WHERE { ?s a ?o } LIMIT 3"
ISSUES = {"graph": "https://w3id.org/wgig/graph/issues"}
# What has to stand beside a parameter of an operation, or beside any, and what stands in its place.
BESIDE: dict[tuple[str, str], dict[str, str]] = {
    ("/search", ""): {"q": "spam"},
    ("/search.{suffix}", ""): {"q": "spam"},
    ("/cite", ""): {"iri": "issue:spam"},
    ("/cited", ""): {"query": SELECT},
    ("/coverage", "stakeholderGroup"): {"by": "stakeholder-group"},
    ("/coverage.{suffix}", "stakeholderGroup"): {"by": "stakeholder-group"},
    ("/sparql", ""): {"query": SELECT},
    ("/sparql", "default-graph-uri"): {"query": SELECT},
    ("/sparql", "named-graph-uri"): {"query": "SELECT * { GRAPH ?g { ?s ?p ?o } } LIMIT 3"},
    ("/graphs", ""): ISSUES,
    ("/reconcile/preview", ""): {"id": "issue/spam"},
    ("/reconcile/properties", ""): {"type": "issue"},
    ("/reconcile/suggest/{what}", ""): {"prefix": "sp"},
}
INSTEAD = {"iri": ("query",), "graph": ("default", "_mediatype"), "query": ("example", "iri")}
# Paths with names that come from the time of a start, and what is closed until somebody opens it.
OF_A_STORE = ("/changes/{path}", "/dump/{name}", "/metrics", "/.well-known/security.txt")
# Parameters whose example is of a list of things, and not of a thing.
LISTED = {("/doc/{path}", "after"): "/doc/issue"}
# What is asked for JSON of a kind, where that is not what is asked for anything else.
FOR_JSON = {
    ("/sparql", "application/json"): {"query": SELECT, "explain": ""},
    ("/sparql", "application/ld+json"): {"query": CONSTRUCT},
    ("/cited", "application/ld+json"): {"query": CONSTRUCT},
    ("/graphs", "application/json"): {"_mediatype": "application/json"},
}
# JSON that only another name in the path leads to: of a query that constructs, and of a thing.
OF_ANOTHER_NAME = {
    ("/queries/{name}", "application/ld+json"),
    ("/doc/problem/{slug}", "application/json"),
    ("/doc/problem/{slug}", "application/ld+json"),
}
# Parameters whose values come from an earlier answer of the same service, or from what somebody wrote to it.
FROM_EARLIER_ANSWERS = {
    *((path, "version") for path in ("/cite", "/cited", "/graph/{name}", "/graphs")),
    *((path, name) for path in ("/graph/{name}", "/graphs") for name in ("changes", "about")),
    *((path, "before") for path in ("/feed.atom", "/feed/{name}")),
    ("/cited", "sha256"),
    ("/doc/{path}", "page"),
    ("/id/{path}", "page"),
    ("/write", "paper"),
}
# What no fact that is shipped has yet; and the record of writes, as nobody wrote.
NOT_IN_THE_FACTS = {
    *(("/papers", name) for name in ("mainActor", "verdict", "cito:cites", "schema:creativeWorkStatus")),
    ("/principles", "skos:exactMatch"),
    *(("/queries/assessments", f"the_{name}") for name in ("issue", "category", "group", "criterion")),
    ("/queries/comments-on-papers", "text"),
    *(("/queries/who-wrote-what", name) for name in ("graph", "_mediatype")),
}


def test_every_example_finds_something(described_reader: httpx.Client, description: dict[str, Any]) -> None:
    count = 0
    for path, operation in operations(description):
        for name, values in described(operation, "query").items():
            for value in values:
                place = LISTED.get((path, name), place_of(path, operation))
                answer = described_reader.get(place, params=asked_with(path, name, value))
                assert answer.status_code in (200, 303), (place, name, value, answer.text)
                known = (path.removesuffix(".{suffix}"), name) not in NOT_IN_THE_FACTS
                assert is_empty(answer) <= (not known), (place, name, value, answer.text)
                count += 1
    assert count > 250


def is_empty(answer: httpx.Response) -> bool:
    """Whether nothing was found, where the answer is of a kind that says so."""
    if "json" not in answer.headers.get("content-type", ""):
        return False
    found = answer.json()
    counted = [
        found[name] for name in ("total", "result", "properties", "queries", "graphs") if name in found
    ]
    counted += [found["results"]["bindings"]] if "results" in found else []
    return not all(counted)


@pytest.mark.parametrize("place", ["path", "query"])
def test_every_parameter_is_described_with_an_example(description: dict[str, Any], place: str) -> None:
    """But those whose values come from an earlier answer of the same service."""
    without = {
        (path, one["name"])
        for path, operation in operations(description)
        for one in operation.get("parameters", [])
        if one["in"] == place and not any(described({"parameters": [one]}, place).values())
    }
    assert {(path.removesuffix(".{suffix}"), name) for path, name in without} == (
        {*FROM_EARLIER_ANSWERS, ("/papers", "schema:creativeWorkStatus")} if place == "query" else set()
    )
    for _, operation in operations(description):
        assert all(one["description"] for one in operation.get("parameters", []))


def test_every_json_answer_fits_its_schema(
    described_reader: httpx.Client, description: dict[str, Any]
) -> None:
    for path, operation in operations(description):
        for media_type in json_types(operation):
            if not path.endswith(".{suffix}") and (path, media_type) not in OF_ANOTHER_NAME:
                answer = ask_for(described_reader, path, operation, media_type)
                assert answer.status_code == 200, (path, media_type, answer.text)
                assert answer.headers["content-type"].partition(";")[0] == media_type, path
                check_answer(answer, operation, description)


def json_types(operation: dict[str, Any]) -> list[str]:
    """The media types of JSON that an operation answers in."""
    return [one for one in operation["responses"].get("200", {}).get("content", {}) if "json" in one]


def ask_for(reader: httpx.Client, path: str, operation: dict[str, Any], media_type: str) -> httpx.Response:
    """The answer in a media type; where there is none in it, the list of the profiles."""
    place = place_of(path, operation)
    place = place.replace("papers.csv", "papers.csv-metadata.json") if "csvm" in media_type else place
    given = FOR_JSON.get((path, media_type), BESIDE.get((path, ""), {}))
    answer = reader.get(place, params=given, headers={"Accept": media_type})
    if not answer.headers["content-type"].startswith(media_type):
        answer = reader.get(place, params={"_profile": "all"}, headers={"Accept": media_type})
    return answer


def check_answer(answer: httpx.Response, operation: dict[str, Any], description: dict[str, Any]) -> None:
    """Hold a JSON answer against the schema of its media type."""
    media_type = answer.headers["content-type"].partition(";")[0]
    schema = operation["responses"]["200"]["content"][media_type]["schema"]
    jsonschema.validate(answer.json(), {**schema, "components": description["components"]})


def test_the_json_of_a_check_fits_its_schema(
    described_reader: httpx.Client, description: dict[str, Any]
) -> None:
    operation = description["paths"]["/validate"]["post"]
    paper = example_papers_by_name()["bad-WGIG-7B-MISSING.ttl"].read_bytes()
    for media_type in json_types(operation):
        fields = {"Accept": media_type, "Content-Type": "text/turtle"}
        answer = described_reader.post("/validate", content=paper, headers=fields)
        check_answer(answer, operation, description)


def test_every_json_answer_has_a_schema_that_says_what_it_holds(description: dict[str, Any]) -> None:
    for path, item in description["paths"].items():
        for operation in item.values():
            for answer in operation["responses"].values():
                for media_type, body in answer.get("content", {}).items():
                    if "json" in media_type:
                        schema = body["schema"]
                        assert "$ref" in schema or all("$ref" in one for one in named(schema)), path


def named(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The alternatives of a schema, of which objects by their keys count by what they hold."""
    return [one.get("additionalProperties", one) for one in schema["anyOf"]]


def test_the_description_is_openapi_3_1_with_schemas_that_are_some(description: dict[str, Any]) -> None:
    assert description["openapi"].startswith("3.1")
    for schema in description["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for item in description["paths"].values():
        for operation in item.values():
            for answer in operation["responses"].values():
                for body in answer.get("content", {}).values():
                    jsonschema.Draft202012Validator.check_schema(body["schema"])
