"""Update the conformance graph after each change of a paper, and check only the papers that changed.

The conformance graph has the results of the checks of all papers, as EARL assertions. The graph
`graph/paper/<name>` describes the paper `id/paper/<name>`. While the store has any paper, the conformance
graph also covers the example papers of the package, which are not in the store.
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
from ..store.commit import NO_CHECK_RESULTS, CheckResults

DCTERMS_IS_PART_OF = expand_curie("dcterms:isPartOf")
LINKED_NODE_PROPERTIES = {DCTERMS_HAS_PART, EARL_RESULT, expand_curie("earl:assertedBy")}

# The files that an assertion is computed from, beside the paper: the rules and the data that they refer to.
DIGESTED_FILE_PATTERNS = ("shapes/issue-paper*.ttl", "ontology/*.ttl", "data/*.ttl", "data/examples/*.ttl")
# The start of the subjects, in N-Triples, of assertions on a paper.
PAPER_ASSERTION_PREFIX = f"<{DEFAULT_NAMESPACES['assertion']}"
MAX_TRANSACTION_PAPERS = 200  # papers whose assertions are replaced in one transaction
BULK_EXTEND_MIN_QUADS = 2000  # from this number of quads on, bulk loading is faster
MAX_UNANNOUNCED_PAPERS = 1000  # before a check of more papers, a message is shown, as it takes long


class ConformanceGraph:
    """The graph of the checker's assertions on the papers of a store."""

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
        """The digest of the rules and of the data that they may refer to."""
        paths = sorted(path for pattern in DIGESTED_FILE_PATTERNS for path in SHIPPED_FOLDER.glob(pattern))
        return compute_sha256([__version__.encode(), *(path.read_bytes() for path in paths)])

    def apply(
        self, quads: ox.Store, change: Change | None, check_results: CheckResults = NO_CHECK_RESULTS
    ) -> Change | None:
        """Update the assertions after a change. For an unchanged paper, only its digest is computed.

        `change` has the changes since the last update, or is None if they are unknown. `check_results` are
        results that an engine found before the papers were written. At most MAX_TRANSACTION_PAPERS papers are
        updated in one transaction. Returns the change with these updates, None if it is unknown or needed
        several transactions.
        """
        if not any(map(self.paper_name, quads.quads_for_pattern(None, RDF_TYPE, WGIG_ISSUE_PAPER))):
            return self.remove_graph(quads, change)
        existing_graphs = find_existing_graphs(quads, [self.graph])
        names = sorted(self.affected_paper_names(quads, change if existing_graphs else None))
        if len(names) > MAX_UNANNOUNCED_PAPERS:
            self.show_progress(f"Checking {len(names)} papers against the template ...")
        for first in range(0, len(names), MAX_TRANSACTION_PAPERS):
            update = self.update_papers(quads, names[first : first + MAX_TRANSACTION_PAPERS], check_results)
            change = (
                change.combine(update)
                if change is not None and len(names) <= MAX_TRANSACTION_PAPERS
                else None
            )
        created_graphs = find_existing_graphs(quads, [self.graph]) - existing_graphs
        return None if change is None else change.combine(Change(created=tuple(created_graphs)))

    def remove_graph(self, quads: ox.Store, change: Change | None) -> Change | None:
        """Remove the graph. Returns the change with this removal, None if the change is unknown."""
        if change is not None:
            change = change.combine(
                Change(
                    tuple(iter_graph_quads(quads, self.graph)),
                    dropped=tuple(find_existing_graphs(quads, [self.graph])),
                )
            )
        quads.remove_graph(self.graph)
        return change

    def quads_computed_from(self, quads: ox.Store, graphs: Iterable[str]) -> set[ox.Quad] | None:
        """The quads that are computed only from these paper graphs; None while no paper is stored.

        The statements about these papers are saved in `previous_statements` for the next update.
        """
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
        asserted_names = (
            triple.subject.value.removeprefix(DEFAULT_NAMESPACES["assertion"])
            for triple in self.match_triples(quads, predicate=WGIG_DIGEST)
        )
        stored_names = filter(
            None, map(self.paper_name, quads.quads_for_pattern(None, RDF_TYPE, WGIG_ISSUE_PAPER))
        )
        return {*asserted_names, *stored_names, *read_example_papers()}

    def update_papers(self, quads: ox.Store, names: Iterable[str], check_results: CheckResults) -> Change:
        """Replace the assertions on each of these papers whose digest changed. Returns the change."""
        papers = ((name, self.find_paper_triples(quads, name)) for name in names)
        digested_papers = ((name, triples, self.compute_digest(triples)) for name, triples in papers)
        stale_papers = [
            (name, triples, digest)
            for name, triples, digest in digested_papers
            if digest != self.stored_digest(quads, name)
        ]
        if not stale_papers:
            return Change()
        from .conformance import build_conformance_triples, shared_assertion_triples  # noqa: PLC0415  takes 0.2 s, and most starts need none

        shared = set(shared_assertion_triples())
        old = set[ox.Triple]()
        new = {triple for triple in shared if build_quad(triple, self.graph) not in quads}
        for name, triples, digest in stale_papers:
            old |= self.previous_statements.pop(name, set()) or self.paper_statements(quads, name)
            if triples:
                new |= build_conformance_triples(
                    paper_node(name), triples, digest, self.engine_name, check_results.get(digest)
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
        """The name of a paper if the quad is about it and in its graph; empty for other quads."""
        name: str = getattr(quad.graph_name, "value", "").removeprefix(self.paper_graph_prefix)
        return name if LOCAL_NAME_PATTERN.fullmatch(name) and quad.subject == paper_node(name) else ""

    def find_paper_triples(self, quads: ox.Store, name: str) -> list[ox.Triple]:
        """The triples that describe the paper of this name; empty if there is none."""
        graph = ox.NamedNode(self.paper_graph_prefix + name)
        if ox.Quad(paper_node(name), RDF_TYPE, WGIG_ISSUE_PAPER, graph) in quads:
            return [quad.triple for quad in iter_graph_quads(quads, graph)]
        return read_example_papers().get(name, [])

    def compute_digest(self, triples: Sequence[ox.Triple]) -> str:
        """The digest of the triples of a paper and of the rules; empty for no triples.

        It depends on the labels of blank nodes, which do not change until the graph is written again.
        """
        lines = sorted(str(triple).encode() for triple in triples)
        return compute_sha256([self.digest.encode(), *lines]) if lines else ""

    def stored_digest(self, quads: ox.Store, name: str) -> str:
        """The digest in the stored assertion on a paper; empty if there is none."""
        triples = self.match_triples(quads, ox.NamedNode(DEFAULT_NAMESPACES["assertion"] + name), WGIG_DIGEST)
        return next((triple.object.value for triple in triples), "")

    def paper_statements(self, quads: ox.Store, name: str) -> set[ox.Triple]:
        """The statements of the graph about a paper, its parts, and the findings and outcomes of these."""
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


def compute_sha256(byte_strings: Iterable[bytes]) -> str:
    """The SHA-256 of the byte strings, joined by line feeds, in hexadecimal."""
    return hashlib.sha256(b"\n".join(byte_strings)).hexdigest()
