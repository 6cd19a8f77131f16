"""The time of a search, compared with a filter over all texts, and the cost of the index for a write.

Ours is the search of this service; the peer is a SPARQL query with FILTER on `oxigraph serve`.
"""

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
from wgig.search.criteria import SearchCriteria
from wgig.search.index import FullTextIndex
from wgig.search.ranking import find_search_matches
from wgig.search.terms import parse_search_terms
from wgig.settings import Settings
from wgig.store.projection_runner import CommittedChange
from wgig.store.store import Store

from .compare.peers import COPIED_TEXT, OURS, OXIGRAPH, make_own_peer, make_oxigraph_peer
from .data import generate
from .data.generate import ADVERBIALS, OBJECTS, SUBJECTS, VERBS
from .measure.client import build_request
from .measure.commands import WGIG
from .measure.requests import RequestSeries, compute_quantile, measure_in_turns
from .measure.server import response_contains, run_server
from .serving.http import generated_file

MAX_SECONDS_BY_PAPERS = {10_000: 0.005, 100_000: 0.020}  # p95 of a search in at most so many papers
MAX_ADDED_SECONDS = 0.002  # p95 of the time that the index adds to a write of a paper
WRITTEN_PAPERS = 200
WRITES_SEED = 2  # another seed than that of the papers in the store
# A path, and a text in its response once the index exists.
INDEX_READY = ("/search?q=paper&_mediatype=application/json", b'"total"')

SENTENCES = list(itertools.product(SUBJECTS, VERBS, OBJECTS, ADVERBIALS))


def pick_sentence(number: int) -> tuple[str, str, str, str]:
    """The parts of a sentence of the generated papers, different for each number."""
    return SENTENCES[number * 7919 % len(SENTENCES)]  # a prime, so that consecutive sentences differ


def build_three_words(number: int) -> str:
    """Three words that are in nearly all papers, in another order once all have been used."""
    sets, position = divmod(number, len(SUBJECTS) * len(OBJECTS) * len(ADVERBIALS))
    position, subject = divmod(position, len(SUBJECTS))
    adverbial, object_ = divmod(position, len(OBJECTS))
    phrases = (SUBJECTS[subject], OBJECTS[object_], ADVERBIALS[adverbial])
    orders = list(itertools.permutations(phrase.split()[-1] for phrase in phrases))
    return " ".join(orders[sets % len(orders)])


def build_phrase(number: int) -> str:
    """A phrase of two parts of a sentence, and the number of one of 97 papers."""
    subject, verb, _, _ = pick_sentence(number)
    return f'"{subject} {verb}" {number % 97 + 1}'


def build_prefixes(number: int) -> str:
    """The beginnings of two words, and the number of a paper."""
    subject, _, object_, _ = pick_sentence(number)
    return f"{subject.split()[-1][:5]}* {object_.split()[-1][:4]}* {number}"


def build_misspelled_word(number: int) -> str:
    """A word with two letters exchanged, and the number of a paper."""
    word = pick_sentence(number)[2].split()[-1]
    return f"{word[:2]}{word[3]}{word[2]}{word[4:]} {number}"


# The search text for each number of a request, by the description of the search.
SEARCHES: dict[str, Callable[[int], str]] = {
    "title of a paper": lambda number: f"made-up paper {number}",
    "three words that nearly all papers have": build_three_words,
    "phrase that many papers have, and a number": build_phrase,
    "beginnings of two words, and a number": build_prefixes,
    "misspelled word, and a number": build_misspelled_word,
}


@dataclass(frozen=True)
class SearchMeasurement:
    """One type of search with so many papers: the figures of ours, and of the filter of the peer."""

    papers: int
    description: str
    figures: Mapping[str, float]  # of ours
    peer: Mapping[str, float]  # figures of its filter

    @property
    def goal(self) -> float:
        """The maximum seconds, p95."""
        return next(
            (seconds for papers, seconds in MAX_SECONDS_BY_PAPERS.items() if self.papers <= papers),
            MAX_SECONDS_BY_PAPERS[100_000],
        )


