"""Responses of the service match its OpenAPI description, for generated requests and for its examples."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx2
import jsonschema
import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance
from wgig.app import create_app, make_service
from wgig.resources.shapes import example_papers_by_name
from wgig.settings import Settings
from wgig.store.history import VERSION_TIME_FORMAT
from wgig.store.store import Store

from tests.fixtures.openapi import list_parameters
from tests.fixtures.projections import wait_until_current
from tests.fixtures.service import make_service_client

pytestmark = pytest.mark.slow

REQUESTS_PER_OPERATION = 3
# A request that matches the description may be refused, as a name is unknown or a query does not parse.
EXCLUDED_CHECKS = [positive_data_acceptance]

API = schemathesis.openapi.from_asgi("/openapi.json", create_app(make_service(Settings(), Store.in_memory())))
OPERATIONS = [result.ok() for result in API.get_all_operations() if isinstance(result, Ok)]


@pytest.mark.parametrize(
    "operation", OPERATIONS, ids=lambda operation: f"{operation.method.upper()} {operation.path}"
)
def test_an_operation_answers_as_described(operation: Any, shipped_app: FastAPI) -> None:
    @settings(
        max_examples=REQUESTS_PER_OPERATION,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(case=operation.as_strategy())
    def check_case(case: Any) -> None:
        case.validate_response(case.call(app=shipped_app), excluded_checks=EXCLUDED_CHECKS)

    check_case()


@pytest.fixture(scope="module")
def filled_reader(filled_store: Store) -> httpx2.Client:
    """A client, shared by the tests of this module, of a service with the data of its first start."""
    reader = make_service_client(Settings(), filled_store)
    wait_until_current(reader)
    return reader


@pytest.fixture(scope="module")
def description(filled_reader: httpx2.Client) -> dict[str, Any]:
    """The OpenAPI description of this service, with the parameters among its components in each operation."""
    description: dict[str, Any] = filled_reader.get("/openapi.json").json()
    for path_item in description["paths"].values():
        for operation in path_item.values():
            operation["parameters"] = list_parameters(description, operation)
    return description


def parameter_examples(operation: dict[str, Any], location: str) -> dict[str, Any]:
    """The examples of the parameters of an operation by name, in this location: path, query or header."""
    return {
        parameter["name"]: parameter["example"]
        for parameter in operation["parameters"]
        if parameter["in"] == location
    }


def fill_path(path: str, operation: dict[str, Any]) -> str:
    """The path with an example for each of its parameters."""
    for name, value in parameter_examples(operation, "path").items():
        path = path.replace(f"{{{name}}}", str(value))
    return path


def build_query_parameters(path: str, name: str, value: Any) -> dict[str, Any]:
    """The query parameters to try an example: its parameter, and those that the operation needs beside it."""
    needed_parameters = NEEDED_PARAMETERS.get((path, name), NEEDED_PARAMETERS.get((path, ""), {}))
    other_parameters = {
        other_name: other_value
        for other_name, other_value in needed_parameters.items()
        if name not in (other_name, *ALTERNATIVE_PARAMETERS.get(other_name, ()))
    }
    if path.startswith("/queries/") and name == "page":  # only the HTML and the feed of a query have pages
        other_parameters = {"_mediatype": "text/html"}
    if name == "names":
        other_parameters["_mediatype"] = "text/csv"
    values = value if isinstance(value, list) else [value]
    texts = [item if isinstance(item, str) else json.dumps(item) for item in values]
    return other_parameters | {name: ",".join(texts)}


def iter_get_operations(description: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The paths and their GET operations, without paths that differ from store to store."""
    for path, item in description["paths"].items():
        if "get" in item and path not in STORE_SPECIFIC_PATHS:
            yield path, item["get"]


