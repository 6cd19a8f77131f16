"""The requests of the client, without I/O: each is a Call, which both clients send and parse alike."""

import re
from collections.abc import Callable, Mapping
from html import unescape
from os import PathLike
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import quote

import httpx2
import pyoxigraph as ox

from .errors import Report, ServiceError
from .namespaces import BASE_IRI, DCTERMS_NAMESPACE, namespaces_by_prefix, resolve_resource_name
from .values import Row, Rows, Triples, convert_value_to_term

JSON_MEDIA_TYPE = "application/json"
JSON_RESULTS_MEDIA_TYPE = "application/sparql-results+json"
N_QUADS_MEDIA_TYPE = "application/n-quads"
N_TRIPLES_MEDIA_TYPE = "application/n-triples"
MARKDOWN_MEDIA_TYPE = "text/markdown"
UPDATE_MEDIA_TYPE = "application/sparql-update"
# Of files that `put` sends, by suffix.
MEDIA_TYPES_BY_SUFFIX = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "json": "application/ld+json",
    "jsonld": "application/ld+json",
    "markdown": MARKDOWN_MEDIA_TYPE,
    "md": MARKDOWN_MEDIA_TYPE,
    "nq": N_QUADS_MEDIA_TYPE,
    "nt": N_TRIPLES_MEDIA_TYPE,
    "owl": "application/rdf+xml",
    "rdf": "application/rdf+xml",
    "trig": "application/trig",
    "ttl": "text/turtle",
}
QUERY_ACCEPT_HEADER = f"{JSON_RESULTS_MEDIA_TYPE}, {N_TRIPLES_MEDIA_TYPE}"
# %s is the last IRI of the previous page, %d the maximum number of papers in a page.
PAPERS_PAGE_QUERY = f"""
PREFIX dcterms: <{DCTERMS_NAMESPACE}>
PREFIX wgig: <{namespaces_by_prefix(BASE_IRI)["wgig"]}>
SELECT ?paper (MIN(STR(?name)) AS ?title) (MIN(?about) AS ?issue) (MIN(?day) AS ?posted) {{
  {{ SELECT DISTINCT ?paper {{ VALUES ?kind {{ wgig:IssuePaper wgig:AssessmentPaper }}
     ?paper a ?kind FILTER(isIRI(?paper) && STR(?paper) > %s) }}
     ORDER BY STR(?paper) LIMIT %d }}
  OPTIONAL {{ ?paper dcterms:title ?name }}
  OPTIONAL {{ ?paper wgig:issue ?about }}
  OPTIONAL {{ ?paper wgig:posted ?day }}
}} GROUP BY ?paper ORDER BY STR(?paper)"""
# An empty pattern, so that the engine lists the graphs and reads no statements.
GRAPHS_QUERY = f"""
PREFIX dcterms: <{DCTERMS_NAMESPACE}>
SELECT ?graph (MIN(STR(?name)) AS ?title) {{
  GRAPH ?graph {{}}
  OPTIONAL {{ ?graph dcterms:title ?name FILTER(LANG(?name) IN ("en", "")) }}
}} GROUP BY ?graph ORDER BY STR(?graph)"""
PAGE_SIZE_PAPERS = 500  # papers in one page of `papers`
SAFE_PATH_CHARACTERS = "/:@!$&'()*+,;=~"  # not percent-encoded in a path
RESOURCE_PATH_PREFIX = "/id/"  # in the IRIs of resources
INVALID_PATH_SEGMENTS = {"", ".", ".."}  # not allowed in the IRI of a resource
# The service stops a query after its `timeout`; its response takes a little longer.
QUERY_TIMEOUT_MARGIN_SECONDS = 10.0
MAX_QUERY_TIMEOUT_SECONDS = 24 * 3600  # the service has a lower limit of its own

Result = TypeVar("Result")


class Call(NamedTuple, Generic[Result]):
    """A request, and `parse`, which converts the successful response to a result.

    `options` are those of `httpx2.Client.request`; a response has one of the types in the header Accept. A
    write is sent again only if the service did not start it. The body of a successful response is passed to
    `receive` in chunks, if there is one; then `parse` cannot read it.
    """

    method: str
    path: str
    options: Mapping[str, Any]
    parse: Callable[[httpx2.Response], Result]
    is_write: bool = False
    receive: Callable[[bytes], object] | None = None


class Page(NamedTuple, Generic[Result]):
    """A page of results, and the call for the next page; None after the last one."""

    items: list[Result]
    next_call: "Call[Page[Result]] | None"