def compare_searches(
    scratch: Path, papers: int, seconds: float, settings: Mapping[str, str]
) -> list[SearchMeasurement]:
    """All types of search with so many papers, with a different text each time, in turns with the peer."""
    file = generated_file(scratch, papers)
    own, peer = make_own_peer(OURS, settings), make_oxigraph_peer()
    ready_path, ready_text = INDEX_READY
    with ExitStack() as stack:
        server = stack.enter_context(
            run_server(
                [*WGIG, "serve", "--store", str(own.filled_store(scratch, file))],
                *("--port", "{port}"),
                ready_path=ready_path,
                ready_text=ready_text,
                environment={"WGIG_DATA": "none", **settings},
            )
        )
        # Until the query workers hold the data in memory.
        while not response_contains(server.port, "/ready", COPIED_TEXT):
            time.sleep(1)
        peer_server = stack.enter_context(peer.serve(peer.filled_store(scratch, file), file))
        measurements = []
        for description, build_text in SEARCHES.items():
            series = {
                OURS: RequestSeries(server, partial(build_search_request, build_text)),
                OXIGRAPH: RequestSeries(peer_server, partial(build_filter_request, peer.path, build_text)),
            }
            times = measure_in_turns(series, seconds)
            measurements.append(
                SearchMeasurement(papers, description, times[OURS].summarize(), times[OXIGRAPH].summarize())
            )
    return measurements


def build_search_request(build_text: Callable[[int], str], number: int) -> bytes:
    """The request for a search."""
    return build_request(f"/search?{urlencode({'q': build_text(number)})}", "application/json")


def build_filter_request(path: str, build_text: Callable[[int], str], number: int) -> bytes:
    """The query for the first 20 resources with a text that contains all words, without ranking."""
    condition = " && ".join(
        f'CONTAINS(?text, "{word}")' for term in parse_search_terms(build_text(number)) for word in term.words
    )
    query = (
        f"SELECT DISTINCT ?thing_{number} {{ ?thing_{number} ?property ?literal "
        f"BIND(LCASE(STR(?literal)) AS ?text) FILTER({condition}) }} LIMIT 20"
    )
    return build_request(f"{path}?{urlencode({'query': query})}", "application/sparql-results+json")


def measure_index_updates(scratch: Path, papers: int) -> list[float]:
    """Seconds of the index for each write of a new paper into a store with so many papers."""
    file = generated_file(scratch, papers)
    times: list[float] = []
    with TemporaryDirectory(dir=scratch) as folder:
        filled = make_own_peer(OURS, {}).filled_store(scratch, file)
        store = Store.open(
            copytree(filled, Path(folder) / "store", ignore=lambda *_: ["control"])
        )  # a socket
        index = FullTextIndex(store, Settings.base)
        index.ensure_current()
        # As in a service in use: the first query is over.
        index.query(find_search_matches, SearchCriteria(parse_search_terms("made-up")))

        apply = index.apply

        def time_update(commit: CommittedChange) -> None:
            start = time.perf_counter()
            apply(commit)
            times.append(time.perf_counter() - start)

        index.apply = time_update  # type: ignore[method-assign]
        for graph, triples in generate_new_papers():
            store.apply(store.compute_replacement(graph, triples))
            index.ensure_current()
    return times


def generate_new_papers() -> Iterator[tuple[str, Sequence[ox.Triple]]]:
    """Papers that the store does not have: the IRI of the graph, and its triples."""
    for text in generate.generate_papers(WRITTEN_PAPERS, WRITES_SEED):
        quads = list(ox.parse(text, ox.RdfFormat.N_QUADS))
        yield quads[0].graph_name.value, [quad.triple for quad in quads]


def summarize_updates(times: Sequence[float]) -> dict[str, float]:
    """The number of times, their median and p95."""
    return {"papers": len(times), "p50": median(times), "p95": compute_quantile(times, 0.95)}
