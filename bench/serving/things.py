"""How long lists, resources and tables take to compute, compared with the SPARQL behind each of them."""

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

from ..compare.peers import OURS, Peer, ours
from ..measure.client import request
from ..measure.commands import WGIG, command
from ..measure.requests import Asked, Times, in_turns
from ..measure.server import answers, fill
from .http import data
from .queries import SEED

GOAL = 1.2
OWN = f"{OURS}, papers of its own"
LISTED = "papers-listed"
BASE = Settings.base
PAPER = f"{BASE}id/paper/made-up-{SEED}-%d"
MADE_UP = b"ontology#illustrative>"
LOOKED_THROUGH = ("/sitemap.xml", b"<loc>")  # what is answered once the log of versions is there
AGAIN = {"Cache-Control": "no-cache"}  # so that nothing is given from the cache
JSON, TURTLE, JSON_LD, HTML = "application/json", "text/turtle", "application/ld+json", "text/html"
TSV, CSV, XML, ATOM = "text/tab-separated-values", "text/csv", "application/xml", "application/atom+xml"

# The statements that a thing is described by: of itself, of its parts, of what points to it, with labels.
DESCRIBED = """PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
CONSTRUCT { ?s ?p ?o . ?o rdfs:label ?label } WHERE {
  { VALUES ?s { <%(thing)s> } ?s ?p ?o }
  UNION { ?s ?p <%(thing)s> BIND (<%(thing)s> AS ?o) }
  UNION { <%(thing)s> ?link ?s . FILTER (STRSTARTS(STR(?s), "%(thing)s/")) ?s ?p ?o }
  OPTIONAL { ?o rdfs:label|skos:prefLabel ?label }
}"""

Request = Callable[[int], bytes]


@dataclass(frozen=True)
class Compared:
    """What was asked over so many papers: its figures, and those of the query behind it if there is one."""

    papers: int
    what: str
    figures: Mapping[str, float]
    query: Mapping[str, float] | None

    @property
    def ratio(self) -> float | None:
        """How many times as long as the query it takes."""
        return self.figures["p50"] / self.query["p50"] if self.query else None

    @property
    def ratio_cpu(self) -> float | None:
        """How many times the CPU."""
        return self.figures["cpu"] / self.query["cpu"] if self.query else None


def compare(scratch: Path, papers: int, seconds: float, settings: Mapping[str, str]) -> list[Compared]:
    """All that is asked over so many papers and the shipped graphs, in turns with the query behind it."""
    file, peer = listed(scratch, papers), own(settings)
    with ExitStack() as stack:
        server = stack.enter_context(peer.serve(peer.filled(scratch, file), file))
        while not answers(server.port, *LOOKED_THROUGH):
            time.sleep(1)
        found = []
        for what, (first, query) in questions(papers).items():
            servers = {what: Asked(server, first)} | ({"": Asked(server, query)} if query else {})
            times: dict[str, Times] = in_turns(servers, seconds)
            figures = {name: one.figures() for name, one in times.items()}
            found.append(Compared(papers, what, figures[what], figures.get("")))
    return found


def listed(scratch: Path, papers: int) -> Path:
    """The file of so many papers that are not marked as made up, as lists leave those out."""
    file = scratch / f"{papers}-{LISTED}.nq"
    if not file.exists():
        unfinished = file.with_suffix(".unfinished")
        with data(scratch, papers).open("rb") as lines, unfinished.open("wb") as out:
            out.writelines(line for line in lines if MADE_UP not in line)
        unfinished.rename(file)
    return file


def own(settings: Mapping[str, str]) -> Peer:
    """Our service with the shipped graphs, the papers, and all that follows from them."""

    def load(store: Path, file: Path) -> None:
        fill(store)
        command(*WGIG, "load", "--store", store, file)

    return replace(ours(OWN, {"WGIG_DATA": "shipped", **settings}), load=load)


def questions(papers: int) -> dict[str, tuple[Request, Request | None]]:
    """What is asked, by name, and the query behind it."""
    lists = ("/papers", "/papers?issue=spam", "/papers?sort=-posted&size=500", "/timeline", "/conformance",
             "/issues", "/stakeholders")  # fmt: skip
    things = {"Turtle": TURTLE, "JSON-LD": JSON_LD, "JSON": JSON, "a page": HTML}
    found: dict[str, tuple[Request, Request | None]] = {
        path: (partial(get, path, JSON), sparql(behind(path), TSV)) for path in lists
    }
    found["/coverage"] = partial(get, "/coverage", JSON), sparql(Dimension("issue", BASE).count_query(), TSV)
    for name, media_type in things.items():
        found[f"/doc/paper/… as {name}"] = partial(thing, media_type, papers), partial(described, papers)
    found["/doc/issue/spam as a page"] = partial(get, "/doc/issue/spam", HTML), None
    found["/tables/papers.csv"] = (
        partial(get, "/tables/papers.csv", CSV),
        sparql(get_table_definition("papers").query, CSV),
    )
    others = {"/feed.atom": ATOM, "/feed/paper.atom": ATOM, "/sitemap.xml": XML, "/changes": "*/*", "/": HTML,
              "/doc/paper": HTML, "/meetings.ics": "*/*"}  # fmt: skip
    return found | {path: (partial(get, path, media_type), None) for path, media_type in others.items()}


def get(path: str, media_type: str, number: int) -> bytes:
    """The request for what is at a path, computed anew."""
    del number
    return request(path, media_type, AGAIN)


def behind(path: str) -> str:
    """The query behind a list."""
    name, _, query = path.removeprefix("/").partition("?")
    return build_list_query(
        parse_list_request(LIST_DEFINITIONS[name], parse_form(query.encode()), BASE), BASE
    )


def sparql(text: str, media_type: str) -> Request:
    """The request for a query, whatever its number."""
    return partial(get, f"/sparql?{urlencode({'query': text})}", media_type)


def thing(media_type: str, papers: int, number: int) -> bytes:
    """The request for a paper."""
    path = (PAPER % (number % papers + 1)).replace(f"{BASE}id/", "/doc/")
    return get(path, media_type, number)


def described(papers: int, number: int) -> bytes:
    """The request for the statements about a paper."""
    text = DESCRIBED % {"thing": PAPER % (number % papers + 1)}
    return get(f"/sparql?{urlencode({'query': text})}", TURTLE, number)
