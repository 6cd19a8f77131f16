"""Check a graph of a store or an endpoint page by page, so that memory use does not depend on its size.

A page has some of the nodes that are targets, and what the shapes need to know about them: the triples that
their paths can reach, and the classes. The results are those of a check of the whole graph. A query
(sh:sparql) can reach everything, so with such shapes the graph is read at once, up to the limit of triples.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any, NamedTuple, Protocol

import pyoxigraph as ox

from ..problems import Problem
from ..rdf.formats import N_TRIPLES
from ..rdf.namespaces import RDF_TYPE, RDF_TYPE_IRI, RDFS_NAMESPACE, SH_NAMESPACE
from ..rdf.vocabulary import group_objects_by_subject
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
# The node and the property that lead to the targets in a page, by the number of the shape: sh:targetNode
# cannot name blank nodes of the data.
PAGE_NODE, PAGE_PROPERTY = ox.NamedNode("urn:wgig:page"), "urn:wgig:page:target-{}"


class NeededTriples(NamedTuple):
    """The triples that shapes can reach from a focus node, as properties to follow and a number of steps.

    `forward` is None if all properties of a node matter, as for sh:closed. `repeated` are the properties that
    are followed any number of times.
    """

    forward: frozenset[str] | None
    backward: frozenset[str]
    repeated: frozenset[str]
    steps: int


class GraphSource(Protocol):
    """A graph that is read in small parts."""

    @property
    def name(self) -> str:
        """The name in the report."""

    @property
    def page_nodes(self) -> int:
        """The maximum number of nodes of a page."""

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
    """The report on a graph. `show_progress` is called with the number of nodes checked so far.

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
        node_count = source.count_focus_nodes(shapes.targets)
    else:
        needed = find_needed_triples(shapes)
        node_count = 0
        focus_nodes = source.iter_focus_nodes(shapes.targets)
        while page := tuple(islice(focus_nodes, source.page_nodes)):
            for nodes, triples in iter_page_parts(source, page, shapes.targets, needed, max_triples):
                collector.add_results(call(check_page, nodes, triples, shapes_sources, settings))
                node_count += len(nodes)
                show_progress(node_count)
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
    source: GraphSource,
    nodes: Sequence[Any],
    targets: ShapeTargets,
    needed: NeededTriples,
    max_triples: int,
) -> Iterator[tuple[Sequence[Any], list[ox.Triple]]]:
    """The nodes of a page with the triples that they need, in parts if these are more than `max_triples`.

    Raises Problem 413 if a single node needs more.
    """
    triples = fetch_needed_triples(source, nodes, targets, needed, max_triples)
    if triples is not None:
        yield nodes, triples
    elif len(nodes) == 1:
        raise Problem(
            413,
            f"To check {shorten_untrusted_text(str(nodes[0]), 200)}, the shapes need more than {max_triples} "
            "triples. Use shorter paths, or increase WGIG_PAPER_TRIPLES.",
        )
    else:
        middle = len(nodes) // 2
        for half in (nodes[:middle], nodes[middle:]):
            yield from iter_page_parts(source, half, targets, needed, max_triples)


def fetch_needed_triples(
    source: GraphSource,
    nodes: Collection[Any],
    targets: ShapeTargets,
    needed: NeededTriples,
    max_triples: int,
) -> list[ox.Triple] | None:
    """The triples that shapes can reach from nodes; None if they are more than `max_triples`."""
    triples, seen, frontier = set[ox.Triple](), set[Any](), set(nodes)
    followed = None if needed.forward is None else needed.forward | needed.repeated | targets.subjects_of
    backward = needed.backward | targets.objects_of
    for _ in range(needed.steps + 1):  # the last step reads the classes of values
        pending, next_frontier = frontier, set[Any]()
        while pending:  # each node is read once: an endpoint gives blank nodes new labels each time
            seen |= pending
            same_step = set[Any]()
            for triple in chain(
                source.fetch_outgoing(pending, followed), source.fetch_incoming(pending, backward)
            ):
                triples.add(triple)
                if len(triples) > max_triples:
                    return None
                reached = same_step if triple.predicate.value in needed.repeated else next_frontier
                reached |= {triple.subject, triple.object}
            pending = same_step - seen
        frontier = next_frontier - seen
    return list(triples)


