"""Check a graph of a store or an endpoint page by page, so that memory use does not depend on its size.

A page has some of the nodes that are targets of a shape, and what it needs to know about them: the triples
that its paths can reach, and the classes. The results are those of a check of the whole graph. A query
(sh:sparql) can reach everything, so with such shapes the graph is read at once, up to the limit of triples.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Protocol

import pyoxigraph as ox

from ..problems import Problem
from ..rdf.formats import N_TRIPLES
from ..rdf.namespaces import RDF_TYPE, RDF_TYPE_IRI, RDFS_NAMESPACE, SH_NAMESPACE
from ..settings import Settings
from ..shacl.documents import Document
from ..shacl.findings import Report
from ..store.change import GraphName
from ..store.view import StoreView
from ..text import shorten_untrusted_text
from . import vocabulary
from .check import FindingCollector
from .engines import ShapeResult, get_shapes_engine
from .shapes_graph import (
    PropertyPath,
    ShapesGraph,
    ShapesNote,
    ShapesSource,
    ShapeTargets,
    list_referenced_shapes,
    read_shapes_graph,
)
from .vocabulary import SH_PATH_IRI

RDFS_SUBCLASS_OF = f"{RDFS_NAMESPACE}subClassOf"
SH_TARGET_OBJECTS_OF = ox.NamedNode(vocabulary.SH_OBJECTS_OF)
# The node and the property that lead to the targets in a page: sh:targetNode cannot name blank nodes of the
# data.
PAGE_NODE, PAGE_PROPERTY = ox.NamedNode("urn:wgig:page"), ox.NamedNode("urn:wgig:page:target")


class GraphSource(Protocol):
    """A graph that is read in small parts."""

    @property
    def name(self) -> str:
        """The name in the report."""

    @property
    def page_nodes(self) -> int:
        """The maximum number of nodes of a page."""

    @property
    def reads_whole_nodes(self) -> bool:
        """Whether all triples of a node are read together, so that blank nodes in them are read once."""

    def iter_focus_nodes(self, targets: ShapeTargets) -> Iterator[Any]:
        """The nodes that are targets, each once, without keeping them in memory."""

    def count_focus_nodes(self, targets: ShapeTargets) -> int:
        """The number of these nodes."""

    def fetch_outgoing(
        self, nodes: Collection[Any], properties: frozenset[str] | None
    ) -> Iterator[ox.Triple]:
        """The triples of nodes with these properties, or with any if it is None."""

    def fetch_incoming(self, nodes: Collection[Any], properties: frozenset[str]) -> Iterator[ox.Triple]:
        """The triples with these properties whose objects are the nodes."""

    def fetch_all(self, max_triples: int) -> Iterator[ox.Triple]:
        """All triples, but at most `max_triples`."""

    def list_notes(self, targets: ShapeTargets) -> list[ShapesNote]:
        """Notes about targets that cannot be checked."""


@dataclass(frozen=True)
class StoreGraphSource:
    """A graph of a store; all graphs if `graph` is None."""

    store: StoreView
    graph: GraphName | None
    name: str
    page_nodes: int = 1000
    reads_whole_nodes: bool = False

    def iter_focus_nodes(self, targets: ShapeTargets) -> Iterator[Any]:
        """The nodes that are targets, each once: for the first of its quads that matches."""
        yield from targets.nodes
        patterns = self.list_patterns(targets)
        for number, (property_, class_, is_subject) in enumerate(patterns):
            for quad in self.store.match(None, property_, class_, self.graph):
                node = quad.subject if is_subject else quad.object
                is_first = self.find_first(node, patterns[number]) == quad
                if (
                    is_first
                    and node not in targets.nodes
                    and not any(self.find_first(node, pattern) for pattern in patterns[:number])
                ):
                    yield node

    def list_patterns(self, targets: ShapeTargets) -> list[tuple[ox.NamedNode, ox.NamedNode | None, bool]]:
        """Patterns of quads: the property, the object if it is a class, whether the subject is the target."""
        classes = self.close_under_subclasses(targets.classes)
        return [
            *((RDF_TYPE, ox.NamedNode(iri), True) for iri in sorted(classes)),
            *((ox.NamedNode(iri), None, True) for iri in sorted(targets.subjects_of)),
            *((ox.NamedNode(iri), None, False) for iri in sorted(targets.objects_of)),
        ]

    def find_first(
        self, node: Any, pattern: tuple[ox.NamedNode, ox.NamedNode | None, bool]
    ) -> ox.Quad | None:
        """The first quad by which a node matches a pattern, or None."""
        property_, class_, is_subject = pattern
        if is_subject and isinstance(node, ox.Literal):
            return None
        subject, object_ = (node, class_) if is_subject else (None, node)
        return next(self.store.match(subject, property_, object_, self.graph), None)

    def close_under_subclasses(self, classes: Iterable[str]) -> set[str]:
        """The IRIs of classes and of their subclasses."""
        closed, pending = set(classes), list(classes)
        while pending:
            quads = self.store.match(
                None, ox.NamedNode(RDFS_SUBCLASS_OF), ox.NamedNode(pending.pop()), self.graph
            )
            new = {quad.subject.value for quad in quads if isinstance(quad.subject, ox.NamedNode)} - closed
            closed |= new
            pending += new
        return closed

    def count_focus_nodes(self, targets: ShapeTargets) -> int:
        """The number of nodes that are targets, in one pass."""
        return sum(1 for _ in self.iter_focus_nodes(targets))

    def fetch_outgoing(
        self, nodes: Collection[Any], properties: frozenset[str] | None
    ) -> Iterator[ox.Triple]:
        """The triples of nodes with these properties, or with any if it is None."""
        predicates = [None] if properties is None else [ox.NamedNode(iri) for iri in properties]
        for node in nodes:
            if not isinstance(node, ox.Literal):
                for predicate in predicates:
                    yield from (q.triple for q in self.store.match(node, predicate, None, self.graph))

    def fetch_incoming(self, nodes: Collection[Any], properties: frozenset[str]) -> Iterator[ox.Triple]:
        """The triples with these properties whose objects are the nodes."""
        for node in nodes:
            for iri in properties:
                quads = self.store.match(None, ox.NamedNode(iri), node, self.graph)
                yield from (quad.triple for quad in quads)

    def fetch_all(self, max_triples: int) -> Iterator[ox.Triple]:
        """All triples, but at most `max_triples`, some of them repeated if they are in several graphs."""
        return (quad.triple for quad in islice(self.store.match(graph=self.graph), max_triples))

    def list_notes(self, targets: ShapeTargets) -> list[ShapesNote]:
        """No notes, as all targets can be checked."""
        del targets
        return []


# Runs a function in a process with limits on time and memory, and returns what it returns.
LimitedCall = Callable[..., Any]
ShowProgress = Callable[[int], None]


def check_graph(
    source: GraphSource,
    shapes_sources: tuple[ShapesSource, ...],
    settings: Settings,
    call: LimitedCall,
    show_progress: ShowProgress,
) -> Report:
    """The report on a graph. `show_progress` is called with the number of nodes checked so far; a node
    counts for each shape of which it is a target.

    Raises Problem for shapes that are refused, see `read_shapes_graph`, and 413 if a node needs more triples
    than the limit.
    """
    call(verify_shapes, shapes_sources, settings)  # in a process, before this one reads the shapes
    shapes = read_shapes_graph(shapes_sources, settings)
    collector = FindingCollector(shapes)
    max_triples = settings.paper_triples - len(shapes.triples)
    if shape := shapes.find_query_shape():
        triples = read_whole_graph(source, shape, shapes, max_triples)
        collector.add_results(call(check_triples, triples, shapes_sources, settings))
    else:
        check_count = 0
        for shape in shapes.list_target_shapes():
            focus_nodes = source.iter_focus_nodes(shapes.find_targets([shape]))
            while page := tuple(islice(focus_nodes, source.page_nodes)):
                for nodes, triples in iter_page_parts(source, page, shape, shapes, max_triples):
                    collector.add_results(call(check_page, shape, nodes, triples, shapes_sources, settings))
                    check_count += len(nodes)
                    show_progress(check_count)
    node_count = source.count_focus_nodes(shapes.targets)
    document = Document(source.name, "", N_TRIPLES, [], list)
    return collector.build_report(document, node_count, source.list_notes(shapes.targets))


def verify_shapes(shapes_sources: tuple[ShapesSource, ...], settings: Settings) -> None:
    """Raise Problem for shapes that are refused, see `read_shapes_graph`."""
    read_shapes_graph(shapes_sources, settings)


def read_whole_graph(
    source: GraphSource, shape: Any, shapes: ShapesGraph, max_triples: int
) -> list[ox.Triple]:
    """All triples of a graph. Raises Problem 413 for more than `max_triples`."""
    triples = list(source.fetch_all(max_triples + 1))
    if len(triples) > max_triples:
        named_shape = shapes.find_named_shape(shape) or shape
        raise Problem(
            413,
            f"The shape {shorten_untrusted_text(str(named_shape), 200)} has a query, which needs the whole "
            f"graph, but that has more than {max_triples} triples. Leave such shapes out, or increase "
            "WGIG_PAPER_TRIPLES.",
        )
    return list(set(triples))


def iter_page_parts(
    source: GraphSource, nodes: Sequence[Any], shape: Any, shapes: ShapesGraph, max_triples: int
) -> Iterator[tuple[Sequence[Any], list[ox.Triple]]]:
    """The nodes of a page with the triples that a shape needs, in parts if these are more than `max_triples`.

    Raises Problem 413 if a single node needs more.
    """
    reader = PageReader(source, shapes, max_triples)
    try:
        reader.read_for_shape(shape, set(nodes))
    except PageTooLargeError as error:
        if len(nodes) == 1:
            raise Problem(
                413,
                f"To check {shorten_untrusted_text(str(nodes[0]), 200)}, the shapes need more than "
                f"{max_triples} triples. Use shorter paths, or increase WGIG_PAPER_TRIPLES.",
            ) from error
    else:
        yield nodes, list(reader.triples)
        return
    middle = len(nodes) // 2
    for half in (nodes[:middle], nodes[middle:]):
        yield from iter_page_parts(source, half, shape, shapes, max_triples)


class PageTooLargeError(Exception):
    """The nodes of a page need more triples than the limit."""


class PageReader:
    """Reads the triples that shapes need to check some nodes: what their paths and classes can reach."""

    def __init__(self, source: GraphSource, shapes: ShapesGraph, max_triples: int) -> None:
        """Start without triples."""
        self.source, self.shapes, self.max_triples = source, shapes, max_triples
        self.triples = set[ox.Triple]()
        self.objects: dict[tuple[Any, str], set[Any]] = {}
        self.subjects: dict[tuple[Any, str], set[Any]] = {}
        self.whole_nodes = set[Any]()  # whose outgoing triples are all read
        self.read_outgoing, self.read_incoming = set[tuple[Any, str]](), set[tuple[Any, str]]()
        self.done: dict[Any, set[Any]] = {}  # by shape, the nodes for which it was read

    def read_for_shape(self, shape: Any, nodes: set[Any]) -> None:
        """Read what a shape needs to check nodes. Raises PageTooLargeError."""
        nodes = nodes - self.done.setdefault(shape, set())
        if not nodes:
            return
        self.done[shape] |= nodes
        objects = self.shapes.statements.get(shape, {})
        values = nodes
        for path in objects.get(SH_PATH_IRI, ()):
            if path in self.shapes.paths:
                values = self.follow_path(self.shapes.paths[path], nodes)
        for property_ in vocabulary.PAIR_PROPERTIES:
            for pair in objects.get(property_, ()):
                self.follow(nodes, pair.value)
        if f"{SH_NAMESPACE}class" in objects:
            self.follow_repeatedly(PropertyPath("", RDFS_SUBCLASS_OF), self.follow(values, RDF_TYPE_IRI))
        if any(value.value in ("true", "1") for value in objects.get(f"{SH_NAMESPACE}closed", ())):
            self.read_nodes(values)
        for inner_shape in list_referenced_shapes(self.shapes.statements, shape):
            self.read_for_shape(inner_shape, values)

    def follow_path(self, path: PropertyPath, nodes: set[Any], *, is_inverse: bool = False) -> set[Any]:
        """The nodes to which a path leads. Raises PageTooLargeError."""
        match path.form:
            case "":
                return self.follow_back(nodes, path.iri) if is_inverse else self.follow(nodes, path.iri)
            case "^":
                return self.follow_path(path.parts[0], nodes, is_inverse=not is_inverse)
            case "/":
                for part in reversed(path.parts) if is_inverse else path.parts:
                    nodes = self.follow_path(part, nodes, is_inverse=is_inverse)
                return nodes
            case "|":
                reached = (self.follow_path(part, nodes, is_inverse=is_inverse) for part in path.parts)
                return set[Any]().union(*reached)
            case "?":
                return nodes | self.follow_path(path.parts[0], nodes, is_inverse=is_inverse)
        # For `+`, this includes the first nodes, so that some triples may be read in vain.
        return self.follow_repeatedly(path.parts[0], nodes, is_inverse=is_inverse)

    def follow_repeatedly(self, path: PropertyPath, nodes: set[Any], *, is_inverse: bool = False) -> set[Any]:
        """The nodes to which a path leads that is followed any number of times."""
        reached, frontier = set(nodes), nodes
        while frontier:
            frontier = self.follow_path(path, frontier, is_inverse=is_inverse) - reached
            reached |= frontier
        return reached

    def follow(self, nodes: Iterable[Any], property_: str) -> set[Any]:
        """The objects of nodes by a property."""
        nodes = [node for node in nodes if not isinstance(node, ox.Literal)]
        if self.source.reads_whole_nodes:
            self.read_nodes(nodes)
        missing = {
            node
            for node in nodes
            if node not in self.whole_nodes and (node, property_) not in self.read_outgoing
        }
        if missing:
            self.read_outgoing |= {(node, property_) for node in missing}
            self.add_triples(self.source.fetch_outgoing(missing, frozenset({property_})))
        return set[Any]().union(*(self.objects.get((node, property_), ()) for node in nodes))

    def read_nodes(self, nodes: Iterable[Any]) -> None:
        """Read all triples of nodes."""
        missing = {node for node in nodes if not isinstance(node, ox.Literal)} - self.whole_nodes
        if missing:
            self.whole_nodes |= missing
            self.add_triples(self.source.fetch_outgoing(missing, None))

    def follow_back(self, nodes: Iterable[Any], property_: str) -> set[Any]:
        """The subjects of triples with a property, whose objects are the nodes."""
        nodes = list(nodes)
        missing = {node for node in nodes if (node, property_) not in self.read_incoming}
        if missing:
            self.read_incoming |= {(node, property_) for node in missing}
            self.add_triples(self.source.fetch_incoming(missing, frozenset({property_})))
        return set[Any]().union(*(self.subjects.get((node, property_), ()) for node in nodes))

    def add_triples(self, triples: Iterable[ox.Triple]) -> None:
        """Keep triples. Raises PageTooLargeError if they are more than the limit."""
        for triple in triples:
            self.triples.add(triple)
            if len(self.triples) > self.max_triples:
                raise PageTooLargeError
            property_ = triple.predicate.value
            self.objects.setdefault((triple.subject, property_), set()).add(triple.object)
            self.subjects.setdefault((triple.object, property_), set()).add(triple.subject)
            if self.source.reads_whole_nodes and isinstance(triple.subject, ox.BlankNode):
                self.whole_nodes.add(triple.subject)  # it was read with the node around it


def check_triples(
    triples: Sequence[ox.Triple], shapes_sources: tuple[ShapesSource, ...], settings: Settings
) -> list[ShapeResult]:
    """The results of a whole graph."""
    return get_shapes_engine(settings.shacl)(triples, read_shapes_graph(shapes_sources, settings))


def check_page(
    shape: Any,
    nodes: Collection[Any],
    triples: Sequence[ox.Triple],
    shapes_sources: tuple[ShapesSource, ...],
    settings: Settings,
) -> list[ShapeResult]:
    """The results of nodes by one shape, and of no other targets among the triples."""
    shapes = read_shapes_graph(shapes_sources, settings)
    kept_triples = [triple for triple in shapes.triples if not shapes.states_target(triple)]
    kept_triples.append(ox.Triple(shape, SH_TARGET_OBJECTS_OF, PAGE_PROPERTY))
    targets = [ox.Triple(PAGE_NODE, PAGE_PROPERTY, node) for node in nodes]
    return get_shapes_engine(settings.shacl)([*triples, *targets], replace(shapes, triples=kept_triples))
