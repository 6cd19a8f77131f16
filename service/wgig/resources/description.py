"""What the graph knows about a thing: its statements, its parts, what points to it, the labels of it all."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import NamedTuple

import pyoxigraph as ox

from ..http.language import ANY_LANGUAGE, LanguagePreferences, StatementLike, keep_requested_languages
from ..i18n import gettext_noop
from ..rdf.namespaces import RDF_TYPE
from ..store.projections import cache_for_version
from ..store.store import Store
from ..store.view import ResultTerm, select_solutions
from .labels import best_label, find_labels

MAX_DESCRIBED_PARTS = 250
MAX_INCOMING_STATEMENTS = 500
MAX_INCOMING_PER_PROPERTY = 50  # of the statements of a property that point to a thing, where many do
INCOMING_CUT_MESSAGE = gettext_noop("Of %(total)s statements that point here, %(shown)s are shown.")
PARTS_CUT_MESSAGE = gettext_noop("Only the first %(number)s parts are shown.")


class Statement(NamedTuple):
    """One triple and the IRIs of the graphs it stands in (none: the unnamed graph)."""

    subject: ox.NamedNode
    predicate: ox.NamedNode
    object: ResultTerm
    graphs: tuple[str, ...]

    @property
    def triple(self) -> ox.Triple:
        """The statement without its graphs."""
        return ox.Triple(self.subject, self.predicate, self.object)


class CutNotice(NamedTuple):
    """That something was left out: a sentence, with names in the places of its numbers."""

    sentence: str
    numbers: Mapping[str, int]

    def __str__(self) -> str:
        """The sentence with its numbers, in English."""
        return self.sentence % self.numbers


@dataclass(frozen=True)
class ResourceDescription:
    """A thing as the graph knows it.

    `parts` holds the statements of nodes below the thing's IRI that are linked with it, by IRI; `incoming`
    those that point to it, counted by property in `incoming_counts`. `cut_notices` say what was left out.
    """

    iri: str
    statements: list[Statement]
    parts: dict[str, list[Statement]]
    incoming: list[Statement]
    incoming_counts: dict[str, int]
    cut_notices: list[CutNotice] = field(default_factory=list)
    labels: dict[str, ox.Literal] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Statement]:
        """Every statement: of the thing, of its parts, of what points to it."""
        yield from self.statements
        for part in self.parts.values():
            yield from part
        yield from self.incoming


def describe_resource(
    store: Store, iri: str, languages: LanguagePreferences = ANY_LANGUAGE
) -> ResourceDescription | None:
    """The description of a thing, or None when no statement is about it and none points to it.

    Labels are in the languages that a reader likes, where there are such, and texts as well where the address
    asks for that. Raises Problem 406 where none is in a language that was asked for.
    """
    own = statements_about(store, [iri])
    incoming, towards = find_incoming_statements(store, iri)
    if not own and not incoming:
        return None
    parts, parts_left_out = find_described_parts(store, iri, [*own, *incoming])
    cut = []
    if (total := sum(towards.values())) > len(incoming):
        cut.append(CutNotice(INCOMING_CUT_MESSAGE, {"total": total, "shown": len(incoming)}))
    if parts_left_out:
        cut.append(CutNotice(PARTS_CUT_MESSAGE, {"number": MAX_DESCRIBED_PARTS}))
    description = filter_description_languages(
        ResourceDescription(iri, own, parts, incoming, towards, cut), languages
    )
    description.labels.update(iter_node_labels({iri: own, **parts}, languages.ranges))
    others = iris_in_description(description) - {iri, *parts}
    description.labels.update(find_labels(store, others, languages.ranges))
    return description


def iter_node_labels(
    nodes: Mapping[str, Iterable[Statement]], ranges: Sequence[str]
) -> Iterator[tuple[str, ox.Literal]]:
    """The best label of each node that has one, by all that is said of it."""
    for iri, said in nodes.items():
        found = best_label(((one.predicate, one.object) for one in said), ranges)
        if found is not None:
            yield iri, found


def filter_description_languages(
    description: ResourceDescription, languages: LanguagePreferences
) -> ResourceDescription:
    """The description with its texts in the languages that the address asks for. Raises Problem 406."""
    if not languages.is_explicit:
        return description
    kept = set(keep_requested_languages(list(description), languages))
    return replace(
        description,
        statements=[one for one in description.statements if one in kept],
        parts={part: [one for one in said if one in kept] for part, said in description.parts.items()},
        incoming=[one for one in description.incoming if one in kept],
    )


def stated_types(statements: Iterable[StatementLike]) -> frozenset[str]:
    """What statements of a thing say that it is."""
    ends = (one.object for one in statements if one.predicate == RDF_TYPE)
    return frozenset(one.value for one in ends if isinstance(one, ox.NamedNode))


def iter_type_triples(store: Store, iris: Iterable[str]) -> Iterator[ox.Triple]:
    """What each of the IRIs is."""
    version = store.version
    return (triple for iri in iris for triple in type_triples_at_version(store, version, iri))


@cache_for_version(20_000)
def type_triples_at_version(store: Store, version: int, iri: str) -> tuple[ox.Triple, ...]:
    """What an IRI is in a version of the store."""
    del version  # which makes the cache forget
    return tuple(quad.triple for quad in store.match(ox.NamedNode(iri), RDF_TYPE))


def is_known_iri(store: Store, iri: str) -> bool:
    """Whether any statement is about the IRI or points to it."""
    node = ox.NamedNode(iri)
    return any(True for _ in chain(store.match(node), store.match(object_=node)))


def statements_about(store: Store, iris: Iterable[str]) -> list[Statement]:
    """All statements with one of the IRIs as subject."""
    return statements_from_quads(quad for iri in iris for quad in store.match(ox.NamedNode(iri)))


def find_incoming_statements(store: Store, iri: str) -> tuple[list[Statement], dict[str, int]]:
    """The statements whose object is the IRI, and how many there are by property.

    Where they are more than INCOMING, there are up to EACH of a property, and those of blank nodes are
    counted as well: to look at each takes ten times as long.
    """
    node = ox.NamedNode(iri)
    found = list(islice(filter(has_named_subject, store.match(object_=node)), MAX_INCOMING_STATEMENTS + 1))
    if len(found) <= MAX_INCOMING_STATEMENTS:
        whole = statements_from_quads(found)
        return whole, dict(Counter(one.predicate.value for one in whole))
    count = f"SELECT ?p (COUNT(*) AS ?n) {{ ?s ?p {node} }} GROUP BY ?p"
    towards = {row["p"].value: int(row["n"].value) for row in select_solutions(store, count)}
    some = (
        islice(
            filter(has_named_subject, store.match(None, ox.NamedNode(one), node)), MAX_INCOMING_PER_PROPERTY
        )
        for one in towards
    )
    return statements_from_quads(chain.from_iterable(some)), towards


def has_named_subject(quad: ox.Quad) -> bool:
    """Whether a quad is about something with an IRI."""
    return isinstance(quad.subject, ox.NamedNode)


def find_described_parts(
    store: Store, iri: str, linked: list[Statement]
) -> tuple[dict[str, list[Statement]], bool]:
    """The nodes below the IRI that are `linked` with it or, in turn, by those; and whether some are missing.

    At most PARTS nodes are taken.
    """
    parts: dict[str, list[Statement]] = {}
    ends = [end for statement in linked for end in (statement.subject, statement.object)]
    while new := iris_below(iri, ends) - parts.keys():
        room = MAX_DESCRIBED_PARTS - len(parts)
        chosen = sorted(new)[:room]
        parts |= {part: [] for part in chosen}
        found = statements_about(store, chosen)
        for statement in found:
            parts[statement.subject.value].append(statement)
        if len(new) > room:
            return parts, True
        ends = [statement.object for statement in found]
    return parts, False


def iris_below(iri: str, terms: Iterable[ResultTerm]) -> set[str]:
    """Which of the terms are IRIs below `iri`."""
    return {
        term.value for term in terms if isinstance(term, ox.NamedNode) and term.value.startswith(f"{iri}/")
    }


def statements_from_quads(found: Iterable[ox.Quad]) -> list[Statement]:
    """Statements from quads about nodes with IRIs, each triple once, in a stable order."""
    graphs: dict[ox.Triple, set[str]] = {}
    for quad in found:
        where = graphs.setdefault(quad.triple, set())
        if not isinstance(quad.graph_name, ox.DefaultGraph):
            where.add(quad.graph_name.value)
    return [build_statement(one, graphs[one]) for one in sorted(graphs, key=str)]


def build_statement(triple: ox.Triple, graphs: set[str]) -> Statement:
    """A triple about a node with an IRI, and the graphs it stands in."""
    assert isinstance(triple.subject, ox.NamedNode)
    return Statement(triple.subject, triple.predicate, triple.object, tuple(sorted(graphs)))


def iris_in_description(description: ResourceDescription) -> set[str]:
    """Every IRI that the description shows: nodes, properties, graphs and datatypes."""
    iris = {description.iri}
    for statement in description:
        iris |= {statement.subject.value, statement.predicate.value, *statement.graphs}
        if isinstance(statement.object, ox.NamedNode):
            iris.add(statement.object.value)
    return iris


def graphs_by_use(description: ResourceDescription) -> list[str]:
    """The graphs in which the thing's own statements stand, the one that holds most of them first."""
    uses = Counter(graph for statement in description.statements for graph in statement.graphs)
    return [graph for graph, _ in uses.most_common()]
