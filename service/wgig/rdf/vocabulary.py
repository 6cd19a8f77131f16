"""Our terms and shapes, as they stand in their graphs: for their pages, and as the context of JSON-LD."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyoxigraph as ox

from ..i18n import ENGLISH, gettext_noop
from ..text import natural_sort_key
from .namespaces import EXTERNAL_NAMESPACES

OWL_NAMESPACE, RDFS_TERMS_NAMESPACE = EXTERNAL_NAMESPACES["owl"], EXTERNAL_NAMESPACES["rdfs"]
SHACL_NAMESPACE, SKOS_NAMESPACE = EXTERNAL_NAMESPACES["sh"], EXTERNAL_NAMESPACES["skos"]
TERM_KINDS = {
    f"{OWL_NAMESPACE}Class": gettext_noop("Classes"),
    f"{OWL_NAMESPACE}ObjectProperty": gettext_noop("Properties that lead to things"),
    f"{OWL_NAMESPACE}DatatypeProperty": gettext_noop("Properties that hold values"),
}
# What a term's entry says about it beside label and definition.
TERM_TIES = {
    f"{RDFS_TERMS_NAMESPACE}subClassOf": gettext_noop("A kind of"),
    f"{RDFS_TERMS_NAMESPACE}subPropertyOf": gettext_noop("A kind of"),
    f"{RDFS_TERMS_NAMESPACE}domain": gettext_noop("Of"),
    f"{RDFS_TERMS_NAMESPACE}range": gettext_noop("Values"),
    f"{OWL_NAMESPACE}inverseOf": gettext_noop("Inverse of"),
}
ARTICLE_PATTERN = re.compile(r"^(a|an|the) ", re.IGNORECASE)
SHACL_TARGET_PROPERTIES = (
    f"{SHACL_NAMESPACE}targetClass",
    f"{SHACL_NAMESPACE}targetNode",
    f"{SHACL_NAMESPACE}targetSubjectsOf",
    f"{SHACL_NAMESPACE}targetObjectsOf",
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
    for subject, said in objects_by_subject(graph).items():
        kind = next((one.value for one in said["type"] if one.value in TERM_KINDS), None)
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
        ties[words] += [one.value for one in said[property_] if isinstance(one, ox.NamedNode)]
    return VocabularyTerm(
        iri,
        kind,
        label=next(
            iter(prefer_language(said[f"{RDFS_TERMS_NAMESPACE}label"], tongue)),
            ox.Literal(iri.rpartition("#")[2]),
        ),
        definition=first_literal_text(said[f"{SKOS_NAMESPACE}definition"], ""),
        ranges=sorted(one.value for one in said[f"{RDFS_TERMS_NAMESPACE}range"]),
        ties={words: sorted(iris) for words, iris in ties.items() if iris},
    )


def list_node_shapes(graph: Iterable[ox.Triple]) -> list[NodeShape]:
    """The node shapes that are no rules of a profile, by name, with all their messages.

    Those without a target are used by others.
    """
    subjects = objects_by_subject(graph)
    found = [
        build_node_shape(subject, subjects)
        for subject, said in subjects.items()
        if isinstance(subject, ox.NamedNode) and is_node_shape(said)
    ]
    return sorted(found, key=lambda one: natural_sort_key(one.name))


def is_node_shape(said: dict[str, list[Any]]) -> bool:
    """Whether what is said of a subject makes it a node shape that is no rule of a profile."""
    is_rule = f"{EXTERNAL_NAMESPACES['dcterms']}isPartOf" in said
    return not is_rule and (
        ox.NamedNode(f"{SHACL_NAMESPACE}NodeShape") in said["type"]
        or not said.keys().isdisjoint(SHACL_TARGET_PROPERTIES)
    )


def build_node_shape(
    node: ox.NamedNode, subjects: dict[Any, dict[str, list[Any]]], tongue: str = ENGLISH
) -> NodeShape:
    """A shape of a graph, whose objects are given by subject and property; named in `tongue` where it can."""
    said = subjects[node]
    names = prefer_language(
        [*said.get(f"{SHACL_NAMESPACE}name", []), *said.get(f"{RDFS_TERMS_NAMESPACE}label", [])], tongue
    )
    targets = sorted(one.value for property_ in SHACL_TARGET_PROPERTIES for one in said.get(property_, []))
    name = shape_heading(first_literal_text(names, node.value.rpartition("#")[2]))
    return NodeShape(node.value, name, targets, collect_shape_messages(node, subjects))


def extract_subgraph(graph: Iterable[ox.Triple], start: ox.NamedNode, prefix: str) -> list[ox.Triple]:
    """What a graph says about a node, and about the blank nodes and IRIs of a prefix that it leads to."""
    said: dict[Any, list[ox.Triple]] = defaultdict(list)
    for triple in graph:
        said[triple.subject].append(triple)
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


def collect_shape_messages(
    start: ox.NamedNode, subjects: dict[Any, dict[str, list[Any]]]
) -> dict[str, list[str]]:
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
        found[speaker] += sorted(one.value for one in said.get(f"{SHACL_NAMESPACE}message", []))
        waiting += [
            (one, speaker)
            for property_, ends in said.items()
            if property_.startswith((SHACL_NAMESPACE, EXTERNAL_NAMESPACES["rdf"]))
            for one in ends
        ]
    own = found.pop(start.value)
    parts = sorted(found.items(), key=lambda item: item[1])
    return {iri: sentences for iri, sentences in [(start.value, own), *parts] if sentences}


def objects_by_subject(graph: Iterable[ox.Triple]) -> dict[Any, dict[str, list[Any]]]:
    """Objects by subject and property; the property `rdf:type` is called `type`."""
    found: dict[Any, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for triple in graph:
        property_ = (
            "type"
            if triple.predicate.value == f"{EXTERNAL_NAMESPACES['rdf']}type"
            else triple.predicate.value
        )
        found[triple.subject][property_].append(triple.object)
    return found


def first_literal_text(literals: list[Any], otherwise: str) -> str:
    """The first of the texts in the order of their letters, or what stands for none."""
    return min((one.value for one in literals), default=otherwise)


def prefer_language(literals: list[Any], tongue: str = ENGLISH) -> list[Any]:
    """The texts in a language where there are any, else the English ones, else all."""
    in_tongues = ([one for one in literals if one.language == liked] for liked in (tongue, ENGLISH))
    return next(filter(None, in_tongues), literals)


def labels_by_node(graph: Iterable[ox.Triple], tongue: str = ENGLISH) -> dict[str, ox.Literal]:
    """The rdfs:label of each node of a graph that has one, that in `tongue` or in English before others."""
    return {
        node.value: prefer_language(said[f"{RDFS_TERMS_NAMESPACE}label"], tongue)[0]
        for node, said in objects_by_subject(graph).items()
        if f"{RDFS_TERMS_NAMESPACE}label" in said
    }
