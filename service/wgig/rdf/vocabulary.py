"""The terms in an ontology graph and the node shapes in a shapes graph, for pages and the JSON-LD context."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyoxigraph as ox
from wgig_client.namespaces import DCTERMS_NAMESPACE

from ..i18n import ENGLISH, gettext_noop
from ..text import natural_sort_key
from .labels import best_text
from .namespaces import (
    OWL_NAMESPACE,
    RDF_NAMESPACE,
    RDF_TYPE_IRI,
    RDFS_LABEL,
    RDFS_NAMESPACE,
    SH_NAMESPACE,
    SKOS_NAMESPACE,
    expand_curie,
)

ObjectsBySubject = dict[Any, dict[str, list[Any]]]  # objects by subject and property IRI

# Types of terms, with the headings of their sections on the page of the ontology.
TERM_KINDS = {
    f"{OWL_NAMESPACE}Class": gettext_noop("Classes"),
    f"{OWL_NAMESPACE}ObjectProperty": gettext_noop("Properties that link to resources"),
    f"{OWL_NAMESPACE}DatatypeProperty": gettext_noop("Properties with text, numbers or dates"),
}
# Labels of the properties that relate a term to others, as its page shows them.
RELATION_LABELS = {
    f"{RDFS_NAMESPACE}subClassOf": gettext_noop("A kind of"),
    f"{RDFS_NAMESPACE}subPropertyOf": gettext_noop("A kind of"),
    f"{RDFS_NAMESPACE}domain": gettext_noop("Property of"),
    f"{RDFS_NAMESPACE}range": gettext_noop("Values"),
    f"{OWL_NAMESPACE}inverseOf": gettext_noop("Inverse of"),
}
ARTICLE_PATTERN = re.compile(r"^(a|an|the) ", re.IGNORECASE)
SHACL_TARGET_PROPERTIES = (
    f"{SH_NAMESPACE}targetClass",
    f"{SH_NAMESPACE}targetNode",
    f"{SH_NAMESPACE}targetSubjectsOf",
    f"{SH_NAMESPACE}targetObjectsOf",
)


@dataclass(frozen=True)
class VocabularyTerm:
    """A class or property of the ontology.

    `kind` is the IRI of its type, a key of TERM_KINDS; `ranges` are the IRIs of its ranges; `relations` has
    the IRIs of related terms by relation, a value of RELATION_LABELS.
    """

    iri: str
    kind: str
    label: ox.Literal
    definition: str
    ranges: list[str]
    relations: dict[str, list[str]]


@dataclass(frozen=True)
class NodeShape:
    """A node shape with the IRIs of its targets.

    `messages` are the messages of this shape and of those that it refers to, by IRI of the shape.
    """

    iri: str
    name: str
    targets: list[str]
    messages: dict[str, list[str]]


def list_vocabulary_terms(graph: Iterable[ox.Triple], language: str = ENGLISH) -> list[VocabularyTerm]:
    """The terms of an ontology, sorted by their labels in a language."""
    terms = []
    for subject, objects_by_property in group_objects_by_subject(graph).items():
        kind = next(
            (type_.value for type_ in objects_by_property.get(RDF_TYPE_IRI, ()) if type_.value in TERM_KINDS),
            None,
        )
        if kind and isinstance(subject, ox.NamedNode):
            terms.append(build_vocabulary_term(subject.value, kind, objects_by_property, language))
    return sorted(terms, key=lambda term: term.label.value.casefold())


def group_terms_by_kind(
    graph: Iterable[ox.Triple], language: str = ENGLISH
) -> dict[str, list[VocabularyTerm]]:
    """The terms of an ontology, with labels in a language, by the title of their kind in TERM_KINDS."""
    terms = list_vocabulary_terms(graph, language)
    return {title: [term for term in terms if term.kind == kind] for kind, title in TERM_KINDS.items()}


def build_vocabulary_term(
    iri: str, kind: str, objects_by_property: dict[str, list[Any]], language: str
) -> VocabularyTerm:
    """A term from its objects by property; its label is in `language` if there is one."""
    relations: dict[str, list[str]] = defaultdict(list)
    for property_, relation in RELATION_LABELS.items():
        relations[relation] += [
            node.value for node in objects_by_property.get(property_, ()) if isinstance(node, ox.NamedNode)
        ]
    return VocabularyTerm(
        iri,
        kind,
        label=best_text(objects_by_property.get(RDFS_LABEL.value, ()), (language,), iri.rpartition("#")[2]),
        definition=best_text(objects_by_property.get(f"{SKOS_NAMESPACE}definition", ())).value,
        ranges=sorted(node.value for node in objects_by_property.get(f"{RDFS_NAMESPACE}range", ())),
        relations={relation: sorted(iris) for relation, iris in relations.items() if iris},
    )


def list_node_shapes(graph: Iterable[ox.Triple]) -> list[NodeShape]:
    """The node shapes that are not rules of a profile, sorted by name.

    Shapes without targets are included, as other shapes refer to them.
    """
    objects_by_subject = group_objects_by_subject(graph)
    shapes = [
        build_node_shape(subject, objects_by_subject)
        for subject, objects_by_property in objects_by_subject.items()
        if isinstance(subject, ox.NamedNode) and is_node_shape(objects_by_property)
    ]
    return sorted(shapes, key=lambda shape: natural_sort_key(shape.name))


def is_node_shape(objects_by_property: dict[str, list[Any]]) -> bool:
    """Whether a subject with these objects by property is a node shape, but not a rule of a profile."""
    is_rule = f"{DCTERMS_NAMESPACE}isPartOf" in objects_by_property
    return not is_rule and (
        expand_curie("sh:NodeShape") in objects_by_property.get(RDF_TYPE_IRI, ())
        or not objects_by_property.keys().isdisjoint(SHACL_TARGET_PROPERTIES)
    )


def build_node_shape(
    node: ox.NamedNode, objects_by_subject: ObjectsBySubject, language: str = ENGLISH
) -> NodeShape:
    """The shape `node` of a graph; its name is in `language` if there is one."""
    objects_by_property = objects_by_subject[node]
    names = [
        *objects_by_property.get(f"{SH_NAMESPACE}name", ()),
        *objects_by_property.get(RDFS_LABEL.value, ()),
    ]
    targets = sorted(
        target.value
        for property_ in SHACL_TARGET_PROPERTIES
        for target in objects_by_property.get(property_, [])
    )
    name = shape_heading(best_text(names, (language,), node.value.rpartition("#")[2]).value)
    return NodeShape(node.value, name, targets, collect_shape_messages(node, objects_by_subject))


def extract_subgraph(graph: Iterable[ox.Triple], start: ox.NamedNode, prefix: str) -> list[ox.Triple]:
    """The triples about a node, and about reachable nodes: blank nodes, and IRIs with a prefix."""
    triples_by_subject = group_triples_by_subject(graph)
    triples: list[ox.Triple] = []
    seen: set[object] = set()
    pending: list[Any] = [start]
    while pending:
        node = pending.pop()
        if node in seen or not (isinstance(node, ox.BlankNode) or str(node.value).startswith(prefix)):
            continue
        seen.add(node)
        node_triples = triples_by_subject.get(node, ())
        triples += node_triples
        pending += [triple.object for triple in node_triples if not isinstance(triple.object, ox.Literal)]
    return triples


def shape_heading(name: str) -> str:
    """The name of a shape as a heading: without its article, capitalized."""
    heading = ARTICLE_PATTERN.sub("", name)
    return heading[:1].upper() + heading[1:]


def collect_shape_messages(start: ox.NamedNode, objects_by_subject: ObjectsBySubject) -> dict[str, list[str]]:
    """The messages of a shape, then of all shapes that it refers to, by IRI of the shape.

    Messages of a blank node belong to the shape that refers to it.
    """
    messages: dict[str, list[str]] = defaultdict(list)
    seen: set[object] = set()
    pending: list[tuple[Any, str]] = [(start, start.value)]
    while pending:
        node, shape_iri = pending.pop(0)
        if node in seen or node not in objects_by_subject:
            continue
        seen.add(node)
        objects_by_property = objects_by_subject[node]
        shape_iri = node.value if isinstance(node, ox.NamedNode) else shape_iri
        messages[shape_iri] += sorted(
            message.value for message in objects_by_property.get(f"{SH_NAMESPACE}message", [])
        )
        pending += [
            (value, shape_iri)
            for property_, values in objects_by_property.items()
            if property_ != RDF_TYPE_IRI and property_.startswith((SH_NAMESPACE, RDF_NAMESPACE))
            for value in values
        ]
    start_messages = messages.pop(start.value)
    other_messages = sorted(messages.items(), key=lambda item: item[1])
    return {iri: texts for iri, texts in [(start.value, start_messages), *other_messages] if texts}


def group_objects_by_subject(statements: Iterable[ox.Triple | ox.Quad]) -> ObjectsBySubject:
    """The objects of triples or quads, by subject and property IRI."""
    objects: ObjectsBySubject = {}
    for statement in statements:
        objects.setdefault(statement.subject, {}).setdefault(statement.predicate.value, []).append(
            statement.object
        )
    return objects


def group_triples_by_subject(triples: Iterable[ox.Triple]) -> dict[Any, list[ox.Triple]]:
    """The triples of each subject."""
    triples_by_subject: dict[Any, list[ox.Triple]] = {}
    for triple in triples:
        triples_by_subject.setdefault(triple.subject, []).append(triple)
    return triples_by_subject


def labels_by_node(graph: Iterable[ox.Triple], language: str = ENGLISH) -> dict[str, ox.Literal]:
    """The best rdfs:label of each node that has one, by IRI: in `language`, else in English, else any."""
    return {
        node.value: best_text(objects_by_property[RDFS_LABEL.value], (language,))
        for node, objects_by_property in group_objects_by_subject(graph).items()
        if RDFS_LABEL.value in objects_by_property
    }
