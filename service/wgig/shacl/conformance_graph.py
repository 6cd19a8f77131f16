"""Keep the graph of how the papers stand in line with the papers, and compute nothing twice.

The paper `id/paper/<name>` is looked at as the graph `graph/paper/<name>` describes it. Beside those of the
store, where it has any, the made-up papers of the package are in the graph, which are not in the store.
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
from ..rdf.serialization import build_quad, normalize_triples
from ..rdf.shipped import read_turtle_files
from ..settings import SHIPPED_FOLDER
from ..store.change import Change, find_existing_graphs, iter_graph_quads
from ..store.commit import NOTHING_CHECKED, CheckResults

DCTERMS_IS_PART_OF = expand_curie("dcterms:isPartOf")
LINKED_NODE_PROPERTIES = {DCTERMS_HAS_PART, EARL_RESULT, expand_curie("earl:assertedBy")}

# What an assertion rests on beside the paper: the rules, and what they may refer to.
DIGESTED_FILE_PATTERNS = ("shapes/issue-paper*.ttl", "ontology/*.ttl", "data/*.ttl", "data/examples/*.ttl")
# So begins what is said of one paper alone.
PAPER_ASSERTION_PREFIX = f"<{DEFAULT_NAMESPACES['assertion']}"
MAX_TRANSACTION_PAPERS = 200  # papers in one transaction
BULK_EXTEND_MIN_QUADS = 2000  # quads
MAX_UNANNOUNCED_PAPERS = 1000  # papers that take a while


class ConformanceGraph:
    """Keeps a graph equal to what the checker says of the papers of a store."""

    def __init__(self, base: str, by: str, say: Callable[[str], None] = lambda _: None) -> None:
        """Take the base of the graphs, the engine that checks, and whom to tell when that takes long."""
        self.graph = ox.NamedNode(f"{base}graph/conformance")
        self.paper_graph_prefix = f"{base}graph/paper/"
        self.engine_name = by
        self.say = say
        # What was said of papers before the write under way.
        self.previous_statements: dict[str, set[ox.Triple]] = {}

    @cached_property
    def digest(self) -> str:
        """The digest of the rules, and of all that they may refer to."""
        paths = sorted(path for pattern in DIGESTED_FILE_PATTERNS for path in SHIPPED_FOLDER.glob(pattern))
        return compute_sha256([__version__.encode(), *(path.read_bytes() for path in paths)])

    def follow(
        self, quads: ox.Store, change: Change | None, checked: CheckResults = NOTHING_CHECKED
    ) -> Change | None:
        """Say how the papers stand now; a paper whose graph and rules are as before costs its digest.

        `change` is what happened since that was said; None: it may be anything. `checked` is what an engine
        found in papers before they were written. Up to BATCH papers change together, in one transaction.
        Returns the change with what followed, None of more papers than that.
        """
        if not any(map(self.paper_name, quads.quads_for_pattern(None, RDF_TYPE, WGIG_ISSUE_PAPER))):
            return self.remove_graph(quads, change)
        was_there = find_existing_graphs(quads, [self.graph])
        names = sorted(self.affected_paper_names(quads, change if was_there else None))
        if len(names) > MAX_UNANNOUNCED_PAPERS:
            self.say(f"Checking {len(names)} papers by the template ...")
        for start in range(0, len(names), MAX_TRANSACTION_PAPERS):
            followed = self.update_papers(quads, names[start : start + MAX_TRANSACTION_PAPERS], checked)
            change = (
                change.combine(followed)
                if change is not None and len(names) <= MAX_TRANSACTION_PAPERS
                else None
            )
        made = find_existing_graphs(quads, [self.graph]) - was_there
        return None if change is None else change.combine(Change(created=tuple(made)))

    def remove_graph(self, quads: ox.Store, change: Change | None) -> Change | None:
        """Say nothing any more; the change with this one."""
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
        """What is said of the papers of these graphs alone; None while no paper is stored."""
        if not find_existing_graphs(quads, [self.graph]):
            return None
        self.previous_statements = {
            name: self.paper_statements(quads, name) for name in self.paper_names(graphs)
        }
        said = (one for those in self.previous_statements.values() for one in those)
        return {
            build_quad(one, self.graph) for one in said if str(one.subject).startswith(PAPER_ASSERTION_PREFIX)
        }

    def paper_names(self, graphs: Iterable[str]) -> set[str]:
        """The names of the papers, if any, that these graphs describe."""
        ends = (
            one.removeprefix(self.paper_graph_prefix)
            for one in graphs
            if one.startswith(self.paper_graph_prefix)
        )
        return set(filter(LOCAL_NAME_PATTERN.fullmatch, ends))

    def affected_paper_names(self, quads: ox.Store, change: Change | None) -> set[str]:
        """The names of the papers of which something else may be to say after a change; None: of all."""
        if change is not None and self.graph.value not in change.graphs:
            return self.paper_names(change.graphs)
        self.previous_statements.clear()
        said = (
            one.subject.value.removeprefix(DEFAULT_NAMESPACES["assertion"])
            for one in self.match_triples(quads, predicate=WGIG_DIGEST)
        )
        stored = filter(None, map(self.paper_name, quads.quads_for_pattern(None, RDF_TYPE, WGIG_ISSUE_PAPER)))
        return {*said, *stored, *read_example_papers()}

    def update_papers(self, quads: ox.Store, names: Iterable[str], checked: CheckResults) -> Change:
        """Replace what is said of those of these papers that are not as they were; what that changed."""
        found = ((name, self.find_paper_triples(quads, name)) for name in names)
        now = ((name, triples, self.compute_digest(triples)) for name, triples in found)
        stale = [one for one in now if one[2] != self.stored_digest(quads, one[0])]
        if not stale:
            return Change()
        from .conformance import build_conformance_triples, shared_assertion_triples  # noqa: PLC0415  costs 0.2 s, and most starts need none

        same = set(shared_assertion_triples())
        old, new = set[ox.Triple](), {one for one in same if build_quad(one, self.graph) not in quads}
        for name, triples, digest_ in stale:
            old |= self.previous_statements.pop(name, set()) or self.paper_statements(quads, name)
            if triples:
                new |= build_conformance_triples(
                    paper_node(name), triples, digest_, self.engine_name, checked.get(digest_)
                )
        gone, come = (
            [build_quad(one, self.graph) for one in those] for those in (old - new - same, new - old)
        )
        self.replace_quads(quads, gone, come)
        return Change(tuple(gone), tuple(come))

    def replace_quads(self, quads: ox.Store, gone: Sequence[ox.Quad], come: Sequence[ox.Quad]) -> None:
        """Take some quads out and put others in, in one transaction."""
        if not gone:
            # The first takes three times as long for many quads, the second thirty times for few.
            (quads.extend if len(come) < BULK_EXTEND_MIN_QUADS else quads.bulk_extend)(come)
            return
        steps = [("DELETE", gone), ("INSERT", come)]
        quads.update(
            "; ".join(
                f"{verb} DATA {{ GRAPH {self.graph} "
                f"{{ {serialize_update_data(one.triple for one in those)} }} }}"
                for verb, those in steps
            )
        )

    def paper_name(self, quad: Any) -> str:
        """The name of the graph of a paper, if the quad is about the paper of this name; else nothing."""
        name: str = getattr(quad.graph_name, "value", "").removeprefix(self.paper_graph_prefix)
        return name if LOCAL_NAME_PATTERN.fullmatch(name) and quad.subject == paper_node(name) else ""

    def find_paper_triples(self, quads: ox.Store, name: str) -> list[ox.Triple]:
        """What describes the paper of this name; nothing where there is none."""
        home = ox.NamedNode(self.paper_graph_prefix + name)
        if ox.Quad(paper_node(name), RDF_TYPE, WGIG_ISSUE_PAPER, home) in quads:
            return [one.triple for one in iter_graph_quads(quads, home)]
        return read_example_papers().get(name, [])

    def compute_digest(self, triples: Sequence[ox.Triple]) -> str:
        """The digest of what an assertion rests on; empty for no triples.

        Blank nodes keep their names while nobody writes them.
        """
        lines = sorted(str(one).encode() for one in triples)
        return compute_sha256([self.digest.encode(), *lines]) if lines else ""

    def stored_digest(self, quads: ox.Store, name: str) -> str:
        """The digest that the assertion on a paper rests on; empty where there is none."""
        found = self.match_triples(quads, ox.NamedNode(DEFAULT_NAMESPACES["assertion"] + name), WGIG_DIGEST)
        return next((one.object.value for one in found), "")

    def paper_statements(self, quads: ox.Store, name: str) -> set[ox.Triple]:
        """What the graph says of a paper, with what that leads to."""
        whole = ox.NamedNode(DEFAULT_NAMESPACES["assertion"] + name)
        parts = {
            one.subject for one in self.match_triples(quads, predicate=DCTERMS_IS_PART_OF, object_=whole)
        }
        said = {one for node in (whole, *parts) for one in self.match_triples(quads, node)}
        ends = {one.object for one in said if one.predicate in LINKED_NODE_PROPERTIES}
        return said | {one for node in ends for one in self.match_triples(quads, node)}

    def match_triples(
        self, quads: ox.Store, subject: Any = None, predicate: Any = None, object_: Any = None
    ) -> Any:
        """The triples of the graph with these terms."""
        return (one.triple for one in quads.quads_for_pattern(subject, predicate, object_, self.graph))


def paper_node(name: str) -> ox.NamedNode:
    """The IRI of a paper."""
    return ox.NamedNode(PAPER_NAMESPACE + name)


@cache
def read_example_papers() -> dict[str, list[ox.Triple]]:
    """The made-up papers of the package by their names, as a store would give them back."""
    files = sorted(SHIPPED_FOLDER.glob("data/examples/*.ttl"))
    papers = [list(normalize_triples(read_turtle_files([path]))) for path in files]
    return {
        one.subject.value.removeprefix(PAPER_NAMESPACE): triples
        for triples in papers
        for one in triples
        if one.predicate == RDF_TYPE
        and one.object == WGIG_ISSUE_PAPER
        and isinstance(one.subject, ox.NamedNode)
    }


def compute_sha256(pieces: Iterable[bytes]) -> str:
    """The SHA-256 of the pieces, in hexadecimal."""
    return hashlib.sha256(b"\n".join(pieces)).hexdigest()


def serialize_update_data(triples: Iterable[ox.Triple]) -> str:
    """The triples as SPARQL Update takes them."""
    written = ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES)
    assert written is not None
    return written.decode()
