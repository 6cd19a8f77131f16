"""The ontology for readers: a picture of its classes, and for each term what it is used with, and where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyoxigraph as ox

from ..http.language import narrowed, ranges
from ..i18n import ENGLISH
from ..pages.rendering import href
from ..pages.svg import GAP, HIGH, WIDE, Box, Drawn, Picture
from ..rdf.namespaces import OUTSIDE, short
from ..rdf.vocabulary import SHACL, Term, by_subject, first
from ..rdf.vocabulary import terms as declared
from ..store.projections import for_version
from ..store.store import Store
from ..text import natural
from .labels import labels

VOID, OWL, SKOS = OUTSIDE["void"], OUTSIDE["owl"], OUTSIDE["skos"]
TYPE = ox.NamedNode(f"{OUTSIDE['rdf']}type")
CLASS = f"{OWL}Class"
COUNTED = {
    "class": (ox.NamedNode(f"{VOID}class"), ox.NamedNode(f"{VOID}entities")),
    "property": (ox.NamedNode(f"{VOID}property"), ox.NamedNode(f"{VOID}triples")),
}
NOTES = {f"{SKOS}changeNote", f"{SKOS}historyNote", f"{SKOS}editorialNote", f"{OWL}versionInfo"}
CANDIDATES = 100  # things among which an example is chosen
FACTS = 6  # statements of an example
RULES = 3  # shapes of a class, beyond which they are the rules of a profile
ROOM = 50  # between two columns of the picture


@dataclass(frozen=True)
class Use:
    """How a term is used: how often, as far as that is counted, an example, its properties, and its shapes.

    `facts` are some statements of the example. `shapes` are names; `rules` says how many there are where they
    are the rules of a profile. `notes` tell what became of the term.
    """

    count: int | None
    example: str
    facts: Sequence[tuple[str, Any]]
    properties: Sequence[Term]
    shapes: Sequence[str]
    rules: int
    notes: Sequence[str]


@dataclass(frozen=True)
class Vocabulary:
    """A picture of the classes, the same as lists, the links between them, and how each term is used.

    `below` has the classes by what they are a kind of, `links` properties with the classes at their ends,
    `named` what things are called.
    """

    picture: Picture
    below: Mapping[str, Sequence[Term]]
    links: Sequence[tuple[Term, str, str]]
    uses: Mapping[str, Use]
    named: Mapping[str, ox.Literal]
    version: str


@for_version(12)
def vocabulary(store: Store, version: int, base: str, tongue: str = ENGLISH) -> Vocabulary:
    """The ontology as a version of the store has it, in the language of now: `tongue`."""
    del version  # which makes the cache forget
    graph = list(store.triples(f"{base}graph/ontology"))
    said, terms = by_subject(graph), declared(graph, tongue)
    uses = {one.iri: use(store, one, terms, said, base) for one in terms}
    ends = {uses[one.iri].example for one in terms} | {
        iri
        for one in terms
        for property_, value in uses[one.iri].facts
        for iri in (property_, value.value if isinstance(value, ox.NamedNode) else "")
    }
    classes = [one for one in terms if one.kind == CLASS]
    ours = {one.iri for one in classes}
    links = [
        (one, of, to)
        for one in terms
        for of in one.ties.get("Of", ())
        for to in one.ties.get("Values", ())
        if of in ours and to in ours
    ]
    header = said.get(ox.NamedNode(f"{base}ontology"), {})
    return Vocabulary(
        tree(classes, base),
        grouped(classes, ours),
        links,
        uses,
        labels(store, ends - {""}, ranges()),
        first(header.get(f"{OWL}versionInfo", []), ""),
    )


def grouped(classes: Sequence[Term], ours: set[str]) -> dict[str, list[Term]]:
    """The classes by what they are a kind of, those below terms of other vocabularies first."""
    found: dict[str, list[Term]] = {}
    for one in classes:
        for above in one.ties.get("A kind of", ("",)):
            found.setdefault(above, []).append(one)
    return dict(sorted(found.items(), key=lambda item: (item[0] in ours, item[0])))


def tree(classes: Sequence[Term], base: str) -> Picture:
    """A picture of the classes, each right of what it is a kind of."""
    ours = {one.iri for one in classes}
    below = grouped(classes, ours)
    picture, top = Picture(), 1.0

    def branch(root: Drawn, kinds: Sequence[Term], x: float, top: float) -> tuple[Box, float]:
        """A box, and right of it from a height on what is below it, with the height after all."""
        found, end = [], top
        for one in kinds:
            label = (one.label.value, anchor(one, base), "ours")
            box, end = branch(label, below.get(one.iri, ()), x + WIDE + ROOM, end)
            found.append(box)
        end = max(end, top + HIGH + GAP)
        (here,) = picture.column(x, [root], (top + end - HIGH - GAP) / 2)
        for box in found:
            picture.join(here, box, f"{box.label} is a kind of {here.label}")
        return here, end

    for above, kinds in below.items():
        if above not in ours:
            _, top = branch((short(above, base), href(above, base), "outside"), kinds, 1, top)
    return picture


def anchor(term: Term, base: str) -> str:
    """The place of a term on its page."""
    return f"#{term.iri.removeprefix(f'{base}ontology#')}"


def use(
    store: Store, term: Term, terms: Sequence[Term], said: Mapping[Any, Mapping[str, Any]], base: str
) -> Use:
    """How a term is used."""
    is_class = term.kind == CLASS
    node = ox.NamedNode(term.iri)
    example = example_of(store, node) if is_class else ""
    shapes = shapes_for(store, node, f"{base}shapes#") if is_class else []
    notes = (one.value for property_, those in said[node].items() if property_ in NOTES for one in those)
    return Use(
        counted(store, node, "class" if is_class else "property"),
        example,
        facts_of(store, example),
        [one for one in terms if term.iri in one.ties.get("Of", ())] if is_class else [],
        shapes if len(shapes) <= RULES else [],
        len(shapes) if len(shapes) > RULES else 0,
        sorted(notes),
    )


def counted(store: Store, node: ox.NamedNode, what: str) -> int | None:
    """How many things are of a class, or statements of a property, as VoID has it; None where it does not."""
    partition, number = COUNTED[what]
    counts = [
        int(quad.object.value)
        for part in store.match(None, partition, node)
        if not isinstance(part.subject, ox.Triple)
        for quad in store.match(part.subject, number)
        if isinstance(quad.object, ox.Literal) and quad.object.value.isdecimal()
    ]
    return max(counts, default=None)


def example_of(store: Store, node: ox.NamedNode) -> str:
    """A thing of a class; empty where there is none."""
    found = (quad.subject for quad in store.match(None, TYPE, node))
    iris = {one.value for one in islice(found, CANDIDATES) if isinstance(one, ox.NamedNode)}
    return min(iris, key=lambda one: ("/example" in one, natural(one)), default="")


def facts_of(store: Store, iri: str) -> list[tuple[str, Any]]:
    """Some statements of a thing, one of a property, in order of the properties."""
    if not iri:
        return []
    one_each: dict[str, Any] = {}
    for quad in sorted(narrowed(list(store.match(ox.NamedNode(iri))), ranges()), key=str):
        one_each.setdefault(quad.predicate.value, quad.object)
    named = sorted(one_each, key=lambda one: (one != TYPE.value, OUTSIDE["rdfs"] not in one, one))
    return [(one, one_each[one]) for one in named[:FACTS]]


def shapes_for(store: Store, node: ox.NamedNode, prefix: str) -> list[str]:
    """The names of the shapes that look at the things of a class."""
    found = store.match(None, ox.NamedNode(f"{SHACL}targetClass"), node)
    iris = {one.subject.value for one in found if isinstance(one.subject, ox.NamedNode)}
    return sorted(one.removeprefix(prefix) for one in iris if one.startswith(prefix))
