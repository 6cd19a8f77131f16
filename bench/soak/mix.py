"""The request mix of the soak (a long run under load): reads, writes, bad input, clients that disconnect."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from wgig.settings import Settings

from ..measure.client import build_request
from ..serving import concurrency
from ..serving.pages import GZIP, HTML
from ..serving.queries import JSON as SPARQL_JSON
from ..serving.queries import TURTLE

TOKEN = "of-the-soak"
AUTHORIZATION = {"Authorization": f"Bearer {TOKEN}"}
DUMP_ROUNDS = 30  # from one dump to the next
ENDLESS_ROUNDS = 15  # from one endless query to the next
DISCONNECT_SECONDS = 0.5  # from the request to the disconnection of the client
JSON = "application/json"
SEARCH_TEXTS = (
    "spam", "internet", "root zone", "multilingual", "capacity", "privacy", "développement", "security",
)  # fmt: skip
PAGES = (
    "/", "/issues", "/papers", "/coverage", "/timeline", "/people", "/declaration", "/queries", "/shapes",
)  # fmt: skip
RESOURCES = ("issue/spam", "principle/transparency", "document/declaration/48", "meeting/m1")
CHANGE_PATHS = ("/changes", "/feed.atom", "/sitemap.xml")
PREFIXES = f"PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> PREFIX wgig: <{Settings.base}ontology#> "
JOIN = """SELECT ?part ?label ?answer {
    ?part wgig:bearsOn ?issue ; rdfs:label ?label . ?answer wgig:respondsTo ?part
}"""
ENDLESS_QUERY = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"


@dataclass(frozen=True)
class SoakRequest:
    """A request, its kind for the tally, and its expected outcome."""

    kind: str
    data: bytes
    statuses: Sequence[int] = (200,)  # the expected ones
    disconnect_seconds: float | None = None  # after which the client disconnects; None: it does not
    needs_new_connection: bool = False  # because the service closes the connection afterwards


# Makes the request at one place of the round, from the number of the round.
RequestMaker = Callable[[int], SoakRequest]


def make_request_mix(papers: Sequence[bytes]) -> list[RequestMaker]:
    """The makers of the twenty requests of a round, which takes 2.5 seconds at eight requests per second.

    Where two places have the same maker, an addition to the number gives them different pages or texts.
    """

    def make_paper(number: int) -> bytes:
        """A paper with another text in each round."""
        return concurrency.LABEL_BYTES_PATTERN.sub(b"ade-up paper %d" % number, papers[number % len(papers)])

    def write_or_delete(number: int) -> SoakRequest:
        """In even rounds the PUT of a graph, one in five of them a paper; in odd rounds its DELETE."""
        graph_number, is_delete = divmod(number, 2)
        is_paper = graph_number % 5 == 0
        text = make_paper(graph_number) if is_paper else make_small_graph(graph_number)
        graph = concurrency.find_paper_graph(text) if is_paper else f"urn:soak:{graph_number % 7}"
        return make_delete(graph) if is_delete else make_put(graph, text)

    def validate(number: int) -> SoakRequest:
        """The check of a paper."""
        return SoakRequest("validate", build_post("/validate", make_paper(number), TURTLE))

    return [
        lambda number: make_query("ask", f"ASK {{ ?s ?p ?o FILTER(?o != {number}) }}"),
        lambda number: make_page_request(number, "en"),
        lambda number: make_query("join", f"{JOIN} LIMIT {100 + number % 900}"),
        write_or_delete,
        lambda number: make_resource_request(number, HTML),
        make_search,
        lambda _: make_query("ask", "ASK { GRAPH ?g { ?s a wgig:Issue } }"),
        lambda number: make_page_request(number, "fr"),
        validate,
        lambda number: make_query("join", f"{JOIN} ORDER BY ?label OFFSET {number % 50}"),
        make_update,
        lambda number: make_resource_request(number, TURTLE),
        lambda number: SoakRequest("changes", build_request(CHANGE_PATHS[number % len(CHANGE_PATHS)])),
        lambda number: BAD_REQUESTS[number % len(BAD_REQUESTS)],
        lambda number: make_page_request(number + 4, "fr"),
        lambda number: make_query("ask", f"ASK {{ <urn:soak:{number}> ?p ?o }}"),
        make_dump_or_disconnect,
        lambda _: make_query("join", f"{JOIN} LIMIT 50"),
        lambda number: make_search(number + 3),
        lambda number: make_page_request(number + 2, "en"),
    ]


def make_put(graph: str, text: bytes) -> SoakRequest:
    """The request that replaces a graph."""
    request = concurrency.build_graph_put("/graphs", TOKEN, graph, text)
    return SoakRequest("put", request, (200, 201, 204))


def make_delete(graph: str) -> SoakRequest:
    """The request that deletes a graph; 404 if the write of the graph is late."""
    request = build_request(f"/graphs?graph={quote(graph, safe='')}", fields=AUTHORIZATION, method="DELETE")
    return SoakRequest("delete", request, (200, 204, 404))


def make_update(number: int) -> SoakRequest:
    """In every fourth round an update that replaces a number in a graph, otherwise a query."""
    if number % 4:
        return make_query("ask", f"ASK {{ ?s ?p {number} }}")
    pattern = "GRAPH <urn:soak:now> { ?s ?p ?o }"
    text = f"""DELETE {{ {pattern} }} WHERE {{ {pattern} }};
        INSERT DATA {{ GRAPH <urn:soak:now> {{ <urn:soak:it> <urn:soak:n> {number} }} }}"""
    request = build_post("/update", text.encode(), "application/sparql-update")
    return SoakRequest("update", request, (200, 204))


def make_dump_or_disconnect(number: int) -> SoakRequest:
    """Once in DUMP_ROUNDS the dump, otherwise a client that disconnects."""
    return (
        make_disconnect(number) if number % DUMP_ROUNDS else SoakRequest("dump", build_request("/dump.nq.gz"))
    )


def make_disconnect(number: int) -> SoakRequest:
    """A client that disconnects: during an endless query, within its request, or before the response."""
    if number % ENDLESS_ROUNDS == 5:  # never in the round of a dump
        data = make_query("", f"{ENDLESS_QUERY} # {number}").data
        return SoakRequest("leaving", data, disconnect_seconds=DISCONNECT_SECONDS)
    if number % 2:
        data = build_post("/validate", b"# " * 5000, TURTLE)
        return SoakRequest("leaving", data[: len(data) // 2], disconnect_seconds=DISCONNECT_SECONDS)
    return SoakRequest("leaving", make_page_request(number, "fr").data, disconnect_seconds=0)


def make_query(kind: str, text: str) -> SoakRequest:
    """The request for a SPARQL query; `text` is the query without prefixes."""
    return SoakRequest(kind, build_request(f"/sparql?{urlencode({'query': PREFIXES + text})}", SPARQL_JSON))


def make_page_request(number: int, language: str) -> SoakRequest:
    """An HTML page in a language."""
    fields = GZIP | {"Accept-Language": language}
    return SoakRequest(f"page {language}", build_request(PAGES[number % len(PAGES)], HTML, fields))


def make_resource_request(number: int, accept: str) -> SoakRequest:
    """The description of a resource."""
    return SoakRequest("document", build_request(f"/doc/{RESOURCES[number % len(RESOURCES)]}", accept))


def make_search(number: int) -> SoakRequest:
    """A search, as HTML or JSON."""
    query = urlencode({"q": SEARCH_TEXTS[number % len(SEARCH_TEXTS)]})
    return SoakRequest("search", build_request(f"/search?{query}", HTML if number % 2 else JSON))


def build_post(path: str, body: bytes, media_type: str) -> bytes:
    """A POST with a body and the token."""
    return build_request(path, JSON, AUTHORIZATION | {"Content-Type": media_type}, method="POST", body=body)


def make_small_graph(number: int) -> bytes:
    """A graph of 20 triples as N-Triples, different for each number."""
    return b"".join(b"<urn:soak:%d> <urn:soak:is> %d .\n" % (subject, number) for subject in range(20))


BAD_REQUESTS = (
    SoakRequest("bad", make_query("", "SELECT * { ?s ?p ").data, (400,)),
    SoakRequest("bad", build_request("/no/such/place", HTML), (404,)),
    SoakRequest(
        "bad",
        build_request("/graphs?graph=urn:soak:no", method="PUT", body=b"x"),
        (401,),
        needs_new_connection=True,
    ),
    SoakRequest(
        "bad",
        concurrency.build_graph_put("/graphs", TOKEN, "urn:soak:no", b"<a <b> c"),
        (400,),
        needs_new_connection=True,
    ),
    SoakRequest("bad", b"NONSENSE\r\n\r\n", (400,), needs_new_connection=True),
    SoakRequest("bad", build_request("/doc/issue/%00%ff", HTML), (400, 404)),
    SoakRequest(
        "bad",
        build_post("/validate", b"\x89PNG", "image/png"),
        (400, 415, 422),
        needs_new_connection=True,
    ),
)
