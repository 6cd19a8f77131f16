"""Our terms and shapes, as they stand in their graphs: for their pages, and as the context of JSON-LD."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyoxigraph as ox

from ..i18n import ENGLISH, gettext_noop
from ..text import natural_sort_key
from .labels import best_text
from .namespaces import (
    DCTERMS_NAMESPACE,
    OWL_NAMESPACE,
    RDF_NAMESPACE,
    RDF_TYPE_IRI,
    RDFS_LABEL,
    RDFS_NAMESPACE,
    SH_NAMESPACE,
    SKOS_NAMESPACE,
    expand_curie,
)

ObjectsBySubject = dict[Any, dict[str, list[Any]]]  # objects by subject and IRI of the property

TERM_KINDS = {
    f"{OWL_NAMESPACE}Class": gettext_noop("Classes"),
    f"{OWL_NAMESPACE}ObjectProperty": gettext_noop("Properties that lead to things"),
    f"{OWL_NAMESPACE}DatatypeProperty": gettext_noop("Properties that hold values"),
}
# What a term's entry says about it beside label and definition.
TERM_TIES = {
    f"{RDFS_NAMESPACE}subClassOf": gettext_noop("A kind of"),
    f"{RDFS_NAMESPACE}subPropertyOf": gettext_noop("A kind of"),
    f"{RDFS_NAMESPACE}domain": gettext_noop("Of"),
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

    `kind` is the IRI of what it is, `ranges` are those of its values, `ties` lists the IRIs it is tied to, by
    the words for the tie.
    """

    iri: str
    kind: str
    label: ox.Literal
    definition: str
    ranges: list[str]
    ties: dict[str, list[str]]


@dataclass(frozen=True)
class NodeShape:
    """A node shape: what it looks at, and what it says when something is wrong.

    `messages` holds the sentences by the IRI of the shape that says them: this one or one that it is made of.
    """

    iri: str
    name: str
    targets: list[str]
    messages: dict[str, list[str]]


def list_vocabulary_terms(graph: Iterable[ox.Triple], tongue: str = ENGLISH) -> list[VocabularyTerm]:
    """The terms of an ontology, by their labels in a language."""
    found = []
    for subject, said in group_objects_by_subject(graph).items():
        kind = next((one.value for one in said.get(RDF_TYPE_IRI, ()) if one.value in TERM_KINDS), None)
        if kind and isinstance(subject, ox.NamedNode):
            found.append(build_vocabulary_term(subject.value, kind, said, tongue))
    return sorted(found, key=lambda one: one.label.value.casefold())


def group_terms_by_kind(graph: Iterable[ox.Triple], tongue: str = ENGLISH) -> dict[str, list[VocabularyTerm]]:
    """The terms of an ontology, called so in a language, under the titles of their kinds."""
    found = list_vocabulary_terms(graph, tongue)
    return {title: [one for one in found if one.kind == kind] for kind, title in TERM_KINDS.items()}


def build_vocabulary_term(iri: str, kind: str, said: dict[str, list[Any]], tongue: str) -> VocabularyTerm:
    """A term from what is said about it, by property; its label is in `tongue` where it can be."""
    ties: dict[str, list[str]] = defaultdict(list)
    for property_, words in TERM_TIES.items():
        ties[words] += [one.value for one in said.get(property_, ()) if isinstance(one, ox.NamedNode)]
    return VocabularyTerm(
        iri,
        kind,
        label=best_text(said.get(RDFS_LABEL.value, ()), (tongue,), iri.rpartition("#")[2]),
        definition=best_text(said.get(f"{SKOS_NAMESPACE}definition", ())).value,
        ranges=sorted(one.value for one in said.get(f"{RDFS_NAMESPACE}range", ())),
        ties={words: sorted(iris) for words, iris in ties.items() if iris},
    )


def list_node_shapes(graph: Iterable[ox.Triple]) -> list[NodeShape]:
    """The node shapes that are no rules of a profile, by name, with all their messages.

    Those without a target are used by others.
    """
    subjects = group_objects_by_subject(graph)
    found = [
        build_node_shape(subject, subjects)
        for subject, said in subjects.items()
        if isinstance(subject, ox.NamedNode) and is_node_shape(said)
    ]
    return sorted(found, key=lambda one: natural_sort_key(one.name))


