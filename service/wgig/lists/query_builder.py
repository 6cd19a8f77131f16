"""SPARQL queries made of choices: a class, columns, filters, an order and a limit, for people without SPARQL.

The classes and their properties come from the VoID statistics, so that only what the data has can be chosen.
A result has one row for each thing: the values of a column that may have several are joined by GROUP_CONCAT,
which pages show as a list. What a client sends is the name of something known, or becomes a term that the
engine serializes; nothing else of it gets into the query.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyoxigraph as ox
from wgig_client.namespaces import EXTERNAL_NAMESPACES, XSD_NAMESPACE

from ..i18n import gettext_noop
from ..rdf.namespaces import RDF_NAMESPACE, shorten_iri, split_namespace
from .fields import NAME_PATH
from .query import add_query_prefixes

MAX_BUILDER_COLUMNS, MAX_BUILDER_FILTERS = 8, 8
MAX_BUILDER_VALUE_CHARACTERS = 300
LANG_STRING_IRI = f"{RDF_NAMESPACE}langString"
NUMBER_TYPES = {f"{XSD_NAMESPACE}{name}" for name in ("integer", "decimal", "double", "float")}
DATE_TYPES = {f"{XSD_NAMESPACE}{name}" for name in ("date", "dateTime", "gYear", "gYearMonth")}
# Vocabularies of the service about itself; things of their classes are not what people look for.
TECHNICAL_PREFIXES = (
    "altr",
    "dcat",
    "earl",
    "owl",
    "prof",
    "prov",
    "rdf",
    "rdfs",
    "sd",
    "sh",
    "skosxl",
    "spdx",
    "void",
)
# Properties of other vocabularies that are offered first, beside those of the ontology.
COMMON_PROPERTIES = frozenset(
    (
        *("dcterms:date", "dcterms:description", "dcterms:issued", "dcterms:source", "dcterms:title"),
        *("foaf:name", "org:member", "org:memberOf", "org:organization", "org:role"),
        *("rdfs:label", "schema:endDate", "schema:inLanguage", "schema:startDate"),
        *("skos:broader", "skos:definition", "skos:note", "skos:prefLabel"),
    )
)
RESOURCE_VALUES, TEXT_VALUES, NUMBER_VALUES, DATE_VALUES = "resource", "text", "number", "date"
SORT_NAME = "sort_name"  # the variable with the name that rows are sorted by
MATCH_NEW = "new"  # of a filter that was just added: it has no effect yet
MATCH_ANY, MATCH_NONE = "any", "none"
# The matches that a filter can have, each with its name.
MATCH_NAMES = {
    "is": gettext_noop("is"),
    "contains": gettext_noop("contains"),
    "from": gettext_noop("is at least"),
    "to": gettext_noop("is at most"),
    MATCH_ANY: gettext_noop("has a value"),
    MATCH_NONE: gettext_noop("has no value"),
}
# By kind of values.
FILTER_MATCHES = {
    RESOURCE_VALUES: ("is", "contains", MATCH_ANY, MATCH_NONE),
    TEXT_VALUES: ("contains", "is", MATCH_ANY, MATCH_NONE),
    NUMBER_VALUES: ("is", "from", "to", MATCH_ANY, MATCH_NONE),
    DATE_VALUES: ("is", "from", "to", MATCH_ANY, MATCH_NONE),
}
NUMBER_PATTERN = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,9})?")
DATE_PREFIX_PATTERN = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?")
NAME_SEPARATOR_PATTERN = re.compile(r"\W+", re.ASCII)


class BuilderClass(NamedTuple):
    """A class with the number of its instances."""

    iri: str
    instances: int


class BuilderProperty(NamedTuple):
    """A property of a class: its IRI, its number of values, whether a thing has at most one, their kind.

    `values` is RESOURCE_VALUES, TEXT_VALUES, NUMBER_VALUES or DATE_VALUES; `has_languages` is whether texts
    have a language.
    """

    iri: str
    uses: int
    is_single: bool
    values: str
    has_languages: bool


class BuilderFilter(NamedTuple):
    """A filter: its property, a key of MATCH_NAMES or MATCH_NEW, the value as text, and an error or empty."""

    property: BuilderProperty
    match: str
    value: str
    error: str = ""


@dataclass(frozen=True)
class BuilderRequest:
    """What was chosen: class, columns, filters, column to sort by (None: the name), order and limit."""

    class_: BuilderClass
    columns: Sequence[BuilderProperty]
    filters: Sequence[BuilderFilter]
    sort: BuilderProperty | None
    is_descending: bool
    limit: int

    @property
    def has_errors(self) -> bool:
        """Whether a filter has an invalid value."""
        return any(filter_.error for filter_ in self.filters)


def build_classes_query(base: str) -> str:
    """The query for the classes in the VoID statistics: ?class, ?instances."""
    return add_query_prefixes(
        f"SELECT ?class (MAX(?entities) AS ?instances) WHERE {{ GRAPH <{base}graph/void> "
        "{ ?partition void:class ?class ; void:entities ?entities } FILTER (isIRI(?class)) } GROUP BY ?class",
        base,
    )


def build_properties_query(class_iri: str, base: str) -> str:
    """The query for the properties of a class: ?property, ?count, ?class of values, ?datatype of values."""
    return add_query_prefixes(
        f"SELECT ?property ?count ?class ?datatype WHERE {{ GRAPH <{base}graph/void> {{ "
        f"?partition void:class {ox.NamedNode(class_iri)} ; void:entities ?entities ; "
        "void:propertyPartition ?part . ?part void:property ?property ; void:triples ?count . "
        "OPTIONAL { ?part void:classPartition/void:class ?class } "
        "OPTIONAL { ?part void-ext:datatypePartition/void-ext:datatype ?datatype } } }",
        base,
    )


def list_builder_classes(rows: Sequence[Sequence[Any]]) -> list[BuilderClass]:
    """The classes that people may look for, from the result rows of `build_classes_query`."""
    technical = tuple(EXTERNAL_NAMESPACES[prefix] for prefix in TECHNICAL_PREFIXES)
    return [
        BuilderClass(class_.value, int(instances.value))
        for class_, instances in rows
        if not class_.value.startswith(technical)
    ]


def list_builder_properties(rows: Sequence[Sequence[Any]], class_: BuilderClass) -> list[BuilderProperty]:
    """The properties of a class by number of values, from the result rows of `build_properties_query`."""
    counts: dict[str, int] = {}
    datatypes: dict[str, set[str]] = {}
    for property_, count, _, datatype in rows:
        counts[property_.value] = int(count.value)
        if isinstance(datatype, ox.NamedNode):
            datatypes.setdefault(property_.value, set()).add(datatype.value)
    properties = [
        BuilderProperty(
            iri,
            count,
            count <= class_.instances and LANG_STRING_IRI not in datatypes.get(iri, ()),
            find_value_kind(datatypes.get(iri, set())),
            LANG_STRING_IRI in datatypes.get(iri, ()),
        )
        for iri, count in counts.items()
    ]
    return sorted(properties, key=lambda property_: (-property_.uses, property_.iri))


def find_value_kind(datatypes: set[str]) -> str:
    """The kind of the values with these datatypes; without datatypes they are resources."""
    if not datatypes:
        return RESOURCE_VALUES
    if datatypes <= NUMBER_TYPES:
        return NUMBER_VALUES
    return DATE_VALUES if datatypes <= DATE_TYPES else TEXT_VALUES


def is_common_property(iri: str, base: str) -> bool:
    """Whether a property is offered first: one of the ontology, or of COMMON_PROPERTIES."""
    return iri.startswith(f"{base}ontology#") or shorten_iri(iri, base) in COMMON_PROPERTIES


def find_value_error(property_: BuilderProperty, match: str, value: str) -> str:
    """The message for a value that does not fit the filter; empty if it does, or if it is not needed."""
    if match in (MATCH_NEW, MATCH_ANY, MATCH_NONE):
        return ""
    if not value.strip():
        return gettext_noop("Enter a value, or choose another condition.")
    if property_.values == NUMBER_VALUES and not NUMBER_PATTERN.fullmatch(value.strip()):
        return gettext_noop("Enter a number, such as 7.")
    if property_.values == DATE_VALUES and not DATE_PREFIX_PATTERN.fullmatch(value.strip()):
        return gettext_noop("Enter a date, month or year, such as 2005-01-25, 2005-01 or 2005.")
    return ""


def build_values_query(class_: BuilderClass, property_: BuilderProperty, base: str, limit: int) -> str:
    """The query for the values of a property of a class, the most frequent first: ?value, ?things."""
    return add_query_prefixes(
        "SELECT ?value (COUNT(DISTINCT ?thing) AS ?things) WHERE { "
        f"?thing a {format_iri(class_.iri, base)} ; {format_iri(property_.iri, base)} ?value . "
        f"{build_language_filter(property_)}}} "
        f"GROUP BY ?value ORDER BY DESC(?things) ?value LIMIT {limit}",
        base,
    )


def build_chosen_query(builder_request: BuilderRequest, base: str) -> str:
    """The SPARQL query for what was chosen. A filter with an error, or without a match, has no effect."""
    names = name_variables(builder_request)
    thing = f"?{names[0]}"
    class_iri = format_iri(builder_request.class_.iri, base)
    columns = list(zip(builder_request.columns, names[1:], strict=True))
    sort = builder_request.sort
    is_by_name = sort is None or sort.values == RESOURCE_VALUES
    order = f"?{SORT_NAME}" if is_by_name else next(f"?{name}" for column, name in columns if column == sort)
    patterns = [
        f"{thing} a {class_iri} .",
        *(
            pattern
            for number, filter_ in enumerate(builder_request.filters, 1)
            if (pattern := build_filter_pattern(thing, filter_, number, base))
        ),
        *(build_column_pattern(thing, class_iri, column, name, base) for column, name in columns),
        *([build_name_pattern(thing, class_iri, sort, base)] if is_by_name else []),
    ]
    # Literals escape a line feed, but not the other characters at which `splitlines` splits.
    lines = "\n".join(f"  {line}" for pattern in patterns for line in pattern.split("\n"))
    sort_key = f"DESC({order})" if builder_request.is_descending else order
    return add_query_prefixes(
        f"SELECT DISTINCT {' '.join(f'?{name}' for name in names)} WHERE {{\n{lines}\n}}\n"
        f"ORDER BY {sort_key} {thing}\nLIMIT {builder_request.limit}",
        base,
    )


def name_variables(builder_request: BuilderRequest) -> list[str]:
    """The names of the variables: of the thing, then of each column; all are different."""
    names: list[str] = [SORT_NAME]
    for iri in (builder_request.class_.iri, *(column.iri for column in builder_request.columns)):
        words = NAME_SEPARATOR_PATTERN.sub("_", split_namespace(iri)[1]).strip("_") or "value"
        name = words[:1].lower() + words[1:]
        number = 2
        while name in names:
            name = f"{words[:1].lower()}{words[1:]}_{number}"
            number += 1
        names.append(name)
    return names[1:]


def build_column_pattern(thing: str, class_iri: str, column: BuilderProperty, name: str, base: str) -> str:
    """The pattern that binds the values of a column, several values as one text."""
    property_iri, language_filter = format_iri(column.iri, base), build_language_filter(column, f"?{name}")
    if column.is_single:
        return f"OPTIONAL {{ {thing} {property_iri} ?{name} }}"
    value = f"?{name}_value"
    return (
        f'OPTIONAL {{\n  SELECT {thing} (GROUP_CONCAT(DISTINCT STR({value}); separator=" | ") AS ?{name}) '
        f"WHERE {{\n    {thing} a {class_iri} ; {property_iri} {value} . "
        f"{language_filter.replace(f'?{name}', value)}\n  }} GROUP BY {thing}\n}}"
    )


def build_name_pattern(thing: str, class_iri: str, column: BuilderProperty | None, base: str) -> str:
    """The pattern that binds the name to sort by: of the thing, or of the resource in a column."""
    path = f"{format_iri(column.iri, base)}/({NAME_PATH})" if column else NAME_PATH
    return (
        f"OPTIONAL {{\n  SELECT {thing} (MIN(LCASE(STR(?name_value))) AS ?{SORT_NAME}) WHERE {{\n"
        f'    {thing} a {class_iri} ; {path} ?name_value . FILTER (LANG(?name_value) IN ("en", ""))\n'
        f"  }} GROUP BY {thing}\n}}"
    )


def build_language_filter(property_: BuilderProperty, variable: str = "?value") -> str:
    """The filter for texts in English or without a language; empty for other values."""
    return f'FILTER (LANG({variable}) IN ("en", "")) ' if property_.has_languages else ""


def build_filter_pattern(thing: str, filter_: BuilderFilter, number: int, base: str) -> str:
    """The pattern of a filter; empty if it has no effect. `number` makes its variables different."""
    property_iri, value = format_iri(filter_.property.iri, base), f"?filtered{number}"
    triple = f"{thing} {property_iri} {value} ."
    if filter_.match == MATCH_NEW or filter_.error:
        return ""
    if filter_.match == MATCH_NONE:
        return f"FILTER NOT EXISTS {{ {triple} }}"
    if filter_.match == MATCH_ANY:
        return f"FILTER EXISTS {{ {triple} }}"
    if filter_.match == "is" and filter_.property.values == RESOURCE_VALUES:
        return f"{thing} {property_iri} {format_iri(filter_.value, base)} ."
    condition = " ".join(iter_conditions(filter_, value))
    if filter_.property.values == RESOURCE_VALUES:
        triple, condition = (
            f"{triple} {value} {NAME_PATH} {value}_name .",
            condition.replace(value, f"{value}_name"),
        )
    return f"FILTER EXISTS {{ {triple} FILTER ({condition}) }}"


def iter_conditions(filter_: BuilderFilter, variable: str) -> Iterator[str]:
    """The condition of a filter on the value in a variable."""
    text = filter_.value.strip()
    literal, operator = ox.Literal(text), {"is": "=", "from": ">=", "to": "<="}.get(filter_.match)
    if filter_.property.values == NUMBER_VALUES:
        number = ox.Literal(text, datatype=ox.NamedNode(f"{XSD_NAMESPACE}decimal"))
        yield f"{variable} {operator} {number}"
    elif filter_.property.values == DATE_VALUES:
        yield f"SUBSTR(STR({variable}), 1, {len(text)}) {operator} {literal}"
    elif operator:
        yield f"LCASE(STR({variable})) = LCASE({literal})"
    else:
        yield f"CONTAINS(LCASE(STR({variable})), LCASE({literal}))"


def format_iri(iri: str, base: str) -> str:
    """An IRI in a query: its prefixed name if it has one, else in angle brackets. Raises ValueError."""
    name = shorten_iri(iri, base)
    return name if name != iri and name.isascii() else str(ox.NamedNode(iri))