SELECT_QUERY, CONSTRUCT_QUERY = "SELECT * { ?s ?p ?o } LIMIT 3", "CONSTRUCT WHERE { ?s a ?o } LIMIT 3"
ISSUE_GRAPH_PARAMETER = {"graph": "https://w3id.org/wgig/graph/issues"}
BUILDER_PARAMETERS = {
    "kind": "wgig:Issue",
    "column": "wgig:category",
    "filter": "wgig:category",
    "match": "any",
    "value": "",
}
# By path and parameter, or by path and "" for any parameter: the other parameters that the operation needs.
NEEDED_PARAMETERS: dict[tuple[str, str], dict[str, str]] = {
    ("/build", ""): BUILDER_PARAMETERS,
    ("/search", ""): {"q": "spam"},
    ("/search", "lang"): {"q": "gouvernance"},
    ("/search.{suffix}", ""): {"q": "spam"},
    ("/search.{suffix}", "lang"): {"q": "gouvernance"},
    ("/search/suggestions", ""): {"q": "spam"},
    ("/linkset", ""): {"iri": "https://w3id.org/wgig/id/issue/spam"},
    ("/oai", "verb"): {},
    ("/oai", "identifier"): {"verb": "GetRecord", "metadataPrefix": "oai_dc"},
    ("/oai", ""): {"verb": "ListRecords", "metadataPrefix": "oai_dc"},
    ("/cite", "work"): {"iri": "tunis:41"},
    ("/cite", ""): {"iri": "issue:spam"},
    ("/cited", ""): {"query": SELECT_QUERY},
    ("/coverage", "stakeholderGroup"): {"by": "stakeholder-group"},
    ("/coverage.{suffix}", "stakeholderGroup"): {"by": "stakeholder-group"},
    ("/cited", "sha256"): {"query": "ASK {}", "_mediatype": "json"},
    ("/changes", "before"): {"_mediatype": "text/html"},
    ("/doc/{path}", "page"): {"inverse": "issue"},
    ("/id/{path}", "page"): {"inverse": "issue"},
    ("/sparql", ""): {"query": SELECT_QUERY},
    ("/sparql", "check"): {"query": "SELECT * { ?s a wgig:Isue }"},
    ("/sparql", "default-graph-uri"): {"query": SELECT_QUERY},
    ("/sparql", "named-graph-uri"): {"query": "SELECT * { GRAPH ?g { ?s ?p ?o } } LIMIT 3"},
    ("/graphs", ""): ISSUE_GRAPH_PARAMETER,
    **{("/graphs", name): {"_mediatype": "application/json"} for name in ("q", "group", "sort")},
    ("/reconcile/preview", ""): {"id": "issue/spam"},
    ("/reconcile/properties", ""): {"type": "issue"},
    ("/reconcile/suggest/{what}", ""): {"prefix": "sp"},
}
# By needed parameter, the parameters that replace it.
ALTERNATIVE_PARAMETERS = {"iri": ("query",), "graph": ("default", "_mediatype"), "query": ("example", "iri")}
# Paths with names that depend on the time of the start, and paths that need a token or a setting.
STORE_SPECIFIC_PATHS = (
    "/changes/{path}",
    "/dump/{name}",
    "/releases/{name}",
    "/releases/{name}/{file}",
    "/metrics",
    "/.well-known/security.txt",
)
# Parameters whose example is for a list of resources instead of a resource, with its path.
LIST_PATHS = {("/doc/{path}", "after"): "/doc/issue"}
# The query parameters for a JSON media type, if they differ from those for other media types.
PARAMETERS_FOR_JSON = {
    ("/sparql", "application/json"): {"query": SELECT_QUERY, "explain": ""},
    ("/sparql", "application/ld+json"): {"query": CONSTRUCT_QUERY},
    ("/cited", "application/ld+json"): {"query": CONSTRUCT_QUERY},
    ("/graphs", "application/json"): {"_mediatype": "application/json"},
}
# JSON media types that need another name in the path: a CONSTRUCT query, or a resource.
UNTESTED_JSON = {
    ("/queries/{name}", "application/ld+json"),
    ("/doc/problem/{slug}", "application/json"),
    ("/doc/problem/{slug}", "application/ld+json"),
}
# Files of the documentation in JSON.
DOCS_JSON_PATHS = {
    ("/docs/{path}", "application/json"): "/docs/search.json",
    ("/docs/{path}", "application/x-ipynb+json"): "/docs/tutorials/questions.ipynb",
}
# Their values come from an earlier response, and differ from store to store: the examples show the form. Only
# graphs that were written have versions.
PARAMETERS_FROM_RESPONSES = {
    *((path, name) for path in ("/graph/{name}", "/graphs") for name in ("version", "changes", "about")),
    *((path, "before") for path in ("/feed.atom", "/feed/{name}")),
    ("/oai", "resumptionToken"),
}
# Without results, whatever the value: the only bundled paper with an assessment has no category and no actor.
PARAMETERS_WITHOUT_DATA = {("/queries/assessments", f"the_{name}") for name in ("category", "group")}
PATHS_WITHOUT_DATA = ("/queries/who-wrote-what",)  # nothing was written


