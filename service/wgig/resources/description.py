"""The description of a resource: statements about it and its parts, statements that point to it, labels."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import NamedTuple

import pyoxigraph as ox

from ..http.language import ANY_LANGUAGE, LanguagePreferences, StatementLike, keep_requested_languages
from ..i18n import gettext_noop
from ..rdf.namespaces import RDF_TYPE
from ..sparql.workers.description import MAX_DESCRIBED_PARTS, MAX_INCOMING_STATEMENTS
from ..store.labels import best_label, find_labels
from ..store.store import Store
from ..store.view import ResultTerm, select_solutions
from .property_path import NO_KNOWN_VALUES, TYPE_STEP, KnownValues, follow_step

MAX_INCOMING_PER_PROPERTY = 50  # if there are more than MAX_INCOMING_STATEMENTS
INCOMING_CUT_MESSAGE = gettext_noop("This page shows %(shown)s of %(total)s statements that link to it.")
PARTS_CUT_MESSAGE = gettext_noop("Only the first %(number)s parts are shown.")


class Statement(NamedTuple):
    """A triple and its terms, and the IRIs of the named graphs that contain it.

    There are no graphs if only the default graph contains the triple.
    """

    subject: ox.NamedNode
    predicate: ox.NamedNode
    object: ResultTerm
    graphs: tuple[str, ...]
    triple: ox.Triple


class CutNotice(NamedTuple):
    """A notice that a description is incomplete: a sentence with %(name)s placeholders, and their values."""

    sentence: str
    numbers: Mapping[str, int]

    def __str__(self) -> str:
        """The sentence with its numbers, in English."""
        return self.sentence % self.numbers


@dataclass(frozen=True)
class ResourceDescription:
    """The description of a resource.

    `parts` has the statements about linked nodes whose IRIs are below the IRI of the resource, such as
    `…/paper/x/mechanism-1` below `…/paper/x`, by IRI. `incoming` are statements that point to the resource;
    `incoming_counts` has their full number by property. `cut_notices` say what was left out. `labels` are by
    IRI. `known_values` are those of the resource and its parts, in all languages.
    """

    iri: str
    statements: list[Statement]
    parts: dict[str, list[Statement]]
    incoming: list[Statement]
    incoming_counts: dict[str, int]
    cut_notices: list[CutNotice] = field(default_factory=list)
    labels: dict[str, ox.Literal] = field(default_factory=dict)
    known_values: KnownValues = field(default_factory=dict)

    def __iter__(self) -> Iterator[Statement]:
        """All statements: of the resource, of its parts, and incoming ones."""
        yield from self.statements
        for part in self.parts.values():
            yield from part
        yield from self.incoming


def describe_resource(
    store: Store, iri: str, languages: LanguagePreferences = ANY_LANGUAGE
) -> ResourceDescription | None:
    """The description of a resource, or None if no statement is about it and none points to it.

    Labels are in the preferred languages if there are such labels. If `?lang=` requests languages, texts in
    all others are left out; raises Problem 406 if no text is in one of them.
    """
    statements = statements_about(store, [iri])
    incoming, incoming_counts = find_incoming_statements(store, iri)
    if not statements and not incoming:
        return None
    parts, are_parts_cut = find_described_parts(store, iri, [*statements, *incoming])
    cut_notices = []
    if (total := sum(incoming_counts.values())) > len(incoming):
        cut_notices.append(CutNotice(INCOMING_CUT_MESSAGE, {"total": total, "shown": len(incoming)}))
    if are_parts_cut:
        cut_notices.append(CutNotice(PARTS_CUT_MESSAGE, {"number": MAX_DESCRIBED_PARTS}))
    nodes = {iri: statements, **parts}
    description = filter_description_languages(
        ResourceDescription(
            iri,
            statements,
            parts,
            incoming,
            incoming_counts,
            cut_notices,
            known_values={node: group_values(node_statements) for node, node_statements in nodes.items()},
        ),
        languages,
    )
    description.labels.update(iter_node_labels(nodes, languages.ranges))
    other_iris = iris_in_description(description) - {iri, *parts}
    description.labels.update(find_labels(store, other_iris, languages.ranges))
    return description


def group_values(statements: Iterable[Statement]) -> dict[ox.NamedNode, list[ResultTerm]]:
    """The objects of statements, by property."""
    values: dict[ox.NamedNode, list[ResultTerm]] = {}
    for statement in statements:
        values.setdefault(statement.predicate, []).append(statement.object)
    return values


def iter_node_labels(
    nodes: Mapping[str, Iterable[Statement]], language_ranges: Sequence[str]
) -> Iterator[tuple[str, ox.Literal]]:
    """The best label of each node that has one, from the statements about it."""
    for iri, statements in nodes.items():
        pairs = ((statement.predicate, statement.object) for statement in statements)
        label = best_label(pairs, language_ranges)
        if label is not None:
            yield iri, label


def filter_description_languages(
    description: ResourceDescription, languages: LanguagePreferences
) -> ResourceDescription:
    """The description with texts in the languages of `?lang=` only. Raises Problem 406 if there are none."""
    if not languages.is_explicit:
        return description
    selected = set(keep_requested_languages(list(description), languages))
    return replace(
        description,
        statements=[statement for statement in description.statements if statement in selected],
        parts={
            part: [statement for statement in statements if statement in selected]
            for part, statements in description.parts.items()
        },
        incoming=[statement for statement in description.incoming if statement in selected],
    )


def stated_types(statements: Iterable[StatementLike]) -> frozenset[str]:
    """The IRIs of the classes in the rdf:type statements among these."""
    types = (statement.object for statement in statements if statement.predicate == RDF_TYPE)
    return frozenset(type_.value for type_ in types if isinstance(type_, ox.NamedNode))


def iter_type_triples(
    store: Store, iris: Iterable[str], known_values: KnownValues = NO_KNOWN_VALUES
) -> Iterator[ox.Triple]:
    """The rdf:type triples of each of the IRIs; one that is in several graphs may be repeated."""
    nodes = map(ox.NamedNode, iris)
    return (
        ox.Triple(node, RDF_TYPE, type_)
        for node in nodes
        for type_ in follow_step(store, node, TYPE_STEP, known_values)
    )


def is_known_iri(store: Store, iri: str) -> bool:
    """Whether any statement is about the IRI or points to it."""
    node = ox.NamedNode(iri)
    return any(True for _ in chain(store.match(node), store.match(object_=node)))


def statements_about(store: Store, iris: Iterable[str]) -> list[Statement]:
    """All statements with one of the IRIs as subject."""
    return statements_from_quads(quad for iri in iris for quad in store.match(ox.NamedNode(iri)))


def find_incoming_statements(store: Store, iri: str) -> tuple[list[Statement], dict[str, int]]:
    """The statements with the IRI as object and an IRI as subject, and the number of them by property.

    If there are more than MAX_INCOMING_STATEMENTS, only MAX_INCOMING_PER_PROPERTY of each property are
    returned, and the numbers include statements whose subjects are blank nodes: to filter these out takes ten
    times as long.
    """
    node = ox.NamedNode(iri)
    quads = list(islice(filter(has_named_subject, store.match(object_=node)), MAX_INCOMING_STATEMENTS + 1))
    if len(quads) <= MAX_INCOMING_STATEMENTS:
        statements = statements_from_quads(quads)
        return statements, dict(Counter(statement.predicate.value for statement in statements))
    query = f"SELECT ?p (COUNT(*) AS ?n) {{ ?s ?p {node} }} GROUP BY ?p"
    counts = {row["p"].value: int(row["n"].value) for row in select_solutions(store, query)}
    first_quads = (
        islice(
            filter(has_named_subject, store.match(None, ox.NamedNode(property_), node)),
            MAX_INCOMING_PER_PROPERTY,
        )
        for property_ in counts
    )
    return statements_from_quads(chain.from_iterable(first_quads)), counts


def has_named_subject(quad: ox.Quad) -> bool:
    """Whether the subject of a quad is an IRI."""
    return isinstance(quad.subject, ox.NamedNode)


def find_described_parts(
    store: Store, iri: str, linked_statements: list[Statement]
) -> tuple[dict[str, list[Statement]], bool]:
    """The statements about parts: nodes below the IRI that are reachable from `linked_statements`, by IRI.

    `linked_statements` are those about the resource and the incoming ones. At most MAX_DESCRIBED_PARTS parts
    are described; the second value is True if some are left out.
    """
    parts: dict[str, list[Statement]] = {}
    terms: Iterable[ResultTerm] = chain.from_iterable(
        (statement.subject, statement.object) for statement in linked_statements
    )
    while new_parts := iris_below(iri, terms) - parts.keys():
        max_new_parts = MAX_DESCRIBED_PARTS - len(parts)
        described = sorted(new_parts)[:max_new_parts]
        parts |= {part: [] for part in described}
        statements = statements_about(store, described)
        for statement in statements:
            parts[statement.subject.value].append(statement)
        if len(new_parts) > max_new_parts:
            return parts, True
        terms = [statement.object for statement in statements]
    return parts, False


def iris_below(iri: str, terms: Iterable[ResultTerm]) -> set[str]:
    """The terms that are IRIs below `iri` (without a slash at its end)."""
    prefix = f"{iri}/"
    iris = {term.value for term in terms if isinstance(term, ox.NamedNode)}
    return {part for part in iris if part.startswith(prefix)}


def statements_from_quads(quads: Iterable[ox.Quad]) -> list[Statement]:
    """Statements from quads whose subjects are IRIs, each triple once, sorted."""
    statements: dict[str, Statement] = {}  # by the text of the triple, which takes less time to hash
    for quad in quads:
        subject, predicate, object_, graph = quad
        triple = quad.triple
        text, graphs = str(triple), () if isinstance(graph, ox.DefaultGraph) else (graph.value,)
        if known := statements.get(text):
            graphs = tuple(sorted({*known.graphs, *graphs}))
        statements[text] = Statement(subject, predicate, object_, graphs, triple)
    return [statements[text] for text in sorted(statements)]


def iris_in_description(description: ResourceDescription) -> set[str]:
    """All IRIs in the description: nodes, properties, classes and graphs."""
    iris = {description.iri}
    for subject, predicate, object_, graphs, _ in description:
        iris.update((subject.value, predicate.value, *graphs))
        if isinstance(object_, ox.NamedNode):
            iris.add(object_.value)
    return iris


def graphs_by_use(description: ResourceDescription) -> list[str]:
    """The graphs of the statements about the resource, the graph with the most statements first."""
    counts = Counter(graph for statement in description.statements for graph in statement.graphs)
    return [graph for graph, _ in counts.most_common()]
