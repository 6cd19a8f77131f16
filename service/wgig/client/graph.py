"""The graph of a service: questions, things, checks and writes as methods."""

from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
import pyoxigraph as ox

from ..problems import Problem
from ..rdf.formats import JSON, JSON_RESULTS, N_TRIPLES
from ..rdf.namespaces import DCTERMS_NAMESPACE, namespaces_by_prefix
from ..rdf.values import ANY_RESOURCE
from ..rdf.values import parse_resource_iri as iri_named
from ..settings import Settings
from .connection import DEFAULT_REQUEST_LIMITS, Connection, RequestLimits
from .errors import Report, ServiceError
from .values import Row, Rows, Triples, convert_value_to_term

QUERY_ACCEPT_HEADER = f"{JSON_RESULTS.media_type}, {N_TRIPLES.media_type}"
PAPERS_PAGE_QUERY = f"""
PREFIX dcterms: <{DCTERMS_NAMESPACE}>
PREFIX wgig: <{namespaces_by_prefix(Settings.base)["wgig"]}>
SELECT ?paper (MIN(STR(?name)) AS ?title) (MIN(?about) AS ?issue) (MIN(?day) AS ?posted) {{
  {{ SELECT DISTINCT ?paper {{ VALUES ?kind {{ wgig:IssuePaper wgig:AssessmentPaper }}
     ?paper a ?kind FILTER(isIRI(?paper) && STR(?paper) > %s) }}
     ORDER BY STR(?paper) LIMIT %d }}
  OPTIONAL {{ ?paper dcterms:title ?name }}
  OPTIONAL {{ ?paper wgig:issue ?about }}
  OPTIONAL {{ ?paper wgig:posted ?day }}
}} GROUP BY ?paper ORDER BY STR(?paper)"""
PAGE_SIZE_PAPERS = 500  # papers in one answer
SAFE_PATH_CHARACTERS = "/:@!$&'()*+,;=~"
RESOURCE_PATH_PREFIX = "/id/"  # in the IRIs of things
INVALID_PATH_STEPS = {"", ".", ".."}  # steps of a path that no IRI of a thing has


def connect(
    url: str,
    *,
    token: str = "",
    timeout: float = DEFAULT_REQUEST_LIMITS.timeout,
    retries: int = DEFAULT_REQUEST_LIMITS.retries,
    patience: float = DEFAULT_REQUEST_LIMITS.patience,
) -> "Graph":
    """The graph of the service at a URL, such as `http://127.0.0.1:8000/`. Nothing is sent yet.

    The `token` is sent with writes alone. An answer may pause for `timeout` seconds. A request that was not
    begun, as the service is busy or out of reach, is tried again up to `retries` times, with pauses of
    `patience` seconds together. Raises ValueError for what is no address.
    """
    return Graph(Connection(url, RequestLimits(timeout, retries, patience)), token)


