"""What a service keeps beside its quads, as its clients see it: event stream, search, description.

All of it must be in step with the quads whatever happened, or the service must say that it is not yet.
"""

import time
from collections.abc import Iterator

import httpx
import pyoxigraph as ox
from wgig.settings import Settings
from wgig.stream.states import without_blanks

BASE = Settings.base
PATIENCE = 60  # seconds until all is in step again
N_QUADS = {"Accept": "application/n-quads"}
ACTIVITY, TREE = "https://www.w3.org/ns/activitystreams#", "https://w3id.org/tree#"
IMMUTABLE = ox.NamedNode("https://w3id.org/ldes#immutable")
FOR_EVER = "public, max-age=31536000, immutable"
AGAIN = 3  # of the pages that never change, so many are read again each time

# What VoID says of the figures of graphs and classes, and what is counted.
OURS = ", ".join(f"<{BASE}graph/{name}>" for name in ("void", "dcat", "queries"))
THERE = f"GRAPH ?g {{ ?s ?p ?o }} FILTER(?g NOT IN ({OURS}))"
VOID = f"PREFIX void: <http://rdfs.org/ns/void#> SELECT * {{ GRAPH <{BASE}graph/void> {{ %s }} }}"
DATASET = f"<{BASE}.well-known/void#dataset>"
FIGURES = {
    f"{DATASET} void:triples ?n": f"""
        SELECT (COUNT(*) AS ?n) {{ SELECT DISTINCT ?s ?p ?o {{ {THERE} }} }}""",
    "?g a <http://www.w3.org/ns/sparql-service-description#NamedGraph> ; void:triples ?n": f"""
        SELECT ?g (COUNT(*) AS ?n) {{ {THERE} }} GROUP BY ?g""",
    f"{DATASET} void:classPartition ?x . ?x void:class ?o ; void:entities ?n": f"""
        SELECT ?o (COUNT(DISTINCT ?s) AS ?n)
        {{ GRAPH ?g {{ ?s a ?o }} FILTER(?g NOT IN ({OURS}) && ISIRI(?o)) }} GROUP BY ?o""",
    f"{DATASET} void:propertyPartition ?x . ?x void:property ?p ; void:triples ?n": f"""
        SELECT ?p (COUNT(*) AS ?n) {{ SELECT DISTINCT ?s ?p ?o {{ {THERE} }} }} GROUP BY ?p""",
}


