"""The page of the ontology: a picture of the class hierarchy, and the use of each term in the data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyoxigraph as ox
from wgig_client.namespaces import EXTERNAL_NAMESPACES

from ..i18n import ENGLISH
from ..pages.rendering import find_href
from ..pages.svg import BOX_GAP_PX, BOX_HEIGHT_PX, BOX_WIDTH_PX, BoxItem, Picture, PictureBox
from ..rdf.labels import best_text
from ..rdf.namespaces import OWL_NAMESPACE, RDF_TYPE, SKOS_NAMESPACE, expand_curie, shorten_iri
from ..rdf.vocabulary import VocabularyTerm, group_objects_by_subject, list_vocabulary_terms
from ..store.store import Store
from ..store.version_cache import cache_for_version
from ..text import natural_sort_key

VOID_BASE_IRI = EXTERNAL_NAMESPACES["void"]
OWL_CLASS_IRI = f"{OWL_NAMESPACE}Class"
# By type of term: the property that links a VoID partition to it, and the one with its count.
VOID_PARTITIONS = {
    "class": (ox.NamedNode(f"{VOID_BASE_IRI}class"), ox.NamedNode(f"{VOID_BASE_IRI}entities")),
    "property": (ox.NamedNode(f"{VOID_BASE_IRI}property"), ox.NamedNode(f"{VOID_BASE_IRI}triples")),
}
NOTE_PROPERTIES = {
    f"{SKOS_NAMESPACE}changeNote",
    f"{SKOS_NAMESPACE}historyNote",
    f"{SKOS_NAMESPACE}editorialNote",
    f"{OWL_NAMESPACE}versionInfo",
}
MAX_EXAMPLE_CANDIDATES = 100  # resources among which an example is chosen
MAX_NAMED_SHAPES = 3  # of a class; more shapes are the rules for papers, and only their number is shown
CLASS_TREE_GAP_PX = 50  # between two columns


@dataclass(frozen=True)
class TermUse:
    """The use of a term in the data: its count, an example, its properties, and its shapes.

    `count` is None if the VoID statistics have none. `example` is an IRI. `properties` are those whose domain
    is the term. `shapes` are names; for a class with more than MAX_NAMED_SHAPES they are left out, and
    `rule_count` is their number. `notes` are the change, history and editorial notes of the term.
    """

    count: int | None
    example: str
    properties: Sequence[VocabularyTerm]
    shapes: Sequence[str]
    rule_count: int
    notes: Sequence[str]


@dataclass(frozen=True)
class OntologyView:
    """The content of the page: a picture of the class hierarchy, and the use of each term.

    `classes_by_parent` has the classes by the IRI of their superclass. `uses` are by IRI.
    """

    picture: Picture
    classes_by_parent: Mapping[str, Sequence[VocabularyTerm]]
    uses: Mapping[str, TermUse]
    version: str


@cache_for_version(12)
def build_ontology_view(store: Store, base: str, language: str = ENGLISH) -> OntologyView:
    """The content of the page of the ontology in a language; cached until the store changes."""
    graph = list(store.triples(f"{base}graph/ontology"))
    objects_by_subject, terms = group_objects_by_subject(graph), list_vocabulary_terms(graph, language)
    uses = {term.iri: build_term_use(store, term, terms, objects_by_subject, base) for term in terms}
    classes = [term for term in terms if term.kind == OWL_CLASS_IRI]
    class_iris = {class_.iri for class_ in classes}
    header = objects_by_subject.get(ox.NamedNode(f"{base}ontology"), {})
    return OntologyView(
        draw_class_tree(classes, base),
        group_by_parent_class(classes, class_iris),
        uses,
        best_text(header.get(f"{OWL_NAMESPACE}versionInfo", ())).value,
    )


def group_by_parent_class(
    classes: Sequence[VocabularyTerm], class_iris: set[str]
) -> dict[str, list[VocabularyTerm]]:
    """The classes by the IRI of their superclass, empty for none; superclasses outside `class_iris` first."""
    classes_by_parent: dict[str, list[VocabularyTerm]] = {}
    for class_ in classes:
        for parent in class_.relations.get("A kind of", ("",)):
            classes_by_parent.setdefault(parent, []).append(class_)
    return dict(sorted(classes_by_parent.items(), key=lambda item: (item[0] in class_iris, item[0])))


def draw_class_tree(classes: Sequence[VocabularyTerm], base: str) -> Picture:
    """A picture of the class hierarchy, each class to the right of its superclass."""
    class_iris = {class_.iri for class_ in classes}
    classes_by_parent = group_by_parent_class(classes, class_iris)
    picture, top = Picture(), 1.0

    def draw_branch(
        root: BoxItem, subclasses: Sequence[VocabularyTerm], x: float, top: float
    ) -> tuple[PictureBox, float]:
        """Draw a box with its subclasses to the right, from `top` down. Returns the box and its bottom."""
        child_boxes, bottom = [], top
        for class_ in subclasses:
            item = (class_.label.value, ontology_anchor(class_, base), "ours")
            child_x = x + BOX_WIDTH_PX + CLASS_TREE_GAP_PX
            box, bottom = draw_branch(item, classes_by_parent.get(class_.iri, ()), child_x, bottom)
            child_boxes.append(box)
        bottom = max(bottom, top + BOX_HEIGHT_PX + BOX_GAP_PX)
        (root_box,) = picture.add_column(x, [root], (top + bottom - BOX_HEIGHT_PX - BOX_GAP_PX) / 2)
        for box in child_boxes:
            picture.add_line(root_box, box, f"{box.label} is a kind of {root_box.label}")
        return root_box, bottom

    for parent, subclasses in classes_by_parent.items():
        if parent not in class_iris:
            item = (shorten_iri(parent, base), find_href(parent, base), "outside")
            _, top = draw_branch(item, subclasses, 1, top)
    return picture


def ontology_anchor(term: VocabularyTerm, base: str) -> str:
    """The link to a term within the page of the ontology, such as `#Issue`."""
    return f"#{term.iri.removeprefix(f'{base}ontology#')}"


def build_term_use(
    store: Store,
    term: VocabularyTerm,
    terms: Sequence[VocabularyTerm],
    objects_by_subject: Mapping[Any, Mapping[str, Any]],
    base: str,
) -> TermUse:
    """The use of a term in the data and in the shapes."""
    is_class = term.kind == OWL_CLASS_IRI
    node = ox.NamedNode(term.iri)
    example = find_class_example(store, node) if is_class else ""
    shapes = shapes_of_class(store, node, f"{base}shapes#") if is_class else []
    properties = (
        [property_ for property_ in terms if term.iri in property_.relations.get("Property of", ())]
        if is_class
        else []
    )
    notes = (
        note.value
        for property_, values in objects_by_subject.get(node, {}).items()
        if property_ in NOTE_PROPERTIES
        for note in values
    )
    return TermUse(
        term_use_count(store, node, "class" if is_class else "property"),
        example,
        properties,
        shapes if len(shapes) <= MAX_NAMED_SHAPES else [],
        len(shapes) if len(shapes) > MAX_NAMED_SHAPES else 0,
        sorted(notes),
    )


def term_use_count(store: Store, node: ox.NamedNode, kind: str) -> int | None:
    """The number of instances of a class, or of triples with a property, from VoID; None if not stated.

    `kind` is `class` or `property`.
    """
    partition_property, count_property = VOID_PARTITIONS[kind]
    counts = [
        int(quad.object.value)
        for partition_quad in store.match(None, partition_property, node)
        if not isinstance(partition_quad.subject, ox.Triple)
        for quad in store.match(partition_quad.subject, count_property)
        if isinstance(quad.object, ox.Literal) and quad.object.value.isdecimal()
    ]
    return max(counts, default=None)


def find_class_example(store: Store, class_: ox.NamedNode) -> str:
    """The IRI of an instance of a class, or empty; made-up ones (`/example…`) only if there are no others."""
    subjects = (quad.subject for quad in store.match(None, RDF_TYPE, class_))
    iris = {node.value for node in islice(subjects, MAX_EXAMPLE_CANDIDATES) if isinstance(node, ox.NamedNode)}
    return min(iris, key=lambda iri: ("/example" in iri, natural_sort_key(iri)), default="")


def shapes_of_class(store: Store, node: ox.NamedNode, prefix: str) -> list[str]:
    """The names of the shapes that target a class; their IRIs begin with `prefix`."""
    quads = store.match(None, expand_curie("sh:targetClass"), node)
    iris = {quad.subject.value for quad in quads if isinstance(quad.subject, ox.NamedNode)}
    return sorted(iri.removeprefix(prefix) for iri in iris if iri.startswith(prefix))
