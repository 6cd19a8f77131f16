"""Graph, the client of a service: methods to query, read resources, check papers, write and cite."""

import re
from collections.abc import Iterator, Mapping
from html import unescape
from itertools import count
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx2
import pyoxigraph as ox

from .connection import DEFAULT_REQUEST_LIMITS, Connection, RequestLimits
from .errors import Report, ServiceError
from .namespaces import BASE_IRI, DCTERMS_NAMESPACE, namespaces_by_prefix, resolve_resource_name
from .values import Row, Rows, Triples, convert_value_to_term

JSON_MEDIA_TYPE = "application/json"
JSON_RESULTS_MEDIA_TYPE = "application/sparql-results+json"
N_TRIPLES_MEDIA_TYPE = "application/n-triples"
MARKDOWN_MEDIA_TYPE = "text/markdown"
# Of files that `put` sends, by suffix.
MEDIA_TYPES_BY_SUFFIX = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "json": "application/ld+json",
    "jsonld": "application/ld+json",
    "markdown": MARKDOWN_MEDIA_TYPE,
    "md": MARKDOWN_MEDIA_TYPE,
    "nq": "application/n-quads",
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
PAGE_SIZE_PAPERS = 500  # papers in one page of `papers`
SAFE_PATH_CHARACTERS = "/:@!$&'()*+,;=~"  # not percent-encoded in a path
RESOURCE_PATH_PREFIX = "/id/"  # in the IRIs of resources
INVALID_PATH_SEGMENTS = {"", ".", ".."}  # not allowed in the IRI of a resource


def connect(
    url: str,
    *,
    token: str = "",
    timeout: float = DEFAULT_REQUEST_LIMITS.timeout,
    retries: int = DEFAULT_REQUEST_LIMITS.retries,
    patience: float = DEFAULT_REQUEST_LIMITS.patience,
) -> "Graph":
    """The graph of the service at a URL, such as `http://127.0.0.1:8000/`. No request is sent yet.

    The `token` is sent only with writes. `timeout` is the longest time in seconds without receiving data of a
    response. A request that did not start, because the service is busy or unreachable, is retried up to
    `retries` times, with pauses of at most `patience` seconds in total. Raises ValueError for a URL that is
    not HTTP(S).
    """
    return Graph(Connection(url, RequestLimits(timeout, retries, patience)), token)


class Graph:
    """The graph of a service. A method returns a complete result or raises ServiceError.

    Graph is thread-safe. As a context manager, it closes its connections at the end.
    """

    def __init__(self, connection: Connection, token: str = "") -> None:
        """Take a connection, and a bearer token for writes."""
        self.connection, self.token = connection, token

    def __enter__(self) -> Self:
        """The graph itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.connection.close()

    def query(self, text: str) -> Any:
        """The result of a SPARQL query: Rows of a SELECT, a bool of an ASK, else Triples."""
        data, headers = {"query": text}, {"Accept": QUERY_ACCEPT_HEADER}
        return parse_query_response(self.connection.send_read("POST", "sparql", data=data, headers=headers))

    def select(self, text: str) -> Rows:
        """The rows of a SELECT query. Raises TypeError for other forms of query."""
        rows = self.query(text)
        if not isinstance(rows, Rows):
            raise TypeError("The query is not a SELECT, so its result has no rows. Use query() instead.")
        return rows

    def example(self, name: str, **parameters: object) -> Rows:
        """The rows of the example query `name` of the service, for these values of its parameters.

        The value for a resource is its IRI or the last segment of it, such as `spam`. Raises ServiceError:
        404 if there is no such query, 400 for an unknown parameter or an invalid value.
        """
        params = {key: str(convert_value_to_term(value).value) for key, value in parameters.items()}
        path = f"queries/{quote(name, safe='')}"
        rows = parse_query_response(
            self.connection.send_read("GET", path, params=params, headers={"Accept": QUERY_ACCEPT_HEADER})
        )
        assert isinstance(rows, Rows)  # all example queries are SELECT queries
        return rows

    def papers(self, page_size: int = PAGE_SIZE_PAPERS) -> Iterator[Row]:
        """All papers, ordered by IRI: rows of `paper`, `title`, `issue` and `posted`; None means unknown.

        They are fetched in pages of `page_size`. A paper that is written meanwhile is included if its page
        has not been fetched yet.
        """
        last_iri = ""
        while rows := self.select(PAPERS_PAGE_QUERY % (convert_value_to_term(last_iri), page_size)):
            yield from rows
            last_iri = str(rows[-1]["paper"])

    def iter_search_pages(self, parameters: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """The pages of a search, as JSON objects of the service; `parameters` are those of /search."""
        for number in count(1):
            params = {**parameters, "page": str(number)}
            page = self.connection.send_read(
                "GET", "search", params=params, headers={"Accept": JSON_MEDIA_TYPE}
            ).json()
            yield page
            if "next" not in page:
                return

    def thing(self, iri: str) -> dict[str, Any]:
        """The description of a resource, as compacted JSON-LD with short names as keys.

        `iri` is its IRI or any name that `expand_resource_name` accepts.
        """
        description: dict[str, Any] = self.connection.send_read(
            "GET", f"{resource_document_path(iri)}.json"
        ).json()
        return description

    def check(self, path: str | PathLike[str], profile: str = "complete", language: str = "en") -> Report:
        """The report on the papers in a file: RDF, Markdown or Word, according to its suffix.

        Raises OSError if the file cannot be read.
        """
        file = Path(path)
        response = self.connection.send_read(
            "POST",
            "validate",
            params={"profile": profile, "lang": language},
            files={"paper": (file.name, file.read_bytes(), "application/octet-stream")},
            headers={"Accept": JSON_MEDIA_TYPE},
        )
        return Report(response.json())

    def put(self, graph: str, path: str | PathLike[str], media_type: str = "") -> bool:
        """Replace the content of a graph by that of a file. Returns True if the graph is new.

        `graph` is its IRI or the part after `/graph/`, such as `paper/spam`. Without `media_type`, the suffix
        of the file name determines the format. Raises OSError if the file cannot be read, ValueError if its
        format is unknown. If a paper does not conform, the `members` of the ServiceError are the report.
        """
        file = Path(path)
        media_type = media_type or MEDIA_TYPES_BY_SUFFIX.get(file.name.rpartition(".")[2].lower(), "")
        if not media_type:
            raise ValueError(f"The format of {file} cannot be determined from its name. Give its media_type.")
        url_path, params = ("graphs", {"graph": graph}) if ":" in graph else (f"graph/{quote(graph)}", {})
        headers = {"Content-Type": media_type, "Accept": JSON_MEDIA_TYPE, "Accept-Language": "en"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        content = file.read_bytes()
        response = self.connection.send_write(
            "PUT", url_path, params=params, content=content, headers=headers
        )
        return response.status_code == 201

    def cite(self, *, iri: str = "", query: str = "", media_type: str = "text/plain") -> str:
        """The citation of a resource, graph, term or query result.

        `media_type` is `text/plain`, `application/x-bibtex` or `application/vnd.citationstyles.csl+json`.
        `iri` is an IRI or any name that `expand_resource_name` accepts.
        """
        params = {name: value for name, value in (("iri", iri), ("query", query)) if value}
        return self.connection.send_read("GET", "cite", params=params, headers={"Accept": media_type}).text


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
        detail = f"The response is not a valid SPARQL result: {error}. Check the URL of the service."
        raise ServiceError(None, "Invalid response", detail) from error
