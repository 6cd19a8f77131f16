"""The time to compute lists, resources and tables, compared with the SPARQL query of each."""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from wgig.http.bodies import parse_form
from wgig.lists.counts import Dimension
from wgig.lists.definitions import LIST_DEFINITIONS
from wgig.lists.query import build_list_query, parse_list_request
from wgig.lists.tables import get_table_definition
from wgig.settings import Settings

from ..compare.peers import OURS, Peer, load_with_shipped_graphs, make_own_peer
from ..measure.client import build_request
from ..measure.requests import RequestSeries, measure_in_turns
from ..measure.server import response_contains
from .http import generated_file
from .queries import JSON as SPARQL_JSON
from .queries import SEED

MAX_TIME_RATIO = 1.2  # time of a path, relative to that of its query
MAX_LIST_SECONDS = 0.1  # of a page of a list, or of a resource to which very many others link
MAX_MATRIX_SECONDS = 0.01  # of the coverage matrix, whatever the number of papers
OWN_PEER_NAME = f"{OURS}, listed papers"  # also the name of the folder of its store
QUERY_SERIES = "query"  # name of the requests for the query of a path
BASE = Settings.base
PAPER_IRI = f"{BASE}id/paper/made-up-{SEED}-%d"
ILLUSTRATIVE_TERM = b"ontology#illustrative>"  # the end of its IRI in N-Quads
CHANGE_LOG_READY = ("/sitemap.xml", b"<loc>")  # a path, and a text in its response once the change log exists
NO_CACHE = {"Cache-Control": "no-cache"}  # the service computes the response again
JSON, TURTLE, JSON_LD, HTML = "application/json", "text/turtle", "application/ld+json", "text/html"
TSV, CSV, XML, ATOM = "text/tab-separated-values", "text/csv", "application/xml", "application/atom+xml"

MATRIX_NAME = "/queries/coverage-matrix"
# Pages with facets, filters and deep pages, and of resources to which very many others link.
LIST_PAGES = (
    "/papers", "/papers?page=15", "/papers?category=access-for-all&sort=issue",
    "/papers?criterion=transparency", "/papers?q=local", "/papers?stakeholderGroup=civil-society",
    "/issues", "/issues?category=access-for-all", "/timeline", "/timeline?page=15",
    "/timeline?year=2005&sort=-when", "/conformance?page=15", "/conformance?earl:result=passed",
    "/stakeholders", "/stakeholders?page=15&sort=-label", "/stakeholders?region=Europe",
    "/judgments", "/declaration", "/doc/issue/spam", "/doc/category/access-for-all",
    "/doc/principle/transparency", "/doc/verdict/adequate",
)  # fmt: skip
MAX_SECONDS_BY_NAME = {f"{path} as a page": MAX_LIST_SECONDS for path in LIST_PAGES} | {
    MATRIX_NAME: MAX_MATRIX_SECONDS,
    "/coverage as a page": MAX_MATRIX_SECONDS,
}

# The statements about a resource and its parts, those that refer to it, and labels.
DESCRIPTION_QUERY = """PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
CONSTRUCT { ?s ?p ?o . ?o rdfs:label ?label } WHERE {
  { VALUES ?s { <%(thing)s> } ?s ?p ?o }
  UNION { ?s ?p <%(thing)s> BIND (<%(thing)s> AS ?o) }
  UNION { <%(thing)s> ?link ?s . FILTER (STRSTARTS(STR(?s), "%(thing)s/")) ?s ?p ?o }
  OPTIONAL { ?o rdfs:label|skos:prefLabel ?label }
}"""

RequestBuilder = Callable[[int], bytes]  # from the number of the request


@dataclass(frozen=True)
class ResourceMeasurement:
    """Figures of a path with so many papers, and those of its query if there is one."""

    papers: int
    request_name: str
    figures: Mapping[str, float]
    query: Mapping[str, float] | None  # its figures

    @property
    def max_seconds(self) -> float | None:
        """The goal of its time; None if the goal is relative to the query, or if there is none."""
        return MAX_SECONDS_BY_NAME.get(self.request_name)

    @property
    def ratio(self) -> float | None:
        """The time relative to the query."""
        return self.figures["p50"] / self.query["p50"] if self.query else None

    @property
    def ratio_cpu(self) -> float | None:
        """The CPU relative to the query."""
        return self.figures["cpu"] / self.query["cpu"] if self.query else None