def build_query_call(text: str, timeout: float | None) -> Call[Any]:
    """The call of a query, which the service stops after `timeout` seconds; None: after its own limit."""
    options: dict[str, Any] = {"data": {"query": text}, "headers": {"Accept": QUERY_ACCEPT_HEADER}}
    if timeout is not None:
        if not 0 < timeout <= MAX_QUERY_TIMEOUT_SECONDS:
            raise ValueError(f"The timeout is {timeout}. Give a number of seconds above 0, at most a day.")
        options["data"]["timeout"] = f"{timeout:.3f}"
        options["timeout"] = timeout + QUERY_TIMEOUT_MARGIN_SECONDS
    return Call("POST", "sparql", options, parse_query_response)


def build_select_call(text: str, timeout: float | None = None) -> Call[Rows]:
    """The call of a SELECT query. Its result raises TypeError for other forms of query."""
    return build_query_call(text, timeout)._replace(parse=parse_rows)


def build_example_call(name: str, parameters: Mapping[str, object]) -> Call[Rows]:
    """The call of an example query, which is a SELECT, with values of its parameters."""
    params = {key: str(convert_value_to_term(value).value) for key, value in parameters.items()}
    options = {"params": params, "headers": {"Accept": QUERY_ACCEPT_HEADER}}
    return Call("GET", f"queries/{quote(name, safe='')}", options, parse_rows)


def build_papers_call(page_size: int, last_iri: str = "") -> Call[Page[Row]]:
    """The call of a page with the papers after an IRI."""
    call = build_select_call(PAPERS_PAGE_QUERY % (convert_value_to_term(last_iri), page_size))

    def parse(response: httpx2.Response) -> Page[Row]:
        rows = call.parse(response)
        return Page(rows, build_papers_call(page_size, str(rows[-1]["paper"])) if rows else None)

    return Call(call.method, call.path, call.options, parse)


def build_search_call(parameters: Mapping[str, str], number: int = 1) -> Call[Page[dict[str, Any]]]:
    """The call of a page of search results, whose only item is the JSON object of the page."""

    def parse(response: httpx2.Response) -> Page[dict[str, Any]]:
        page = parse_json_object(response)
        return Page([page], build_search_call(parameters, number + 1) if "next" in page else None)

    options = {"params": {**parameters, "page": str(number)}, "headers": {"Accept": JSON_MEDIA_TYPE}}
    return Call("GET", "search", options, parse)


def build_search_parameters(text: str, kind: str, language: str) -> dict[str, str]:
    """The parameters of /search for the arguments of `search`."""
    parameters = {"q": text, "kind": kind, "lang": language}
    return {name: value for name, value in parameters.items() if value}


def build_thing_call(iri: str) -> Call[dict[str, Any]]:
    """The call for the description of a resource."""

    def parse(response: httpx2.Response) -> dict[str, Any]:
        description = parse_json_object(response)
        if "://" in iri and description.get("id") != expand_resource_name(iri):
            detail = f"The service has no resource {iri}, only {description.get('id')}."
            raise ServiceError(404, "Not found", detail)
        return description

    headers = {"Accept": JSON_MEDIA_TYPE}
    return Call("GET", f"{resource_document_path(iri)}.json", {"headers": headers}, parse)


def build_check_call(path: str | PathLike[str], profile: str, language: str) -> Call[Report]:
    """The call that checks the papers in a file. Raises OSError if it cannot be read."""
    file = Path(path)
    options = {
        "params": {"profile": profile, "lang": language},
        "files": {"paper": (file.name, file.read_bytes(), "application/octet-stream")},
        "headers": {"Accept": JSON_MEDIA_TYPE},
    }
    return Call("POST", "validate", options, lambda response: Report(parse_json_object(response)))


def build_put_call(graph: str, path: str | PathLike[str], media_type: str, token: str) -> Call[bool]:
    """The call that replaces a graph. Raises OSError, or ValueError for a file of unknown format."""
    file = Path(path)
    media_type = media_type or MEDIA_TYPES_BY_SUFFIX.get(file.name.rpartition(".")[2].lower(), "")
    if not media_type:
        raise ValueError(f"The format of {file} cannot be determined from its name. Give its media_type.")
    url_path, params = ("graphs", {"graph": graph}) if ":" in graph else (f"graph/{quote(graph)}", {})
    headers = {"Accept": JSON_MEDIA_TYPE, "Content-Type": media_type}
    options = build_write_options(headers, file.read_bytes(), token) | {"params": params}
    return Call("PUT", url_path, options, lambda response: response.status_code == 201, is_write=True)


def build_update_call(text: str, token: str) -> Call[None]:
    """The call of a SPARQL update."""
    headers = {"Accept": JSON_MEDIA_TYPE, "Content-Type": UPDATE_MEDIA_TYPE}
    options = build_write_options(headers, text.encode(), token)
    return Call("POST", "update", options, lambda _: None, is_write=True)