def test_every_example_finds_something(filled_reader: httpx2.Client, description: dict[str, Any]) -> None:
    example_count = 0
    for path, operation in iter_get_operations(description):
        examples = parameter_examples(operation, "query")
        other = description["paths"].get(path.removesuffix(".{suffix}"), {}).get("get", operation)
        if other is not operation:  # the same route, which is requested once in another format
            tried = parameter_examples(other, "query")
            known_names = [name for name in examples if examples[name] == tried.get(name)]
            example_count += len(known_names) - 1
            examples = {name: examples[name] for name in [*known_names[:1], *examples.keys() - known_names]}
        for name, value in examples.items():
            if (path, name) in PARAMETERS_FROM_RESPONSES:
                continue
            filled_path = LIST_PATHS.get((path, name), fill_path(path, operation))
            response = filled_reader.get(filled_path, params=build_query_parameters(path, name, value))
            assert response.status_code in (200, 303), (filled_path, name, value, response.text)
            has_data = path not in PATHS_WITHOUT_DATA and (path, name) not in PARAMETERS_WITHOUT_DATA
            assert not (has_data and is_empty_result(response)), (filled_path, name, value, response.text)
            example_count += 1
    assert example_count > 900  # all operations have examples


def test_the_example_of_a_version_has_the_form_of_a_version(description: dict[str, Any]) -> None:
    for path in ("/graph/{name}", "/graphs"):
        examples = parameter_examples(description["paths"][path]["get"], "query")
        for name in ("version", "changes"):
            assert datetime.strptime(examples[name], VERSION_TIME_FORMAT)


def is_empty_result(response: httpx2.Response) -> bool:
    """Whether a JSON response has an empty list or a count of 0; False for other responses."""
    if "/oai" in response.url.path:  # its errors have the status 200
        return "<error " in response.text
    if "json" not in response.headers.get("content-type", ""):
        return False
    result = response.json()
    lists_and_counts = [
        result[name]
        for name in ("total", "result", "properties", "queries", "graphs", "problems")
        if name in result
    ]
    lists_and_counts += [result["results"]["bindings"]] if "results" in result else []
    return not all(lists_and_counts)


def test_every_parameter_is_described_with_an_example_that_is_valid(description: dict[str, Any]) -> None:
    for path, path_item in description["paths"].items():
        for operation in path_item.values():
            for parameter in operation["parameters"]:
                assert parameter["description"], (path, parameter["name"])
                jsonschema.validate(parameter["example"], parameter["schema"])


@pytest.mark.usefixtures("docs_site")
def test_every_json_response_is_valid_by_its_schema(
    filled_reader: httpx2.Client, description: dict[str, Any]
) -> None:
    for path, operation in iter_get_operations(description):
        for media_type in list_json_types(operation):
            if not path.endswith(".{suffix}") and (path, media_type) not in UNTESTED_JSON:
                response = request_json(filled_reader, path, operation, media_type)
                assert response.status_code == 200, (path, media_type, response.text)
                assert response.headers["content-type"].partition(";")[0] == media_type, path
                validate_response(response, operation, description)


def list_json_types(operation: dict[str, Any]) -> list[str]:
    """The JSON media types of the response of an operation."""
    return [
        media_type
        for media_type in operation["responses"].get("200", {}).get("content", {})
        if "json" in media_type
    ]


def request_json(
    reader: httpx2.Client, path: str, operation: dict[str, Any], media_type: str
) -> httpx2.Response:
    """The response in a media type; if that is not offered, the list of profiles in that media type."""
    filled_path = fill_path(path, operation)
    filled_path = (  # the metadata of a table (CSVW) has its own path
        filled_path.replace("papers.csv", "papers.csv-metadata.json") if "csvm" in media_type else filled_path
    )
    filled_path = DOCS_JSON_PATHS.get((path, media_type), filled_path)
    parameters = PARAMETERS_FOR_JSON.get((path, media_type), NEEDED_PARAMETERS.get((path, ""), {}))
    response = reader.get(filled_path, params=parameters, headers={"Accept": media_type})
    if not response.headers["content-type"].startswith(media_type):
        response = reader.get(filled_path, params={"_profile": "all"}, headers={"Accept": media_type})
    return response


