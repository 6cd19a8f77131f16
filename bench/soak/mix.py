"""The mix of requests of the soak: reads of all kinds, writes, bad input, clients that leave."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from wgig.settings import Settings

from ..measure.client import request
from ..serving import concurrency
from ..serving.pages import HTML, PACKED
from ..serving.queries import JSON as RESULTS
from ..serving.queries import TURTLE

TOKEN = "of-the-soak"
OWN = {"Authorization": f"Bearer {TOKEN}"}
RARE = 30  # rounds from one dump to the next
ENDLESSLY = 15  # rounds from one endless answer to the next
SHORT = 0.5  # seconds after which a client that will not wait leaves
JSON = "application/json"
WORDS = ("spam", "internet", "root zone", "multilingual", "capacity", "privacy", "développement", "security")
PAGES = (
    "/", "/issues", "/papers", "/coverage", "/timeline", "/people", "/declaration", "/queries", "/shapes",
)  # fmt: skip
THINGS = ("issue/spam", "principle/transparency", "document/declaration/48", "meeting/m1")
NEWS = ("/changes", "/feed.atom", "/sitemap.xml")
PREFIXES = f"PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> PREFIX wgig: <{Settings.base}ontology#> "
JOIN = """SELECT ?part ?label ?answer {
    ?part wgig:bearsOn ?issue ; rdfs:label ?label . ?answer wgig:respondsTo ?part
}"""
ENDLESS = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"


@dataclass(frozen=True)
class Ask:
    """A request, which answers are right, and after how many seconds its client leaves, if it does."""

    kind: str
    request: bytes
    right: Sequence[int] = (200,)
    leaves: float | None = None
    alone: bool = False  # on a connection of its own, as the service closes it


# What is asked in one place of the rounds, by the number of the round.
Asking = Callable[[int], Ask]


def mix(papers: Sequence[bytes]) -> list[Asking]:
    """The twenty places of a round: at eight requests a second it takes two and a half seconds."""

    def paper(number: int) -> bytes:
        """A paper that no round had before."""
        return concurrency.NAMED.sub(b"ade-up paper %d" % number, papers[number % len(papers)])

    def write(number: int) -> Ask:
        """A graph, each fifth of them a paper; in the next round it is deleted."""
        which, second = divmod(number, 2)
        text = paper(which) if which % 5 == 0 else lines(which)
        graph = concurrency.graph(text) if which % 5 == 0 else f"urn:soak:{which % 7}"
        return delete(graph) if second else put(graph, text)

    def validate(number: int) -> Ask:
        """The report of a paper."""
        return Ask("validate", posted("/validate", paper(number), TURTLE))

    return [
        lambda number: query("ask", f"ASK {{ ?s ?p ?o FILTER(?o != {number}) }}"),
        lambda number: page(number, "en"),
        lambda number: query("join", f"{JOIN} LIMIT {100 + number % 900}"),
        write,
        lambda number: document(number, HTML),
        search,
        lambda _: query("ask", "ASK { GRAPH ?g { ?s a wgig:Issue } }"),
        lambda number: page(number, "fr"),
        validate,
        lambda number: query("join", f"{JOIN} ORDER BY ?label OFFSET {number % 50}"),
        update,
        lambda number: document(number, TURTLE),
        lambda number: Ask("changes", request(NEWS[number % len(NEWS)])),
        lambda number: BAD[number % len(BAD)],
        lambda number: page(number + 4, "fr"),
        lambda number: query("ask", f"ASK {{ <urn:soak:{number}> ?p ?o }}"),
        rare,
        lambda _: query("join", f"{JOIN} LIMIT 50"),
        lambda number: search(number + 3),
        lambda number: page(number + 2, "en"),
    ]


def put(graph: str, text: bytes) -> Ask:
    """A write of a whole graph."""
    return Ask("put", concurrency.put("/graphs", TOKEN, graph, text), (200, 201, 204))


def delete(graph: str) -> Ask:
    """A graph is deleted; it is not there where its write comes late."""
    asked = request(f"/graphs?graph={quote(graph, safe='')}", fields=OWN, method="DELETE")
    return Ask("delete", asked, (200, 204, 404))


def update(number: int) -> Ask:
    """In every fourth round a number in a graph is replaced, otherwise there is a question."""
    if number % 4:
        return query("ask", f"ASK {{ ?s ?p {number} }}")
    now = "GRAPH <urn:soak:now> { ?s ?p ?o }"
    text = f"""DELETE {{ {now} }} WHERE {{ {now} }};
        INSERT DATA {{ GRAPH <urn:soak:now> {{ <urn:soak:it> <urn:soak:n> {number} }} }}"""
    return Ask("update", posted("/update", text.encode(), "application/sparql-update"), (200, 204))


def rare(number: int) -> Ask:
    """Now and then the dump, otherwise a client that leaves early."""
    return leaving(number) if number % RARE else Ask("dump", request("/dump.nq.gz"))


def leaving(number: int) -> Ask:
    """A client that leaves: in the middle of what it sends, at once, or now and then in an endless answer."""
    if number % ENDLESSLY == 5:
        return Ask("leaving", query("", f"{ENDLESS} # {number}").request, leaves=SHORT)
    if number % 2:
        whole = posted("/validate", b"# " * 5000, TURTLE)
        return Ask("leaving", whole[: len(whole) // 2], leaves=SHORT)
    return Ask("leaving", page(number, "fr").request, leaves=0)


def query(kind: str, text: str) -> Ask:
    """A query."""
    return Ask(kind, request(f"/sparql?{urlencode({'query': PREFIXES + text})}", RESULTS))


def page(number: int, language: str) -> Ask:
    """A page in a language."""
    fields = PACKED | {"Accept-Language": language}
    return Ask(f"page {language}", request(PAGES[number % len(PAGES)], HTML, fields))


def document(number: int, accept: str) -> Ask:
    """What is known of a thing."""
    return Ask("document", request(f"/doc/{THINGS[number % len(THINGS)]}", accept))


def search(number: int) -> Ask:
    """Things by words."""
    asked = urlencode({"q": WORDS[number % len(WORDS)]})
    return Ask("search", request(f"/search?{asked}", HTML if number % 2 else JSON))


def posted(path: str, body: bytes, kind: str) -> bytes:
    """The request that sends something of a media type."""
    return request(path, JSON, OWN | {"Content-Type": kind}, method="POST", body=body)


def lines(number: int) -> bytes:
    """A small graph."""
    return b"".join(b"<urn:soak:%d> <urn:soak:is> %d .\n" % (one, number) for one in range(20))


BAD = (
    Ask("bad", query("", "SELECT * { ?s ?p ").request, (400,)),
    Ask("bad", request("/no/such/place", HTML), (404,)),
    Ask("bad", request("/graphs?graph=urn:soak:no", method="PUT", body=b"x"), (401,), alone=True),
    Ask("bad", concurrency.put("/graphs", TOKEN, "urn:soak:no", b"<a <b> c"), (400,), alone=True),
    Ask("bad", b"NONSENSE\r\n\r\n", (400,), alone=True),
    Ask("bad", request("/doc/issue/%00%ff", HTML), (400, 404)),
    Ask("bad", posted("/validate", b"\x89PNG", "image/png"), (400, 415, 422), alone=True),
)