def build_write_options(headers: Mapping[str, str], content: bytes, token: str) -> dict[str, Any]:
    """The options of a write: its headers, with those of all writes, and its content."""
    authorization = {"Authorization": f"Bearer {token}"} if token else {}
    return {"headers": {**headers, "Accept-Language": "en", **authorization}, "content": content}


def build_cite_call(iri: str, query: str, media_type: str) -> Call[str]:
    """The call for the citation of a resource or query result."""
    params = {name: value for name, value in (("iri", iri), ("query", query)) if value}
    options = {"params": params, "headers": {"Accept": media_type}}
    return Call("GET", "cite", options, lambda response: response.text)


CITATION_MEDIA_TYPES = {
    "text": "text/plain",
    "bibtex": "application/x-bibtex",
    "csl-json": "application/vnd.citationstyles.csl+json",
}
MARK_TAG_PATTERN = re.compile("</?mark>")  # around found words in search results


def extract_snippet_text(snippet: str) -> str:
    """The text of the snippet of a search result in JSON, without the markup of found words."""
    return unescape(MARK_TAG_PATTERN.sub("", snippet))


def expand_resource_name(name: str) -> str:
    """The IRI for a name: an IRI, the part of an IRI after `/id/`, or a prefixed name.

    Examples: `issue/spam`, `issue:spam`, `wgig:Issue`, `graph:issues`. Sends no request. Raises ServiceError
    for an invalid name.
    """
    iri = resolve_resource_name(name)
    if not iri:
        detail = f"{name!r} does not name a resource. Give its IRI, or its last part such as issue/spam."
        raise ServiceError(None, "Invalid name", detail)
    try:
        return ox.NamedNode(iri).value
    except ValueError as error:
        raise ServiceError(None, "Invalid name", f"{name!r} is not a valid IRI: {error}.") from error


def resource_document_path(iri: str) -> str:
    """The path of the description of a resource on the service, such as `doc/issue/spam`.

    Sends no request. Raises ServiceError for a name that is not of a resource, and for one with `..`, which
    could lead to another path.
    """
    _, prefix, path = expand_resource_name(iri).rpartition(RESOURCE_PATH_PREFIX)
    if not prefix or not INVALID_PATH_SEGMENTS.isdisjoint(path.split("/")):
        detail = (
            f"{iri!r} does not name a resource. Give its IRI, or the part after /id/, such as issue/spam."
        )
        raise ServiceError(None, "Invalid name", detail)
    return f"doc/{quote(path, safe=SAFE_PATH_CHARACTERS)}"


def parse_json_object(response: httpx2.Response) -> dict[str, Any]:
    """The JSON object in a response. Raises ServiceError for anything else."""
    try:
        content = response.json()
    except ValueError as error:
        raise invalid_response_error(f"is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise invalid_response_error("is not a JSON object")
    return content


def check_media_type(options: Mapping[str, Any], response: httpx2.Response) -> None:
    """Raise ServiceError if a successful response has none of the media types in the header Accept.

    Such a response is from another server, or from a login page before the service.
    """
    items = options.get("headers", {}).get("Accept", "").split(",")
    accepted = [item.partition(";")[0].strip() for item in items]
    media_type = response.headers.get("content-type", "").partition(";")[0].strip()
    if any(accepted) and media_type and media_type not in accepted:
        raise invalid_response_error(f"has the type {media_type} instead of {' or '.join(accepted)}")


def parse_rows(response: httpx2.Response) -> Rows:
    """The rows of a SELECT. Raises TypeError for the result of another form of query."""
    rows = parse_query_response(response)
    if not isinstance(rows, Rows):
        raise TypeError("The query is not a SELECT, so its result has no rows. Use query() instead.")
    return rows


def parse_query_response(response: httpx2.Response) -> Rows | Triples | bool:
    """The result of a query as Python values. Raises ServiceError if the response is not a valid result."""
    try:
        if response.headers.get("content-type", "").startswith(N_TRIPLES_MEDIA_TYPE):
            return Triples(quad.triple for quad in ox.parse(response.content, ox.RdfFormat.N_TRIPLES))
        result = ox.parse_query_results(response.content, format=ox.QueryResultsFormat.JSON)
        if isinstance(result, ox.QueryBoolean):
            return bool(result)
        assert isinstance(result, ox.QuerySolutions)
        return Rows((variable.value for variable in result.variables), ([*row] for row in result))
    except (SyntaxError, ValueError) as error:
        raise invalid_response_error(f"is not a valid SPARQL result: {error}") from error


def invalid_response_error(reason: str) -> ServiceError:
    """The error for a response that is not what the service sends; the reason is a clause."""
    detail = f"The response {reason}. Check the URL of the service."
    return ServiceError(None, "Invalid response", detail)