def find_needed_triples(shapes: ShapesGraph) -> NeededTriples:
    """The triples that shapes can reach from a focus node."""
    paths = shapes.paths.values()
    pairs = {
        value.value
        for objects in shapes.statements.values()
        for property_ in vocabulary.PAIR_PROPERTIES
        for value in objects.get(property_, ())
    }
    is_closed = any(
        value.value in ("true", "1")
        for objects in shapes.statements.values()
        for value in objects.get(f"{SH_NAMESPACE}closed", ())
    )
    steps: dict[Any, int] = {}
    for shape in shapes.shapes:
        count_shape_steps(shapes, shape, steps)
    none = frozenset[str]()
    return NeededTriples(
        None if is_closed else none.union(pairs, {RDF_TYPE_IRI}, *(path.forward for path in paths)),
        none.union(*(path.backward for path in paths)),
        none.union({RDFS_SUBCLASS_OF}, *(path.repeated for path in paths)),
        max(steps.values(), default=0),
    )


def count_shape_steps(shapes: ShapesGraph, shape: Any, steps: dict[Any, int]) -> int:
    """The number of steps from a focus node that a shape can make, which is kept in `steps`."""
    if shape not in steps:
        paths = [shapes.paths[path] for path in shapes.objects(shape, SH_PATH_IRI) if path in shapes.paths]
        inner = (
            count_shape_steps(shapes, other, steps)
            for other in list_referenced_shapes(shapes.statements, shape)
        )
        steps[shape] = max((path.length for path in paths), default=0) + max(inner, default=0)
    return steps[shape]


def check_triples(
    triples: Sequence[ox.Triple], shapes_sources: tuple[ShapesSource, ...], settings: Settings
) -> list[ShapeResult]:
    """The results of a whole graph."""
    return get_shapes_engine(settings.shacl)(triples, read_shapes_graph(shapes_sources, settings))


def check_page(
    nodes: Collection[Any],
    triples: Sequence[ox.Triple],
    shapes_sources: tuple[ShapesSource, ...],
    settings: Settings,
) -> list[ShapeResult]:
    """The results of the nodes of a page, and of no other targets among the triples."""
    shapes = read_shapes_graph(shapes_sources, settings)
    bound_shapes, targets = bind_targets(shapes, nodes, triples)
    return get_shapes_engine(settings.shacl)([*triples, *targets], bound_shapes)


def bind_targets(
    shapes: ShapesGraph, nodes: Collection[Any], triples: Sequence[ox.Triple]
) -> tuple[ShapesGraph, list[ox.Triple]]:
    """The shapes with only these nodes as targets, as far as they are targets, and triples that name them."""
    objects = group_objects_by_subject(triples)
    objects_by_property: dict[str, set[Any]] = {}
    for triple in triples:
        objects_by_property.setdefault(triple.predicate.value, set()).add(triple.object)
    types = {node: find_types(node, objects) for node in nodes}
    kept_triples = [triple for triple in shapes.triples if not shapes.states_target(triple)]
    target_triples: list[ox.Triple] = []
    for number, shape in enumerate(shapes.shapes):
        targets = shapes.find_targets([shape])
        if not any(targets):
            continue
        property_ = ox.NamedNode(PAGE_PROPERTY.format(number))
        kept_triples.append(ox.Triple(shape, SH_TARGET_OBJECTS_OF, property_))
        target_triples += (
            ox.Triple(PAGE_NODE, property_, node)
            for node in nodes
            if node in targets.nodes
            or not targets.classes.isdisjoint(types[node])
            or not targets.subjects_of.isdisjoint(objects.get(node, ()))
            or any(node in objects_by_property.get(iri, ()) for iri in targets.objects_of)
        )
    return replace(shapes, triples=kept_triples), target_triples


def find_types(node: Any, objects: dict[Any, dict[str, list[Any]]]) -> set[str]:
    """The IRIs of the classes of a node, with their superclasses."""
    pending = list(objects.get(node, {}).get(RDF_TYPE_IRI, ()))
    types = set[str]()
    while pending:
        class_ = pending.pop()
        if class_.value not in types:
            types.add(class_.value)
            pending += objects.get(class_, {}).get(RDFS_SUBCLASS_OF, ())
    return types
