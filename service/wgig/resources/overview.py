"""The overview at the top of a resource page: the most important facts, and lists of records.

The facts are the values of property paths, which `overview_paths` has for each class of resource; the
template gist.html makes sentences of them. Records are resources with values of their own, such as the
judgments on an issue; the template records.html makes lists of them.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyoxigraph as ox

from ..rdf.namespaces import expand_curie
from ..store.store import Store
from ..text import natural_sort_key
from .overview_paths import OVERVIEW_PATHS_BY_CLASS, OverviewPaths, RecordPaths
from .property_path import NO_KNOWN_VALUES, KnownValues, follow_property_path

MAX_LISTED_TERMS = 12  # that a sentence of gist.html lists


class OverviewRecord(NamedTuple):
    """A record in an overview: its IRI, and lists of terms by name."""

    iri: str
    terms_by_name: Mapping[str, list[Any]]

    @property
    def iris(self) -> set[str]:
        """Its IRI and those among its terms."""
        return {self.iri, *iter_term_iris(self.terms_by_name)}


class RecordGroup(NamedTuple):
    """Records with a common value."""

    term: Any
    records: list[OverviewRecord]


@dataclass(frozen=True)
class ResourceOverview:
    """The values for the sentences about a resource: lists of terms by name, and lists of records by name.

    `kind` is the macro of gist.html that makes the sentences. `incomplete` has the names of the lists from
    which terms or records were left out. `shown_properties` are the IRIs of the properties of the resource
    whose values the page shows in full without its table of facts. `linked_iris` are those of resources to
    which the overview links, if no list of them is cut.
    """

    kind: str
    terms_by_name: Mapping[str, list[Any]]
    records_by_name: Mapping[str, list[OverviewRecord]]
    incomplete: frozenset[str]
    shown_properties: frozenset[str]
    linked_iris: frozenset[str]

    @property
    def iris(self) -> set[str]:
        """The IRIs of the records and among all terms."""
        records = [record for records in self.records_by_name.values() for record in records]
        return {*iter_term_iris(self.terms_by_name), *(iri for record in records for iri in record.iris)}


def iter_term_iris(terms_by_name: Mapping[str, list[Any]]) -> Iterator[str]:
    """The IRIs among the terms."""
    return (
        term.value for terms in terms_by_name.values() for term in terms if isinstance(term, ox.NamedNode)
    )


def group_records(records: Sequence[OverviewRecord], name: str) -> list[RecordGroup]:
    """The records by their values of this name, the largest group first."""
    groups: dict[Any, list[OverviewRecord]] = {}
    for record in records:
        for term in record.terms_by_name[name]:
            groups.setdefault(term, []).append(record)
    return sorted(
        (RecordGroup(term, group) for term, group in groups.items()),
        key=lambda group: (-len(group.records), group.term.value),
    )


def build_overviews(
    store: Store,
    iri: str,
    types: Collection[str],
    base: str,
    known_values: KnownValues = NO_KNOWN_VALUES,
) -> list[ResourceOverview]:
    """The overviews of a resource of these classes: one for each kind of OVERVIEW_PATHS_BY_CLASS."""
    paths_by_macro = {
        paths.macro: paths
        for name, paths in OVERVIEW_PATHS_BY_CLASS.items()
        if expand_curie(name, base).value in types
    }
    return [build_overview(store, iri, paths, base, known_values) for paths in paths_by_macro.values()]


def build_overview(
    store: Store,
    iri: str,
    paths: OverviewPaths,
    base: str,
    known_values: KnownValues = NO_KNOWN_VALUES,
) -> ResourceOverview:
    """The overview of a resource with the values at the end of these paths."""
    results = {
        name: follow_property_path(store, iri, path, base, known_values) for name, path in paths.paths.items()
    }
    record_lists = {
        name: build_records(store, iri, record_paths, base, known_values)
        for name, record_paths in paths.record_paths.items()
    }
    return ResourceOverview(
        paths.macro,
        {name: sort_terms(terms) for name, (terms, _) in results.items()},
        {name: records for name, (records, _) in record_lists.items()},
        frozenset(name for name, (_, is_complete) in (results | record_lists).items() if not is_complete),
        frozenset(
            expand_curie(curie, base).value
            for curie in (
                *paths.omitted_properties,
                *(
                    path.path
                    for name, path in paths.paths.items()
                    if path.is_property and len(results[name][0]) <= MAX_LISTED_TERMS
                ),
            )
        ),
        frozenset(
            iri
            for name, (terms, is_complete) in results.items()
            if is_complete and len(terms) <= MAX_LISTED_TERMS and paths.links_neighbors(name)
            for iri in iter_term_iris({name: terms})
        )
        | frozenset(
            record.iri
            for name, (records, is_complete) in record_lists.items()
            if is_complete and paths.links_neighbors(name)
            if len(records) <= MAX_LISTED_TERMS or not paths.record_paths[name].in_sentence
            for record in records
        ),
    )


def build_records(
    store: Store,
    iri: str,
    paths: RecordPaths,
    base: str,
    known_values: KnownValues = NO_KNOWN_VALUES,
) -> tuple[list[OverviewRecord], bool]:
    """The other resources at the end of a path from a resource, sorted, and whether none is left out."""
    nodes, is_complete = follow_property_path(store, iri, paths.path, base, known_values)
    iris = [node.value for node in nodes if isinstance(node, ox.NamedNode) and node.value != iri]
    records = [
        OverviewRecord(
            record_iri,
            {
                name: sort_terms(follow_property_path(store, record_iri, path, base, known_values)[0])
                for name, path in paths.value_paths.items()
            },
        )
        for record_iri in iris
    ]

    def sort_key(record: OverviewRecord) -> tuple[object, ...]:
        first_terms = record.terms_by_name.get(paths.sorted_by, [])[:1]
        return *(natural_sort_key(term.value) for term in first_terms), natural_sort_key(record.iri)

    return sorted(records, key=sort_key), is_complete


def sort_terms(terms: Sequence[Any]) -> list[Any]:
    """The terms in natural order of their text."""
    return sorted(terms, key=lambda term: natural_sort_key(term.value)) if len(terms) > 1 else [*terms]
