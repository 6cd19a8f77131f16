"""The ontology for readers: a picture of its classes, and for each term what it is used with, and where."""

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
from ..rdf.vocabulary import VocabularyTerm, group_objects_by_subject
from ..rdf.vocabulary import list_vocabulary_terms as declared
from ..store.projections import cache_for_version
from ..store.store import Store
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
MAX_EXAMPLE_CANDIDATES = 100  # things among which an example is chosen
MAX_EXAMPLE_FACTS = 6  # statements of an example
MAX_NAMED_SHAPES = 3  # shapes of a class, beyond which they are the rules of a profile
CLASS_TREE_GAP_PIXELS = 50  # between two columns of the picture


@dataclass(frozen=True)
class TermUse:
    """How a term is used: how often, as far as that is counted, an example, its properties, and its shapes.

    `facts` are some statements of the example. `shapes` are names; `rule_count` says how many there are where
    they are the rules of a profile. `notes` tell what became of the term.
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
    """A picture of the classes, the same as lists, the links between them, and how each term is used.

    `classes_by_parent` has the classes by what they are a kind of, `links` properties with the classes at
    their ends, `labels` what things are called.
    """

    picture: Picture
    classes_by_parent: Mapping[str, Sequence[VocabularyTerm]]
    links: Sequence[tuple[VocabularyTerm, str, str]]
    uses: Mapping[str, TermUse]
    labels: Mapping[str, ox.Literal]
    version: str


@cache_for_version(12)
def build_ontology_view(store: Store, version: int, base: str, tongue: str = ENGLISH) -> OntologyView:
    """The ontology as a version of the store has it, in the language of now: `tongue`."""
    del version  # which makes the cache forget
    graph = list(store.triples(f"{base}graph/ontology"))
    said, terms = group_objects_by_subject(graph), declared(graph, tongue)
    uses = {one.iri: build_term_use(store, one, terms, said, base) for one in terms}
    ends = {uses[one.iri].example for one in terms} | {
        iri
        for one in terms
        for property_, value in uses[one.iri].facts
        for iri in (property_, value.value if isinstance(value, ox.NamedNode) else "")
    }
    classes = [one for one in terms if one.kind == OWL_CLASS_IRI]
    ours = {one.iri for one in classes}
    links = [
        (one, of, to)
        for one in terms
        for of in one.ties.get("Of", ())
        for to in one.ties.get("Values", ())
        if of in ours and to in ours
    ]
    header = said.get(ox.NamedNode(f"{base}ontology"), {})
    return OntologyView(
        draw_class_tree(classes, base),
        group_by_parent_class(classes, ours),
        links,
        uses,
        find_labels(store, ends - {""}, label_languages()),
        best_text(header.get(f"{OWL_NAMESPACE}versionInfo", ())).value,
    )


def group_by_parent_class(
    classes: Sequence[VocabularyTerm], ours: set[str]
) -> dict[str, list[VocabularyTerm]]:
    """The classes by what they are a kind of, those below terms of other vocabularies first."""
    found: dict[str, list[VocabularyTerm]] = {}
    for one in classes:
        for above in one.ties.get("A kind of", ("",)):
            found.setdefault(above, []).append(one)
    return dict(sorted(found.items(), key=lambda item: (item[0] in ours, item[0])))


def draw_class_tree(classes: Sequence[VocabularyTerm], base: str) -> Picture:
    """A picture of the classes, each right of what it is a kind of."""
    ours = {one.iri for one in classes}
    below = group_by_parent_class(classes, ours)
    picture, top = Picture(), 1.0

    def branch(
        root: BoxItem, kinds: Sequence[VocabularyTerm], x: float, top: float
    ) -> tuple[PictureBox, float]:
        """A box, and right of it from a height on what is below it, with the height after all."""
        found, end = [], top
        for one in kinds:
            label = (one.label.value, ontology_anchor(one, base), "ours")
            box, end = branch(label, below.get(one.iri, ()), x + BOX_WIDTH_PX + CLASS_TREE_GAP_PIXELS, end)
            found.append(box)
        end = max(end, top + BOX_HEIGHT_PX + BOX_GAP_PX)
        (here,) = picture.add_column(x, [root], (top + end - BOX_HEIGHT_PX - BOX_GAP_PX) / 2)
        for box in found:
            picture.add_line(here, box, f"{box.label} is a kind of {here.label}")
        return here, end

    for above, kinds in below.items():
        if above not in ours:
            _, top = branch((shorten_iri(above, base), find_href(above, base), "outside"), kinds, 1, top)
    return picture


def ontology_anchor(term: VocabularyTerm, base: str) -> str:
    """The place of a term on its page."""
    return f"#{term.iri.removeprefix(f'{base}ontology#')}"


def build_term_use(
    store: Store,
    term: VocabularyTerm,
    terms: Sequence[VocabularyTerm],
    said: Mapping[Any, Mapping[str, Any]],
    base: str,
) -> TermUse:
    """How a term is used."""
    is_class = term.kind == OWL_CLASS_IRI
    node = ox.NamedNode(term.iri)
    example = find_class_example(store, node) if is_class else ""
    shapes = shapes_of_class(store, node, f"{base}shapes#") if is_class else []
    notes = (
        one.value
        for property_, those in said.get(node, {}).items()
        if property_ in NOTE_PROPERTIES
        for one in those
    )
    return TermUse(
        term_use_count(store, node, "class" if is_class else "property"),
        example,
        example_facts(store, example),
        [one for one in terms if term.iri in one.ties.get("Of", ())] if is_class else [],
        shapes if len(shapes) <= MAX_NAMED_SHAPES else [],
        len(shapes) if len(shapes) > MAX_NAMED_SHAPES else 0,
        sorted(notes),
    )


def term_use_count(store: Store, node: ox.NamedNode, what: str) -> int | None:
    """How many things are of a class, or statements of a property, as VoID has it; None where it does not."""
    partition, number = VOID_PARTITIONS[what]
    counts = [
        int(quad.object.value)
        for part in store.match(None, partition, node)
        if not isinstance(part.subject, ox.Triple)
        for quad in store.match(part.subject, number)
        if isinstance(quad.object, ox.Literal) and quad.object.value.isdecimal()
    ]
    return max(counts, default=None)


def find_class_example(store: Store, node: ox.NamedNode) -> str:
    """A thing of a class; empty where there is none."""
    found = (quad.subject for quad in store.match(None, RDF_TYPE, node))
    iris = {one.value for one in islice(found, MAX_EXAMPLE_CANDIDATES) if isinstance(one, ox.NamedNode)}
    return min(iris, key=lambda one: ("/example" in one, natural_sort_key(one)), default="")


def example_facts(store: Store, iri: str) -> list[tuple[str, Any]]:
    """Some statements of a thing, one of a property, in order of the properties."""
    if not iri:
        return []
    one_each: dict[str, Any] = {}
    for quad in sorted(keep_best_languages(list(store.match(ox.NamedNode(iri))), label_languages()), key=str):
        one_each.setdefault(quad.predicate.value, quad.object)
    named = sorted(
        one_each,
        key=lambda one: (one != RDF_TYPE_IRI, RDFS_NAMESPACE not in one, one),
    )
    return [(one, one_each[one]) for one in named[:MAX_EXAMPLE_FACTS]]


def shapes_of_class(store: Store, node: ox.NamedNode, prefix: str) -> list[str]:
    """The names of the shapes that look at the things of a class."""
    found = store.match(None, expand_curie("sh:targetClass"), node)
    iris = {one.subject.value for one in found if isinstance(one.subject, ox.NamedNode)}
    return sorted(one.removeprefix(prefix) for one in iris if one.startswith(prefix))
