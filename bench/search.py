"""How long a search takes, beside a filter over all texts, and what the index adds to a write."""

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import copytree
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

import pyoxigraph as ox
from wgig.search.index import FullTextIndex
from wgig.search.ranking import SearchCriteria, find_search_matches
from wgig.search.tokenizer import parse_search_terms as terms_of
from wgig.settings import Settings
from wgig.store.change import Change
from wgig.store.store import Store

from .compare.peers import COPIED, OURS, OXIGRAPH, ours, oxigraph_serve
from .data import generate
from .data.generate import DOES, WHAT, WHERE, WHO
from .measure.client import request
from .measure.commands import WGIG
from .measure.requests import Asked, Times, in_turns, quantile
from .measure.server import answers, running
from .serving.http import data

GOALS = {10_000: 0.005, 100_000: 0.020}  # seconds that 95 of 100 searches take at most, up to so many papers
ADDED_P95 = 0.002  # seconds that the index adds to a write of a paper
WRITES = 200
SEED = 2  # other papers than those that the store holds
# What is answered once there is an index, and a sign of it.
INDEXED = ("/search?q=paper&_mediatype=application/json", b'"total"')

COMBINED = list(itertools.product(WHO, DOES, WHAT, WHERE))


def picked(number: int) -> tuple[str, str, str, str]:
    """The parts of a sentence of the generated papers, others for each number."""
    return COMBINED[number * 7919 % len(COMBINED)]


def words(number: int) -> str:
    """Three words that stand in nearly all papers."""
    who, _, what, where = picked(number)
    return " ".join(part.split()[-1] for part in (who, what, where))


def phrase(number: int) -> str:
    """A phrase of two parts of a sentence."""
    who, does, _, _ = picked(number)
    return f'"{who} {does}" {number % 97 + 1}'


def begins(number: int) -> str:
    """The begins of two words."""
    who, _, what, _ = picked(number)
    return f"{who.split()[-1][:5]}* {what.split()[-1][:4]}* {number}"


def misspelt(number: int) -> str:
    """A word with two letters changed places, and the number of a paper."""
    word = picked(number)[2].split()[-1]
    return f"{word[:2]}{word[3]}{word[2]}{word[4:]} {number}"


# What is searched for, by the number of the request.
SEARCHES: dict[str, Callable[[int], str]] = {
    "a paper by its title": lambda number: f"made-up paper {number}",
    "three words of nearly all papers": words,
    "a phrase of many papers, and a number": phrase,
    "the begins of two words, and a number": begins,
    "a misspelt word, and a number": misspelt,
}


@dataclass(frozen=True)
class Searched:
    """One kind of search over so many papers: the figures of ours, and of the peer's filter."""

    papers: int
    what: str
    figures: Mapping[str, float]
    peer: Mapping[str, float]

    @property
    def goal(self) -> float:
        """The most seconds for 95 of 100."""
        return next((seconds for papers, seconds in GOALS.items() if self.papers <= papers), GOALS[100_000])


def compare(scratch: Path, papers: int, seconds: float, settings: Mapping[str, str]) -> list[Searched]:
    """All kinds of searches over so many papers, each with other words, in turns with the peer."""
    file = data(scratch, papers)
    own, peer = ours(OURS, settings), oxigraph_serve()
    environment = {"WGIG_DATA": "none", **settings}
    question, sign = INDEXED
    with ExitStack() as stack:
        serve = [*WGIG, "serve", "--store", str(own.filled(scratch, file))]
        server = stack.enter_context(
            running(serve, "--port", "{port}", question=question, sign=sign, environment=environment)
        )
        while not answers(server.port, "/ready", COPIED):
            time.sleep(1)
        other = stack.enter_context(peer.serve(peer.filled(scratch, file), file))
        return [
            searched(papers, what, {OURS: Asked(server, partial(search, text)),
                                    OXIGRAPH: Asked(other, partial(filtered, peer.path, text))}, seconds)
            for what, text in SEARCHES.items()
        ]  # fmt: skip


def searched(papers: int, what: str, servers: Mapping[str, Asked], seconds: float) -> Searched:
    """One kind of search."""
    times: dict[str, Times] = in_turns(servers, seconds)
    return Searched(papers, what, times[OURS].figures(), times[OXIGRAPH].figures())


def search(text: Callable[[int], str], number: int) -> bytes:
    """The request for a search."""
    return request(f"/search?{urlencode({'q': text(number)})}", "application/json")


def filtered(path: str, text: Callable[[int], str], number: int) -> bytes:
    """The request for the first things with a text that holds all the words, which are not ranked."""
    having = " && ".join(
        f'CONTAINS(?text, "{word}")' for term in terms_of(text(number)) for word in term.words
    )
    query = (
        f"SELECT DISTINCT ?thing_{number} {{ ?thing_{number} ?property ?literal "
        f"BIND(LCASE(STR(?literal)) AS ?text) FILTER({having}) }} LIMIT 20"
    )
    return request(f"{path}?{urlencode({'query': query})}", "application/sparql-results+json")


def added(scratch: Path, papers: int) -> list[float]:
    """Seconds that the index takes to follow each write of a new paper beside so many."""
    file = data(scratch, papers)
    times: list[float] = []
    with TemporaryDirectory(dir=scratch) as folder:
        filled = ours(OURS, {}).filled(scratch, file)
        store = Store.open(copytree(filled, Path(folder) / "store", ignore=lambda *_: ["control"]))
        index = FullTextIndex(store, Settings.base)
        index.ensure_current()
        index.query(find_search_matches, SearchCriteria(terms_of("made-up")))

        def timed(change: Change | None) -> None:
            start = time.perf_counter()
            index.follow_commit(change)
            times.append(time.perf_counter() - start)

        store.projections[:] = [timed]
        for graph, triples in new_papers():
            store.apply(store.compute_replacement(graph, triples))
    return times


def new_papers() -> Iterator[tuple[str, Sequence[ox.Triple]]]:
    """Papers, each with the IRI of its graph."""
    for quads in generate.papers(WRITES, SEED):
        parsed = list(ox.parse(quads, ox.RdfFormat.N_QUADS))
        yield parsed[0].graph_name.value, [one.triple for one in parsed]


def summed(times: Sequence[float]) -> dict[str, float]:
    """The median and the slow end."""
    return {"papers": len(times), "p50": median(times), "p95": quantile(times, 0.95)}