class Graph:
    """The graph of a service. Methods raise ServiceError; an answer is whole, or there is none.

    It may be used by several threads, and in a `with` statement, at whose end its connections are closed.
    """

    def __init__(self, connection: Connection, token: str = "") -> None:
        """Take the connection, and the token to write."""
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
        """The answer to a SPARQL query: Rows of a SELECT, a bool of an ASK, else Triples."""
        form, accept = {"query": text}, {"Accept": QUERY_ACCEPT_HEADER}
        return parse_query_response(self.connection.send_read("POST", "sparql", data=form, headers=accept))

    def select(self, text: str) -> Rows:
        """The rows of a SELECT. Raises TypeError where the query is none."""
        found = self.query(text)
        if not isinstance(found, Rows):
            raise TypeError("The query is no SELECT, so its answer has no rows. Ask it by query().")
        return found

    def example(self, name: str, **parameters: object) -> Rows:
        """The rows of the example query of this name, with these values for its parameters.

        A thing is given by its IRI, or the end of it, such as `spam`. Raises ServiceError 404 where there is
        no such query, 400 for what is no parameter or no value of one.
        """
        params = {key: str(convert_value_to_term(one).value) for key, one in parameters.items()}
        path = f"queries/{quote(name, safe='')}"
        found = parse_query_response(
            self.connection.send_read("GET", path, params=params, headers={"Accept": QUERY_ACCEPT_HEADER})
        )
        assert isinstance(found, Rows)  # each of them is a SELECT
        return found

    def papers(self, page: int = PAGE_SIZE_PAPERS) -> Iterator[Row]:
        """The papers of `/papers` by IRI: `paper`, `title`, `issue` and `posted`, each None where unknown.

        They are asked for `page` by page; what is written meanwhile is among them where it is still to come.
        """
        last = ""
        while rows := self.select(PAPERS_PAGE_QUERY % (convert_value_to_term(last), page)):
            yield from rows
            last = str(rows[-1]["paper"])

    def thing(self, iri: str) -> dict[str, Any]:
        """What the graph knows of a thing, as JSON-LD that reads like plain JSON.

        The thing is named as `expand_resource_name` says.
        """
        found: dict[str, Any] = self.connection.send_read("GET", f"{resource_document_path(iri)}.json").json()
        return found

    def check(self, path: str | PathLike[str], profile: str = "complete", language: str = "en") -> Report:
        """The report of the service on the papers in a file: RDF, Markdown or Word by the ending of its name.

        Raises OSError where the file cannot be read.
        """
        file = Path(path)
        answer = self.connection.send_read(
            "POST",
            "validate",
            params={"profile": profile, "lang": language},
            files={"paper": (file.name, file.read_bytes(), "application/octet-stream")},
            headers={"Accept": JSON.media_type},
        )
        return Report(answer.json())

    def put(self, graph: str, path: str | PathLike[str], media_type: str = "") -> bool:
        """Make the content of a file the whole content of a graph; whether the graph is new.

        The graph is named by its IRI or what stands behind `/graph/` in it, such as `paper/spam`. The format
        of the file is told by the ending of its name, unless a `media_type` is given. Raises OSError where
        the file cannot be read, ValueError where its format is not known. Where a paper does not conform, the
        `members` of the ServiceError are the report.
        """
        from ..rdf.formats import format_of_file  # noqa: PLC0415  most need none, and it costs 0.1 s

        file = Path(path)
        format_ = format_of_file(file.name)
        if not media_type and format_ is None:
            raise ValueError(f"The name of {file} tells no format. Give its media_type.")
        where, params = ("graphs", {"graph": graph}) if ":" in graph else (f"graph/{quote(graph)}", {})
        headers = {"Content-Type": media_type or (format_.media_type if format_ else "")}
        headers |= {"Accept": JSON.media_type, "Accept-Language": "en"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        content = file.read_bytes()
        answer = self.connection.send_write("PUT", where, params=params, content=content, headers=headers)
        return answer.status_code == 201

    def cite(self, *, iri: str = "", query: str = "", media_type: str = "text/plain") -> str:
        """How to cite a thing, graph, term or answer to a query: as text, BibTeX or CSL-JSON by media type.

        Those are `text/plain`, `application/x-bibtex` and `application/vnd.citationstyles.csl+json`. What is
        cited is named as `expand_resource_name` says.
        """
        params = {name: value for name, value in (("iri", iri), ("query", query)) if value}
        return self.connection.send_read("GET", "cite", params=params, headers={"Accept": media_type}).text


def expand_resource_name(name: str) -> str:
    """The IRI of what is named by it, by what stands behind `/id/` in it, or with a prefix as pages show it.

    Such as `issue/spam`, `issue:spam`, `wgig:Issue`, `graph:issues`. Raises ServiceError for what names
    nothing, before anything is sent.
    """
    try:
        return iri_named("iri", ANY_RESOURCE, name, Settings.base)
    except Problem as none:
        raise ServiceError(None, "No name", none.detail) from none


def resource_document_path(iri: str) -> str:
    """Where a thing is described, which is named as `expand_resource_name` says.

    Raises ServiceError for what names none, before anything is sent: a path that leads elsewhere.
    """
    _, is_thing, path = expand_resource_name(iri).rpartition(RESOURCE_PATH_PREFIX)
    if not is_thing or not INVALID_PATH_STEPS.isdisjoint(path.split("/")):
        said = f"{iri!r} names no thing. Give its IRI, or what stands behind /id/ in it, such as issue/spam."
        raise ServiceError(None, "No name", said)
    return f"doc/{quote(path, safe=SAFE_PATH_CHARACTERS)}"


def parse_query_response(answer: httpx.Response) -> Rows | Triples | bool:
    """The answer to a query as values. Raises ServiceError where it is cut off or something else."""
    try:
        if answer.headers.get("content-type", "").startswith(N_TRIPLES.media_type):
            return Triples(one.triple for one in ox.parse(answer.content, ox.RdfFormat.N_TRIPLES))
        found = ox.parse_query_results(answer.content, format=ox.QueryResultsFormat.JSON)
        if isinstance(found, ox.QueryBoolean):
            return bool(found)
        assert isinstance(found, ox.QuerySolutions)
        return Rows((one.value for one in found.variables), ([*row] for row in found))
    except (SyntaxError, ValueError) as error:
        said = f"The answer is not what a service sends: {error}."
        raise ServiceError(None, "Not understood", said) from error