class Follower:
    """A client of the event stream that keeps a copy of all things, and trusts what it is told.

    `names` are what the addresses of pages began with: one, unless the stream began anew.
    """

    def __init__(self) -> None:
        """Nothing is copied yet."""
        self.names = list[str]()
        self.forget()

    def forget(self) -> None:
        """Begin anew, as another stream tells everything."""
        self.copy = dict[str, frozenset[str]]()
        self.seen = set[str]()
        self.closed = dict[str, bytes]()

    def follow(self, client: httpx.Client) -> None:
        """Take in what is new. Raises AssertionError where a page has changed that never does."""
        for path in list(self.closed)[:: max(1, len(self.closed) // AGAIN)]:
            answer = client.get(path, headers=N_QUADS)
            is_same = told(client, answer) == self.closed[path]
            assert is_same or answer.status_code == 404, f"{path} has changed"
        root = got(client, "/changes")
        pages = nodes(root.content)
        for name in {page.split("/")[4] for page in pages}.difference(self.names[-1:]):
            self.names.append(name)
            self.forget()
        for page in pages:
            self.read(client, page)

    def read(self, client: httpx.Client, address: str) -> None:
        """Read a page and those that it leads to, unless it is known and never changes."""
        path = httpx.URL(address).raw_path.decode()
        if path in self.closed:
            return
        answer = got(client, path)
        if any(one.predicate == IMMUTABLE for one in parsed(answer.content)):
            assert answer.headers["cache-control"] == FOR_EVER or "authorization" in client.headers
            self.closed[path] = told(client, answer)
        self.take(answer.content)
        for there in nodes(answer.content):
            self.read(client, there)

    def take(self, content: bytes) -> None:
        """Take in the members of a page that are new, in their order."""
        of = dict[str, list[ox.Quad]]()
        for one in parsed(content):
            if one.predicate.value == f"{TREE}member":
                of[text(one.object)] = []
            elif text(one.subject) in of:
                of[text(one.subject)].append(one)
        for member, quads in of.items():
            if member not in self.seen:
                self.seen.add(member)
                thing = next(text(one.object) for one in quads if one.predicate.value == f"{ACTIVITY}object")
                self.copy[thing] = frozenset(line(one) for one in quads if not is_envelope(one))

    def check(self, client: httpx.Client) -> None:
        """Follow, and compare the copy with the dump. Raises AssertionError where they differ."""
        self.follow(client)
        held = dict[str, set[str]]()
        for one in parsed(got(client, "/dump.nq").content):
            quad = without_blanks(one, BASE)
            held.setdefault(text(quad.subject), set()).add(line(quad))
        copy = {thing: lines for thing, lines in self.copy.items() if lines}
        assert copy.keys() == held.keys()
        assert [thing for thing in held if held[thing] != copy[thing]] == []


def wait_in_step(client: httpx.Client) -> None:
    """Wait until nothing is under way any more by which the service is behind with what it keeps."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        for path in ("/changes", "/search?q=any"):  # what nobody asks for may wait
            assert client.get(path, headers={"Accept": "*/*"}).status_code in (200, 503)
        state = client.get("/ready").json()
        if not (state["comparing"] or state["indexing"] or state["describing"]):
            return
        time.sleep(0.05)
    raise AssertionError(f"the service is still behind: {state}")


def found(client: httpx.Client, words: str) -> set[str]:
    """The things that are found by words, which nobody mistypes."""
    answer = client.get("/search", params={"q": words}, headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.text
    page = answer.json()
    return {one["id"] for one in page["items"]} if page["meant"] is None and page["everyWord"] else set()


def check_figures(client: httpx.Client) -> None:
    """Raises AssertionError where VoID says other figures than are counted."""
    for said, counted in FIGURES.items():
        differ = rows(client, VOID % said) ^ rows(client, counted)
        assert not differ, differ


def rows(client: httpx.Client, query: str) -> set[tuple[tuple[str, str], ...]]:
    """The rows of an answer without those variables that have a name for a part only."""
    answer = client.post(
        "/sparql", data={"query": query}, headers={"Accept": "application/sparql-results+json"}
    )
    assert answer.status_code == 200, answer.text
    return {
        tuple(sorted((name, term["value"]) for name, term in row.items() if name != "x"))
        for row in answer.json()["results"]["bindings"]
    }


def got(client: httpx.Client, path: str) -> httpx.Response:
    """An answer in N-Quads."""
    answer = client.get(path, headers=N_QUADS)
    assert answer.status_code == 200, answer.text
    return answer


def told(client: httpx.Client, answer: httpx.Response) -> bytes:
    """What an answer says, wherever the service listens now."""
    return answer.content.replace(str(client.base_url).encode(), b"/")


def nodes(content: bytes) -> list[str]:
    """The addresses that a page leads to, each once."""
    found = (text(one.object) for one in parsed(content) if one.predicate.value == f"{TREE}node")
    return list(dict.fromkeys(found))


def parsed(content: bytes) -> Iterator[ox.Quad]:
    """The quads of a document."""
    return ox.parse(content, ox.RdfFormat.N_QUADS)


def text(term: object) -> str:
    """An IRI as text."""
    assert isinstance(term, ox.NamedNode | ox.Literal)
    return term.value


def line(quad: ox.Quad) -> str:
    """A quad without its subject."""
    return f"{quad.predicate} {quad.object} {quad.graph_name}"


def is_envelope(quad: ox.Quad) -> bool:
    """Whether a quad says something of a version, and not of the thing."""
    return isinstance(quad.graph_name, ox.DefaultGraph) and (
        quad.predicate.value.startswith(ACTIVITY) or getattr(quad.object, "value", "").startswith(ACTIVITY)
    )
