"""What the graph knows about a thing: its statements, its parts, what points to it, the labels of it all."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import NamedTuple

import pyoxigraph as ox

from ..http.language import ANY, Languages, Said, as_asked
from ..i18n import marked
from ..rdf.namespaces import OUTSIDE
from ..store.projections import for_version
from ..store.store import Store
from ..store.view import Term, rows
from .labels import best, labels

TYPE = ox.NamedNode(f"{OUTSIDE['rdf']}type")
PARTS = 250
INCOMING = 500
EACH = 50  # of the statements of a property that point to a thing, where many do
POINTING_CUT = marked("Of %(total)s statements that point here, %(shown)s are shown.")
PARTS_CUT = marked("Only the first %(number)s parts are shown.")


class Statement(NamedTuple):
    """One triple and the IRIs of the graphs it stands in (none: the unnamed graph)."""

    subject: ox.NamedNode
    predicate: ox.NamedNode
    object: Term
    graphs: tuple[str, ...]

    @property
    def triple(self) -> ox.Triple:
        """The statement without its graphs."""
        return ox.Triple(self.subject, self.predicate, self.object)


class Cut(NamedTuple):
    """That something was left out: a sentence, with names in the places of its numbers."""

    sentence: str
    numbers: Mapping[str, int]

    def __str__(self) -> str:
        """The sentence with its numbers, in English."""
        return self.sentence % self.numbers


@dataclass(frozen=True)
class Description:
    """A thing as the graph knows it.

    `parts` holds the statements of nodes below the thing's IRI that are linked with it, by IRI; `incoming`
    those that point to it, of which there are as many as `towards` counts by property. Where `cut` is not
    empty, its sentences say what was left out.
    """

    iri: str
    statements: list[Statement]
    parts: dict[str, list[Statement]]
    incoming: list[Statement]
    towards: dict[str, int]
    cut: list[Cut] = field(default_factory=list)
    labels: dict[str, ox.Literal] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Statement]:
        """Every statement: of the thing, of its parts, of what points to it."""
        yield from self.statements
        for part in self.parts.values():
            yield from part
        yield from self.incoming


def describe(store: Store, iri: str, languages: Languages = ANY) -> Description | None:
    """The description of a thing, or None when no statement is about it and none points to it.

    Labels are in the languages that a reader likes, where there are such, and texts as well where the address
    asks for that. Raises Problem 406 where none is in a language that was asked for.
    """
    own = about(store, [iri])
    incoming, towards = pointing(store, iri)
    if not own and not incoming:
        return None
    parts, parts_left_out = below(store, iri, [*own, *incoming])
    cut = []
    if (total := sum(towards.values())) > len(incoming):
        cut.append(Cut(POINTING_CUT, {"total": total, "shown": len(incoming)}))
    if parts_left_out:
        cut.append(Cut(PARTS_CUT, {"number": PARTS}))
    description = in_languages(Description(iri, own, parts, incoming, towards, cut), languages)
    description.labels.update(called({iri: own, **parts}, languages.ranges))
    others = named(description) - {iri, *parts}
    description.labels.update(labels(store, others, languages.ranges))
    return description


def called(
    nodes: Mapping[str, Iterable[Statement]], ranges: Sequence[str]
) -> Iterator[tuple[str, ox.Literal]]:
    """The best label of each node that has one, by all that is said of it."""
    for iri, said in nodes.items():
        found = best(((one.predicate, one.object) for one in said), ranges)
        if found is not None:
            yield iri, found


def in_languages(description: Description, languages: Languages) -> Description:
    """The description with its texts in the languages that the address asks for. Raises Problem 406."""
    if not languages.only:
        return description
    kept = set(as_asked(list(description), languages))
    return replace(
        description,
        statements=[one for one in description.statements if one in kept],
        parts={part: [one for one in said if one in kept] for part, said in description.parts.items()},
        incoming=[one for one in description.incoming if one in kept],
    )


def types_of(statements: Iterable[Said]) -> frozenset[str]:
    """What statements of a thing say that it is."""
    ends = (one.object for one in statements if one.predicate == TYPE)
    return frozenset(one.value for one in ends if isinstance(one, ox.NamedNode))


def types(store: Store, iris: Iterable[str]) -> Iterator[ox.Triple]:
    """What each of the IRIs is."""
    version = store.version
    return (triple for iri in iris for triple in types_in(store, version, iri))


@for_version(20_000)
def types_in(store: Store, version: int, iri: str) -> tuple[ox.Triple, ...]:
    """What an IRI is in a version of the store."""
    del version  # which makes the cache forget
    return tuple(quad.triple for quad in store.match(ox.NamedNode(iri), TYPE))


def known(store: Store, iri: str) -> bool:
    """Whether any statement is about the IRI or points to it."""
    node = ox.NamedNode(iri)
    return any(True for _ in chain(store.match(node), store.match(object_=node)))


def about(store: Store, iris: Iterable[str]) -> list[Statement]:
    """All statements with one of the IRIs as subject."""
    return statements(quad for iri in iris for quad in store.match(ox.NamedNode(iri)))


def pointing(store: Store, iri: str) -> tuple[list[Statement], dict[str, int]]:
    """The statements whose object is the IRI, and how many there are by property.

    Where they are more than INCOMING, there are up to EACH of a property, and those of blank nodes are
    counted as well: to look at each takes ten times as long.
    """
    node = ox.NamedNode(iri)
    found = list(islice(filter(is_named, store.match(object_=node)), INCOMING + 1))
    if len(found) <= INCOMING:
        whole = statements(found)
        return whole, dict(Counter(one.predicate.value for one in whole))
    count = f"SELECT ?p (COUNT(*) AS ?n) {{ ?s ?p {node} }} GROUP BY ?p"
    towards = {row["p"].value: int(row["n"].value) for row in rows(store, count)}
    some = (islice(filter(is_named, store.match(None, ox.NamedNode(one), node)), EACH) for one in towards)
    return statements(chain.from_iterable(some)), towards


def is_named(quad: ox.Quad) -> bool:
    """Whether a quad is about something with an IRI."""
    return isinstance(quad.subject, ox.NamedNode)


def below(store: Store, iri: str, linked: list[Statement]) -> tuple[dict[str, list[Statement]], bool]:
    """The nodes below the IRI that are `linked` with it or, in turn, by those; and whether some are missing.

    At most PARTS nodes are taken.
    """
    parts: dict[str, list[Statement]] = {}
    ends = [end for statement in linked for end in (statement.subject, statement.object)]
    while new := under(iri, ends) - parts.keys():
        room = PARTS - len(parts)
        chosen = sorted(new)[:room]
        parts |= {part: [] for part in chosen}
        found = about(store, chosen)
        for statement in found:
            parts[statement.subject.value].append(statement)
        if len(new) > room:
            return parts, True
        ends = [statement.object for statement in found]
    return parts, False


def under(iri: str, terms: Iterable[Term]) -> set[str]:
    """Which of the terms are IRIs below `iri`."""
    return {
        term.value for term in terms if isinstance(term, ox.NamedNode) and term.value.startswith(f"{iri}/")
    }


def statements(found: Iterable[ox.Quad]) -> list[Statement]:
    """Statements from quads about nodes with IRIs, each triple once, in a stable order."""
    graphs: dict[ox.Triple, set[str]] = {}
    for quad in found:
        where = graphs.setdefault(quad.triple, set())
        if not isinstance(quad.graph_name, ox.DefaultGraph):
            where.add(quad.graph_name.value)
    return [statement(one, graphs[one]) for one in sorted(graphs, key=str)]


def statement(triple: ox.Triple, graphs: set[str]) -> Statement:
    """A triple about a node with an IRI, and the graphs it stands in."""
    assert isinstance(triple.subject, ox.NamedNode)
    return Statement(triple.subject, triple.predicate, triple.object, tuple(sorted(graphs)))


def named(description: Description) -> set[str]:
    """Every IRI that the description shows: nodes, properties, graphs and datatypes."""
    iris = {description.iri}
    for statement in description:
        iris |= {statement.subject.value, statement.predicate.value, *statement.graphs}
        if isinstance(statement.object, ox.NamedNode):
            iris.add(statement.object.value)
    return iris


def graphs_by_use(description: Description) -> list[str]:
    """The graphs in which the thing's own statements stand, the one that holds most of them first."""
    uses = Counter(graph for statement in description.statements for graph in statement.graphs)
    return [graph for graph, _ in uses.most_common()]
