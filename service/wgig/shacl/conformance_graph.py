"""Compute how the conformance graph changes with the papers; only papers that changed are checked again.

The conformance graph has the results of the checks of all papers, as EARL assertions. The graph
`graph/paper/<name>` describes the paper `id/paper/<name>`. While the store has any paper, the conformance
graph also covers the example papers of the package, which are not in the store.

The graph states the digest of the rules. If they have changed, or another version of the package wrote the
graph, all of it is replaced.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cache, cached_property
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import pyoxigraph as ox

from .._version import __version__
from ..rdf.namespaces import (
    DCTERMS_HAS_PART,
    LOCAL_NAME_PATTERN,
    PAPER_NAMESPACE,
    RDF_TYPE,
    WGIG_DIGEST,
    WGIG_ISSUE_PAPER,
)
from ..rdf.serialization import build_quad, normalize_triples, serialize_n_triples
from ..rdf.shipped import read_turtle_files
from ..settings import SHIPPED_FOLDER
from ..store.change import Change
from ..store.commit import NO_CHECKED_QUADS, CheckedQuads
from ..store.overlay import QuadSource
from .outcomes import ASSERTION_NAMESPACE, CHECKER_NODE

# The files that an assertion is computed from, beside the paper: the rules and the data that they refer to.
DIGESTED_FILE_PATTERNS = ("shapes/issue-paper*.ttl", "ontology/*.ttl", "data/*.ttl", "data/examples/*.ttl")
MAX_CHANGED_PAPERS = 200  # papers in one change
MIN_PARALLEL_PAPERS = 600  # with fewer papers, starting processes takes longer than checking
MAX_REMOVED_QUADS = 100_000  # quads in one change that empties the graph
MAX_UNANNOUNCED_PAPERS = 1000  # before a check of more papers, a message is shown, as it takes long


class StalePaper(NamedTuple):
    """A paper with another digest than in the graph.

    `position` is its place among the compared papers. `lines` are its triples as N-Triples, empty if it was
    removed. `old_quads` are the quads about it in the graph.
    """

    position: int
    node: ox.NamedNode
    lines: bytes
    digest: str
    old_quads: frozenset[ox.Quad]


class CheckedPaper(NamedTuple):
    """A paper that was checked: its place among the compared papers, and the quads to remove and to add."""

    position: int
    removed: Collection[ox.Quad]
    added: Collection[ox.Quad]


class ConformanceGraph:
    """The graph of the checker's assertions on the papers of a store."""

    def __init__(
        self,
        base: str,
        engine_name: str,
        show_progress: Callable[[str], None] = lambda _: None,
        report_progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> None:
        """Take the base IRI of the graphs, the name of the engine, and callbacks.

        `show_progress` gets a message before many papers are checked; `report_progress` gets the number of
        papers that are done and of all papers, at first and after each change.
        """
        self.base, self.graph = base, ox.NamedNode(f"{base}graph/conformance")
        self.paper_graph_prefix = f"{base}graph/paper/"
        self.engine_name = engine_name
        self.show_progress, self.report_progress = show_progress, report_progress

    @cached_property
    def digest(self) -> str:
        """The digest of the rules and of the data that they may refer to."""
        paths = sorted(path for pattern in DIGESTED_FILE_PATTERNS for path in SHIPPED_FOLDER.glob(pattern))
        return compute_sha256([__version__.encode(), *(path.read_bytes() for path in paths)])

    @cached_property
    def rules_quad(self) -> ox.Quad:
        """The quad with the digest of the rules, which the graph has if this version of them computed it."""
        return ox.Quad(CHECKER_NODE, WGIG_DIGEST, ox.Literal(self.digest), self.graph)

    def iter_changes(
        self,
        quads: QuadSource,
        change: Change | None,
        checked_quads: CheckedQuads = NO_CHECKED_QUADS,
        snapshot: Path | None = None,
    ) -> Iterator[Change]:
        """The changes of the graph that follow from a change of the papers (None: it is unknown).

        `quads` are as after that change, with this graph as before it. `checked_quads` are the quads about
        papers that are known. Each change has at most MAX_CHANGED_PAPERS papers; it may be applied to the
        quads before the next one is computed. With the folder of a snapshot of the quads, many papers are
        read and checked in several processes.
        """
        is_current = self.rules_quad in quads
        is_known = is_current and change is not None and self.graph.value not in change.graphs
        names = self.paper_names(change.graphs) if change is not None and is_known else None
        if names is not None and not names:
            return
        if not self.has_papers(quads):
            yield from self.iter_removals(quads, is_dropped=True)
            return
        exists = quads.contains_named_graph(self.graph)
        if exists and not is_current:
            yield from self.iter_removals(quads)
        ordered_names = sorted(self.all_paper_names(quads) if names is None else names)
        if len(ordered_names) > MAX_UNANNOUNCED_PAPERS:
            self.show_progress(f"Checking {len(ordered_names)} papers against the template ...")
        if snapshot and len(ordered_names) >= MIN_PARALLEL_PAPERS:
            from .conformance_workers import check_in_processes  # noqa: PLC0415 - see iter_checked_papers

            papers = check_in_processes(self, ordered_names, snapshot, is_current=is_current)
        else:
            papers = self.iter_checked_papers(quads, ordered_names, checked_quads, is_current=is_current)
        created = () if exists else (self.graph.value,)
        yield from self.iter_updates(papers, len(ordered_names), created, is_current=is_current)

    def iter_checked_papers(
        self, quads: QuadSource, names: Sequence[str], checked_quads: CheckedQuads, *, is_current: bool
    ) -> Iterator[CheckedPaper]:
        """The stale ones of the papers with these names, checked in this process."""
        papers = self.iter_stale_papers(quads, enumerate(names, 1), is_current=is_current)
        if first_paper := next(papers, None):
            # The import takes 0.2 s, and most starts need none of it.
            from .conformance_workers import check_papers  # noqa: PLC0415

            yield from check_papers(chain([first_paper], papers), checked_quads, self.engine_name, self.graph)

    def iter_updates(
        self,
        papers: Iterable[CheckedPaper],
        paper_count: int,
        created: tuple[str, ...],
        *,
        is_current: bool,
    ) -> Iterator[Change]:
        """The changes that replace the quads about these papers; the first one creates graphs.

        Without `is_current`, the first one also adds the statements that all papers share.
        """
        self.report_progress(0, paper_count)
        removed, added = list[ox.Quad](), list[ox.Quad]()
        if not is_current:
            from .conformance import shared_conformance_triples  # noqa: PLC0415 - see iter_checked_papers

            added += [build_quad(triple, self.graph) for triple in shared_conformance_triples(self.digest)]
        for number, paper in enumerate(papers, 1):
            removed += paper.removed
            added += paper.added
            if number % MAX_CHANGED_PAPERS == 0:
                yield Change(tuple(removed), tuple(added), created=created)
                removed, added, created = [], [], ()
                self.report_progress(paper.position, paper_count)
        if removed or added:
            yield Change(tuple(removed), tuple(added), created=created)
        self.report_progress(paper_count, paper_count)

    def iter_removals(self, quads: QuadSource, *, is_dropped: bool = False) -> Iterator[Change]:
        """The changes that remove all quads of the graph; with `is_dropped`, the last one drops the graph."""
        remaining = quads.quads_for_pattern(None, None, None, self.graph)
        while removed := tuple(islice(remaining, MAX_REMOVED_QUADS)):
            yield Change(removed)
        if is_dropped and quads.contains_named_graph(self.graph):
            yield Change(dropped=(self.graph.value,))

    def has_papers(self, quads: QuadSource) -> bool:
        """Whether the store has an issue paper."""
        return any(map(self.paper_name, quads.quads_for_pattern(None, RDF_TYPE, WGIG_ISSUE_PAPER)))

    def paper_names(self, graphs: Iterable[str]) -> set[str]:
        """The names of the papers that these graphs describe."""
        names = (
            graph.removeprefix(self.paper_graph_prefix)
            for graph in graphs
            if graph.startswith(self.paper_graph_prefix)
        )
        return set(filter(LOCAL_NAME_PATTERN.fullmatch, names))

    def all_paper_names(self, quads: QuadSource) -> set[str]:
        """The names of the papers that the store or the graph has, and of the example papers."""
        asserted_names = (
            quad.subject.value.removeprefix(ASSERTION_NAMESPACE)
            for quad in quads.quads_for_pattern(None, WGIG_DIGEST, None, self.graph)
            if isinstance(quad.subject, ox.NamedNode) and quad.subject != CHECKER_NODE
        )
        stored_names = filter(
            None, map(self.paper_name, quads.quads_for_pattern(None, RDF_TYPE, WGIG_ISSUE_PAPER))
        )
        return {*asserted_names, *stored_names, *read_example_papers()}

    def iter_stale_papers(
        self, quads: QuadSource, names: Iterable[tuple[int, str]], *, is_current: bool
    ) -> Iterator[StalePaper]:
        """The papers whose digest has changed; without `is_current`, all of them, as new ones.

        `names` has the position of each name.
        """
        for position, name in names:
            lines = self.find_paper_lines(quads, name)
            digest = self.digest_lines(lines)
            if not is_current:
                yield StalePaper(position, paper_node(name), lines, digest, frozenset())
            elif digest != self.stored_digest(quads, name):
                old_quads = frozenset(self.iter_paper_quads(quads, name))
                yield StalePaper(position, paper_node(name), lines, digest, old_quads)

    def paper_name(self, quad: Any) -> str:
        """The name of a paper if the quad is about it and in its graph; empty for other quads."""
        name: str = getattr(quad.graph_name, "value", "").removeprefix(self.paper_graph_prefix)
        return name if LOCAL_NAME_PATTERN.fullmatch(name) and quad.subject == paper_node(name) else ""

    def find_paper_lines(self, quads: QuadSource, name: str) -> bytes:
        """The triples that describe the paper of this name, as N-Triples; empty if there is none."""
        graph = ox.NamedNode(self.paper_graph_prefix + name)
        if ox.Quad(paper_node(name), RDF_TYPE, WGIG_ISSUE_PAPER, graph) not in quads:
            return read_example_papers().get(name, b"")
        if isinstance(quads, ox.Store):  # 0.08 ms, and 0.11 ms by quads
            return quads.dump(format=ox.RdfFormat.N_TRIPLES, from_graph=graph) or b""
        return serialize_n_triples(quad.triple for quad in quads.quads_for_pattern(None, None, None, graph))

    def compute_digest(self, triples: Iterable[ox.Triple]) -> str:
        """The digest of the triples of a paper and of the rules; empty for no triples.

        It depends on the labels of blank nodes, which do not change until the graph is written again.
        """
        return self.digest_lines(serialize_n_triples(triples))

    def digest_lines(self, lines: bytes) -> str:
        """The digest of the triples of a paper, as N-Triples in any order, and of the rules."""
        return compute_sha256([self.digest.encode(), *sorted(lines.split(b"\n"))]) if lines else ""

    def stored_digest(self, quads: QuadSource, name: str) -> str:
        """The digest in the stored assertion on a paper; empty if there is none."""
        digest_quads = quads.quads_for_pattern(assertion_node(name), WGIG_DIGEST, None, self.graph)
        return next((quad.object.value for quad in digest_quads if isinstance(quad.object, ox.Literal)), "")

    def iter_paper_quads(self, quads: QuadSource, name: str) -> Iterator[ox.Quad]:
        """The quads of the graph about a paper: of the assertion and of its findings."""
        for quad in quads.quads_for_pattern(assertion_node(name), None, None, self.graph):
            yield quad
            if quad.predicate == DCTERMS_HAS_PART:
                yield from quads.quads_for_pattern(quad.object, None, None, self.graph)


def paper_node(name: str) -> ox.NamedNode:
    """The IRI of a paper."""
    return ox.NamedNode(PAPER_NAMESPACE + name)


def assertion_node(name: str) -> ox.NamedNode:
    """The IRI of the assertion on a paper."""
    return ox.NamedNode(ASSERTION_NAMESPACE + name)


@cache
def read_example_papers() -> dict[str, bytes]:
    """The example papers of the package by name, as a store would return them, as N-Triples."""
    files = sorted(SHIPPED_FOLDER.glob("data/examples/*.ttl"))
    papers = [list(normalize_triples(read_turtle_files([path]))) for path in files]
    return {
        triple.subject.value.removeprefix(PAPER_NAMESPACE): serialize_n_triples(triples)
        for triples in papers
        for triple in triples
        if triple.predicate == RDF_TYPE
        and triple.object == WGIG_ISSUE_PAPER
        and isinstance(triple.subject, ox.NamedNode)
    }


def compute_sha256(byte_strings: Iterable[bytes]) -> str:
    """The SHA-256 of the byte strings, joined by line feeds, in hexadecimal."""
    return hashlib.sha256(b"\n".join(byte_strings)).hexdigest()