def compare_resources(
    scratch: Path, papers: int, seconds: float, settings: Mapping[str, str]
) -> list[ResourceMeasurement]:
    """All paths with so many papers and the shipped graphs, each in turns with its query."""
    file, peer = listed_papers_file(scratch, papers), make_listing_peer(settings)
    with ExitStack() as stack:
        server = stack.enter_context(peer.serve(peer.filled_store(scratch, file), file))
        while not response_contains(server.port, *CHANGE_LOG_READY):
            time.sleep(1)
        measurements = []
        for request_name, (request, query) in list_measured_requests(papers).items():
            series = {request_name: RequestSeries(server, request)}
            if query:
                series[QUERY_SERIES] = RequestSeries(server, query)
            figures = {name: times.summarize() for name, times in measure_in_turns(series, seconds).items()}
            measurements.append(
                ResourceMeasurement(papers, request_name, figures[request_name], figures.get(QUERY_SERIES))
            )
    return measurements


def listed_papers_file(scratch: Path, papers: int) -> Path:
    """The generated papers without the mark `wgig:illustrative`, because lists leave marked papers out."""
    file = scratch / f"{papers}-papers-listed.nq"
    if not file.exists():
        unfinished = file.with_suffix(".unfinished")
        with generated_file(scratch, papers).open("rb") as lines, unfinished.open("wb") as out:
            out.writelines(line for line in lines if ILLUSTRATIVE_TERM not in line)
        unfinished.rename(file)
    return file


def make_listing_peer(settings: Mapping[str, str]) -> Peer:
    """Our service with the shipped graphs, the papers, and all inferred statements."""
    return replace(
        make_own_peer(OWN_PEER_NAME, {"WGIG_DATA": "shipped", **settings}), load=load_with_shipped_graphs
    )


def list_measured_requests(papers: int) -> dict[str, tuple[RequestBuilder, RequestBuilder | None]]:
    """The request for each path, and that for its query or None, by the name of the request."""
    lists = ("/papers", "/papers?issue=spam", "/papers?sort=-posted&size=500", "/timeline", "/conformance",
             "/issues", "/stakeholders")  # fmt: skip
    formats = {"Turtle": TURTLE, "JSON-LD": JSON_LD, "JSON": JSON, "a page": HTML}
    coverage_query = Dimension("issue", BASE).count_query()
    table_query = get_table_definition("papers").query
    requests: dict[str, tuple[RequestBuilder, RequestBuilder | None]] = {
        path: (partial(build_uncached_request, path, JSON), make_query_builder(find_list_query(path), TSV))
        for path in lists
    }
    requests["/coverage"] = (
        partial(build_uncached_request, "/coverage", JSON),
        make_query_builder(coverage_query, TSV),
    )
    for name, media_type in formats.items():
        requests[f"/doc/paper/… as {name}"] = (
            partial(build_paper_request, media_type, papers),
            partial(build_description_query, papers),
        )
    requests |= {
        f"{path} as a page": (partial(build_uncached_request, path, HTML), None)
        for path in (*LIST_PAGES, "/coverage")
    }
    requests[MATRIX_NAME] = partial(build_uncached_request, MATRIX_NAME, SPARQL_JSON), None
    requests["/tables/papers.csv"] = (
        partial(build_uncached_request, "/tables/papers.csv", CSV),
        make_query_builder(table_query, CSV),
    )
    without_query = {"/feed.atom": ATOM, "/feed/paper.atom": ATOM, "/sitemap.xml": XML, "/changes": "*/*",
                     "/": HTML, "/doc/paper": HTML, "/meetings.ics": "*/*"}  # fmt: skip
    return requests | {
        path: (partial(build_uncached_request, path, media_type), None)
        for path, media_type in without_query.items()
    }


def build_uncached_request(path: str, media_type: str, number: int) -> bytes:
    """The request for a path, the same for each number; the service computes the response again."""
    del number
    return build_request(path, media_type, NO_CACHE)


def find_list_query(path: str) -> str:
    """The SPARQL query with which the service computes a list."""
    name, _, query = path.removeprefix("/").partition("?")
    return build_list_query(
        parse_list_request(LIST_DEFINITIONS[name], parse_form(query.encode()), BASE), BASE
    )


def make_query_builder(text: str, media_type: str) -> RequestBuilder:
    """The builder of the request for a query, the same for each number."""
    return partial(build_uncached_request, f"/sparql?{urlencode({'query': text})}", media_type)


def build_paper_request(media_type: str, papers: int, number: int) -> bytes:
    """The request for the description of one of the papers, by number."""
    path = (PAPER_IRI % (number % papers + 1)).replace(f"{BASE}id/", "/doc/")
    return build_uncached_request(path, media_type, number)


def build_description_query(papers: int, number: int) -> bytes:
    """The request for the statements about one of the papers, by number."""
    text = DESCRIPTION_QUERY % {"thing": PAPER_IRI % (number % papers + 1)}
    return build_uncached_request(f"/sparql?{urlencode({'query': text})}", TURTLE, number)
