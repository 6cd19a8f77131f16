"""Our terms and shapes, as they stand in their graphs: for their pages, and as the context of JSON-LD."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyoxigraph as ox

from ..i18n import ENGLISH, marked
from ..text import natural
from .namespaces import OUTSIDE

OWL, RDFS = OUTSIDE["owl"], OUTSIDE["rdfs"]
SHACL, SKOS = OUTSIDE["sh"], OUTSIDE["skos"]
KINDS = {
    f"{OWL}Class": marked("Classes"),
    f"{OWL}ObjectProperty": marked("Properties that lead to things"),
    f"{OWL}DatatypeProperty": marked("Properties that hold values"),
}
# What a term's entry says about it beside label and definition.
TIES = {
    f"{RDFS}subClassOf": marked("A kind of"),
    f"{RDFS}subPropertyOf": marked("A kind of"),
    f"{RDFS}domain": marked("Of"),
    f"{RDFS}range": marked("Values"),
    f"{OWL}inverseOf": marked("Inverse of"),
}
ARTICLE = re.compile(r"^(a|an|the) ", re.IGNORECASE)
TARGETS = (f"{SHACL}targetClass", f"{SHACL}targetNode", f"{SHACL}targetSubjectsOf", f"{SHACL}targetObjectsOf")


@dataclass(frozen=True)
class Term:
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
class Shape:
    """A node shape: what it looks at, and what it says when something is wrong.

    `messages` holds the sentences by the IRI of the shape that says them: this one or one that it is made of.
    """

    iri: str
    name: str
    targets: list[str]
    messages: dict[str, list[str]]


def terms(graph: Iterable[ox.Triple], tongue: str = ENGLISH) -> list[Term]:
    """The terms of an ontology, by their labels in a language."""
    found = []
    for subject, said in by_subject(graph).items():
        kind = next((one.value for one in said["type"] if one.value in KINDS), None)
        if kind and isinstance(subject, ox.NamedNode):
            found.append(term(subject.value, kind, said, tongue))
    return sorted(found, key=lambda one: one.label.value.casefold())


def by_kind(graph: Iterable[ox.Triple], tongue: str = ENGLISH) -> dict[str, list[Term]]:
    """The terms of an ontology, called so in a language, under the titles of their kinds."""
    found = terms(graph, tongue)
    return {title: [one for one in found if one.kind == kind] for kind, title in KINDS.items()}


def term(iri: str, kind: str, said: dict[str, list[Any]], tongue: str) -> Term:
    """A term from what is said about it, by property; its label is in `tongue` where it can be."""
    ties: dict[str, list[str]] = defaultdict(list)
    for property_, words in TIES.items():
        ties[words] += [one.value for one in said[property_] if isinstance(one, ox.NamedNode)]
    return Term(
        iri,
        kind,
        label=next(iter(spoken(said[f"{RDFS}label"], tongue)), ox.Literal(iri.rpartition("#")[2])),
        definition=first(said[f"{SKOS}definition"], ""),
        ranges=sorted(one.value for one in said[f"{RDFS}range"]),
        ties={words: sorted(iris) for words, iris in ties.items() if iris},
    )


def shapes(graph: Iterable[ox.Triple]) -> list[Shape]:
    """The node shapes that are no rules of a profile, by name, with all their messages.

    Those without a target are used by others.
    """
    subjects = by_subject(graph)
    found = [
        shape(subject, subjects)
        for subject, said in subjects.items()
        if isinstance(subject, ox.NamedNode) and is_node_shape(said)
    ]
    return sorted(found, key=lambda one: natural(one.name))


def is_node_shape(said: dict[str, list[Any]]) -> bool:
    """Whether what is said of a subject makes it a node shape that is no rule of a profile."""
    is_rule = f"{OUTSIDE['dcterms']}isPartOf" in said
    return not is_rule and (
        ox.NamedNode(f"{SHACL}NodeShape") in said["type"] or not said.keys().isdisjoint(TARGETS)
    )


def shape(node: ox.NamedNode, subjects: dict[Any, dict[str, list[Any]]], tongue: str = ENGLISH) -> Shape:
    """A shape of a graph, whose objects are given by subject and property; named in `tongue` where it can."""
    said = subjects[node]
    names = spoken([*said.get(f"{SHACL}name", []), *said.get(f"{RDFS}label", [])], tongue)
    targets = sorted(one.value for property_ in TARGETS for one in said.get(property_, []))
    name = heading(first(names, node.value.rpartition("#")[2]))
    return Shape(node.value, name, targets, messages(node, subjects))


def part(graph: Iterable[ox.Triple], start: ox.NamedNode, prefix: str) -> list[ox.Triple]:
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


def heading(name: str) -> str:
    """The name of a shape as a heading: without an article, with a capital."""
    bare = ARTICLE.sub("", name)
    return bare[:1].upper() + bare[1:]


def messages(start: ox.NamedNode, subjects: dict[Any, dict[str, list[Any]]]) -> dict[str, list[str]]:
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
        found[speaker] += sorted(one.value for one in said.get(f"{SHACL}message", []))
        waiting += [
            (one, speaker)
            for property_, ends in said.items()
            if property_.startswith((SHACL, OUTSIDE["rdf"]))
            for one in ends
        ]
    own = found.pop(start.value)
    parts = sorted(found.items(), key=lambda item: item[1])
    return {iri: sentences for iri, sentences in [(start.value, own), *parts] if sentences}


def by_subject(graph: Iterable[ox.Triple]) -> dict[Any, dict[str, list[Any]]]:
    """Objects by subject and property; the property `rdf:type` is called `type`."""
    found: dict[Any, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for triple in graph:
        property_ = "type" if triple.predicate.value == f"{OUTSIDE['rdf']}type" else triple.predicate.value
        found[triple.subject][property_].append(triple.object)
    return found


def first(literals: list[Any], otherwise: str) -> str:
    """The first of the texts in the order of their letters, or what stands for none."""
    return min((one.value for one in literals), default=otherwise)


def spoken(literals: list[Any], tongue: str = ENGLISH) -> list[Any]:
    """The texts in a language where there are any, else the English ones, else all."""
    in_tongues = ([one for one in literals if one.language == liked] for liked in (tongue, ENGLISH))
    return next(filter(None, in_tongues), literals)


def names(graph: Iterable[ox.Triple], tongue: str = ENGLISH) -> dict[str, ox.Literal]:
    """The rdfs:label of each node of a graph that has one, that in `tongue` or in English before others."""
    return {
        node.value: spoken(said[f"{RDFS}label"], tongue)[0]
        for node, said in by_subject(graph).items()
        if f"{RDFS}label" in said
    }
