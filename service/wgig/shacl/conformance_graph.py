"""Keep the conformance graph in step with the papers, and check only papers that changed.

The paper `id/paper/<name>` is the one that the graph `graph/paper/<name>` describes. While the store has any
paper, the conformance graph also covers the example papers of the package, which are not in the store.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import cache, cached_property
from typing import Any

import pyoxigraph as ox

from .._version import __version__
from ..rdf.namespaces import (
    DCTERMS_HAS_PART,
    DEFAULT_NAMESPACES,
    EARL_RESULT,
    LOCAL_NAME_PATTERN,
    PAPER_NAMESPACE,
    RDF_TYPE,
    WGIG_DIGEST,
    WGIG_ISSUE_PAPER,
    expand_curie,
)
from ..rdf.serialization import build_quad, normalize_triples, serialize_n_triples
from ..rdf.shipped import read_turtle_files
from ..settings import SHIPPED_FOLDER
from ..store.change import Change, find_existing_graphs, iter_graph_quads
from ..store.commit import NOTHING_CHECKED, CheckResults

DCTERMS_IS_PART_OF = expand_curie("dcterms:isPartOf")
LINKED_NODE_PROPERTIES = {DCTERMS_HAS_PART, EARL_RESULT, expand_curie("earl:assertedBy")}

# The files that an assertion is computed from, beside the paper: the rules, and what they may refer to.
DIGESTED_FILE_PATTERNS = ("shapes/issue-paper*.ttl", "ontology/*.ttl", "data/*.ttl", "data/examples/*.ttl")
# The start of a subject (in N-Triples) that belongs to the assertions on one paper.
PAPER_ASSERTION_PREFIX = f"<{DEFAULT_NAMESPACES['assertion']}"
MAX_TRANSACTION_PAPERS = 200  # papers in one transaction
BULK_EXTEND_MIN_QUADS = 2000  # quads from which bulk loading is faster
MAX_UNANNOUNCED_PAPERS = 1000  # papers; a check of more takes a while and is announced


class ConformanceGraph:
    """Keeps a graph equal to the checker's assertions on the papers of a store."""

    def __init__(
        self, base: str, engine_name: str, show_progress: Callable[[str], None] = lambda _: None
    ) -> None:
        """Take the base IRI of the graphs, the name of the engine, and a callback for progress messages."""
        self.graph = ox.NamedNode(f"{base}graph/conformance")
        self.paper_graph_prefix = f"{base}graph/paper/"
        self.engine_name = engine_name
        self.show_progress = show_progress
        # The statements about papers before the current write, by paper name.
        self.previous_statements: dict[str, set[ox.Triple]] = {}

    @cached_property
    def digest(self) -> str:
        """The digest of the rules, and of all that they may refer to."""
        paths = sorted(path for pattern in DIGESTED_FILE_PATTERNS for path in SHIPPED_FOLDER.glob(pattern))
        return compute_sha256([__version__.encode(), *(path.read_bytes() for path in paths)])

    def apply(
        self, quads: ox.Store, change: Change | None, checked: CheckResults = NOTHING_CHECKED
    ) -> Change | None:
        """Update the assertions after a change; an unchanged paper costs only its digest.

        `change` is what changed since the last update; None: it may be anything. `checked` are results that
        an engine found before the papers were written. Up to MAX_TRANSACTION_PAPERS papers are updated in one
        transaction. Returns the change with these updates, None for more papers than that.
        """
        if not any(map(self.paper_name, quads.quads_for_pattern(None, RDF_TYPE, WGIG_ISSUE_PAPER))):
            return self.remove_graph(quads, change)
        existing_graphs = find_existing_graphs(quads, [self.graph])
        names = sorted(self.affected_paper_names(quads, change if existing_graphs else None))
        if len(names) > MAX_UNANNOUNCED_PAPERS:
            self.show_progress(f"Checking {len(names)} papers against the template ...")
        for first in range(0, len(names), MAX_TRANSACTION_PAPERS):
            update = self.update_papers(quads, names[first : first + MAX_TRANSACTION_PAPERS], checked)
            change = (
                change.combine(update)
                if change is not None and len(names) <= MAX_TRANSACTION_PAPERS
                else None
            )
        created_graphs = find_existing_graphs(quads, [self.graph]) - existing_graphs
        return None if change is None else change.combine(Change(created=tuple(created_graphs)))

    def remove_graph(self, quads: ox.Store, change: Change | None) -> Change | None:
        """Remove the graph; the change with this one."""
        if change is not None:
            change = change.combine(
                Change(
                    tuple(iter_graph_quads(quads, self.graph)),
                    dropped=tuple(find_existing_graphs(quads, [self.graph])),
                )
            )
        quads.remove_graph(self.graph)
        return change

    def computed_from(self, quads: ox.Store, graphs: Iterable[str]) -> set[ox.Quad] | None:
        """The quads that are computed from these paper graphs alone; None while no paper is stored."""
        if not find_existing_graphs(quads, [self.graph]):
            return None
        self.previous_statements = {
            name: self.paper_statements(quads, name) for name in self.paper_names(graphs)
        }
        statements = (triple for triples in self.previous_statements.values() for triple in triples)
        return {
            build_quad(triple, self.graph)
            for triple in statements
            if str(triple.subject).startswith(PAPER_ASSERTION_PREFIX)
        }

    def paper_names(self, graphs: Iterable[str]) -> set[str]:
        """The names of the papers that these graphs describe."""
        names = (
            graph.removeprefix(self.paper_graph_prefix)
            for graph in graphs
            if graph.startswith(self.paper_graph_prefix)
        )
        return set(filter(LOCAL_NAME_PATTERN.fullmatch, names))

    def affected_paper_names(self, quads: ox.Store, change: Change | None) -> set[str]:
        """The names of the papers whose assertions may differ after a change; None: all of them."""
        if change is not None and self.graph.value not in change.graphs:
            return self.paper_names(change.graphs)
        self.previous_statements.clear()
        asserted = (
            triple.subject.value.removeprefix(DEFAULT_NAMESPACES["assertion"])
            for triple in self.match_triples(quads, predicate=WGIG_DIGEST)
        )
        stored = filter(None, map(self.paper_name, quads.quads_for_pattern(None, RDF_TYPE, WGIG_ISSUE_PAPER)))
        return {*asserted, *stored, *read_example_papers()}

    def update_papers(self, quads: ox.Store, names: Iterable[str], checked: CheckResults) -> Change:
        """Replace the assertions on those of these papers that changed; returns the change."""
        papers = ((name, self.find_paper_triples(quads, name)) for name in names)
        digested_papers = ((name, triples, self.compute_digest(triples)) for name, triples in papers)
        stale_papers = [paper for paper in digested_papers if paper[2] != self.stored_digest(quads, paper[0])]
        if not stale_papers:
            return Change()
        from .conformance import build_conformance_triples, shared_assertion_triples  # noqa: PLC0415  costs 0.2 s, and most starts need none

        shared = set(shared_assertion_triples())
        old, new = (
            set[ox.Triple](),
            {triple for triple in shared if build_quad(triple, self.graph) not in quads},
        )
        for name, triples, digest_ in stale_papers:
            old |= self.previous_statements.pop(name, set()) or self.paper_statements(quads, name)
            if triples:
                new |= build_conformance_triples(
                    paper_node(name), triples, digest_, self.engine_name, checked.get(digest_)
                )
        removed, added = (
            [build_quad(triple, self.graph) for triple in triples]
            for triples in (old - new - shared, new - old)
        )
        self.replace_quads(quads, removed, added)
        return Change(tuple(removed), tuple(added))

    def replace_quads(self, quads: ox.Store, removed: Sequence[ox.Quad], added: Sequence[ox.Quad]) -> None:
        """Remove quads and add others, in one transaction."""
        if not removed:
            # extend takes three times as long for many quads, bulk_extend thirty times as long for few.
            (quads.extend if len(added) < BULK_EXTEND_MIN_QUADS else quads.bulk_extend)(added)
            return
        steps = [
            (verb, serialize_n_triples(quad.triple for quad in changed).decode())
            for verb, changed in (("DELETE", removed), ("INSERT", added))
        ]
        quads.update("; ".join(f"{verb} DATA {{ GRAPH {self.graph} {{ {text} }} }}" for verb, text in steps))

    def paper_name(self, quad: Any) -> str:
        """The name of the paper that a quad in its graph is about; empty for other quads."""
        name: str = getattr(quad.graph_name, "value", "").removeprefix(self.paper_graph_prefix)
        return name if LOCAL_NAME_PATTERN.fullmatch(name) and quad.subject == paper_node(name) else ""

    def find_paper_triples(self, quads: ox.Store, name: str) -> list[ox.Triple]:
        """The triples that describe the paper of this name; empty where there is none."""
        graph = ox.NamedNode(self.paper_graph_prefix + name)
        if ox.Quad(paper_node(name), RDF_TYPE, WGIG_ISSUE_PAPER, graph) in quads:
            return [quad.triple for quad in iter_graph_quads(quads, graph)]
        return read_example_papers().get(name, [])

    def compute_digest(self, triples: Sequence[ox.Triple]) -> str:
        """The digest of what an assertion is computed from; empty for no triples.

        Blank nodes keep their labels until the graph is written again.
        """
        lines = sorted(str(triple).encode() for triple in triples)
        return compute_sha256([self.digest.encode(), *lines]) if lines else ""

    def stored_digest(self, quads: ox.Store, name: str) -> str:
        """The digest in the stored assertion on a paper; empty where there is none."""
        triples = self.match_triples(quads, ox.NamedNode(DEFAULT_NAMESPACES["assertion"] + name), WGIG_DIGEST)
        return next((triple.object.value for triple in triples), "")

    def paper_statements(self, quads: ox.Store, name: str) -> set[ox.Triple]:
        """The statements of the graph about a paper, with those about the nodes that they lead to."""
        assertion = ox.NamedNode(DEFAULT_NAMESPACES["assertion"] + name)
        parts = {
            triple.subject
            for triple in self.match_triples(quads, predicate=DCTERMS_IS_PART_OF, object_=assertion)
        }
        statements = {triple for node in (assertion, *parts) for triple in self.match_triples(quads, node)}
        linked_nodes = {triple.object for triple in statements if triple.predicate in LINKED_NODE_PROPERTIES}
        return statements | {triple for node in linked_nodes for triple in self.match_triples(quads, node)}

    def match_triples(
        self, quads: ox.Store, subject: Any = None, predicate: Any = None, object_: Any = None
    ) -> Any:
        """The triples of the graph with these terms."""
        return (quad.triple for quad in quads.quads_for_pattern(subject, predicate, object_, self.graph))


def paper_node(name: str) -> ox.NamedNode:
    """The IRI of a paper."""
    return ox.NamedNode(PAPER_NAMESPACE + name)


@cache
def read_example_papers() -> dict[str, list[ox.Triple]]:
    """The example papers of the package by name, as a store would return them."""
    files = sorted(SHIPPED_FOLDER.glob("data/examples/*.ttl"))
    papers = [list(normalize_triples(read_turtle_files([path]))) for path in files]
    return {
        triple.subject.value.removeprefix(PAPER_NAMESPACE): triples
        for triples in papers
        for triple in triples
        if triple.predicate == RDF_TYPE
        and triple.object == WGIG_ISSUE_PAPER
        and isinstance(triple.subject, ox.NamedNode)
    }


def compute_sha256(pieces: Iterable[bytes]) -> str:
    """The SHA-256 of the pieces, in hexadecimal."""
    return hashlib.sha256(b"\n".join(pieces)).hexdigest()
