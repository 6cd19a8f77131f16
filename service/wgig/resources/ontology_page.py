"""The page of the ontology: a picture of its classes, and for each term its use in the data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyoxigraph as ox

from ..http.language import keep_best_languages, label_languages
from ..i18n import ENGLISH
from ..pages.rendering import find_href
from ..pages.svg import BOX_GAP_PX, BOX_HEIGHT_PX, BOX_WIDTH_PX, BoxItem, Picture, PictureBox
from ..rdf.labels import best_text
from ..rdf.namespaces import (
    EXTERNAL_NAMESPACES,
    OWL_NAMESPACE,
    RDF_TYPE,
    RDF_TYPE_IRI,
    RDFS_NAMESPACE,
    SKOS_NAMESPACE,
    expand_curie,
    shorten_iri,
)
from ..rdf.vocabulary import VocabularyTerm, group_objects_by_subject, list_vocabulary_terms
from ..store.store import Store
from ..store.version_cache import cache_for_version
from ..text import natural_sort_key
from .labels import find_labels

VOID_BASE_IRI = EXTERNAL_NAMESPACES["void"]
OWL_CLASS_IRI = f"{OWL_NAMESPACE}Class"
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
MAX_EXAMPLE_FACTS = 6  # statements shown of an example
MAX_NAMED_SHAPES = 3  # classes with more shapes are those that the rules of a profile check
CLASS_TREE_GAP_PIXELS = 50  # between two columns


@dataclass(frozen=True)
class TermUse:
    """The use of a term: how often, an example, its properties, and its shapes.

    `count` is None where VoID has none. `facts` are some statements about the example. `shapes` are names,
    empty for a class with more than MAX_NAMED_SHAPES; `rule_count` is then their number. `notes` are the
    change, history and editorial notes of the term.
    """

    count: int | None
    example: str
    facts: Sequence[tuple[str, Any]]
    properties: Sequence[VocabularyTerm]
    shapes: Sequence[str]
    rule_count: int
    notes: Sequence[str]


@dataclass(frozen=True)
class OntologyView:
    """A picture of the classes, the same as lists, the links between classes, and the use of each term.

    `classes_by_parent` has the classes by the IRI of their superclass, `links` properties with the IRIs of
    their domain and range, `uses` and `labels` are by IRI.
    """

    picture: Picture
    classes_by_parent: Mapping[str, Sequence[VocabularyTerm]]
    links: Sequence[tuple[VocabularyTerm, str, str]]
    uses: Mapping[str, TermUse]
    labels: Mapping[str, ox.Literal]
    version: str


@cache_for_version(12)
def build_ontology_view(store: Store, base: str, language: str = ENGLISH) -> OntologyView:
    """The page of the ontology in a version of the store and a language."""
    graph = list(store.triples(f"{base}graph/ontology"))
    objects_by_subject, terms = group_objects_by_subject(graph), list_vocabulary_terms(graph, language)
    uses = {term.iri: build_term_use(store, term, terms, objects_by_subject, base) for term in terms}
    shown_iris = {use.example for use in uses.values()} | {
        iri
        for use in uses.values()
        for property_, value in use.facts
        for iri in (property_, value.value if isinstance(value, ox.NamedNode) else "")
    }
    classes = [term for term in terms if term.kind == OWL_CLASS_IRI]
    own_iris = {class_.iri for class_ in classes}
    links = [
        (term, domain, range_)
        for term in terms
        for domain in term.ties.get("Of", ())
        for range_ in term.ties.get("Values", ())
        if domain in own_iris and range_ in own_iris
    ]
    header = objects_by_subject.get(ox.NamedNode(f"{base}ontology"), {})
    return OntologyView(
        draw_class_tree(classes, base),
        group_by_parent_class(classes, own_iris),
        links,
        uses,
        find_labels(store, shown_iris - {""}, label_languages()),
        best_text(header.get(f"{OWL_NAMESPACE}versionInfo", ())).value,
    )


def group_by_parent_class(
    classes: Sequence[VocabularyTerm], own_iris: set[str]
) -> dict[str, list[VocabularyTerm]]:
    """The classes by their superclass (empty: none), those below classes of other vocabularies first."""
    classes_by_parent: dict[str, list[VocabularyTerm]] = {}
    for class_ in classes:
        for parent in class_.ties.get("A kind of", ("",)):
            classes_by_parent.setdefault(parent, []).append(class_)
    return dict(sorted(classes_by_parent.items(), key=lambda item: (item[0] in own_iris, item[0])))


def draw_class_tree(classes: Sequence[VocabularyTerm], base: str) -> Picture:
    """A picture of the class hierarchy, each class to the right of its superclass."""
    own_iris = {class_.iri for class_ in classes}
    classes_by_parent = group_by_parent_class(classes, own_iris)
    picture, top = Picture(), 1.0

    def draw_branch(
        root: BoxItem, subclasses: Sequence[VocabularyTerm], x: float, top: float
    ) -> tuple[PictureBox, float]:
        """Draw a box with its subclasses to the right, from `top` down; returns the box and the bottom."""
        child_boxes, bottom = [], top
        for class_ in subclasses:
            item = (class_.label.value, ontology_anchor(class_, base), "ours")
            child_x = x + BOX_WIDTH_PX + CLASS_TREE_GAP_PIXELS
            box, bottom = draw_branch(item, classes_by_parent.get(class_.iri, ()), child_x, bottom)
            child_boxes.append(box)
        bottom = max(bottom, top + BOX_HEIGHT_PX + BOX_GAP_PX)
        (root_box,) = picture.add_column(x, [root], (top + bottom - BOX_HEIGHT_PX - BOX_GAP_PX) / 2)
        for box in child_boxes:
            picture.add_line(root_box, box, f"{box.label} is a kind of {root_box.label}")
        return root_box, bottom

    for parent, subclasses in classes_by_parent.items():
        if parent not in own_iris:
            item = (shorten_iri(parent, base), find_href(parent, base), "outside")
            _, top = draw_branch(item, subclasses, 1, top)
    return picture


def ontology_anchor(term: VocabularyTerm, base: str) -> str:
    """The fragment of a term on the page of the ontology, with `#`."""
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
    notes = (
        note.value
        for property_, values in objects_by_subject.get(node, {}).items()
        if property_ in NOTE_PROPERTIES
        for note in values
    )
    return TermUse(
        term_use_count(store, node, "class" if is_class else "property"),
        example,
        example_facts(store, example),
        [other for other in terms if term.iri in other.ties.get("Of", ())] if is_class else [],
        shapes if len(shapes) <= MAX_NAMED_SHAPES else [],
        len(shapes) if len(shapes) > MAX_NAMED_SHAPES else 0,
        sorted(notes),
    )


def term_use_count(store: Store, node: ox.NamedNode, kind: str) -> int | None:
    """The number of instances of a class, or triples of a property, as VoID states it; None for none.

    `kind` is `class` or `property`.
    """
    partition, count_property = VOID_PARTITIONS[kind]
    counts = [
        int(quad.object.value)
        for quad_ in store.match(None, partition, node)
        if not isinstance(quad_.subject, ox.Triple)
        for quad in store.match(quad_.subject, count_property)
        if isinstance(quad.object, ox.Literal) and quad.object.value.isdecimal()
    ]
    return max(counts, default=None)


def find_class_example(store: Store, class_: ox.NamedNode) -> str:
    """An instance of a class; empty where there is none."""
    subjects = (quad.subject for quad in store.match(None, RDF_TYPE, class_))
    iris = {node.value for node in islice(subjects, MAX_EXAMPLE_CANDIDATES) if isinstance(node, ox.NamedNode)}
    return min(iris, key=lambda iri: ("/example" in iri, natural_sort_key(iri)), default="")


def example_facts(store: Store, iri: str) -> list[tuple[str, Any]]:
    """Some statements about a resource: one value per property, rdf:type first, then RDFS properties."""
    if not iri:
        return []
    values: dict[str, Any] = {}
    for quad in sorted(keep_best_languages(list(store.match(ox.NamedNode(iri))), label_languages()), key=str):
        values.setdefault(quad.predicate.value, quad.object)
    properties = sorted(
        values,
        key=lambda iri: (iri != RDF_TYPE_IRI, RDFS_NAMESPACE not in iri, iri),
    )
    return [(property_, values[property_]) for property_ in properties[:MAX_EXAMPLE_FACTS]]


def shapes_of_class(store: Store, node: ox.NamedNode, prefix: str) -> list[str]:
    """The names of the shapes that target a class."""
    quads = store.match(None, expand_curie("sh:targetClass"), node)
    iris = {quad.subject.value for quad in quads if isinstance(quad.subject, ox.NamedNode)}
    return sorted(iri.removeprefix(prefix) for iri in iris if iri.startswith(prefix))