def is_node_shape(said: dict[str, list[Any]]) -> bool:
    """Whether what is said of a subject makes it a node shape that is no rule of a profile."""
    is_rule = f"{DCTERMS_NAMESPACE}isPartOf" in said
    return not is_rule and (
        expand_curie("sh:NodeShape") in said.get(RDF_TYPE_IRI, ())
        or not said.keys().isdisjoint(SHACL_TARGET_PROPERTIES)
    )


def build_node_shape(node: ox.NamedNode, subjects: ObjectsBySubject, tongue: str = ENGLISH) -> NodeShape:
    """A shape of a graph, whose objects are given by subject and property; named in `tongue` where it can."""
    said = subjects[node]
    names = [*said.get(f"{SH_NAMESPACE}name", ()), *said.get(RDFS_LABEL.value, ())]
    targets = sorted(one.value for property_ in SHACL_TARGET_PROPERTIES for one in said.get(property_, []))
    name = shape_heading(best_text(names, (tongue,), node.value.rpartition("#")[2]).value)
    return NodeShape(node.value, name, targets, collect_shape_messages(node, subjects))


def extract_subgraph(graph: Iterable[ox.Triple], start: ox.NamedNode, prefix: str) -> list[ox.Triple]:
    """What a graph says about a node, and about the blank nodes and IRIs of a prefix that it leads to."""
    said = group_triples_by_subject(graph)
    found: list[ox.Triple] = []
    seen: set[object] = set()
    waiting: list[Any] = [start]
    while waiting:
        node = waiting.pop()
        if node in seen or not (isinstance(node, ox.BlankNode) or str(node.value).startswith(prefix)):
            continue
        seen.add(node)
        found += said.get(node, ())
        waiting += [one.object for one in said.get(node, ()) if not isinstance(one.object, ox.Literal)]
    return found


def shape_heading(name: str) -> str:
    """The name of a shape as a heading: without an article, with a capital."""
    bare = ARTICLE_PATTERN.sub("", name)
    return bare[:1].upper() + bare[1:]


def collect_shape_messages(start: ox.NamedNode, subjects: ObjectsBySubject) -> dict[str, list[str]]:
    """The messages of a shape and of every shape that it reaches, by the IRI of the shape, its own first.

    A constraint without an IRI speaks for the shape that it stands in.
    """
    found: dict[str, list[str]] = defaultdict(list)
    seen: set[object] = set()
    waiting: list[tuple[Any, str]] = [(start, start.value)]
    while waiting:
        node, speaker = waiting.pop(0)
        if node in seen or node not in subjects:
            continue
        seen.add(node)
        said = subjects[node]
        speaker = node.value if isinstance(node, ox.NamedNode) else speaker
        found[speaker] += sorted(one.value for one in said.get(f"{SH_NAMESPACE}message", []))
        waiting += [
            (one, speaker)
            for property_, ends in said.items()
            if property_ != RDF_TYPE_IRI and property_.startswith((SH_NAMESPACE, RDF_NAMESPACE))
            for one in ends
        ]
    own = found.pop(start.value)
    parts = sorted(found.items(), key=lambda item: item[1])
    return {iri: sentences for iri, sentences in [(start.value, own), *parts] if sentences}


def group_objects_by_subject(statements: Iterable[ox.Triple | ox.Quad]) -> ObjectsBySubject:
    """What statements say: objects by subject and IRI of the property."""
    found: ObjectsBySubject = {}
    for one in statements:
        found.setdefault(one.subject, {}).setdefault(one.predicate.value, []).append(one.object)
    return found


def group_triples_by_subject(triples: Iterable[ox.Triple]) -> dict[Any, list[ox.Triple]]:
    """The triples about each subject."""
    found: dict[Any, list[ox.Triple]] = {}
    for triple in triples:
        found.setdefault(triple.subject, []).append(triple)
    return found


def labels_by_node(graph: Iterable[ox.Triple], tongue: str = ENGLISH) -> dict[str, ox.Literal]:
    """The rdfs:label of each node of a graph that has one, that in `tongue` or in English before others."""
    return {
        node.value: best_text(said[RDFS_LABEL.value], (tongue,))
        for node, said in group_objects_by_subject(graph).items()
        if RDFS_LABEL.value in said
    }
