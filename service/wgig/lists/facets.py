"""Facets of lists: for each of some fields, the values to filter by and how many resources have them.

The values of a facet are counted over the resources that match all filters but its own. Dates are grouped by
month, or by year if there are many months, and numbers by ranges if there are many numbers. A list with more
than MAX_FACETED_ITEMS resources has no facets, as they are read for each page, unless it is in an index
(`list_index`).
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import pyoxigraph as ox
from wgig_client.literals import term_text

from ..http.language import current_language, gettext
from ..i18n import gettext_noop
from ..pages.rendering import format_date_text
from ..problems import Problem
from ..rdf.labels import words_of_iri
from ..rdf.namespaces import expand_curie, shorten_iri
from ..rdf.values import is_resource_type, parse_parameter_term
from ..store.view import is_writable_iri
from ..text import natural_sort_key
from .fields import COUNT_TYPE, TYPE_FIELD, ListDefinition, ListField
from .filters import (
    NO_VALUE_TEXT,
    RANGE_SEPARATOR,
    RANGE_TYPES,
    FilterValue,
    is_filter_match,
)
from .query import CountsByField, ListRequest, add_query_prefixes, iter_filter_patterns

MAX_CACHED_FACET_TEXTS = 10_000
MAX_FACETED_ITEMS = 5_000
MAX_FACET_VALUES = 40  # values listed of a facet, the most frequent ones
MAX_OPEN_FACET_VALUES = 6  # a facet with more values is collapsed, unless one is selected
MAX_MONTHS, MAX_NUMBERS = 12, 6  # more of them are grouped
YEAR_LETTERS, MONTH_LETTERS = 4, 7  # lengths of a year and of a month such as 2005-01
NUMBER_RANGE_STARTS = (1, 2, 6, 11, 21, 51, 101)  # of the ranges by which numbers are grouped; 0 is separate
# The facets of each list: the fields of its columns, and topics that are shown below its names.
FACET_FIELDS = {
    "papers": (
        "type",
        "issue",
        "category",
        "schema:creativeWorkStatus",
        "conformance",
        "drafter",
        "posted",
    ),
    "issues": ("papers", "category", "cluster", "judgments"),
    "categories": ("skos:inScheme", "skos:broader", "skos:relatedMatch", "issues", "papers"),
    "principles": ("skos:broader", "texts", "measured", "judgments"),
    "stakeholders": ("stakeholderGroup", "org:role", "region", "country", "org:memberOf"),
    "meetings": ("type", "schema:startDate", "schema:endDate", "actualKind", "openTo", "place"),
    "milestones": ("dcterms:type", "timeliness", "responsible", "due", "delivered"),
    "agreements": ("dcterms:type", "topic", "settledBy", "concerns", "outcome", "confidence"),
    "declaration": ("dcterms:type", "partOf", "namesPrinciple", "bearsOn", "citing", "evidence"),
    "background-report": (
        "dcterms:type",
        "partOf",
        "namesPrinciple",
        "bearsOn",
        "judgments",
        "recommendations",
    ),
    "judgments": ("verdict", "viewHolder", "criterion", "issue", "cluster", "judges", "paragraph", "dispute"),
    "disputes": ("issue", "criterion", "verdict", "viewHolder", "paragraph", "judgments"),
    "mechanisms": ("dcterms:type", "governs", "judgments", "dcterms:isReferencedBy"),
    "recommendations": ("dcterms:type", "viewHolder", "issue", "namesPrinciple", "paragraph"),
    "definitions": ("authorType", "dcterms:creator", "dcterms:date", "namesActors", "byMember"),
    "timeline": ("type", "when", "timeliness"),
    "conformance": ("earl:result", "partsMet", "partsAsked"),
}
LISTED_DATE_PATTERN = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}")
DIGITS_PATTERN = re.compile(r"[0-9]{1,18}")
# What pages say for a value, by the type of the field, or by its name if its type is `name`.
VALUE_WORDS = {
    "boolean": {"true": gettext_noop("yes"), "false": gettext_noop("no")},
    "evidence": {
        "beginning only": gettext_noop("beginning only"),
        "beginning, and press report of the rest": gettext_noop("beginning, and a press report of the rest"),
        "described": gettext_noop("only a description"),
        "excerpt": gettext_noop("only an excerpt"),
        "full text": gettext_noop("full text"),
        "heading only": gettext_noop("heading only"),
        "named only": gettext_noop("not seen, but mentioned in other texts"),
        "not seen": gettext_noop("not seen"),
        "quotation": gettext_noop("only a quotation"),
        "quotation of the draft": gettext_noop("only a quotation of a draft"),
        "quotation of the request": gettext_noop("only a quotation of its request"),
        "quotation with one omission": gettext_noop("quotation with one omission"),
    },
}

# By IRI: the texts of the terms of a resource by the name of the field.
FacetTable = Mapping[str, Mapping[str, tuple[str, ...]]]
Tallies = Mapping[str, Mapping[str, int]]  # the number of resources by field and key of a value
LabelsByIri = Mapping[str, ox.Literal]
LabelFinder = Callable[[Collection[str]], LabelsByIri]


@dataclass(frozen=True)
class FacetValue:
    """A value of a facet: its text in query strings, its label, and whether the list is filtered by it.

    `count` is the number of resources that have it and match all other filters.
    """

    text: str
    label: ox.Literal
    count: int
    is_selected: bool


@dataclass(frozen=True)
class Facet:
    """A facet: the name of its field, its values, and the number of those that are not listed."""

    name: str
    values: Sequence[FacetValue]
    unlisted_values: int = 0

    @property
    def has_choice(self) -> bool:
        """Whether the facet can narrow the list, or does so."""
        return len(self.values) > 1 or any(value.is_selected for value in self.values)

    @property
    def is_open(self) -> bool:
        """Whether the facet is expanded: it has few values, or some are selected."""
        return len(self.values) <= MAX_OPEN_FACET_VALUES or any(value.is_selected for value in self.values)


def list_facet_fields(list_request: ListRequest) -> list[ListField]:
    """The fields of the facets of a list."""
    names = FACET_FIELDS.get(list_request.definition.name, ())
    return [list_request.definition.by_name[name] for name in names]


def has_few_items(total: int) -> bool:
    """Whether a list with so many items has facets."""
    return total <= MAX_FACETED_ITEMS


def build_faceted_ids_query(list_request: ListRequest) -> str:
    """The query, without prefixes, for the resources that match all filters but those by facets.

    It has one resource more than a list with facets can have. A result row has a resource `id`.
    """
    names = {field.name for field in list_facet_fields(list_request)}
    filters = {name: values for name, values in list_request.filters.items() if name not in names}
    patterns = " ".join(iter_filter_patterns(replace(list_request, filters=filters)))
    return f"SELECT DISTINCT ?id WHERE {{ {patterns} }} LIMIT {MAX_FACETED_ITEMS + 1}"


def build_facets_query(list_request: ListRequest, base: str) -> str:
    """The query for the resources of `build_faceted_ids_query`, and their terms.

    A result row has a resource `id`, a `field` and a `value`; a row without both has the resource alone. Each
    branch binds the resource: otherwise, the engine would read the values of all resources of the graph.
    """
    branches = " UNION ".join(
        [
            f'{{ {field.value_pattern("?value")} BIND ("{field.name}" AS ?field) }}'
            for field in list_facet_fields(list_request)
            if field.type != COUNT_TYPE
        ]
        + ["{ ?id a ?class }"]
    )
    return add_query_prefixes(
        f"SELECT ?id ?field ?value WHERE {{ {{ {build_faceted_ids_query(list_request)} }} {branches} }}",
        base,
    )


def build_facet_table(
    list_request: ListRequest, rows: Iterable[Sequence[Any]], counts: CountsByField, base: str
) -> FacetTable:
    """The resources and the texts of their terms, from the result rows of `build_facets_query`.

    `counts` are those of the count fields.
    """
    table: dict[str, dict[str, tuple[str, ...]]] = {}
    classes = list_class_iris(list_request.definition, base)
    for resource, name, value in rows:
        texts_by_field = table.setdefault(resource.value, {})
        if isinstance(name, ox.Literal) and (name.value != TYPE_FIELD.name or value.value in classes):
            texts_by_field[name.value] = (*texts_by_field.get(name.value, ()), term_text(value))
    for field in list_facet_fields(list_request):
        if field.name in counts:
            for iri, texts_by_field in table.items():
                texts_by_field[field.name] = (str(counts[field.name].get(iri, 0)),)
    return table


def list_class_iris(definition: ListDefinition, base: str) -> set[str]:
    """The IRIs of the classes of a list."""
    return {expand_curie(name, base).value for name in definition.class_names}


def build_facets(
    list_request: ListRequest, table: FacetTable, counts: CountsByField, find_labels: LabelFinder, base: str
) -> list[Facet]:
    """The facets of a list, without those that have nothing to choose.

    A count field without `counts`, as its resources are still being counted, has no facet.
    """
    fields = [
        field for field in list_facet_fields(list_request) if field.type != COUNT_TYPE or field.name in counts
    ]
    matches_by_field = {
        field.name: {
            iri
            for iri, texts_by_field in table.items()
            if is_filter_match(
                field, list_request.filters[field.name], texts_by_field.get(field.name, ()), base
            )
        }
        for field in fields
        if field.name in list_request.filters
    }
    tallies = {}
    for field in fields:
        other_matches = [iris for name, iris in matches_by_field.items() if name != field.name]
        matches = set(table).intersection(*other_matches)
        counts_by_texts = Counter(table[iri].get(field.name, ()) for iri in matches)
        tallies[field.name] = tally_facet_keys(
            field, counts_by_texts, list_request.filters.get(field.name, ()), base
        )
    iris = list_facet_iris(list_request, tallies)
    return build_tallied_facets(list_request, tallies, find_labels(iris), base)


def list_facet_iris(list_request: ListRequest, tallies: Tallies) -> set[str]:
    """The IRIs among the keys of facets."""
    fields = list_request.definition.by_name
    keys = {key for name, tally in tallies.items() if has_iri_keys(fields[name]) for key in tally}
    return {key for key in keys - {NO_VALUE_TEXT} if is_writable_iri(key)}


def build_tallied_facets(
    list_request: ListRequest, tallies: Tallies, labels: LabelsByIri, base: str
) -> list[Facet]:
    """The facets of a list, without those that have nothing to choose."""
    facets = []
    for name, tally in tallies.items():
        field = list_request.definition.by_name[name]
        selected_keys = {find_filter_key(field, value, base) for value in list_request.filters.get(name, ())}
        values = (
            FacetValue(
                build_facet_text(field, key, base),
                find_key_label(field, key, labels),
                count,
                key in selected_keys,
            )
            for key, count in tally.items()
        )
        facets.append(make_facet(field, [value for value in values if value.text]))
    return [facet for facet in facets if facet.has_choice]


def tally_facet_keys(
    field: ListField,
    counts_by_texts: Mapping[tuple[str, ...], int],
    selected: Sequence[FilterValue],
    base: str,
) -> Counter[str]:
    """The number of resources by key of a value of a facet.

    `counts_by_texts` has their number by the texts of all their terms of the field. A key is an IRI, a text,
    a date of which others are parts, a number, a range of numbers, or NO_VALUE_TEXT. The `selected` values
    are keys in any case.
    """
    make_key = make_key_function(field, {text for texts in counts_by_texts for text in texts})
    tally = Counter[str]()
    for texts, count in counts_by_texts.items():
        for key in {*map(make_key, texts)} or {NO_VALUE_TEXT}:
            tally[key] += count
    for value in selected:
        key = find_filter_key(field, value, base)
        if key not in tally:
            tally[key] = sum(
                count
                for texts, count in counts_by_texts.items()
                if is_filter_match(field, [value], texts, base)
            )
    return tally


def make_key_function(field: ListField, texts: Collection[str]) -> Callable[[str], str]:
    """The function that returns the key for the text of a term, if these are the texts of a facet."""
    if field.type == "date":
        months = {text[:MONTH_LETTERS] for text in texts if LISTED_DATE_PATTERN.fullmatch(text)}
        # A year as a value of its own would match its months, too.
        is_by_year = len(months) > MAX_MONTHS or any(len(month) < MONTH_LETTERS for month in months)
        key_letters = YEAR_LETTERS if is_by_year else MONTH_LETTERS
        return lambda text: text[:key_letters] if LISTED_DATE_PATTERN.fullmatch(text) else text
    if field.type not in RANGE_TYPES:
        return lambda text: text
    is_grouped = len(texts) > MAX_NUMBERS
    return lambda text: make_number_key(text, is_grouped=is_grouped, is_count=field.type == COUNT_TYPE)


def make_number_key(text: str, *, is_grouped: bool, is_count: bool) -> str:
    """The key for the text of a number: the number, or the range that contains it."""
    if is_count and text == "0":
        return NO_VALUE_TEXT
    number = int(text) if DIGITS_PATTERN.fullmatch(text) else 0
    if not is_grouped or number < NUMBER_RANGE_STARTS[1]:
        return text
    position = bisect_right(NUMBER_RANGE_STARTS, number)
    last = str(NUMBER_RANGE_STARTS[position] - 1) if position < len(NUMBER_RANGE_STARTS) else ""
    return f"{NUMBER_RANGE_STARTS[position - 1]}{RANGE_SEPARATOR}{last}"


def find_filter_key(field: ListField, value: FilterValue, base: str) -> str:
    """The key for a value of a filter."""
    if value.range:
        first, last = value.range
        return make_number_key(first, is_grouped=False, is_count=True) if first == last else value.text
    if value.is_missing:
        return NO_VALUE_TEXT
    return expand_curie(value.term, base).value if field.type == "class" else term_text(value.term)


def has_iri_keys(field: ListField) -> bool:
    """Whether the keys of a facet are IRIs."""
    return field.type == "class" or is_resource_type(field.type)


def build_facet_text(field: ListField, key: str, base: str) -> str:
    """The text of a key in query strings: the end of an IRI if that is enough, else its prefixed name.

    Empty if no such text is valid, as the data has a resource of another kind than the field.
    """
    if not has_iri_keys(field) or key == NO_VALUE_TEXT:
        return key
    if field.type == "class":
        return shorten_iri(key, base).partition(":")[2]
    return find_shortest_text(key, field.name, field.type, base)


@lru_cache(MAX_CACHED_FACET_TEXTS)
def find_shortest_text(key: str, name: str, type_: str, base: str) -> str:
    """The shortest text that the parameter of a field accepts for an IRI; empty if it accepts none."""
    curie = shorten_iri(key, base)
    for text in (curie.partition(":")[2], curie, key):
        with suppress(Problem):
            if parse_parameter_term(name, type_, text, base).value == key:
                return text
    return ""


def find_key_label(field: ListField, key: str, labels: LabelsByIri) -> ox.Literal:
    """The label of a key, in the language of the page if possible."""
    if key == NO_VALUE_TEXT:
        return page_literal(gettext(field.missing_text))
    if has_iri_keys(field):
        return labels.get(key) or ox.Literal(words_of_iri(key))
    if text := find_value_words(field).get(key):
        return page_literal(gettext(text))
    if field.type in RANGE_TYPES and RANGE_SEPARATOR in key:
        return page_literal(format_range(field, *key.split(RANGE_SEPARATOR, 1)))
    return page_literal(format_date_text(key)) if field.type == "date" else ox.Literal(key)


def find_value_words(field: ListField) -> Mapping[str, str]:
    """What pages say for values of a field, in English, by the text of the value."""
    return VALUE_WORDS.get(field.name if field.type == "name" else field.type, {})


def format_range(field: ListField, first: str, last: str) -> str:
    """A range of dates or numbers in words; one end may be empty."""
    first, last = format_date_text(first), format_date_text(last)
    if first and last:
        return gettext("%(first)s to %(last)s") % {"first": first, "last": last}
    if field.type == "date":
        return (gettext("from %(date)s") if first else gettext("until %(date)s")) % {"date": first or last}
    return (gettext("%(number)s or more") if first else gettext("%(number)s or fewer")) % {
        "number": first or last
    }


def page_literal(text: str) -> ox.Literal:
    """A text in the language of the page."""
    return ox.Literal(text, language=current_language())


def make_facet(field: ListField, values: Iterable[FacetValue]) -> Facet:
    """The facet with its most frequent values, or the first ones of numbers and dates.

    Selected values are listed in any case. Resources without a value come last, but those with a count of 0
    first.
    """

    def sort_key(value: FacetValue) -> tuple[object, ...]:
        if field.type == COUNT_TYPE:
            return natural_sort_key("0" if value.text == NO_VALUE_TEXT else value.text)
        rank = natural_sort_key(value.text) if field.type in RANGE_TYPES else (-value.count,)
        return value.text == NO_VALUE_TEXT, rank, natural_sort_key(value.label.value)

    ranked = sorted(values, key=sort_key)
    listed = [
        value
        for position, value in enumerate(ranked)
        if position < MAX_FACET_VALUES or value.is_selected or value.text == NO_VALUE_TEXT
    ]
    return Facet(field.name, listed, len(ranked) - len(listed))