def validate_response(
    response: httpx2.Response, operation: dict[str, Any], description: dict[str, Any]
) -> None:
    """Validate a JSON response by the schema of its media type."""
    media_type = response.headers["content-type"].partition(";")[0]
    schema = operation["responses"]["200"]["content"][media_type]["schema"]
    jsonschema.validate(response.json(), {**schema, "components": description["components"]})


def test_the_json_reports_of_a_check_are_valid_by_their_schemas(
    filled_reader: httpx2.Client, description: dict[str, Any]
) -> None:
    operation = description["paths"]["/validate"]["post"]
    paper = example_papers_by_name()["bad-WGIG-7B-MISSING.ttl"].read_bytes()
    for media_type in list_json_types(operation):
        headers = {"Accept": media_type, "Content-Type": "text/turtle"}
        response = filled_reader.post("/validate", content=paper, headers=headers)
        validate_response(response, operation, description)


def test_descriptions_do_not_name_exceptions(description: dict[str, Any]) -> None:
    operations = [operation for _, operation in iter_get_operations(description)]
    assert not [operation["description"] for operation in operations if "Raises" in operation["description"]]
    assert all(operation["description"] for operation in operations)


def test_every_json_response_refers_to_a_named_model(description: dict[str, Any]) -> None:
    for path, media_type, content in iter_response_contents(description):
        if "json" in media_type:
            name = content["schema"]["$ref"].removeprefix("#/components/schemas/")
            assert name in description["components"]["schemas"], path


def iter_response_contents(description: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The path, media type and OpenAPI object of each content of each response; errors have an empty path."""
    responses = [("", response) for response in description["components"]["responses"].values()]
    for path, path_item in description["paths"].items():
        for operation in path_item.values():
            assert operation["responses"]["default"] == {"$ref": "#/components/responses/Problem"}
            responses += [(path, response) for response in operation["responses"].values()]
    for path, response in responses:
        for media_type, content in response.get("content", {}).items():
            yield path, media_type, content


def test_operation_ids_are_unique_identifiers(description: dict[str, Any]) -> None:
    operations = [
        operation for path_item in description["paths"].values() for operation in path_item.values()
    ]
    ids = [operation["operationId"] for operation in operations]
    assert len({id_.casefold() for id_ in ids}) == len(ids)
    assert not [id_ for id_ in ids if not re.fullmatch(r"[a-z]+([A-Z][a-z0-9]*)+", id_)]
    assert {"getPapers", "getPapersAs", "searchResources", "checkPapers", "runQuery"} <= {*ids}


def test_every_operation_has_a_described_tag(description: dict[str, Any]) -> None:
    described_tags = {tag["name"] for tag in description["tags"] if tag["description"]}
    used_tags = set()
    for path, path_item in description["paths"].items():
        for operation in path_item.values():
            (tag,) = operation["tags"]
            used_tags.add(tag)
            # A path that has no tag in the table is tagged as a page.
            content = operation["responses"].get("200", {}).get("content", {})
            assert tag != "pages" or "text/html" in content or path == "/static/{name}", path
    assert used_tags == described_tags


def test_the_description_names_license_server_and_documentation(
    filled_reader: httpx2.Client, description: dict[str, Any]
) -> None:
    assert description["info"]["license"]["identifier"] == "CC-BY-4.0 AND Apache-2.0"
    assert description["info"]["summary"]
    (server,) = description["servers"]
    assert server["url"] == "/"
    assert filled_reader.get(description["externalDocs"]["url"]).status_code == 200


def test_no_shared_parameter_is_defined_twice(description: dict[str, Any]) -> None:
    parameters = filter(None, map(json.dumps, description["components"]["parameters"].values()))
    assert max(Counter(parameters).values()) == 1


def test_the_description_is_openapi_3_1_with_valid_schemas(description: dict[str, Any]) -> None:
    assert description["openapi"].startswith("3.1")
    schemas = [*description["components"]["schemas"].values()]
    schemas += [content["schema"] for _, _, content in iter_response_contents(description)]
    schemas += [
        content["schema"]
        for path_item in description["paths"].values()
        for operation in path_item.values()
        for content in operation.get("requestBody", {}).get("content", {}).values()
    ]
    for schema in schemas:
        jsonschema.Draft202012Validator.check_schema(schema)
